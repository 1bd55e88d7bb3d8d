/* Leads that are to be sent: how they are taken. */

#include "alias.h"
#include "cookie_row.h"
#include "dead.h"
#include "field_portion.h"
#include "flight.h"
#include "known_lead.h"
#include "sent_fields.h"
#include "taking.h"

#include "../../core/email.h"

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
    if (lead->email_unasked) { /* by SOAP nobody asks */
        ms_lead_email_is_asked(store, lead, take->now);
        ms_lead_save(store, lead);
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
    } else if (ms_flight_may_start(store, lead, key, take->now)) {
        ms_field_set sent = ms_field_portion_to_send(&fields, MS_LEAD_FIELDS_MAX);
        if (hand_over(take, lead, &sent, cookie)) {
            ms_flight_start(store, lead, key, cookie_id, &sent, &fields);
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
    ms_candidates due = selection == MS_BY_ANY
                            ? candidates_of_any_class(store, now, room)
                            : ms_taking_leads(store, classes[selection], now, room);
    for (size_t i = 0; i < due.count && !take.full; i++) {
        take_one(&take, due.ids[i]);
    }
    if (selection == MS_BY_ANY && !take.full && take.count < room) {
        take_for_cookies(&take);
    }
    *count = store->failed ? 0 : take.count;
    return ms_store_ended(store);
}
