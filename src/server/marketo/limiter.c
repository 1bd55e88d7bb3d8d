#include "limiter.h"

#include <stdio.h>
#include <stdlib.h>

#define CALLS_MIN 5
#define UNDER_WAY 0      /* as it is written; no call left then */
#define WELL_FOR_MORE 10 /* so many in a row, and the limits rise by one */
#define LEFT_OF_CALLS 5  /* one in so many is left to others by those that are many */

void
ms_limiter_init(ms_limiter *limiter, unsigned int calls, unsigned int at_once)
{
    *limiter = (ms_limiter){
        .calls = calls, .at_once = at_once, .calls_now = calls, .at_once_now = at_once};
    for (size_t i = 0; i < MS_LIMITER_CALLS_MAX; i++) {
        limiter->sent[i] = MS_LIMITER_NEVER;
    }
}

/* A clock that was set back must not hold everything up until it is as late again. */
static void
forget_the_future(ms_limiter *limiter, int64_t now)
{
    for (size_t i = 0; i < MS_LIMITER_CALLS_MAX; i++) {
        if (limiter->sent[i] > now && limiter->sent[i] != INT64_MAX) {
            limiter->sent[i] = now;
        }
    }
}

/* When the `back`th last call was sent, from 1. */
static int64_t
sent(const ms_limiter *limiter, unsigned int back)
{
    int64_t latest[MS_LIMITER_CALLS_MAX]; /* the latest first */
    for (size_t i = 0; i < MS_LIMITER_CALLS_MAX; i++) {
        latest[i] = INT64_MIN;
    }
    for (size_t i = 0; i < MS_LIMITER_CALLS_MAX; i++) {
        size_t place = back;
        for (; place > 0 && latest[place - 1] < limiter->sent[i]; place--) {
            if (place < back) {
                latest[place] = latest[place - 1];
            }
        }
        if (place < back) {
            latest[place] = limiter->sent[i];
        }
    }
    return latest[back - 1];
}

static bool
allows(ms_limiter *limiter, unsigned int calls, unsigned int at_once, int64_t now, int64_t *wake)
{
    if (limiter->under_way >= at_once) {
        return false;
    }
    forget_the_future(limiter, now);
    int64_t last = sent(limiter, calls);
    if (last == INT64_MAX) {
        return false;
    }
    if (last + MS_LIMITER_WINDOW <= now) {
        return true;
    }
    *wake = *wake < last + MS_LIMITER_WINDOW ? *wake : last + MS_LIMITER_WINDOW;
    return false;
}

bool
ms_limiter_allows(ms_limiter *limiter, int64_t now, int64_t *wake)
{
    return allows(limiter, limiter->calls_now, limiter->at_once_now, now, wake);
}

bool
ms_limiter_allows_one_of_many(ms_limiter *limiter, int64_t now, int64_t *wake)
{
    unsigned int calls = limiter->calls_now - limiter->calls_now / LEFT_OF_CALLS;
    unsigned int at_once = limiter->at_once_now - (limiter->at_once_now > 1 ? 1 : 0);
    return allows(limiter, calls, at_once, now, wake);
}

size_t
ms_limiter_begin(ms_limiter *limiter)
{
    size_t oldest = 0;
    for (size_t i = 1; i < MS_LIMITER_CALLS_MAX; i++) {
        oldest = limiter->sent[i] < limiter->sent[oldest] ? i : oldest;
    }
    limiter->sent[oldest] = INT64_MAX;
    limiter->under_way++;
    return oldest;
}

void
ms_limiter_end(ms_limiter *limiter, size_t ticket, int64_t when)
{
    limiter->sent[ticket] = when;
    limiter->under_way--;
}

size_t
ms_limiter_write(const ms_limiter *limiter, char *text)
{
    size_t len = 0;
    for (size_t i = 0; i < MS_LIMITER_CALLS_MAX; i++) {
        if (limiter->sent[i] != MS_LIMITER_NEVER) {
            long long time = limiter->sent[i] == INT64_MAX ? UNDER_WAY : limiter->sent[i];
            len += (size_t)snprintf(text + len, MS_LIMITER_TEXT - len, "%lld ", time);
        }
    }
    return len;
}

void
ms_limiter_read(ms_limiter *limiter, ms_slice text, int64_t now)
{
    char digits[24] = "";
    size_t len = 0;
    size_t count = 0;
    for (size_t i = 0; i < text.len && count < MS_LIMITER_CALLS_MAX; i++) {
        if (ms_is_digit(text.ptr[i]) && len < sizeof digits - 1) {
            digits[len++] = text.ptr[i];
        } else if (len > 0) {
            digits[len] = '\0';
            long long time = strtoll(digits, NULL, 10);
            limiter->sent[count++] = time == UNDER_WAY ? now : time;
            len = 0;
        }
    }
}

void
ms_limiter_slow_down(ms_limiter *limiter)
{
    unsigned int half = limiter->calls_now / 2;
    unsigned int least = limiter->calls < CALLS_MIN ? limiter->calls : CALLS_MIN;
    limiter->calls_now = half > least ? half : least;
    limiter->well = 0;
}

void
ms_limiter_fewer_at_once(ms_limiter *limiter)
{
    limiter->at_once_now -= limiter->at_once_now > 1 ? 1 : 0;
    limiter->well = 0;
}

void
ms_limiter_went_well(ms_limiter *limiter)
{
    limiter->well++;
    if (limiter->well % WELL_FOR_MORE == 0) {
        limiter->calls_now += limiter->calls_now < limiter->calls ? 1 : 0;
        limiter->at_once_now += limiter->at_once_now < limiter->at_once ? 1 : 0;
    }
}
