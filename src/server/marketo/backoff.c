#include "backoff.h"

#include <sys/random.h>

int64_t
ms_backoff_ceiling(unsigned int attempts)
{
    int64_t ceiling = MS_BACKOFF_MIN;
    for (unsigned int i = 0; i < attempts && ceiling < MS_BACKOFF_MAX; i++) {
        ceiling *= 2;
    }
    return ceiling < MS_BACKOFF_MAX ? ceiling : MS_BACKOFF_MAX;
}

int64_t
ms_backoff_delay(unsigned int attempts, int64_t retry_after, uint32_t random)
{
    int64_t ceiling = ms_backoff_ceiling(attempts > 0 ? attempts : 1);
    int64_t delay = MS_BACKOFF_MIN + (int64_t)random % (ceiling - MS_BACKOFF_MIN + 1);
    int64_t asked = retry_after < MS_RETRY_AFTER_MAX ? retry_after : MS_RETRY_AFTER_MAX;
    return delay > asked ? delay : asked;
}

uint32_t
ms_backoff_random(void)
{
    uint32_t random = 0;
    /* Without any it is the shortest delay, which will do. */
    ssize_t got = getrandom(&random, sizeof random, GRND_NONBLOCK);
    return got == (ssize_t)sizeof random ? random : 0;
}

int64_t
ms_backoff_until(unsigned int attempts, int64_t now)
{
    return now + ms_backoff_delay(attempts + 1, 0, ms_backoff_random());
}
