/* What waits, what is remembered, and the calls of the day. */

#include "accepted.h"
#include "lead_row.h"
#include "taking.h"

static uint64_t
count(ms_store *store, int which)
{
    int64_t value = ms_count_now(store, (ms_counter)which);
    return value < 0 ? 0 : (uint64_t)value;
}

static void
older(int64_t *oldest, int64_t time)
{
    if (time > 0 && (*oldest == 0 || time < *oldest)) {
        *oldest = time;
    }
}

/* Leads that Marketo cannot be told of as things stand. */
static bool
is_held(const ms_store *store, ms_lead_class class)
{
    return (class == MS_CLASS_HELD || class == MS_CLASS_USER_ID) &&
           !ms_class_is_taken(store, class);
}

static uint64_t
messages_waiting(ms_store *store)
{
    /* In this order: meanwhile more may be carried out. */
    int64_t last = ms_accepted_last(store);
    int64_t carried_out = ms_count_now(store, MS_COUNT_CARRIED_OUT);
    return last > carried_out ? (uint64_t)(last - carried_out) : 0;
}

ms_store_result
ms_store_count(ms_store *store, const char *day, ms_store_counts *counts)
{
    *counts = (ms_store_counts){.dead = 0};
    ms_store_starts(store);
    if (store->taken == 0) {
        ms_taking_recall(store);
    }
    for (int class = 0; class < MS_CLASSES; class ++) {
        if (is_held(store, (ms_lead_class) class)) {
            counts->leads_held += count(store, MS_COUNT_CLASS + class);
        } else {
            counts->leads_waiting += count(store, MS_COUNT_CLASS + class);
            older(&counts->oldest_waiting, ms_sql_number_1(store, MS_LEADS_OLDEST, class));
        }
    }
    counts->messages_waiting = messages_waiting(store);
    counts->leads_in_flight = count(store, MS_COUNT_FLIGHTS);
    counts->cookies_waiting = count(store, MS_COUNT_COOKIES);
    counts->visits_waiting = count(store, MS_COUNT_VISITS);
    counts->activities_waiting = count(store, MS_COUNT_ACTIVITIES);
    counts->dead = count(store, MS_COUNT_DEAD);
    older(&counts->oldest_waiting, ms_accepted_oldest(store));
    older(&counts->oldest_waiting, ms_sql_number(ms_sql_begin(store, MS_FLIGHTS_OLDEST)));
    older(&counts->oldest_waiting, ms_sql_number(ms_sql_begin(store, MS_VISITS_OLDEST)));
    older(&counts->oldest_waiting, ms_sql_number(ms_sql_begin(store, MS_ACTIVITIES_OLDEST)));
    ms_sql *sql = ms_sql_begin(store, MS_CALLS_OF_DAY);
    ms_sql_text(sql, ms_slice_from(day));
    counts->calls_today = (uint64_t)ms_sql_number(sql);
    return ms_store_ended(store);
}

ms_store_result
ms_store_count_call(ms_store *store, const char *day)
{
    ms_store_starts(store);
    ms_sql *sql = ms_sql_begin(store, MS_CALL_COUNT);
    ms_sql_text(sql, ms_slice_from(day));
    (void)ms_sql_run(sql);
    return ms_store_ended(store);
}

ms_store_result
ms_store_remember(ms_store *store, const char *name, ms_slice value, int64_t now)
{
    ms_store_starts(store);
    ms_sql *sql = ms_sql_begin(store, MS_KEEP);
    ms_sql_text(sql, ms_slice_from(name));
    ms_sql_text(sql, value);
    ms_sql_int(sql, now);
    (void)ms_sql_run(sql);
    return ms_store_ended(store);
}

ms_store_result
ms_store_recall(ms_store *store, const char *name, ms_arena *arena, ms_slice *value, int64_t *at)
{
    *value = MS_SLICE("");
    *at = 0;
    ms_store_starts(store);
    ms_sql *sql = ms_sql_begin(store, MS_KEPT);
    ms_sql_text(sql, ms_slice_from(name));
    if (ms_sql_row(sql)) {
        *value = ms_sql_get_text(sql, 0);
        *at = ms_sql_get_int(sql, 1);
        if (!ms_taking_copy(arena, value)) {
            *value = MS_SLICE("");
            ms_store_fail(store, "out of memory");
        }
    }
    ms_sql_end(sql);
    return ms_store_ended(store);
}
