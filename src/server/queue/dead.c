#include "dead.h"

#include "field_portion.h"

#include "../../core/status.h"

#include <stdio.h>

static ms_slice
who_of(const ms_identity *who)
{
    if (who->email.len > 0) {
        return who->email;
    }
    return who->user_id.len > 0 ? who->user_id : who->cookie;
}

static void
add(ms_store *store, const char *kind, ms_slice who, ms_slice code, ms_slice reason,
    ms_slice payload, int64_t now)
{
    ms_sql *sql = ms_sql_begin(store, MS_DEAD_ADD);
    ms_sql_int(sql, now);
    ms_sql_text(sql, ms_slice_from(kind));
    ms_sql_text(sql, who);
    ms_sql_text(sql, code);
    ms_sql_text(sql, reason);
    ms_sql_text(sql, payload);
    (void)ms_sql_run(sql);
    ms_count_change(store, MS_COUNT_DEAD, 1);
}

/* ,"name": */
static void
write_name(ms_arena *out, const char *start, const char *name)
{
    ms_text_byte(out, ms_text_begin(out) == start ? '{' : ',');
    ms_json_write_string(out, ms_slice_from(name));
    ms_text_byte(out, ':');
}

static void
write_text(ms_arena *out, const char *start, const char *name, ms_slice value)
{
    if (value.len > 0) {
        write_name(out, start, name);
        ms_json_write_string(out, value);
    }
}

static void
append_number(ms_arena *out, int64_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)value);
    ms_text_append(out, (ms_slice){digits, (size_t)len});
}

static void
write_number(ms_arena *out, const char *start, const char *name, int64_t value)
{
    write_name(out, start, name);
    append_number(out, value);
}

/* When the fields were said, so that a retry does not put them over newer ones: a time for all, or
 * one for each, in their order. */
static void
write_times(ms_arena *out, const char *start, const ms_field_set *fields)
{
    bool same = true;
    for (size_t i = 1; i < fields->count; i++) {
        same = same && fields->list[i].time == fields->list[0].time;
    }
    if (same && fields->count > 0) {
        write_number(out, start, "time", fields->list[0].time);
    }
    if (same) {
        return;
    }
    write_name(out, start, "times");
    for (size_t i = 0; i < fields->count; i++) {
        ms_text_byte(out, i == 0 ? '[' : ',');
        append_number(out, fields->list[i].time);
    }
    ms_text_byte(out, ']');
}

/* What has been written since `start` is a whole payload; fails the call if there was no room. */
static ms_slice
finished(ms_store *store, const char *start)
{
    ms_arena *out = &store->scratch;
    if (ms_text_begin(out) == start) {
        ms_text_byte(out, '{');
    }
    ms_text_byte(out, '}');
    ms_slice payload = ms_text_end(out, start);
    if (out->exhausted) {
        ms_store_fail(store, "out of memory");
    }
    return payload;
}

static void
add_lead(ms_store *store, const char *kind, const ms_dead_lead *lead, ms_slice code,
         ms_slice reason, int64_t now)
{
    ms_arena before = store->scratch; /* a letter needs its memory no longer than it is written */
    ms_arena *out = &store->scratch;
    const char *start = ms_text_begin(out);
    write_text(out, start, "email", lead->email);
    write_text(out, start, "userId", lead->user_id);
    write_text(out, start, "cookie", lead->cookie);
    if (lead->marketo_id != 0) {
        write_number(out, start, "marketoId", lead->marketo_id);
    }
    if (lead->fields != NULL) {
        write_times(out, start, lead->fields);
        write_name(out, start, "fields");
        ms_field_set_write(lead->fields, out);
    }
    ms_slice payload = finished(store, start);
    const ms_identity who = {lead->email, lead->user_id, lead->cookie, false};
    add(store, kind, who_of(&who), code, reason, payload, now);
    store->scratch = before;
}

void
ms_dead_add_lead(ms_store *store, const char *kind, const ms_dead_lead *lead, ms_slice code,
                 ms_slice reason, int64_t now)
{
    if (lead->fields == NULL) {
        add_lead(store, kind, lead, code, reason, now);
        return;
    }
    ms_field_set left = *lead->fields;
    do {
        ms_field_set fields = ms_field_portion(&left, MS_LEAD_FIELDS_MAX);
        ms_dead_lead part = *lead;
        part.fields = &fields;
        add_lead(store, kind, &part, code, reason, now);
    } while (left.count > 0);
}

void
ms_dead_add_too_large(ms_store *store, const ms_dead_lead *lead, ms_slice reason, int64_t now)
{
    ms_dead_add_lead(store, "lead", lead, ms_slice_from(ms_status_code(MS_TOO_LARGE)), reason, now);
}

void
ms_dead_add_visit(ms_store *store, int64_t time, ms_slice query, ms_slice user_agent, ms_slice code,
                  ms_slice reason, int64_t now)
{
    ms_arena *out = &store->scratch;
    const char *start = ms_text_begin(out);
    write_number(out, start, "time", time);
    write_text(out, start, "query", query);
    write_text(out, start, "userAgent", user_agent);
    ms_slice payload = finished(store, start);
    add(store, "visit", MS_SLICE(""), code, reason, payload, now);
}

/* The payload of a letter about an activity. */
static ms_slice
write_activity(ms_store *store, const ms_command *command)
{
    ms_arena *out = &store->scratch;
    const char *start = ms_text_begin(out);
    write_text(out, start, "email", command->who.email);
    write_text(out, start, "userId", command->who.user_id);
    write_text(out, start, "cookie", command->who.cookie);
    if (command->marketo_id != 0) {
        write_number(out, start, "marketoId", command->marketo_id);
    }
    write_number(out, start, "time", command->time);
    write_number(out, start, "activityType", command->activity_type);
    write_text(out, start, "primaryValue", command->primary_value);
    write_name(out, start, "attributes");
    ms_text_append(out, command->attributes);
    return finished(store, start);
}

void
ms_dead_add_activity(ms_store *store, const ms_command *command, ms_slice code, ms_slice reason,
                     int64_t now)
{
    add(store, "activity", who_of(&command->who), code, reason, write_activity(store, command),
        now);
}

/* What tells whose the activity is where its lead has no id in Marketo; empty if it has. */
static ms_slice
cookie_of_activity(ms_store *store, int64_t id)
{
    ms_slice cookie = MS_SLICE("");
    ms_sql *sql = ms_sql_begin(store, MS_ACTIVITY_COOKIE);
    ms_sql_int(sql, id);
    if (ms_sql_row(sql)) {
        cookie = ms_scratch_copy(store, ms_sql_get_text(sql, 0));
    }
    ms_sql_end(sql);
    return cookie;
}

void
ms_dead_move_activity(ms_store *store, int64_t id, ms_slice code, ms_slice reason, int64_t now)
{
    ms_slice who = MS_SLICE("");
    ms_slice cookie = cookie_of_activity(store, id);
    ms_slice payload = MS_SLICE("");
    ms_sql *sql = ms_sql_begin(store, MS_ACTIVITY_GET);
    ms_sql_int(sql, id);
    bool found = ms_sql_row(sql);
    bool waits = found && ms_sql_get_int(sql, 9) == 0;
    if (found) {
        const ms_command command = {.who = {.email = ms_sql_get_text(sql, 7),
                                            .user_id = ms_sql_get_text(sql, 8),
                                            .cookie = cookie},
                                    .marketo_id = ms_sql_get_int(sql, 0),
                                    .time = ms_sql_get_int(sql, 2),
                                    .activity_type = ms_sql_get_int(sql, 3),
                                    .primary_value = ms_sql_get_text(sql, 5),
                                    .attributes = ms_sql_get_text(sql, 6)};
        who = ms_scratch_copy(store, who_of(&command.who));
        payload = write_activity(store, &command);
    }
    ms_sql_end(sql);
    if (found) {
        add(store, "activity", who, code, reason, payload, now);
        (void)ms_sql_run_1(store, MS_ACTIVITY_DELETE, id);
        ms_count_change(store, MS_COUNT_ACTIVITIES, -(int64_t)waits);
    }
}

void
ms_dead_move_activities_of(ms_store *store, int64_t lead, ms_slice code, ms_slice reason,
                           int64_t now)
{
    int64_t id = 0;
    ms_arena scratch = store->scratch; /* each activity's is forgotten after it */
    while (!store->failed && (id = ms_sql_number_1(store, MS_ACTIVITY_WAITING, lead)) != 0) {
        ms_dead_move_activity(store, id, code, reason, now);
        store->scratch = scratch;
    }
}

void
ms_dead_add_message(ms_store *store, const ms_identity *who, ms_slice payload, ms_slice code,
                    ms_slice reason, int64_t now)
{
    add(store, "message", who_of(who), code, reason, payload, now);
}
