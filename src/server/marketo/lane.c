#include "lane.h"

#include "../log.h"

#include <stdio.h>

/* One or two are nothing that anybody can do something about. */
#define FAILURES_TO_TELL 3

#define CODE_MAX 16

void
ms_lane_init(ms_lane *lane, const char *name, size_t most)
{
    *lane = (ms_lane){.name = name, .most = most, .size = most, .failed_at = INT64_MIN};
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
    if (lane->fault || lane->silent) {
        ms_log("info", "marketo_recovered", "call", lane->name);
    }
    lane->attempts = 0;
    lane->refused = 0;
    lane->failed_at = INT64_MIN;
    lane->not_before = 0;
    lane->fault = false;
    lane->silent = false;
    lane->proven = true;
    lane->well = true;
    lane->size = 2 * lane->size < lane->most ? 2 * lane->size : lane->most;
}

void
ms_lane_split(ms_lane *lane, size_t count)
{
    size_t half = count / 2;
    if (half > 0) { /* a refusal of one says nothing of how many may go together */
        lane->size = lane->size < half ? lane->size : half;
    }
}

void
ms_lane_refused_one(ms_lane *lane)
{
    lane->refused += lane->refused < MS_REFUSED_MOST;
}

int64_t
ms_lane_failed(ms_lane *lane, int64_t started, unsigned int attempts, int64_t retry_after,
               int64_t now, uint32_t random)
{
    if (started >= lane->failed_at) {
        lane->attempts++;
        hold(lane, now, ms_backoff_delay(lane->attempts, retry_after, random));
    }
    int64_t own = now + ms_backoff_delay(attempts + 1, 0, random);
    return own > lane->not_before ? own : lane->not_before;
}

/* A code is a number, or a word such as http_403; what is none may be anything, an address, too. */
static ms_slice
loggable(ms_slice code)
{
    bool is_code = code.len > 0 && code.len <= CODE_MAX;
    for (size_t i = 0; is_code && i < code.len; i++) {
        is_code = ms_is_digit(code.ptr[i]) || ms_is_alpha(code.ptr[i]) || code.ptr[i] == '_';
    }
    return is_code ? code : MS_SLICE("strange_code");
}

static void
say(const ms_lane *lane, const char *level, const char *event, ms_slice what)
{
    char text[192];
    (void)snprintf(text, sizeof text, "%s: %.*s", lane->name,
                   (int)(what.len < sizeof text ? what.len : sizeof text), what.ptr);
    ms_log(level, event, "call", text);
}

void
ms_lane_tell_failure(ms_lane *lane, const ms_http_answer *answer, ms_slice code)
{
    char status[32];
    if (lane->silent || lane->attempts < FAILURES_TO_TELL) {
        return;
    }
    lane->silent = true;
    (void)snprintf(status, sizeof status, "HTTP %ld", answer->status);
    const char *known = answer->problem != NULL ? answer->problem : status;
    say(lane, "warning", "marketo_does_not_answer",
        code.len > 0 ? loggable(code) : ms_slice_from(known));
}

static void
refuse(ms_lane *lane, int64_t pause, int64_t now)
{
    lane->attempts++;
    hold(lane, now, pause);
    lane->size = 1; /* more would find out no more */
}

void
ms_lane_hold_at_most(ms_lane *lane, int64_t pause, int64_t now)
{
    if (lane->not_before > now + pause) {
        hold(lane, now, pause);
    }
}

bool
ms_lane_refused(ms_lane *lane, int64_t now)
{
    bool news = !lane->fault;
    lane->fault = true;
    refuse(lane, MS_FAULT_PAUSE, now);
    return news;
}

bool
ms_lane_fault(ms_lane *lane, size_t count, ms_slice code, int64_t started, int64_t now)
{
    if (count > 0 && lane->well) {
        lane->well = count > 1; /* the next may be of the one that it was for */
        lane->size = 1;
        return true;
    }
    bool is_sure = count == 0 || !lane->proven;
    if (started >= lane->failed_at) {
        refuse(lane, is_sure ? MS_FAULT_PAUSE : ms_backoff_ceiling(lane->attempts), now);
    }
    if (!lane->fault && (is_sure || lane->attempts >= FAILURES_TO_TELL)) {
        lane->fault = true;
        say(lane, "error", "marketo_refuses", loggable(code));
    }
    return false;
}
