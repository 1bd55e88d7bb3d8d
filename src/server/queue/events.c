/* Visits and activities on their way. */

#include "dead.h"
#include "lead_row.h"
#include "taking.h"

ms_store_result
ms_store_take_visits(ms_store *store, bool newest_first, int64_t now, size_t room, ms_arena *arena,
                     ms_due_visit *visits, size_t *count)
{
    ms_taking_begins(store, MS_TAKEN_VISITS);
    *count = 0;
    bool full = false;
    ms_sql *sql = ms_sql_begin(store, newest_first ? MS_VISITS_DUE_LAST : MS_VISITS_DUE);
    ms_sql_int(sql, now);
    ms_sql_int(sql, (int64_t)room);
    while (*count < room && !full && ms_sql_row(sql)) {
        ms_arena before = *arena;
        ms_due_visit *visit = &visits[*count];
        *visit = (ms_due_visit){.id = ms_sql_get_int(sql, 0),
                                .time = ms_sql_get_int(sql, 1),
                                .attempts = ms_taking_attempts(ms_sql_get_int(sql, 2)),
                                .suspicions = ms_taking_suspicions(ms_sql_get_int(sql, 2)),
                                .query = ms_sql_get_text(sql, 3),
                                .user_agent = ms_sql_get_text(sql, 4)};
        full = !ms_taking_copy(arena, &visit->query) || !ms_taking_copy(arena, &visit->user_agent);
        if (full) {
            *arena = before;
        } else {
            (*count)++;
        }
    }
    ms_sql_end(sql);
    for (size_t i = 0; i < *count; i++) {
        (void)ms_sql_run_1(store, MS_VISIT_FLY, visits[i].id);
    }
    ms_count_change(store, MS_COUNT_VISITS, -(int64_t)*count);
    if (full && *count == 0) {
        ms_store_fail(store, "out of memory");
    }
    *count = store->failed ? 0 : *count;
    return ms_store_ended(store);
}

static bool
read_activity(ms_store *store, int64_t id, ms_arena *arena, ms_due_activity *activity)
{
    ms_arena before = *arena;
    ms_sql *sql = ms_sql_begin(store, MS_ACTIVITY_GET);
    ms_sql_int(sql, id);
    bool found = ms_sql_row(sql);
    if (found) {
        *activity = (ms_due_activity){.id = id,
                                      .marketo_id = ms_sql_get_int(sql, 0),
                                      .time = ms_sql_get_int(sql, 2),
                                      .type = ms_sql_get_int(sql, 3),
                                      .attempts = ms_taking_attempts(ms_sql_get_int(sql, 4)),
                                      .gone = ms_taking_gone(ms_sql_get_int(sql, 4)),
                                      .suspicions = ms_taking_suspicions(ms_sql_get_int(sql, 4)),
                                      .primary_value = ms_sql_get_text(sql, 5),
                                      .attributes = ms_sql_get_text(sql, 6)};
        if (!ms_taking_copy(arena, &activity->primary_value) ||
            !ms_taking_copy(arena, &activity->attributes)) {
            *arena = before;
            found = false;
        }
    }
    ms_sql_end(sql);
    return found;
}

ms_store_result
ms_store_take_activities(ms_store *store, int64_t now, size_t room, ms_arena *arena,
                         ms_due_activity *activities, size_t *count)
{
    ms_taking_begins(store, MS_TAKEN_ACTIVITIES);
    *count = 0;
    ms_sql *sql = ms_sql_begin(store, MS_ACTIVITIES_DUE);
    ms_sql_int(sql, now + store->rules.linger);
    ms_sql_int(sql, now);
    ms_sql_int(sql, (int64_t)room);
    ms_candidates found = ms_taking(sql, room, now);
    while (*count < found.count &&
           read_activity(store, found.ids[*count], arena, &activities[*count])) {
        (void)ms_sql_run_1(store, MS_ACTIVITY_FLY, found.ids[*count]);
        (*count)++;
    }
    ms_count_change(store, MS_COUNT_ACTIVITIES, -(int64_t)*count);
    if (found.count > 0 && *count == 0) {
        ms_store_fail(store, "out of memory");
    }
    *count = store->failed ? 0 : *count;
    return ms_store_ended(store);
}

ms_store_result
ms_store_sent(ms_store *store, ms_queued kind, int64_t id)
{
    ms_store_starts(store);
    (void)ms_sql_run_1(store, kind == MS_QUEUED_VISIT ? MS_VISIT_DELETE : MS_ACTIVITY_SENT, id);
    return ms_store_ended(store);
}

static void
activity_again(ms_store *store, int64_t id, int64_t attempts, int64_t due)
{
    ms_sql *sql = ms_sql_begin(store, MS_ACTIVITY_AGAIN);
    ms_sql_int(sql, id);
    ms_sql_int(sql, due);
    ms_sql_int(sql, attempts);
    ms_count_change(store, MS_COUNT_ACTIVITIES, ms_sql_run(sql));
}

ms_store_result
ms_store_again(ms_store *store, ms_queued kind, int64_t id, int64_t due)
{
    ms_store_starts(store);
    if (kind == MS_QUEUED_VISIT) {
        ms_count_change(store, MS_COUNT_VISITS, ms_sql_run_2(store, MS_VISIT_AGAIN, id, due));
    } else {
        activity_again(store, id, 1, due);
    }
    return ms_store_ended(store);
}

ms_store_result
ms_store_activity_gone(ms_store *store, int64_t id, int64_t marketo_id, int64_t now)
{
    if (ms_store_forget_marketo_id(store, marketo_id, now) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    ms_store_starts(store);
    activity_again(store, id, MS_GONE_ONCE, now);
    return ms_store_ended(store);
}

static void
refuse_visit(ms_store *store, int64_t id, ms_slice code, ms_slice reason, int64_t now)
{
    ms_sql *sql = ms_sql_begin(store, MS_VISIT_GET);
    ms_sql_int(sql, id);
    bool found = ms_sql_row(sql);
    if (found) {
        ms_dead_add_visit(store, ms_sql_get_int(sql, 0), ms_sql_get_text(sql, 1),
                          ms_sql_get_text(sql, 2), code, reason, now);
    }
    ms_sql_end(sql);
    if (found) {
        (void)ms_sql_run_1(store, MS_VISIT_DELETE, id);
    }
}

ms_store_result
ms_store_refused(ms_store *store, ms_queued kind, int64_t id, ms_slice code, ms_slice reason,
                 int64_t now)
{
    ms_store_starts(store);
    if (kind == MS_QUEUED_VISIT) {
        refuse_visit(store, id, code, reason, now);
    } else {
        ms_dead_move_activity(store, id, code, reason, now);
    }
    return ms_store_ended(store);
}
