#include "limiter.h"

#define CALLS_MIN 5
#define WELL_FOR_MORE 10 /* so many in a row, and the limits rise by one */

void
ms_limiter_init(ms_limiter *limiter, unsigned int calls, unsigned int at_once)
{
    *limiter = (ms_limiter){
        .calls = calls, .at_once = at_once, .calls_now = calls, .at_once_now = at_once};
    for (unsigned int i = 0; i < MS_LIMITER_CALLS_MAX; i++) {
        limiter->started[i] = INT64_MIN / 2;
    }
}

/* When the `back`th last call began, from 1. */
static int64_t *
begun(ms_limiter *limiter, unsigned int back)
{
    return &limiter->started[(limiter->next + MS_LIMITER_CALLS_MAX - back) % MS_LIMITER_CALLS_MAX];
}

/* A clock that was set back must not hold everything up until it is as late again. */
static void
forget_the_future(ms_limiter *limiter, int64_t now)
{
    if (*begun(limiter, 1) <= now) {
        return;
    }
    for (unsigned int i = 0; i < MS_LIMITER_CALLS_MAX; i++) {
        limiter->started[i] = limiter->started[i] > now ? now : limiter->started[i];
    }
}

bool
ms_limiter_allows(ms_limiter *limiter, int64_t now, int64_t *wake)
{
    if (limiter->under_way >= limiter->at_once_now) {
        return false;
    }
    forget_the_future(limiter, now);
    int64_t free_from = *begun(limiter, limiter->calls_now) + MS_LIMITER_WINDOW;
    if (free_from <= now) {
        return true;
    }
    *wake = *wake < free_from ? *wake : free_from;
    return false;
}

void
ms_limiter_begin(ms_limiter *limiter, int64_t now)
{
    limiter->started[limiter->next] = now;
    limiter->next = (limiter->next + 1) % MS_LIMITER_CALLS_MAX;
    limiter->under_way++;
}

void
ms_limiter_end(ms_limiter *limiter)
{
    limiter->under_way--;
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
