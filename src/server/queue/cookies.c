/* Cookies on their way: whose they are, and that they are tied to their leads. */

#include "answers.h"
#include "cookie_row.h"
#include "dead.h"
#include "known_lead.h"
#include "taking.h"

static bool
hand_over(ms_store *store, ms_arena *arena, const ms_cookie_row *cookie, int64_t marketo_id,
          ms_due_cookie *due)
{
    ms_arena before = *arena;
    *due = (ms_due_cookie){.id = cookie->id,
                           .cookie = cookie->cookie,
                           .lead = cookie->lead,
                           .marketo_id = marketo_id,
                           .attempts = ms_taking_attempts(cookie->attempts),
                           .gone = ms_taking_gone(cookie->attempts),
                           .suspicions = ms_taking_suspicions(cookie->attempts)};
    if (!ms_taking_copy(arena, &due->cookie)) {
        *arena = before;
        return false;
    }
    return !store->failed;
}

static ms_store_result
take(ms_store *store, ms_candidates found, ms_cookie_state flying, ms_arena *arena,
     ms_due_cookie *cookies, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < found.count; i++) {
        ms_arena scratch = store->scratch;
        ms_cookie_row cookie = ms_cookie_get(store, found.ids[i]);
        int64_t marketo_id = 0;
        if (flying == MS_COOKIE_FLYING) {
            const ms_lead_row *lead = ms_lead_load(store, cookie.lead);
            marketo_id = lead == NULL ? 0 : lead->marketo_id;
        }
        if (store->failed || !hand_over(store, arena, &cookie, marketo_id, &cookies[*count])) {
            break;
        }
        cookie.flying_to = marketo_id;
        ms_cookie_set(store, &cookie, flying, 0);
        store->scratch = scratch;
        (*count)++;
    }
    if (found.count > 0 && *count == 0) {
        ms_store_fail(store, "out of memory");
    }
    *count = store->failed ? 0 : *count;
    return ms_store_ended(store);
}

ms_store_result
ms_store_take_lookups(ms_store *store, int64_t now, size_t room, ms_arena *arena,
                      ms_due_cookie *cookies, size_t *count)
{
    ms_taking_begins(store, MS_TAKEN_LOOKUPS);
    ms_sql *sql = ms_sql_begin(store, MS_COOKIES_DUE);
    ms_sql_int(sql, MS_COOKIE_LOOKUP);
    ms_sql_int(sql, now + store->rules.linger);
    ms_sql_int(sql, now);
    ms_sql_int(sql, (int64_t)room);
    return take(store, ms_taking(sql, room, now), MS_COOKIE_LOOKUP_FLYING, arena, cookies, count);
}

ms_store_result
ms_store_take_associations(ms_store *store, int64_t now, size_t room, ms_arena *arena,
                           ms_due_cookie *cookies, size_t *count)
{
    ms_taking_begins(store, MS_TAKEN_ASSOCIATIONS);
    ms_sql *sql = ms_sql_begin(store, MS_COOKIES_READY);
    ms_sql_int(sql, now);
    ms_sql_int(sql, (int64_t)room);
    return take(store, ms_taking(sql, room, now), MS_COOKIE_FLYING, arena, cookies, count);
}

/* It belongs to somebody whom Marketo knows: all that came with it is theirs. */
static void
belongs_to(ms_store *store, ms_lead_row *lead, ms_cookie_row *cookie, int64_t marketo_id,
           ms_slice email, int64_t now)
{
    cookie->tied_to = marketo_id;
    if (lead->marketo_id != 0 && lead->marketo_id != marketo_id) {
        /* Its lead is known as somebody else by now; only the cookie is theirs. */
        int64_t known = ms_sql_number_1(store, MS_LEAD_BY_MARKETO_ID, marketo_id);
        ms_lead_row *theirs = known != 0 ? ms_lead_load(store, known) : ms_lead_new(store, now);
        if (theirs == NULL) {
            return;
        }
        cookie->lead = theirs->id;
        ms_cookie_set(store, cookie, MS_COOKIE_SETTLED, 0);
        if (known == 0) {
            ms_lead_identified(store, theirs, marketo_id, now);
            ms_lead_add_email(store, theirs, email, now);
            ms_lead_save(store, theirs);
        }
        ms_lead_save(store, lead);
        return;
    }
    ms_cookie_set(store, cookie, MS_COOKIE_SETTLED, 0);
    ms_lead_identified(store, lead, marketo_id, now);
    ms_lead_add_user(store, lead, now);
    ms_lead_add_email(store, lead, email, now);
    ms_lead_save(store, lead);
}

static void
belongs_to_nobody(ms_store *store, ms_lead_row *lead, ms_cookie_row *cookie, ms_cookie_state state,
                  int64_t now)
{
    ms_cookie_set(store, cookie, state, now);
    if (lead->lookups == 0 && lead->marketo_id == 0) {
        (void)ms_lead_without_cookie(store, lead, now);
    } else {
        ms_lead_save(store, lead);
    }
}

/* The cookie and its lead, of which one lookup less is under way. False if it is too late. */
static bool
end_lookup(ms_store *store, int64_t id, ms_cookie_row *cookie, ms_lead_row **lead)
{
    *cookie = ms_cookie_get(store, id);
    if (cookie->id == 0 || cookie->state != MS_COOKIE_LOOKUP_FLYING) {
        return false;
    }
    *lead = ms_lead_load(store, cookie->lead);
    if (*lead == NULL) {
        return false;
    }
    cookie->attempts = 0;
    (*lead)->lookups--;
    (*lead)->changed = true;
    return true;
}

ms_store_result
ms_store_looked_up(ms_store *store, int64_t id, int64_t marketo_id, ms_slice email, int64_t now)
{
    ms_cookie_row cookie;
    ms_lead_row *lead;
    ms_store_starts(store);
    if (end_lookup(store, id, &cookie, &lead)) {
        if (marketo_id != 0) {
            belongs_to(store, lead, &cookie, marketo_id, email, now);
        } else {
            belongs_to_nobody(store, lead, &cookie, ms_cookie_state_with(&cookie, lead), now);
        }
    }
    return ms_store_ended(store);
}

ms_store_result
ms_store_lookup_again(ms_store *store, int64_t id, int64_t due)
{
    ms_store_starts(store);
    ms_cookie_row cookie = ms_cookie_get(store, id);
    if (cookie.id != 0 && cookie.state == MS_COOKIE_LOOKUP_FLYING) {
        cookie.attempts++;
        ms_cookie_set(store, &cookie, MS_COOKIE_LOOKUP, due);
    }
    return ms_store_ended(store);
}

ms_store_result
ms_store_lookup_refused(ms_store *store, int64_t id, ms_slice code, ms_slice reason, int64_t now)
{
    ms_cookie_row cookie;
    ms_lead_row *lead;
    ms_store_starts(store);
    if (end_lookup(store, id, &cookie, &lead)) {
        const ms_dead_lead dead = {lead->email, lead->user_id, cookie.cookie, 0, NULL};
        ms_dead_add_lead(store, "cookie", &dead, code, reason, now);
        belongs_to_nobody(store, lead, &cookie, MS_COOKIE_SETTLED, now);
    }
    return ms_store_ended(store);
}

ms_store_result
ms_store_associated(ms_store *store, int64_t id, int64_t now)
{
    ms_store_starts(store);
    ms_cookie_row cookie = ms_cookie_get(store, id);
    if (cookie.id == 0 || cookie.state != MS_COOKIE_FLYING) {
        return ms_store_ended(store);
    }
    const ms_lead_row *lead = ms_lead_load(store, cookie.lead);
    if (lead != NULL) {
        cookie.tied_to = cookie.flying_to;
        cookie.flying_to = 0;
        cookie.attempts = 0;
        ms_cookie_set(store, &cookie, ms_cookie_state_with(&cookie, lead), now);
    }
    return ms_store_ended(store);
}

static ms_store_result
tie_again(ms_store *store, int64_t id, int64_t attempts, int64_t due)
{
    ms_store_starts(store);
    ms_cookie_row cookie = ms_cookie_get(store, id);
    if (cookie.id != 0 && cookie.state == MS_COOKIE_FLYING) {
        const ms_lead_row *lead = ms_lead_load(store, cookie.lead);
        cookie.attempts += attempts;
        cookie.flying_to = 0;
        cookie.tied_to = 0; /* Marketo may have tied it all the same */
        ms_cookie_set(store, &cookie,
                      lead == NULL ? MS_COOKIE_SETTLED : ms_cookie_state_with(&cookie, lead), due);
    }
    return ms_store_ended(store);
}

ms_store_result
ms_store_cookie_again(ms_store *store, int64_t id, int64_t due)
{
    return tie_again(store, id, 1, due);
}

ms_store_result
ms_store_cookie_gone(ms_store *store, int64_t id, int64_t marketo_id, int64_t now)
{
    if (ms_store_forget_marketo_id(store, marketo_id, now) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    return tie_again(store, id, MS_GONE_ONCE, now);
}

ms_store_result
ms_store_cookie_refused(ms_store *store, int64_t id, ms_slice code, ms_slice reason, int64_t now)
{
    ms_store_starts(store);
    ms_cookie_row cookie = ms_cookie_get(store, id);
    if (cookie.id == 0 || cookie.state != MS_COOKIE_FLYING) {
        return ms_store_ended(store);
    }
    const ms_lead_row *lead = ms_lead_load(store, cookie.lead);
    if (lead != NULL) {
        const ms_dead_lead dead = {lead->email, lead->user_id, cookie.cookie, cookie.flying_to,
                                   NULL};
        ms_dead_add_lead(store, "cookie", &dead, code, reason, now);
        /* With another lead, to which it has moved meanwhile, it may go well. */
        bool moved = lead->marketo_id != cookie.flying_to;
        cookie.flying_to = 0;
        cookie.attempts = 0;
        ms_cookie_set(store, &cookie,
                      moved ? ms_cookie_state_with(&cookie, lead) : MS_COOKIE_SETTLED, now);
    }
    return ms_store_ended(store);
}
