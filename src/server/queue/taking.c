#include "taking.h"

/* The name under which store->taken is kept. */
static const char taken_name[] = "taken";

ms_candidates
ms_taking(ms_sql *sql, size_t room, int64_t now)
{
    ms_store *store = sql->store;
    ms_candidates found = {.ids = ms_scratch(store, (room + 1) * sizeof *found.ids)};
    bool ripe = false;
    while (found.ids != NULL && found.count < room && ms_sql_row(sql)) {
        found.ids[found.count++] = ms_sql_get_int(sql, 0);
        ripe = ripe || ms_sql_get_int(sql, 1) <= now;
    }
    ms_sql_end(sql);
    if (store->failed || (!ripe && found.count < room)) {
        found.count = 0;
    }
    return found;
}

ms_candidates
ms_taking_leads(ms_store *store, ms_lead_class class, int64_t now, size_t room)
{
    ms_sql *sql = ms_sql_begin(store, MS_LEADS_DUE);
    ms_sql_int(sql, class);
    ms_sql_int(sql, now + store->rules.linger);
    ms_sql_int(sql, now);
    ms_sql_int(sql, (int64_t)room);
    return ms_taking(sql, room, now);
}

void
ms_taking_begins(ms_store *store, unsigned int kind)
{
    const unsigned int any = MS_TAKEN_BY(MS_BY_ANY);
    const unsigned int by_key = MS_TAKEN_BY(MS_BY_MARKETO_ID) | MS_TAKEN_BY(MS_BY_EMAIL) |
                                MS_TAKEN_BY(MS_BY_USER_ID) | MS_TAKEN_LOOKUPS |
                                MS_TAKEN_EMAIL_LOOKUPS;
    ms_store_starts(store);
    if ((store->taken & kind) != 0) {
        return;
    }
    store->taken &= kind == any ? ~by_key : (kind & by_key) != 0 ? ~any : ~0U;
    store->taken |= kind;
    ms_sql *sql = ms_sql_begin(store, MS_KEEP);
    ms_sql_text(sql, MS_SLICE(taken_name));
    ms_sql_text(sql, MS_SLICE(""));
    ms_sql_int(sql, store->taken); /* in the column for a time, the one for numbers */
    (void)ms_sql_run(sql);
}

void
ms_taking_recall(ms_store *store)
{
    ms_sql *sql = ms_sql_begin(store, MS_KEPT);
    ms_sql_text(sql, MS_SLICE(taken_name));
    if (ms_sql_row(sql)) {
        store->taken = (unsigned int)ms_sql_get_int(sql, 1);
    }
    ms_sql_end(sql);
}

unsigned int
ms_taking_attempts(int64_t attempts)
{
    return (unsigned int)(attempts % MS_GONE_ONCE);
}

unsigned int
ms_taking_gone(int64_t attempts)
{
    return (unsigned int)(attempts % MS_SUSPECTED_ONCE / MS_GONE_ONCE);
}

unsigned int
ms_taking_suspicions(int64_t attempts)
{
    return (unsigned int)(attempts / MS_SUSPECTED_ONCE);
}

ms_store_result
ms_store_suspect(ms_store *store, ms_suspect kind, int64_t id)
{
    static const ms_query queries[] = {[MS_SUSPECT_LEAD] = MS_LEAD_SUSPECT,
                                       [MS_SUSPECT_COOKIE] = MS_COOKIE_SUSPECT,
                                       [MS_SUSPECT_VISIT] = MS_VISIT_SUSPECT,
                                       [MS_SUSPECT_ACTIVITY] = MS_ACTIVITY_SUSPECT};
    ms_store_starts(store);
    (void)ms_sql_run_2(store, queries[kind], id, MS_SUSPECTED_ONCE);
    return ms_store_ended(store);
}

bool
ms_taking_copy(ms_arena *arena, ms_slice *text)
{
    char *copy = ms_arena_alloc(arena, text->len + 1);
    if (copy == NULL) {
        return false;
    }
    if (text->len > 0) {
        memcpy(copy, text->ptr, text->len);
    }
    copy[text->len] = '\0';
    text->ptr = copy;
    return true;
}
