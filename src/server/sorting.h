/*
 * When what was accepted is carried out (ms_store_carry_out): it takes ten times as long as to
 * accept it, so in a burst of requests it waits. Requests that come now and then are carried out
 * in the turn that accepts them. In a burst that goes on, half of the time in which there is
 * nothing else to do is for it, and a sixteenth of the rest; more than that, the more waits, so
 * that those who send without end come to send as fast as it is carried out. What is left is made
 * up for in the first quiet moment.
 */
#ifndef MS_SORTING_H
#define MS_SORTING_H

#include "queue/store.h"

#include <stdbool.h>

typedef struct {
    bool waiting;          /* something may be accepted and not carried out */
    int64_t last_accepted; /* microseconds, monotonic */
    int64_t last_sorted;
    int64_t idle;          /* microseconds since then in which there was nothing to do */
    int64_t backlog;       /* messages that wait, as they were last counted */
    unsigned int failures; /* turns that carried something out and failed, one after the other */
} ms_sorting;

/* At a start: there may be something from before. */
void ms_sorting_init(ms_sorting *sorting);

/* New requests have come: what they ask for is to be carried out. */
void ms_sorting_accepts(ms_sorting *sorting);

/* There was nothing to do for so many microseconds. */
void ms_sorting_idled(ms_sorting *sorting, int64_t time);

/* Is something to be carried out in a turn, with or without new requests? */
bool ms_sorting_is_due(const ms_sorting *sorting, bool accepts);

/* Carries out as much as there is time for, within the turn's transaction, after it has accepted.
 */
ms_store_result ms_sorting_run(ms_sorting *sorting, ms_store *store, bool accepts, int64_t now);

/* The turn was one that carried something out, and is committed or rolled back. */
void ms_sorting_ended(ms_sorting *sorting, bool committed);

/* Milliseconds until ms_sorting_is_due of a turn without new requests; INT64_MAX if nothing waits.
 */
int64_t ms_sorting_wait(const ms_sorting *sorting);

#endif
