/*
 * The calls of a backend, as the queue remembers them for the process that comes after this one:
 * how many there were on a day of the quota, and when the last were.
 */
#ifndef MS_CALLS_H
#define MS_CALLS_H

#include "../queue/store.h"
#include "central_time.h"
#include "limiter.h"

/*
 * Sees to it that `day` is today and `today` its number of calls; the first time, with `day` empty,
 * the limiter gets the calls that were before.
 */
ms_store_result ms_calls_known(ms_store *store, ms_limiter *limiter, char day[MS_CENTRAL_DAY],
                               uint64_t *today, int64_t now);

/* One more call has begun (ms_limiter_begin). */
ms_store_result ms_calls_made(ms_store *store, const ms_limiter *limiter, const char *day,
                              int64_t now);

#endif
