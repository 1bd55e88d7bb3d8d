/* What time does to the queue: what is due next, what was in flight at the last end, what is old.
 */

#include "accepted.h"
#include "changes.h"
#include "cookie_row.h"
#include "dead.h"
#include "rules.h"

#include "../../core/status.h"
#include "../log.h"

/* Rows a call of ms_store_tidy looks at or deletes, so that it stalls nobody. It comes every 5 s:
 * ids of messages are forgotten as fast as 10,000 a second come, and a little faster. */
#define MESSAGES_AT_ONCE 60000
#define LEADS_AT_ONCE 500
#define HELD_AT_ONCE 100

#define TAKEN_LEADS                                                                                \
    (MS_TAKEN_BY(MS_BY_MARKETO_ID) | MS_TAKEN_BY(MS_BY_EMAIL) | MS_TAKEN_BY(MS_BY_USER_ID) |       \
     MS_TAKEN_BY(MS_BY_ANY))

/* Clocks are corrected by a little all the time. */
#define SET_BACK_MS 2000

static const int64_t unheard_ms = INT64_C(30) * 24 * 3600 * 1000;

static void
earlier(int64_t *due, int64_t time)
{
    if (time > 0 && time < *due) {
        *due = time;
    }
}

ms_store_result
ms_store_next_due(ms_store *store, int64_t *due)
{
    ms_store_starts(store);
    *due = INT64_MAX;
    for (int class = 0; class < MS_CLASSES; class ++) {
        if (ms_class_is_taken(store, (ms_lead_class) class)) {
            earlier(due, ms_sql_number_1(store, MS_LEADS_NEXT, class));
        }
    }
    if ((store->taken & MS_TAKEN_LOOKUPS) != 0) {
        earlier(due, ms_sql_number_1(store, MS_COOKIES_NEXT, MS_COOKIE_LOOKUP));
    }
    if ((store->taken & (MS_TAKEN_ASSOCIATIONS | MS_TAKEN_BY(MS_BY_ANY))) != 0) {
        earlier(due, ms_sql_number_1(store, MS_COOKIES_NEXT, MS_COOKIE_READY));
    }
    if ((store->taken & MS_TAKEN_VISITS) != 0) {
        earlier(due, ms_sql_number(ms_sql_begin(store, MS_VISITS_NEXT)));
    }
    if ((store->taken & MS_TAKEN_ACTIVITIES) != 0) {
        earlier(due, ms_sql_number(ms_sql_begin(store, MS_ACTIVITIES_NEXT)));
    }
    return ms_store_ended(store);
}

static void
recount(ms_store *store)
{
    int64_t counts[MS_COUNTERS];
    for (int class = 0; class < MS_CLASSES; class ++) {
        counts[MS_COUNT_CLASS + class] = ms_sql_number_1(store, MS_RECOUNT_LEADS, class);
    }
    counts[MS_COUNT_FLIGHTS] = ms_sql_number(ms_sql_begin(store, MS_RECOUNT_FLIGHTS));
    counts[MS_COUNT_COOKIES] = ms_sql_number(ms_sql_begin(store, MS_RECOUNT_COOKIES));
    counts[MS_COUNT_VISITS] = ms_sql_number(ms_sql_begin(store, MS_RECOUNT_VISITS));
    counts[MS_COUNT_ACTIVITIES] = ms_sql_number(ms_sql_begin(store, MS_RECOUNT_ACTIVITIES));
    counts[MS_COUNT_CARRIED_OUT] = ms_count_now(store, MS_COUNT_CARRIED_OUT);
    counts[MS_COUNT_DEAD] = ms_sql_number(ms_sql_begin(store, MS_RECOUNT_DEAD));
    int64_t given = ms_count_now(store, MS_COUNT_LEAD_IDS);
    int64_t last = ms_sql_number(ms_sql_begin(store, MS_LEADS_LAST));
    counts[MS_COUNT_LEAD_IDS] = last > given ? last : given;
    store->lead_ids = -1;
    (void)ms_sql_run(ms_sql_begin(store, MS_COUNTERS_CLEAR));
    for (int which = 0; which < MS_COUNTERS; which++) {
        (void)ms_sql_run_2(store, MS_COUNTER_SET, which, counts[which]);
        store->change[which] = 0;
    }
}

static void
later(int64_t *seen, int64_t time)
{
    *seen = time > *seen ? time : *seen;
}

/* All times that are to come were reckoned from a time that is ahead of now: they come nearer by as
 * much as the clock was set back. Else all that waits would wait until it is as late again. */
static void
follow_clock(ms_store *store, int64_t now)
{
    int64_t back = store->seen - now;
    if (back > SET_BACK_MS) {
        ms_log("warning", "clock_set_back", NULL, NULL);
        (void)ms_sql_run_2(store, MS_LEADS_SHIFT, back, now);
        (void)ms_sql_run_1(store, MS_FLIGHTS_SHIFT, back);
        (void)ms_sql_run_1(store, MS_COOKIES_SHIFT, back);
        (void)ms_sql_run_1(store, MS_VISITS_SHIFT, back);
        (void)ms_sql_run_1(store, MS_ACTIVITIES_SHIFT, back);
        store->seen = now;
    }
    later(&store->seen, now);
}

ms_store_result
ms_store_follow_clock(ms_store *store, int64_t now)
{
    ms_store_starts(store);
    follow_clock(store, now);
    return ms_store_ended(store);
}

/* The last process may have run by another clock: nothing came later than it ended. */
static void
look_at_last_clock(ms_store *store)
{
    for (int class = 0; class < MS_CLASSES; class ++) {
        later(&store->seen, ms_sql_number_1(store, MS_LEADS_NEWEST, class));
    }
    /* Of those of whom nothing waits, too: what comes next of them would wait. */
    later(&store->seen, ms_sql_number(ms_sql_begin(store, MS_LEADS_RECOVER_CLOCK)));
    later(&store->seen, ms_accepted_oldest(store));
    later(&store->seen, ms_sql_number(ms_sql_begin(store, MS_VISITS_LAST)));
    later(&store->seen, ms_sql_number(ms_sql_begin(store, MS_ACTIVITIES_LAST)));
}

ms_store_result
ms_store_recover(ms_store *store, int64_t now, int64_t pause)
{
    int64_t id = 0;
    ms_store_starts(store);
    ms_rules_keep(store);
    look_at_last_clock(store);
    follow_clock(store, now);
    while (!store->failed && (id = ms_sql_number_1(store, MS_FLIGHTS, 1)) != 0) {
        (void)ms_store_lead_again(store, id, now + pause);
    }
    while (!store->failed && (id = ms_sql_number_1(store, MS_COOKIES_FLYING, 1)) != 0) {
        /* Whichever of the two it is. */
        (void)ms_store_lookup_again(store, id, now + pause);
        (void)ms_store_cookie_again(store, id, now + pause);
    }
    (void)ms_sql_run_1(store, MS_VISITS_RECOVER, now + pause);
    (void)ms_sql_run_1(store, MS_ACTIVITIES_RECOVER, now + pause);
    recount(store);
    return ms_store_ended(store);
}

/* A lead that was held in vain: what waited of it becomes a dead letter. */
static void
give_up(ms_store *store, int64_t id, int64_t now)
{
    const ms_slice code = ms_slice_from(ms_status_code(MS_EMAIL_MISSING));
    const ms_slice reason = MS_SLICE("No e-mail address came for it in all the time it was held.");
    ms_store_starts(store);
    ms_lead_row *lead = ms_lead_load(store, id);
    if (lead == NULL) {
        return;
    }
    ms_cookie_row cookie = {.cookie = {"", 0}};
    ms_sql *sql = ms_sql_begin(store, MS_COOKIES_OF_LEAD);
    ms_sql_int(sql, id);
    if (ms_sql_row(sql)) {
        cookie.cookie = ms_scratch_copy(store, ms_sql_get_text(sql, 7));
    }
    ms_sql_end(sql);
    ms_field_set fields = ms_lead_fields(store, lead);
    const ms_dead_lead dead = {lead->email, lead->user_id, cookie.cookie, 0, &fields};
    if (fields.count > 0) { /* else there is nothing that a person could make use of */
        ms_dead_add_lead(store, "lead", &dead, code, reason, now);
    }
    ms_dead_move_activities_of(store, id, code, reason, now);
    lead->fields = MS_SLICE("");
    lead->since = 0;
    lead->changed = true;
    ms_lead_save(store, lead);
}

/* Before leads are taken it is not known which classes are not. Visits are taken at once. */
static void
give_up_held(ms_store *store, ms_lead_class class, int64_t now)
{
    if ((store->taken & TAKEN_LEADS) == 0 || ms_class_is_taken(store, class)) {
        return;
    }
    int64_t ids[HELD_AT_ONCE];
    size_t count = 0;
    ms_sql *sql = ms_sql_begin(store, MS_LEADS_HELD);
    ms_sql_int(sql, class);
    ms_sql_int(sql, now - store->rules.hold);
    ms_sql_int(sql, HELD_AT_ONCE);
    while (count < HELD_AT_ONCE && ms_sql_row(sql)) {
        ids[count++] = ms_sql_get_int(sql, 0);
    }
    ms_sql_end(sql);
    for (size_t i = 0; i < count && !store->failed; i++) {
        give_up(store, ids[i], now);
    }
}

static void
forget_lead(ms_store *store, int64_t id)
{
    /* Cookies that wait for an id which their lead never got. */
    ms_count_change(store, MS_COUNT_COOKIES, -ms_sql_number_1(store, MS_COOKIES_IDLE, id));
    (void)ms_sql_run_1(store, MS_COOKIES_DELETE, id);
    (void)ms_sql_run_1(store, MS_ALIASES_DELETE, id);
    (void)ms_sql_run_1(store, MS_LEAD_DELETE, id);
}

/* Goes through all leads, some at each call, and forgets those that hold nothing. */
static void
forget_leads(ms_store *store, int64_t now)
{
    int64_t ids[LEADS_AT_ONCE];
    size_t count = 0;
    size_t seen = 0;
    ms_sql *sql = ms_sql_begin(store, MS_LEADS_AFTER);
    ms_sql_int(sql, store->tidied);
    ms_sql_int(sql, LEADS_AT_ONCE);
    for (; seen < LEADS_AT_ONCE && ms_sql_row(sql); seen++) {
        store->tidied = ms_sql_get_int(sql, 0);
        if (ms_sql_get_int(sql, 1) == 0 && ms_sql_get_int(sql, 2) == 0 &&
            ms_sql_get_int(sql, 3) < now - unheard_ms) {
            ids[count++] = store->tidied;
        }
    }
    ms_sql_end(sql);
    if (seen < LEADS_AT_ONCE) {
        store->tidied = 0;
    }
    for (size_t i = 0; i < count && !store->failed; i++) {
        if (ms_sql_number_1(store, MS_COOKIES_BUSY, ids[i]) == 0 &&
            ms_sql_number_1(store, MS_ACTIVITY_OF_LEAD, ids[i]) == 0) {
            forget_lead(store, ids[i]);
        }
    }
}

ms_store_result
ms_store_tidy(ms_store *store, int64_t now)
{
    ms_store_starts(store);
    (void)ms_sql_run_2(store, MS_MESSAGES_FORGET, ms_message_period(now) - 2, MESSAGES_AT_ONCE);
    (void)ms_sql_run(ms_sql_begin(store, MS_CALLS_FORGET));
    give_up_held(store, MS_CLASS_HELD, now);
    give_up_held(store, MS_CLASS_USER_ID, now);
    forget_leads(store, now);
    return ms_store_ended(store);
}
