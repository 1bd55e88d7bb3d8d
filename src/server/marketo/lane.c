#include "lane.h"

#include "backoff.h"

/* From so many failures on, it may be one record that Marketo cannot digest: fewer a call find out
 * which. */
#define FAILURES_TO_SPLIT 3

void
ms_lane_init(ms_lane *lane, size_t most)
{
    *lane = (ms_lane){.most = most, .size = most, .failed_at = INT64_MIN};
}

static void
hold(ms_lane *lane, int64_t now, int64_t pause)
{
    lane->failed_at = now;
    lane->pause = pause;
    lane->not_before = now + pause;
}

bool
ms_lane_allows(ms_lane *lane, int64_t now, int64_t *wake)
{
    /* After a clock was set back it is no longer than it would have been. */
    int64_t latest = now + lane->pause;
    lane->not_before = lane->not_before < latest ? lane->not_before : latest;
    lane->failed_at = lane->failed_at < now ? lane->failed_at : now;
    if (lane->not_before > now) {
        *wake = *wake < lane->not_before ? *wake : lane->not_before;
        return false;
    }
    return lane->attempts == 0 || lane->under_way == 0;
}

void
ms_lane_went_well(ms_lane *lane)
{
    lane->attempts = 0;
    lane->failed_at = INT64_MIN;
    lane->not_before = 0;
    lane->fault = false;
    lane->size = 2 * lane->size < lane->most ? 2 * lane->size : lane->most;
}

void
ms_lane_split(ms_lane *lane, size_t count)
{
    size_t half = count / 2;
    size_t size = lane->size < half ? lane->size : half;
    lane->size = size > 0 ? size : 1;
}

int64_t
ms_lane_failed(ms_lane *lane, int64_t started, unsigned int attempts, int64_t retry_after,
               int64_t now, uint32_t random)
{
    if (started >= lane->failed_at) {
        lane->attempts++;
        hold(lane, now, ms_backoff_delay(lane->attempts, retry_after, random));
        if (lane->attempts >= FAILURES_TO_SPLIT || attempts >= FAILURES_TO_SPLIT) {
            ms_lane_split(lane, lane->size);
        }
    }
    int64_t own = now + ms_backoff_delay(attempts + 1, 0, random);
    return own > lane->not_before ? own : lane->not_before;
}

bool
ms_lane_refused(ms_lane *lane, int64_t now)
{
    bool news = !lane->fault;
    lane->fault = true;
    lane->attempts++;
    hold(lane, now, MS_FAULT_PAUSE);
    if (lane->attempts >= FAILURES_TO_SPLIT) {
        ms_lane_split(lane, lane->size);
    }
    return news;
}
