/* Leads on their way: taken, and how their syncs ended. */

#include "cookie_row.h"
#include "dead.h"
#include "field_portion.h"
#include "identity.h"
#include "sent_fields.h"
#include "taking.h"

#include "../../core/email.h"

/* So long a lead waits that cannot be taken because another of its e-mail address is in flight. */
#define AGAIN_MS 1000

/* ---- taking ---------------------------------------------------------------------------------- */

typedef struct {
    ms_store *store;
    ms_lead_selection selection;
    int64_t now;
    size_t room;
    size_t bytes; /* left for fields */
    ms_arena *arena;
    ms_due_lead *leads;
    size_t count;
    bool full;
} taking;

static ms_candidates
candidates(ms_store *store, ms_lead_class class, int64_t now, size_t room)
{
    ms_sql *sql = ms_sql_begin(store, MS_LEADS_DUE);
    ms_sql_int(sql, class);
    ms_sql_int(sql, now + store->rules.linger);
    ms_sql_int(sql, now);
    ms_sql_int(sql, (int64_t)room);
    return ms_taking(sql, room, now);
}

static ms_candidates
candidates_of_any_class(ms_store *store, int64_t now, size_t room)
{
    ms_sql *sql = ms_sql_begin(store, MS_LEADS_DUE_ANY);
    ms_sql_int(sql, now + store->rules.linger);
    ms_sql_int(sql, now);
    ms_sql_int(sql, (int64_t)room);
    return ms_taking(sql, room, now);
}

/* SOAP ties a cookie in the sync itself; the newest one that is to be tied, or, where nothing else
 * says whose lead it is, the newest. */
static int64_t
cookie_to_sync(ms_store *store, const ms_lead_row *lead, ms_slice *cookie)
{
    int64_t id = 0;
    bool is_known = lead->marketo_id != 0 || lead->email.len > 0 || lead->user_id.len > 0;
    ms_sql *sql = ms_sql_begin(store, MS_COOKIE_UNTIED);
    ms_sql_int(sql, lead->id);
    ms_sql_int(sql, is_known ? 0 : 1);
    if (ms_sql_row(sql)) {
        id = ms_sql_get_int(sql, 0);
        *cookie = ms_scratch_copy(store, ms_sql_get_text(sql, 1));
    }
    ms_sql_end(sql);
    return id;
}

static bool
email_is_in_flight(ms_store *store, ms_slice key)
{
    ms_sql *sql = ms_sql_begin(store, MS_FLIGHT_OF_EMAIL);
    ms_sql_text(sql, key);
    return key.len > 0 && ms_sql_number(sql) > 0;
}

static bool
is_being_tied(ms_store *store, const ms_lead_row *lead)
{
    ms_sql *sql = ms_sql_begin(store, MS_COOKIES_FLYING_OF);
    ms_sql_int(sql, lead->id);
    ms_sql_int(sql, lead->marketo_id);
    return ms_sql_number(sql) > 0;
}

static void
postpone(ms_store *store, ms_lead_row *lead, int64_t until)
{
    lead->retry = until;
    lead->changed = true;
    ms_lead_save(store, lead);
}

/* Writes what the taker is told into its arena. False if there is no room for it. */
static bool
hand_over(taking *take, const ms_lead_row *lead, const ms_field_set *fields, ms_slice cookie)
{
    ms_arena before = *take->arena;
    size_t size = ms_field_set_size(fields);
    ms_due_lead *due = &take->leads[take->count];
    *due = (ms_due_lead){.id = lead->id,
                         .marketo_id = lead->marketo_id,
                         .email = lead->email,
                         .user_id = lead->user_id,
                         .cookie = cookie,
                         .attempts = ms_taking_attempts(lead->attempts),
                         .suspicions = ms_taking_suspicions(lead->attempts)};
    bool fits = size <= take->bytes && ms_taking_copy(take->arena, &due->email) &&
                ms_taking_copy(take->arena, &due->user_id) &&
                ms_taking_copy(take->arena, &due->cookie);
    const char *start = ms_text_begin(take->arena);
    if (fits) {
        ms_field_set_write(fields, take->arena);
        due->fields = ms_text_end(take->arena, start);
        fits = !take->arena->exhausted;
    }
    if (!fits) {
        *take->arena = before;
        return false;
    }
    take->bytes -= size;
    return true;
}

/* What is `left` of its fields waits for the next flight. */
static void
start_flight(ms_store *store, ms_lead_row *lead, ms_slice email_key, int64_t cookie,
             const ms_field_set *fields, const ms_field_set *left)
{
    ms_sql *sql = ms_sql_begin(store, MS_FLIGHT_ADD);
    ms_sql_int(sql, lead->id);
    ms_sql_int(sql, lead->since);
    ms_sql_int(sql, cookie);
    ms_sql_text(sql, email_key);
    ms_sql_text(sql, ms_fields_keep(store, fields));
    (void)ms_sql_run(sql);
    ms_count_change(store, MS_COUNT_FLIGHTS, 1);
    lead->flying++;
    lead->since = left->count > 0 ? lead->since : 0;
    ms_lead_set_fields(store, lead, left);
    lead->changed = true;
    ms_lead_save(store, lead);
}

/* A field that fits in no call, which cannot have come in, would stop all others of its lead. */
static void
bury_too_large(ms_store *store, ms_lead_row *lead, ms_field_set *fields, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < fields->count; i++) {
        ms_field_set one = {&fields->list[i], 1};
        if (ms_field_set_size(&one) <= MS_LEAD_FIELDS_MAX) {
            fields->list[kept++] = fields->list[i];
            continue;
        }
        const ms_dead_lead dead = {lead->email, lead->user_id, MS_SLICE(""), lead->marketo_id,
                                   &one};
        ms_dead_add_too_large(store, &dead, MS_SLICE("This field alone is too large for a call."),
                              now);
    }
    if (kept < fields->count) {
        fields->count = kept;
        ms_lead_set_fields(store, lead, fields);
        ms_lead_save(store, lead);
    }
}

/* A lead that fits in no call, which cannot have come in, would stop all others. `sent` is what was
 * to go, `left` what its next sync has. */
static void
bury_unfit(ms_store *store, ms_lead_row *lead, int64_t cookie_id, const ms_field_set *sent,
           const ms_field_set *left, int64_t now)
{
    ms_cookie_row cookie = ms_cookie_get(store, cookie_id);
    const ms_dead_lead dead = {lead->email.len > MS_EMAIL_MAX ? MS_SLICE("") : lead->email,
                               lead->user_id, cookie.cookie, lead->marketo_id, sent};
    ms_dead_add_too_large(store, &dead, MS_SLICE("The lead alone is too large for a call."), now);
    if (cookie.id != 0) {
        lead->lookups -= cookie.state == MS_COOKIE_LOOKUP;
        ms_cookie_set(store, &cookie, MS_COOKIE_SETTLED, 0);
    }
    lead->since = left->count > 0 ? lead->since : 0;
    ms_lead_set_fields(store, lead, left);
    lead->changed = true;
    ms_lead_save(store, lead);
}

static void
take_one(taking *take, int64_t id)
{
    ms_store *store = take->store;
    ms_arena scratch = store->scratch; /* each lead's is forgotten after it */
    ms_slice cookie = MS_SLICE("");
    ms_lead_row *lead = ms_lead_load(store, id);
    if (lead == NULL) {
        return;
    }
    ms_slice key = ms_email_key(store, lead->email);
    ms_field_set fields = ms_lead_fields(store, lead);
    int64_t cookie_id = take->selection == MS_BY_ANY ? cookie_to_sync(store, lead, &cookie) : 0;
    /* It may have come from another lead that is this one, or while this was in flight. */
    lead->changed |= ms_sent_fields_remove(lead->sent, store->rules.unchanged, take->now, &fields);
    bury_too_large(store, lead, &fields, take->now);
    if (fields.count == 0 && lead->marketo_id != 0 && cookie_id == 0) {
        lead->since = 0; /* nothing is left to say */
        lead->fields = MS_SLICE("");
        lead->changed = true;
        ms_lead_save(store, lead);
    } else if (email_is_in_flight(store, key)) {
        postpone(store, lead, take->now + AGAIN_MS);
    } else if (!is_being_tied(store, lead)) { /* else its turn comes with the answer to that */
        ms_field_set sent = ms_field_portion_to_send(&fields, MS_LEAD_FIELDS_MAX);
        if (hand_over(take, lead, &sent, cookie)) {
            start_flight(store, lead, key, cookie_id, &sent, &fields);
            take->count++;
        } else if (take->count > 0) {
            take->full = true;
        } else {
            bury_unfit(store, lead, cookie_id, &sent, &fields, take->now);
        }
    }
    store->scratch = scratch;
}

/* Known leads with nothing to send but a cookie. For SOAP that is a sync too. */
static void
take_for_cookies(taking *take)
{
    ms_store *store = take->store;
    ms_sql *sql = ms_sql_begin(store, MS_COOKIES_READY);
    ms_sql_int(sql, take->now);
    ms_sql_int(sql, (int64_t)(take->room - take->count));
    ms_candidates ready = ms_taking(sql, take->room - take->count, take->now);
    for (size_t i = 0; i < ready.count && !take->full; i++) {
        ms_cookie_row cookie = ms_cookie_get(store, ready.ids[i]);
        ms_lead_row *lead = ms_lead_load(store, cookie.lead);
        if (lead == NULL || lead->flying > 0) {
            continue;
        }
        int64_t earliest = lead->ended > 0 ? lead->ended + store->rules.interval : 0;
        earliest = lead->retry > earliest ? lead->retry : earliest;
        if (earliest > take->now) {
            ms_cookie_set(store, &cookie, MS_COOKIE_READY, earliest);
        } else {
            take_one(take, lead->id);
        }
    }
}

ms_store_result
ms_store_take_leads(ms_store *store, ms_lead_selection selection, int64_t now, size_t room,
                    size_t bytes, ms_arena *arena, ms_due_lead *leads, size_t *count)
{
    static const ms_lead_class classes[] = {[MS_BY_MARKETO_ID] = MS_CLASS_MARKETO_ID,
                                            [MS_BY_EMAIL] = MS_CLASS_EMAIL,
                                            [MS_BY_USER_ID] = MS_CLASS_USER_ID};
    taking take = {store, selection, now, room, bytes, arena, leads, 0, false};
    ms_taking_begins(store, MS_TAKEN_BY(selection));
    ms_candidates due = selection == MS_BY_ANY ? candidates_of_any_class(store, now, room)
                                               : candidates(store, classes[selection], now, room);
    for (size_t i = 0; i < due.count && !take.full; i++) {
        take_one(&take, due.ids[i]);
    }
    if (selection == MS_BY_ANY && !take.full && take.count < room) {
        take_for_cookies(&take);
    }
    *count = store->failed ? 0 : take.count;
    return ms_store_ended(store);
}

/* ---- how it ended ---------------------------------------------------------------------------- */

typedef struct {
    int64_t since;
    int64_t cookie;
    ms_field_set fields;
} flight;

/* The lead whose sync it was, and what was in flight; the flight is over. NULL if there was none.
 */
static ms_lead_row *
land(ms_store *store, int64_t id, flight *landed)
{
    ms_store_starts(store);
    ms_sql *sql = ms_sql_begin(store, MS_FLIGHT_GET);
    ms_sql_int(sql, id);
    if (!ms_sql_row(sql)) {
        ms_sql_end(sql);
        return NULL;
    }
    int64_t whose = ms_sql_get_int(sql, 0);
    landed->since = ms_sql_get_int(sql, 1);
    landed->cookie = ms_sql_get_int(sql, 2);
    ms_slice kept = ms_scratch_copy(store, ms_sql_get_text(sql, 3));
    ms_sql_end(sql);
    landed->fields = ms_fields_of(store, kept);
    (void)ms_sql_run_1(store, MS_FLIGHT_DELETE, id);
    ms_count_change(store, MS_COUNT_FLIGHTS, -1);
    ms_lead_row *lead = ms_lead_load(store, whose);
    if (lead != NULL) {
        lead->flying--;
        lead->changed = true;
    }
    return lead;
}

/* What was in flight waits again, with what has come since. */
static void
wait_again(ms_store *store, ms_lead_row *lead, const flight *landed)
{
    ms_field_set waiting = ms_lead_fields(store, lead);
    /* What was said of another lead meanwhile, that is this one, may make it too much. */
    ms_lead_set_together(store, lead, &landed->fields, &waiting, store->seen);
    bool earlier = lead->since == 0 || (landed->since > 0 && landed->since < lead->since);
    lead->since = earlier ? landed->since : lead->since;
}

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

ms_store_result
ms_store_lead_sent(ms_store *store, int64_t id, int64_t marketo_id, int64_t now)
{
    flight landed;
    ms_lead_row *lead = land(store, id, &landed);
    if (lead == NULL) {
        return ms_store_ended(store);
    }
    lead->ended = now;
    lead->attempts = 0;
    lead->retry = 0;
    /* What flew as another row, before that became this lead, made another one in Marketo. */
    bool is_elsewhere = lead->id != id && lead->marketo_id != 0 && marketo_id != 0 &&
                        lead->marketo_id != marketo_id;
    if (is_elsewhere) {
        wait_again(store, lead, &landed);
    } else {
        lead->sent = ms_sent_fields_add(&store->scratch, lead->sent, &landed.fields, now);
        ms_lead_identified(store, lead, marketo_id, now);
    }
    if (landed.cookie != 0) {
        cookie_was_sent(store, lead, landed.cookie, marketo_id, now);
    }
    ms_field_set waiting = ms_lead_fields(store, lead);
    if (lead->flying == 0) { /* what else is in flight may undo what has been sent */
        (void)ms_sent_fields_remove(lead->sent, store->rules.unchanged, now, &waiting);
    }
    ms_lead_set_fields(store, lead, &waiting);
    if (waiting.count == 0) {
        lead->since = 0;
    }
    ms_lead_save(store, lead);
    return ms_store_ended(store);
}

ms_store_result
ms_store_lead_again(ms_store *store, int64_t id, int64_t due)
{
    flight landed;
    ms_lead_row *lead = land(store, id, &landed);
    if (lead == NULL) {
        return ms_store_ended(store);
    }
    wait_again(store, lead, &landed);
    /* It may have come there all the same: then what was sent before is not what Marketo has. */
    lead->sent = ms_sent_fields_doubt(&store->scratch, lead->sent, &landed.fields);
    /* What only its cookie had put in flight is found by the cookie again. */
    if (landed.cookie != 0) {
        cookie_may_be_sent(store, landed.cookie, due);
    }
    lead->retry = due;
    lead->attempts++;
    ms_lead_save(store, lead);
    return ms_store_ended(store);
}

ms_store_result
ms_store_lead_refused(ms_store *store, int64_t id, ms_slice code, ms_slice reason, int64_t now)
{
    flight landed;
    ms_lead_row *lead = land(store, id, &landed);
    if (lead == NULL) {
        return ms_store_ended(store);
    }
    ms_cookie_row cookie = {.cookie = {"", 0}};
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
    if (lead->marketo_id == 0) { /* they waited for the id that it does not get */
        ms_dead_move_activities_of(store, lead->id, code, reason, now);
    }
    lead->ended = now;
    lead->attempts = 0;
    lead->retry = 0;
    ms_lead_save(store, lead);
    return ms_store_ended(store);
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
    lead->sent = MS_SLICE(""); /* whom the e-mail finds or makes has nothing of it */
    lead->changed = true;
    ms_cookies_follow(store, id, 0, now);
    (void)ms_sql_run_1(store, MS_ACTIVITIES_WAIT, id);
    ms_lead_wants_sync(lead, now);
    ms_lead_save(store, lead);
    return ms_store_ended(store);
}
