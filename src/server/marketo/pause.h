/*
 * ms_pause: what holds up all calls to Marketo, of whatever kind: it said that there were too many
 * of them, or that the day's quota is used up.
 */
#ifndef MS_PAUSE_H
#define MS_PAUSE_H

#include "limiter.h"

#include <stdbool.h>

/* All 0 to begin with. */
typedef struct {
    int64_t too_many_until;
    unsigned int too_many; /* such answers in a row */
    int64_t slowed_at;     /* when the limiter was told of the last one */
    int64_t quota_until;
    bool quota_told; /* in the log, and not over */
} ms_pause;

/* Until when there must be no call; 0 if one may be made now. */
int64_t ms_pause_until(ms_pause *pause, int64_t now);

/*
 * A call that began at `started` was too much: in 20 seconds, else at once. Calls that were under
 * way together were so together, and count once. `retry_after` as backoff.h has it. Returns when
 * its records may go again.
 */
int64_t ms_pause_too_many(ms_pause *pause, ms_limiter *limiter, bool in_20_seconds, int64_t started,
                          int64_t retry_after, int64_t now);

/*
 * The quota was used up when the call that began at `started` came to be counted. The pause lasts
 * until midnight, US Central; in a day's first hour for minutes only, since Marketo may have
 * counted it as the day before's, by its clock. Said in the log when it begins.
 */
void ms_pause_quota(ms_pause *pause, int64_t started, int64_t now);

/* A call was not too much. If it was in the log that they were for some time, so is the end. */
void ms_pause_went_well(ms_pause *pause);

#endif
