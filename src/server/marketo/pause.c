#include "pause.h"

#include "../log.h"
#include "backoff.h"
#include "central_time.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define LONGEST_DAY (25 * HOUR)
#define YOUNG_DAY HOUR
#define YOUNG_DAY_PAUSE (5 * MINUTE)

/* In a row: then it does not help to make fewer, and others may be who makes them. */
#define TOO_MANY_TO_TELL 3

/* A pause that is over does not come back, and none is longer than it can be, when a clock is set
 * back. */
static int64_t
what_is_left(int64_t until, int64_t now, int64_t longest)
{
    return until <= now ? 0 : ms_sooner(until, now + longest);
}

int64_t
ms_pause_until(ms_pause *pause, int64_t now)
{
    pause->slowed_at = ms_sooner(pause->slowed_at, now);
    pause->too_many_until = what_is_left(pause->too_many_until, now, MS_RETRY_AFTER_MAX);
    pause->quota_until = what_is_left(pause->quota_until, now, LONGEST_DAY);
    return pause->too_many_until > pause->quota_until ? pause->too_many_until : pause->quota_until;
}

int64_t
ms_pause_too_many(ms_pause *pause, ms_limiter *limiter, bool in_20_seconds, int64_t started,
                  int64_t retry_after, int64_t now)
{
    if (started >= pause->slowed_at) {
        pause->too_many++;
        if (pause->too_many == TOO_MANY_TO_TELL) {
            ms_log("warning", "marketo_has_too_many_calls", "calls",
                   in_20_seconds ? "in 20 seconds" : "at once");
        }
        pause->slowed_at = now;
        pause->too_many_until =
            now + ms_backoff_delay(pause->too_many, retry_after, ms_backoff_random());
        if (in_20_seconds) {
            ms_limiter_slow_down(limiter);
        } else {
            ms_limiter_fewer_at_once(limiter);
        }
    }
    return pause->too_many_until;
}

void
ms_pause_quota(ms_pause *pause, int64_t started, int64_t now)
{
    bool young = ms_central_next_midnight(started - YOUNG_DAY) <= started;
    if (!pause->quota_told) {
        ms_log("warning", "daily_quota_used_up", NULL, NULL);
    }
    pause->quota_told = true;
    pause->quota_until = young ? now + YOUNG_DAY_PAUSE : ms_central_next_midnight(started);
}

void
ms_pause_went_well(ms_pause *pause)
{
    if (pause->too_many >= TOO_MANY_TO_TELL) {
        ms_log("info", "marketo_recovered", "call", "all");
    }
    pause->too_many = 0;
    pause->quota_told = false;
}
