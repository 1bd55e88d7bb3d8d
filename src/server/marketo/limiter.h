/*
 * ms_limiter: how many calls may be made, of those that Marketo allows an instance in 20 seconds
 * and at once. Half of what it allows, since other integrations share it.
 */
#ifndef MS_LIMITER_H
#define MS_LIMITER_H

#include "../../core/slice.h"

#include <stdint.h>

#define MS_LIMITER_CALLS_MAX 100
#define MS_LIMITER_CALLS 50
#define MS_LIMITER_AT_ONCE 5
/* A little more than Marketo's 20 s: requests take their time to get there, not always the same. */
#define MS_LIMITER_WINDOW 20250
#define MS_LIMITER_NEVER (INT64_MIN / 2)

typedef struct {
    unsigned int calls;     /* in any MS_LIMITER_WINDOW ms; the most that is ever allowed */
    unsigned int at_once;   /* the most */
    unsigned int calls_now; /* what is allowed at present: less after ms_limiter_slow_down */
    unsigned int at_once_now;
    unsigned int under_way;
    unsigned int well;                  /* calls that went well since the last that did not */
    int64_t sent[MS_LIMITER_CALLS_MAX]; /* when the last calls were; INT64_MAX: it is under way */
} ms_limiter;

/* `calls` is at most MS_LIMITER_CALLS_MAX; neither is 0. */
void ms_limiter_init(ms_limiter *limiter, unsigned int calls, unsigned int at_once);

/*
 * Whether a call may begin at `now`. If not, `*wake` is lowered to the time from which one may, or
 * left if one has to end first.
 */
bool ms_limiter_allows(ms_limiter *limiter, int64_t now, int64_t *wake);

/* The same for one of a kind of which hundreds may wait: a fifth of the calls, and one of those at
 * once, are left for what comes meanwhile. */
bool ms_limiter_allows_one_of_many(ms_limiter *limiter, int64_t now, int64_t *wake);

/* A call begins, which was allowed. Returns a ticket. */
size_t ms_limiter_begin(ms_limiter *limiter);

/*
 * It ends. `when` is when its request left, which is when Marketo counts it, however long it had to
 * wait for the disk or a connection before; MS_LIMITER_NEVER if it did not.
 */
void ms_limiter_end(ms_limiter *limiter, size_t ticket, int64_t when);

/*
 * What a process that comes after this one has to know of its calls: their times, as text. Written
 * at a call's begin into `text` of MS_LIMITER_TEXT bytes; how long it is.
 */
#define MS_LIMITER_TEXT 2200
size_t ms_limiter_write(const ms_limiter *limiter, char *text);

/* Takes what was written for calls of its own. Those that were under way then may have left at any
 * time until `now`. What is no such text counts for nothing. */
void ms_limiter_read(ms_limiter *limiter, ms_slice text, int64_t now);

/* Marketo said there were too many in 20 s (606): half as many from now on, but not below 5. */
void ms_limiter_slow_down(ms_limiter *limiter);

/* Marketo said there were too many at once (615): one fewer, but not none. */
void ms_limiter_fewer_at_once(ms_limiter *limiter);

/* A call went well; after some in a row there may be one more again. */
void ms_limiter_went_well(ms_limiter *limiter);

#endif
