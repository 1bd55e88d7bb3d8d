#include "sorting.h"

#include "acceptor.h"
#include "clock.h"

/* How long one turn may carry out, while answers and calls wait. */
#define LONGEST_US 300000

/*
 * How long to rest, by how long it took. If all was carried out: the more comes in, the more it is
 * that shares a commit and the pages that this writes. If something is left, most of the time is
 * for it, as others have to come to the database, too; but in a burst, until much waits, most is
 * left to those who send. That is well before they are slowed down: a load that goes on and that
 * could be carried out slows down nobody.
 */
#define REST_IF_DONE 10
#define REST_IN_BURST 2
#define REST_IF_LEFT 4 /* a part */
#define REST_MIN_US 20000
#define REST_MAX_US 1000000
#define BURST_US 1000000 /* it is over when nothing has come for so long */
#define BURST_BACKLOG (MS_BACKLOG_LARGE / 2)

#define FAILURES_MAX 4 /* then the request itself is looked at */

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

bool
ms_sorting_is_due(const ms_sorting *sorting)
{
    return sorting->waiting && ms_clock_steady_us() >= sorting->next;
}

static int64_t
time_to_rest(const ms_sorting *sorting)
{
    bool burst = ms_clock_steady_us() - sorting->last_accepted < BURST_US &&
                 sorting->backlog < BURST_BACKLOG;
    int64_t rest = sorting->took / REST_IF_LEFT;
    if (!sorting->waiting) {
        rest = sorting->took * REST_IF_DONE;
    } else if (burst) {
        rest = sorting->took * REST_IN_BURST;
    }
    rest = rest > REST_MIN_US ? rest : REST_MIN_US;
    return rest < REST_MAX_US ? rest : REST_MAX_US;
}

ms_store_result
ms_sorting_run(ms_sorting *sorting, ms_store *store, int64_t now)
{
    int64_t start = ms_clock_steady_us();
    bool found = true;
    ms_store_result result = MS_STORE_OK;
    if (sorting->failures >= FAILURES_MAX) {
        return ms_store_carry_out_or_bury(store, now);
    }
    if (ms_store_view_accepted(store) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    do {
        result = ms_store_carry_out(store, now, &found);
        /* After a failure one alone, so that what fails is known to be the first. */
    } while (result == MS_STORE_OK && found && sorting->failures == 0 &&
             ms_clock_steady_us() - start < LONGEST_US);
    sorting->waiting = found;
    sorting->took = ms_clock_steady_us() - start;
    return result;
}

void
ms_sorting_ended(ms_sorting *sorting, bool committed)
{
    sorting->waiting = sorting->waiting || !committed || sorting->failures > 0;
    sorting->failures = committed ? 0 : sorting->failures + 1;
    sorting->next = ms_clock_steady_us() + time_to_rest(sorting);
}

int64_t
ms_sorting_wait(const ms_sorting *sorting)
{
    if (!sorting->waiting) {
        return INT64_MAX;
    }
    int64_t wait = sorting->next - ms_clock_steady_us();
    return wait > 0 ? wait / 1000 + 1 : 0;
}
