#include "cookie_row.h"

#include "known_lead.h"

static ms_cookie_row
read_row(ms_sql *sql)
{
    return (ms_cookie_row){.id = ms_sql_get_int(sql, 0),
                           .lead = ms_sql_get_int(sql, 1),
                           .state = ms_sql_get_int(sql, 2),
                           .due = ms_sql_get_int(sql, 3),
                           .attempts = ms_sql_get_int(sql, 4),
                           .tied_to = ms_sql_get_int(sql, 5),
                           .flying_to = ms_sql_get_int(sql, 6),
                           .cookie = ms_scratch_copy(sql->store, ms_sql_get_text(sql, 7))};
}

static ms_cookie_row
read_one(ms_sql *sql)
{
    ms_cookie_row cookie = {.cookie = {"", 0}};
    if (ms_sql_row(sql)) {
        cookie = read_row(sql);
    }
    ms_sql_end(sql);
    return cookie;
}

ms_cookie_row
ms_cookie_find(ms_store *store, ms_slice cookie)
{
    ms_sql *sql = ms_sql_begin(store, MS_COOKIE_FIND);
    ms_sql_text(sql, cookie);
    return read_one(sql);
}

ms_cookie_row
ms_cookie_get(ms_store *store, int64_t id)
{
    ms_sql *sql = ms_sql_begin(store, MS_COOKIE_GET);
    ms_sql_int(sql, id);
    return read_one(sql);
}

ms_cookie_row
ms_cookie_waiting(ms_store *store, const ms_lead_row *lead)
{
    ms_sql *sql = ms_sql_begin(store, MS_COOKIE_WAITING);
    ms_sql_int(sql, lead->id);
    return read_one(sql);
}

static bool
is_waiting(int64_t state)
{
    return state == MS_COOKIE_LOOKUP || state == MS_COOKIE_WAITS || state == MS_COOKIE_READY;
}

void
ms_cookie_set(ms_store *store, ms_cookie_row *cookie, ms_cookie_state state, int64_t due)
{
    ms_count_change(store, MS_COUNT_COOKIES, is_waiting(state) - is_waiting(cookie->state));
    cookie->state = state;
    cookie->due = due;
    ms_sql *sql = ms_sql_begin(store, MS_COOKIE_SET);
    ms_sql_int(sql, cookie->id);
    ms_sql_int(sql, cookie->lead);
    ms_sql_int(sql, cookie->state);
    ms_sql_int(sql, cookie->due);
    ms_sql_int(sql, cookie->attempts);
    ms_sql_int(sql, cookie->tied_to);
    ms_sql_int(sql, cookie->flying_to);
    (void)ms_sql_run(sql);
}

ms_cookie_state
ms_cookie_state_with(const ms_cookie_row *cookie, const ms_lead_row *lead)
{
    int64_t marketo_id = ms_lead_target(lead);
    if (marketo_id == 0) {
        return MS_COOKIE_WAITS;
    }
    return cookie->tied_to == marketo_id ? MS_COOKIE_SETTLED : MS_COOKIE_READY;
}

static void
add(ms_store *store, ms_slice text, ms_cookie_row *cookie)
{
    ms_sql *sql = ms_sql_begin(store, MS_COOKIE_ADD);
    ms_sql_text(sql, text);
    (void)ms_sql_run(sql);
    *cookie = (ms_cookie_row){.id = sqlite3_last_insert_rowid(store->db), .cookie = text};
}

int64_t
ms_cookie_tie(ms_store *store, ms_lead_row *lead, ms_slice text, ms_cookie_row *cookie,
              bool cookie_first, int64_t now)
{
    if (cookie->id == 0) {
        add(store, text, cookie);
        cookie->lead = lead->id;
        if (cookie_first) {
            lead->lookups++;
            lead->changed = true;
            /* Lookups share a call, so they wait for each other. */
            ms_cookie_set(store, cookie, MS_COOKIE_LOOKUP, now + store->rules.linger);
        } else {
            ms_cookie_set(store, cookie, ms_cookie_state_with(cookie, lead), now);
        }
        return 0;
    }
    if (cookie->lead == lead->id) {
        return 0;
    }
    int64_t from = cookie->lead;
    bool asked = cookie->state == MS_COOKIE_LOOKUP || cookie->state == MS_COOKIE_LOOKUP_FLYING;
    cookie->lead = lead->id;
    cookie->attempts = 0;
    /* While Marketo ties it to the former lead, its turn comes after that. */
    ms_cookie_set(store, cookie,
                  cookie->state == MS_COOKIE_FLYING ? MS_COOKIE_FLYING
                                                    : ms_cookie_state_with(cookie, lead),
                  now);
    return asked ? from : 0;
}

void
ms_cookies_follow(ms_store *store, int64_t lead, int64_t marketo_id, int64_t now)
{
    /* One that is settled without a tie was refused, and is not tried again by itself. */
    int unsettled = ms_sql_run_3(store, MS_COOKIES_UNSETTLE, lead, marketo_id, now);
    int settled = ms_sql_run_3(store, MS_COOKIES_SETTLE, lead, marketo_id, now);
    (void)ms_sql_run_3(store, MS_COOKIES_TURN, lead, marketo_id, now);
    ms_count_change(store, MS_COUNT_COOKIES, unsettled - settled);
}

void
ms_cookies_ask(ms_store *store, ms_lead_row *lead, int64_t now)
{
    int64_t due = now + store->rules.linger;
    int settled = ms_sql_run_2(store, MS_COOKIES_ASK_SETTLED, lead->id, due);
    int asked = settled + ms_sql_run_2(store, MS_COOKIES_ASK, lead->id, due);
    ms_count_change(store, MS_COUNT_COOKIES, settled);
    lead->lookups += asked;
    lead->changed |= asked > 0;
}
