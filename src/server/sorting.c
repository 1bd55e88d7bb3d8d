#include "sorting.h"

#include "clock.h"

#define QUIET_US 5000   /* a burst is over when nothing has come for so long */
#define LONGEST_US 5000 /* so long new requests may have to wait */
#define LEAST_US 500    /* less is not worth the pages that it writes */
#define FAILURES_MAX 4  /* then the request itself is looked at */

/* In a burst: so many parts of the time, one for the first so many messages that wait, one more for
 * as many again. */
#define PARTS 16
#define PART_MESSAGES 25000

/* While this thread is idle, those that read requests are at work: not all of it is to be had. */
#define IDLE_SHARE 2

void
ms_sorting_init(ms_sorting *sorting)
{
    *sorting = (ms_sorting){.waiting = true};
}

void
ms_sorting_accepts(ms_sorting *sorting)
{
    sorting->waiting = true;
    sorting->last_accepted = ms_clock_steady_us();
}

void
ms_sorting_idled(ms_sorting *sorting, int64_t time)
{
    sorting->idle += time;
}

/* How long it may take in a turn that accepts. */
static int64_t
share(const ms_sorting *sorting)
{
    int64_t parts = sorting->backlog / PART_MESSAGES + 1;
    parts = parts < PARTS ? parts : PARTS - 1;
    int64_t busy = ms_clock_steady_us() - sorting->last_sorted - sorting->idle;
    int64_t share = sorting->idle / IDLE_SHARE + busy * parts / (PARTS - parts);
    return share < LONGEST_US ? share : LONGEST_US;
}

bool
ms_sorting_is_due(const ms_sorting *sorting, bool accepts)
{
    if (accepts) { /* what fails must not take new requests with it */
        return sorting->failures == 0 && share(sorting) >= LEAST_US;
    }
    return sorting->waiting && ms_clock_steady_us() - sorting->last_accepted >= QUIET_US;
}

ms_store_result
ms_sorting_run(ms_sorting *sorting, ms_store *store, bool accepts, int64_t now)
{
    int64_t end = ms_clock_steady_us() + (accepts ? share(sorting) : LONGEST_US);
    bool found = true;
    ms_store_result result = MS_STORE_OK;
    if (sorting->failures >= FAILURES_MAX) {
        return ms_store_carry_out_or_bury(store, now);
    }
    do {
        result = ms_store_carry_out(store, &found);
        /* After a failure one alone, so that what fails is known to be the first. */
    } while (result == MS_STORE_OK && found && sorting->failures == 0 &&
             ms_clock_steady_us() < end);
    sorting->waiting = found;
    sorting->last_sorted = ms_clock_steady_us();
    sorting->idle = 0;
    return result;
}

void
ms_sorting_ended(ms_sorting *sorting, bool committed)
{
    sorting->waiting = sorting->waiting || !committed || sorting->failures > 0;
    sorting->failures = committed ? 0 : sorting->failures + 1;
}

int64_t
ms_sorting_wait(const ms_sorting *sorting)
{
    if (!sorting->waiting) {
        return INT64_MAX;
    }
    int64_t wait = sorting->last_accepted + QUIET_US - ms_clock_steady_us();
    return wait > 0 ? wait / 1000 + 1 : 0;
}
