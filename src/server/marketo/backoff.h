/*
 * How long to wait before something is tried again.
 */
#ifndef MS_BACKOFF_H
#define MS_BACKOFF_H

#include <stdint.h>

#define MS_BACKOFF_MIN 1000
#define MS_BACKOFF_MAX 300000
#define MS_RETRY_AFTER_MAX 3600000

/* A pause that doubles with each of `attempts` from MS_BACKOFF_MIN up to MS_BACKOFF_MAX. */
int64_t ms_backoff_ceiling(unsigned int attempts);

/*
 * Milliseconds after the `attempts`th failure in a row, from 1: chosen between MS_BACKOFF_MIN and a
 * ceiling that doubles with each up to MS_BACKOFF_MAX, so that those who failed together do not
 * come back together; `random` is any number. Not less than `retry_after`, what the other side
 * asked for, 0 if nothing, within MS_RETRY_AFTER_MAX.
 */
int64_t ms_backoff_delay(unsigned int attempts, int64_t retry_after, uint32_t random);

/* A random number for it. */
uint32_t ms_backoff_random(void);

/* When what has failed `attempts` times before, and now again, is to be tried again. */
int64_t ms_backoff_until(unsigned int attempts, int64_t now);

/* The sooner of two times. */
static inline int64_t
ms_sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
