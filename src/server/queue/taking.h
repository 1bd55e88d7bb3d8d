/*
 * What the ways of taking what is due have in common.
 */
#ifndef MS_TAKING_H
#define MS_TAKING_H

#include "lead_row.h"

/* Rows that may be taken, the longest due first. */
typedef struct {
    int64_t *ids;
    size_t count;
} ms_candidates;

/*
 * Runs a query that gives id and due of at most `room` rows, of which those may linger still. None
 * if there are fewer than `room` and none has lingered its time. Ends the statement.
 */
ms_candidates ms_taking(ms_sql *sql, size_t room, int64_t now);

/* The same of leads of a class. */
ms_candidates ms_taking_leads(ms_store *store, ms_lead_class class, int64_t now, size_t room);

/* Notes that somebody takes this kind: see ms_store_next_due. */
void ms_taking_begins(ms_store *store, unsigned int kind);

/* A text into the taker's arena; false, with the arena as it was, if it has no room. */
bool ms_taking_copy(ms_arena *arena, ms_slice *text);

/*
 * `attempts`, on disk, are three numbers: how often it failed, in the higher bits how often Marketo
 * had no lead of the id, and above those how often it was suspected (ms_store_suspect). Each is for
 * another reason, and an outage says nothing of what it held up.
 */
#define MS_GONE_ONCE (INT64_C(1) << 20)
#define MS_SUSPECTED_ONCE (INT64_C(1) << 40)
unsigned int ms_taking_attempts(int64_t attempts);
unsigned int ms_taking_gone(int64_t attempts);
unsigned int ms_taking_suspicions(int64_t attempts);

/* What the former process, or this one, takes; kept for those that attach. */
void ms_taking_recall(ms_store *store);

#endif
