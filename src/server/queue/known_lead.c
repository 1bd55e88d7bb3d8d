#include "known_lead.h"

#include "cookie_row.h"
#include "sent_fields.h"

/* The earlier of two times, of which 0 is none. */
static int64_t
earlier(int64_t a, int64_t b)
{
    if (a == 0 || b == 0) {
        return a + b;
    }
    return a < b ? a : b;
}

int64_t
ms_lead_target(const ms_lead_row *lead)
{
    return lead->email_unasked ? 0 : lead->marketo_id;
}

/* Those that waited for somebody to go to are due, if there is somebody; else all wait. */
static void
activities_follow(ms_store *store, const ms_lead_row *lead, int64_t now)
{
    if (ms_lead_target(lead) != 0) {
        (void)ms_sql_run_2(store, MS_ACTIVITIES_READY, lead->id, now + store->rules.linger);
    } else {
        (void)ms_sql_run_1(store, MS_ACTIVITIES_WAIT, lead->id);
    }
}

void
ms_lead_take_along(ms_store *store, ms_lead_row *lead, ms_lead_row *other, int64_t now)
{
    ms_field_set older = ms_lead_fields(store, lead);
    ms_field_set newer = ms_lead_fields(store, other);
    ms_lead_set_together(store, lead, &older, &newer, now);
    lead->since = earlier(lead->since, other->since);
    lead->changed = true;
    ms_cookies_follow(store, other->id, ms_lead_target(lead), now);
    (void)ms_sql_run_2(store, MS_FLIGHTS_MOVE, lead->id, other->id);
    lead->flying += other->flying;
    other->flying = 0;
    (void)ms_sql_run_2(store, MS_COOKIES_MOVE, lead->id, other->id);
    (void)ms_sql_run_2(store, MS_ACTIVITIES_MOVE, lead->id, other->id);
    activities_follow(store, lead, now);
}

/* A lead that is not on disk yet takes the other's row, and with it whatever has its id: that may
 * be very much. */
static void
take_row(ms_store *store, ms_lead_row *lead, ms_lead_row *other, int64_t now)
{
    ms_lead_row row = *other;
    other->id = lead->id;
    other->due = 0;
    lead->id = row.id;
    lead->class = row.class;
    lead->earliest = row.earliest;
    lead->due = row.due;
    lead->placed_since = row.placed_since;
    lead->is_new = false;
    if (lead->marketo_id != 0 && lead->marketo_id != row.marketo_id) {
        (void)ms_sql_run_2(store, MS_LEAD_NAME, lead->id, lead->marketo_id);
        ms_cookies_follow(store, lead->id, ms_lead_target(lead), now);
    }
}

void
ms_lead_merge(ms_store *store, ms_lead_row *lead, ms_lead_row *other, int64_t now)
{
    ms_field_set older = ms_lead_fields(store, lead);
    ms_field_set newer = ms_lead_fields(store, other);
    lead->sent = ms_sent_fields_merge(&store->scratch, lead->sent, other->sent);
    lead->email = lead->email.len > 0 ? lead->email : other->email;
    lead->user_id = lead->user_id.len > 0 ? lead->user_id : other->user_id;
    ms_lead_set_together(store, lead, &older, &newer, now);
    lead->since = earlier(lead->since, other->since);
    lead->ended = ms_later(lead->ended, other->ended);
    lead->retry = ms_later(lead->retry, other->retry);
    lead->heard = ms_later(lead->heard, other->heard);
    lead->attempts = ms_later(lead->attempts, other->attempts);
    lead->flying += other->flying;
    lead->lookups += other->lookups;
    lead->email_unasked |= other->email_unasked;
    lead->changed = true;

    if (lead->is_new) {
        take_row(store, lead, other, now);
    }
    bool gets_id = other->marketo_id != 0 && lead->marketo_id == 0;
    if (!gets_id) { /* its own cookies stay as they are */
        ms_cookies_follow(store, other->id, ms_lead_target(lead), now);
    }
    (void)ms_sql_run_2(store, MS_ALIASES_MOVE, lead->id, other->id);
    (void)ms_sql_run_2(store, MS_FLIGHTS_MOVE, lead->id, other->id);
    (void)ms_sql_run_2(store, MS_COOKIES_MOVE, lead->id, other->id);
    (void)ms_sql_run_2(store, MS_ACTIVITIES_MOVE, lead->id, other->id);
    (void)ms_sql_run_1(store, MS_LEAD_DELETE, other->id);
    ms_count_change(store, MS_COUNT_CLASS + (ms_counter)other->class, -(other->due > 0));

    if (gets_id) {
        ms_lead_identified(store, lead, other->marketo_id, now);
    } else {
        activities_follow(store, lead, now);
    }
}

/* There is somebody, ms_lead_target, to whom its cookies and activities go. */
static void
release(ms_store *store, ms_lead_row *lead, int64_t now)
{
    lead->changed = true;
    ms_cookies_follow(store, lead->id, ms_lead_target(lead), now);
    activities_follow(store, lead, now);
}

void
ms_lead_identified(ms_store *store, ms_lead_row *lead, int64_t marketo_id, int64_t now)
{
    if (marketo_id == 0 || marketo_id == lead->marketo_id || store->failed) {
        return;
    }
    int64_t known = ms_sql_number_1(store, MS_LEAD_BY_MARKETO_ID, marketo_id);
    if (lead->marketo_id != 0) {
        lead->sent = ms_sent_fields_to_another(&store->scratch, lead->sent);
    }
    lead->marketo_id = marketo_id;
    if (known != 0 && known != lead->id) {
        ms_lead_row *other = ms_lead_load(store, known);
        if (other != NULL) {
            ms_lead_merge(store, lead, other, now);
        }
    }
    (void)ms_sql_run_2(store, MS_LEAD_NAME, lead->id, marketo_id);
    release(store, lead, now);
}

ms_lead_row *
ms_lead_of_marketo_id(ms_store *store, int64_t marketo_id, int64_t now)
{
    int64_t known = ms_sql_number_1(store, MS_LEAD_BY_MARKETO_ID, marketo_id);
    if (known != 0) {
        return ms_lead_load(store, known);
    }
    ms_lead_row *lead = ms_lead_new(store, now);
    if (lead != NULL) {
        ms_lead_save(store, lead);
        ms_lead_identified(store, lead, marketo_id, now);
    }
    return store->failed ? NULL : lead;
}

void
ms_lead_hold(ms_store *store, ms_lead_row *lead, int64_t now)
{
    lead->changed = true;
    ms_cookies_follow(store, lead->id, 0, now);
    (void)ms_sql_run_1(store, MS_ACTIVITIES_WAIT, lead->id);
    ms_lead_wants_sync(lead, now);
}

void
ms_lead_ask_for_email(ms_store *store, ms_lead_row *lead, int64_t now)
{
    lead->email_unasked = true;
    ms_lead_hold(store, lead, now);
}

void
ms_lead_email_is_asked(ms_store *store, ms_lead_row *lead, int64_t now)
{
    lead->email_unasked = false;
    release(store, lead, now);
}
