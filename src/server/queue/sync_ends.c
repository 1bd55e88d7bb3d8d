/* How syncs of leads ended. */

#include "alias.h"
#include "answers.h"
#include "cookie_row.h"
#include "dead.h"
#include "flight.h"
#include "known_lead.h"
#include "left_lead.h"
#include "sent_fields.h"

/* The sync has told Marketo this cookie, or may have: it is to be tied to whose it is by now. */
static void
tie_anew(ms_store *store, ms_cookie_row *cookie, int64_t due)
{
    const ms_lead_row *lead = ms_lead_load(store, cookie->lead);
    bool is_asked = cookie->state == MS_COOKIE_LOOKUP || cookie->state == MS_COOKIE_LOOKUP_FLYING;
    if (lead != NULL && !is_asked) {
        ms_cookie_set(store, cookie, ms_cookie_state_with(cookie, lead), due);
    }
}

static void
cookie_was_sent(ms_store *store, ms_lead_row *lead, int64_t id, int64_t marketo_id, int64_t now)
{
    ms_cookie_row cookie = ms_cookie_get(store, id);
    if (cookie.id == 0) {
        return;
    }
    cookie.tied_to = marketo_id;
    cookie.attempts = 0;
    if (cookie.lead != lead->id) {
        tie_anew(store, &cookie, now);
        return;
    }
    lead->lookups -= cookie.state == MS_COOKIE_LOOKUP;
    ms_cookie_set(store, &cookie,
                  marketo_id == 0 ? MS_COOKIE_SETTLED : ms_cookie_state_with(&cookie, lead), now);
}

static void
cookie_may_be_sent(ms_store *store, int64_t id, int64_t due)
{
    ms_cookie_row cookie = ms_cookie_get(store, id);
    if (cookie.id != 0) {
        cookie.tied_to = 0;
        tie_anew(store, &cookie, due);
    }
}

/* The call was to a lead that has another row: that was synced then, or may not be before `retry`,
 * since Marketo may be at work on it still. */
static void
tell_row_of(ms_store *store, const ms_lead_row *lead, int64_t marketo_id, int64_t ended,
            int64_t retry)
{
    bool is_other = marketo_id != 0 && marketo_id != lead->marketo_id;
    int64_t id = is_other ? ms_sql_number_1(store, MS_LEAD_BY_MARKETO_ID, marketo_id) : 0;
    ms_lead_row *other = id == 0 ? NULL : ms_lead_load(store, id);
    if (other != NULL) {
        other->ended = ms_later(other->ended, ended);
        other->retry = ms_later(other->retry, retry);
        other->changed = true;
        ms_lead_save(store, other);
    }
}

/* Marketo has another lead than this one's for what has flown. Is the lead that one? So it is if it
 * flew to the id that this one has still, or by the address that is asked about. Else another lead
 * has become this one meanwhile, or this one has become known as who it is. */
static bool
tells_who(ms_store *store, const ms_lead_row *lead, const ms_flight *landed)
{
    return lead->marketo_id == landed->marketo_id ||
           (lead->email_unasked && landed->marketo_id == 0 &&
            ms_slice_equal(landed->email, ms_email_key(store, lead->email)));
}

ms_store_result
ms_store_lead_sent(ms_store *store, int64_t id, int64_t marketo_id, int64_t now)
{
    ms_flight landed;
    ms_lead_row *lead = ms_flight_land(store, id, &landed);
    if (lead == NULL) {
        return ms_store_ended(store);
    }
    lead->ended = now;
    lead->attempts = 0;
    lead->retry = 0;
    bool is_another = lead->marketo_id != 0 && marketo_id != 0 && lead->marketo_id != marketo_id;
    int64_t left = 0;
    if (is_another && !tells_who(store, lead, &landed)) {
        ms_flight_wait_again(store, lead, &landed);
        tell_row_of(store, lead, marketo_id, now, 0);
        left = landed.email.len == 0 && landed.cookie == 0 ? marketo_id : 0;
    } else {
        left = is_another && lead->email_unasked ? lead->marketo_id : 0;
        bool asks = lead->marketo_id == 0 && marketo_id != 0 && landed.email.len == 0 &&
                    lead->email.len > 0;
        ms_lead_identified(store, lead, marketo_id, now);
        lead->sent = ms_sent_fields_add(&store->scratch, lead->sent, &landed.fields, now);
        /* An address that has come meanwhile Marketo may have of another lead. */
        if (asks) {
            ms_lead_ask_for_email(store, lead, now);
        }
    }
    if (landed.cookie != 0) {
        cookie_was_sent(store, lead, landed.cookie, marketo_id, now);
    }
    ms_field_set waiting = ms_lead_fields(store, lead);
    /* What else is in flight may undo what has been sent, and the address may be another lead's,
     * which has nothing of it. */
    if (lead->flying == 0 && !lead->email_unasked) {
        (void)ms_sent_fields_remove(lead->sent, store->rules.unchanged, now, &waiting);
    }
    ms_lead_set_fields(store, lead, &waiting);
    if (waiting.count == 0 && !lead->email_unasked) {
        lead->since = 0;
    }
    if (lead->lookups > 0 && ms_class_is_taken(store, MS_CLASS_LOOKUP)) {
        ms_lead_wants_sync(lead, now); /* for the next cookie: each sync takes one */
    }
    ms_lead_save(store, lead);
    if (left != 0 && lead->user_id.len > 0) {
        ms_left(store, left, lead->user_id, now, now);
    }
    return ms_store_ended(store);
}

/* If nothing tells who the lead is, and nothing is left to say, it waits for nothing. */
static void
end_if_nobody(ms_store *store, ms_lead_row *lead)
{
    bool is_named = lead->marketo_id != 0 || lead->email.len > 0 || lead->user_id.len > 0;
    if (!is_named && lead->fields.len == 0 && lead->flying == 0 &&
        ms_sql_number_1(store, MS_COOKIES_OF_LEAD, lead->id) == 0 &&
        ms_sql_number_1(store, MS_ACTIVITY_OF_LEAD, lead->id) == 0) {
        lead->since = 0;
        lead->changed = true;
    }
}

ms_store_result
ms_store_lead_again(ms_store *store, int64_t id, int64_t due)
{
    ms_flight landed;
    ms_lead_row *lead = ms_flight_land(store, id, &landed);
    if (lead == NULL) {
        return ms_store_ended(store);
    }
    ms_flight_wait_again(store, lead, &landed);
    /* It may have come there all the same: then what was sent before is not what Marketo has. */
    lead->sent = ms_sent_fields_doubt(&store->scratch, lead->sent, &landed.fields);
    /* What only its cookie had put in flight is found by the cookie again. */
    if (landed.cookie != 0) {
        cookie_may_be_sent(store, landed.cookie, due);
    }
    lead->retry = due;
    lead->attempts++;
    tell_row_of(store, lead, landed.marketo_id, 0, due);
    end_if_nobody(store, lead);
    ms_lead_save(store, lead);
    return ms_store_ended(store);
}

ms_store_result
ms_store_lead_refused(ms_store *store, int64_t id, ms_slice code, ms_slice reason, int64_t now)
{
    ms_flight landed;
    ms_lead_row *lead = ms_flight_land(store, id, &landed);
    if (lead == NULL) {
        return ms_store_ended(store);
    }
    ms_cookie_row cookie = ms_cookie_waiting(store, lead);
    if (landed.cookie != 0) {
        cookie = ms_cookie_get(store, landed.cookie);
        if (cookie.id != 0 && cookie.lead == lead->id) {
            lead->lookups -= cookie.state == MS_COOKIE_LOOKUP;
            ms_cookie_set(store, &cookie, MS_COOKIE_SETTLED, 0);
        }
    }
    const ms_dead_lead dead = {lead->email, lead->user_id, cookie.cookie, lead->marketo_id,
                               &landed.fields};
    ms_dead_add_lead(store, "lead", &dead, code, reason, now);
    /* They waited for the id that it does not get, unless by what has come meanwhile. */
    if (lead->marketo_id == 0 && lead->flying == 0 && lead->since == 0) {
        ms_dead_move_activities_of(store, lead->id, code, reason, now);
    }
    lead->ended = now;
    lead->attempts = 0;
    lead->retry = 0;
    tell_row_of(store, lead, landed.marketo_id, now, 0);
    ms_lead_save(store, lead);
    return ms_store_ended(store);
}

/* Nothing but its cookies tells who it is now, if it has any: Marketo is asked whose they are. */
static void
forget_nameless(ms_store *store, ms_lead_row *lead, int64_t now)
{
    ms_field_set waiting = ms_lead_fields(store, lead);
    ms_left_told(&waiting);
    ms_lead_set_fields(store, lead, &waiting);
    ms_cookies_ask(store, lead, now);
    end_if_nobody(store, lead);
}

ms_store_result
ms_store_forget_marketo_id(ms_store *store, int64_t marketo_id, int64_t now)
{
    ms_store_starts(store);
    int64_t id = marketo_id == 0 ? 0 : ms_sql_number_1(store, MS_LEAD_BY_MARKETO_ID, marketo_id);
    ms_lead_row *lead = id == 0 ? NULL : ms_lead_load(store, id);
    if (lead == NULL) {
        return ms_store_ended(store);
    }
    (void)ms_sql_run_2(store, MS_LEAD_NAME, id, 0);
    lead->marketo_id = 0;
    lead->email_unasked = false;
    /* Whom the e-mail finds or makes has nothing of it. */
    lead->sent = ms_sent_fields_to_another(&store->scratch, lead->sent);
    ms_lead_hold(store, lead, now);
    if (lead->email.len == 0 && lead->user_id.len == 0) {
        forget_nameless(store, lead, now);
    }
    if (lead->lookups == 0) {
        (void)ms_lead_without_cookie(store, lead, now);
    } else {
        ms_lead_save(store, lead);
    }
    return ms_store_ended(store);
}
