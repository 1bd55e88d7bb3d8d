/*
 * ms_lane: one kind of REST calls, such as those that send leads, and how they have been
 * going. A kind that Marketo does not answer or refuses holds up no other.
 */
#ifndef MS_LANE_H
#define MS_LANE_H

#include "backoff.h"
#include "http_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long, at most, after a fault of the configuration one call finds out whether it was mended.
 */
#define MS_FAULT_PAUSE MS_BACKOFF_MAX

/* So often a record alone is refused as no call should be, others going well between, before it is
 * put aside. */
#define MS_FAULTS_MOST 10

/* So many records in a row, each alone in its call, are believed to be refused for their own fault.
 */
#define MS_REFUSED_MOST 10

typedef struct {
    size_t most; /* records a call */
    size_t size; /* records a call at present: fewer after trouble */
    size_t under_way;
    unsigned int attempts; /* failures in a row */
    unsigned int refused;  /* records in a row, for their own fault, each alone in its call */
    int64_t failed_at;
    int64_t not_before;
    int64_t pause; /* how far ahead that was */
    const char *name;
    bool fault;  /* known, and in the log */
    bool silent; /* the same of no answers */
    bool proven; /* a call went well */
    bool well;   /* one did since one record alone was refused as no call should be */
} ms_lane;

/* `name`, for the log, outlives it. */
void ms_lane_init(ms_lane *lane, const char *name, size_t most);

/*
 * May a call be started? While things go wrong only one at a time. If not before some time, `*wake`
 * is lowered to it.
 */
bool ms_lane_allows(ms_lane *lane, int64_t now, int64_t *wake);

/* The end of a trouble that is in the log is so, too. */
void ms_lane_went_well(ms_lane *lane);

/*
 * A call that began at `started` was not answered. `attempts` is how often that has happened to
 * its records; `delay(n)` by backoff.h. Returns when its records should go again. Calls that were
 * under way together count as one failure.
 */
int64_t ms_lane_failed(ms_lane *lane, int64_t started, unsigned int attempts, int64_t retry_after,
                       int64_t now, uint32_t random);

/* After ms_lane_failed: says in the log that Marketo does not answer, once, if that has been so for
 * some time. Why is its code, if there is one, or what the answer says. */
void ms_lane_tell_failure(ms_lane *lane, const ms_http_answer *answer, ms_slice code);

/* Marketo refuses such calls: one in MS_FAULT_PAUSE from now on. True if that is news. */
bool ms_lane_refused(ms_lane *lane, int64_t now);

/*
 * A call of `count` records was refused as no call should be, with this code of Marketo's. True if
 * that may be for what its records say, since others went well since the last one of a single
 * record that was: then the next calls are of one record each, to find out of which. Else Marketo
 * refuses such calls, which the log is told once: likewise, but where such calls have gone well
 * before, the pauses only grow to MS_FAULT_PAUSE. Either way its records are to go behind those
 * that wait already, so that others find out what it is about. A call of no records is never
 * suspected. Calls that were under way together, this one since `started`, count as one.
 */
bool ms_lane_fault(ms_lane *lane, size_t count, ms_slice code, int64_t started, int64_t now);

/* After a failure: no longer than `pause` ms until the next call. */
void ms_lane_hold_at_most(ms_lane *lane, int64_t pause, int64_t now);

/* A whole call of one record was refused for that one's fault. */
void ms_lane_refused_one(ms_lane *lane);

/* A call of `count` records was too much: half as many from now on. */
void ms_lane_split(ms_lane *lane, size_t count);

#endif
