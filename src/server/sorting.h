/*
 * When what was accepted is carried out (ms_store_carry_out): at once, if requests come now and
 * then. In a burst some more are waited for each time, so that they share a commit.
 */
#ifndef MS_SORTING_H
#define MS_SORTING_H

#include "queue/store.h"

#include <stdbool.h>

typedef struct {
    bool waiting;          /* something may be accepted and not carried out */
    int64_t next;          /* microseconds, monotonic: not before */
    int64_t last_accepted; /* microseconds, monotonic */
    int64_t backlog;       /* messages that wait, as they were last counted */
    int64_t took;          /* microseconds, the last time */
    unsigned int failures; /* turns that carried something out and failed, one after the other */
} ms_sorting;

/* At a start: there may be something from before. */
void ms_sorting_init(ms_sorting *sorting);

/* Something has been accepted. */
void ms_sorting_accepts(ms_sorting *sorting);

/* Is something to be carried out now? */
bool ms_sorting_is_due(const ms_sorting *sorting);

/* Carries out as much as there is time for, within the turn's transaction. */
ms_store_result ms_sorting_run(ms_sorting *sorting, ms_store *store, int64_t now);

/* The turn was one that carried something out, and is committed or rolled back. */
void ms_sorting_ended(ms_sorting *sorting, bool committed);

/* Milliseconds until it is due; INT64_MAX if nothing waits. */
int64_t ms_sorting_wait(const ms_sorting *sorting);

#endif
