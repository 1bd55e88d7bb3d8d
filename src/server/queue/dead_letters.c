/* Dead letters, as people list them, send them again and drop them. */

#include "changes.h"
#include "cookie_row.h"
#include "dead.h"
#include "identity.h"
#include "rules.h"

/* The first letter from `from` to `to`, in the call's own memory; false if there is none. */
static bool
read_letter(ms_store *store, int64_t from, int64_t to, ms_dead_letter *letter)
{
    ms_store_starts(store);
    ms_sql *sql = ms_sql_begin(store, MS_DEAD_LIST);
    ms_sql_int(sql, from);
    ms_sql_int(sql, to);
    bool found = ms_sql_row(sql);
    if (found) {
        *letter = (ms_dead_letter){.id = ms_sql_get_int(sql, 0),
                                   .at = ms_sql_get_int(sql, 1),
                                   .kind = ms_scratch_copy(store, ms_sql_get_text(sql, 2)),
                                   .who = ms_scratch_copy(store, ms_sql_get_text(sql, 3)),
                                   .code = ms_scratch_copy(store, ms_sql_get_text(sql, 4)),
                                   .reason = ms_scratch_copy(store, ms_sql_get_text(sql, 5)),
                                   .payload = ms_scratch_copy(store, ms_sql_get_text(sql, 6))};
    }
    ms_sql_end(sql);
    return found && !store->failed;
}

/* Who reads them may take as long as they like: meanwhile nothing is read, since no more of the log
 * can be copied than what came before a reader's begin. */
ms_store_result
ms_store_dead_list(ms_store *store, int64_t id,
                   void (*each)(const ms_dead_letter *letter, void *argument), void *argument)
{
    ms_dead_letter letter;
    int64_t from = id;
    int64_t to = id != 0 ? id : ms_sql_number(ms_sql_begin(store, MS_DEAD_LAST));
    while (read_letter(store, from, to, &letter)) {
        each(&letter, argument);
        from = letter.id + 1;
    }
    return ms_store_ended(store);
}

static int64_t
number(const cJSON *payload, const char *name)
{
    const cJSON *value = ms_json_member(payload, name);
    return cJSON_IsNumber(value) ? (int64_t)cJSON_GetNumberValue(value) : 0;
}

/* The raw text of a payload's last member, the one of this name in quotes. Within texts quotes are
 * escaped. */
static ms_slice
raw_last(ms_slice payload, const char *quoted_name)
{
    size_t len = strlen(quoted_name);
    for (size_t i = 1; i + len < payload.len; i++) {
        bool begins = payload.ptr[i - 1] == '{' || payload.ptr[i - 1] == ',';
        if (begins && memcmp(payload.ptr + i, quoted_name, len) == 0) {
            size_t behind = i + len + 1; /* the colon */
            return (ms_slice){payload.ptr + behind, payload.len - behind - 1};
        }
    }
    return MS_SLICE("");
}

static void
retry_cookie(ms_store *store, ms_command *command, int64_t now)
{
    ms_cookie_row cookie = ms_cookie_find(store, command->who.cookie);
    if (cookie.id == 0) { /* forgotten with its lead */
        command->marketo_id = 0;
        command->fields = MS_SLICE("{}");
        ms_change_lead(store, command, now, true);
        return;
    }
    ms_lead_row *lead = ms_lead_load(store, cookie.lead);
    if (lead == NULL || (cookie.state != MS_COOKIE_SETTLED && cookie.state != MS_COOKIE_WAITS)) {
        return;
    }
    if (lead->marketo_id == 0 && lead->email.len == 0) { /* nothing else tells whose it is */
        ms_cookie_set(store, &cookie, MS_COOKIE_LOOKUP, now);
        lead->lookups++;
        lead->changed = true;
        ms_lead_save(store, lead);
    } else {
        ms_cookie_set(store, &cookie, ms_cookie_state_with(&cookie, lead), now);
    }
}

static int64_t
sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The fields as they were said, and when; what is not known of that, at `at`. False without memory,
 * or if they are none. */
static bool
read_fields(ms_store *store, const cJSON *payload, ms_slice text, int64_t at, int64_t now,
            ms_field_set *fields)
{
    int64_t time = number(payload, "time");
    const cJSON *times = ms_json_member(payload, "times");
    if (!ms_field_set_read(&store->scratch, text, sooner(time != 0 ? time : at, now), fields)) {
        return false;
    }
    if (times != NULL && (size_t)cJSON_GetArraySize(times) == fields->count) {
        const cJSON *each = times->child;
        for (size_t i = 0; i < fields->count; i++, each = each->next) {
            fields->list[i].time = sooner((int64_t)cJSON_GetNumberValue(each), now);
        }
    }
    return true;
}

static void
retry_lead(ms_store *store, ms_command *command, const ms_field_set *fields, int64_t now)
{
    const ms_slice cookie = command->who.cookie;
    command->who.cookie = MS_SLICE("");
    if (command->marketo_id == 0 && ms_identity_is_nobody(&command->who)) {
        command->who.cookie = cookie;
    }
    ms_change_lead_fields(store, command, fields, now, true);
    if (cookie.len > 0) {
        /* It may be somebody else's by now, and stays so. */
        command->who.cookie = cookie;
        retry_cookie(store, command, now);
    }
}

/* Puts it back into the queue. False if it never could be sent. */
static bool
retry(ms_store *store, ms_slice kind, ms_slice text, int64_t at, int64_t now)
{
    cJSON *payload = NULL;
    if (ms_slice_equal(kind, MS_SLICE("message")) ||
        ms_json_parse(&store->scratch, text, &payload) != MS_OK) {
        return false;
    }
    ms_command command = {.who = {.email = ms_json_string(payload, "email"),
                                  .user_id = ms_json_string(payload, "userId"),
                                  .cookie = ms_json_string(payload, "cookie")},
                          .marketo_id = number(payload, "marketoId"),
                          .time = at, /* what came since is newer */
                          .query = ms_json_string(payload, "query"),
                          .user_agent = ms_json_string(payload, "userAgent"),
                          .activity_type = number(payload, "activityType"),
                          .primary_value = ms_json_string(payload, "primaryValue"),
                          .attributes = raw_last(text, "\"attributes\"")};
    bool is_named = command.who.email.len + command.who.user_id.len > 0;
    command.who.cookie_first = !is_named;
    ms_identity_leave_user_id(store, &command.who);
    bool is_visit = ms_slice_equal(kind, MS_SLICE("visit"));
    if (!is_visit && command.marketo_id == 0 && ms_identity_is_nobody(&command.who)) {
        return false;
    }
    if (ms_slice_equal(kind, MS_SLICE("lead"))) {
        ms_field_set fields;
        if (!read_fields(store, payload, raw_last(text, "\"fields\""), at, now, &fields)) {
            return false;
        }
        retry_lead(store, &command, &fields, now);
        return true;
    }
    if (ms_slice_equal(kind, MS_SLICE("cookie"))) {
        retry_cookie(store, &command, now);
    } else {
        command.time = number(payload, "time");
        if (is_visit) {
            ms_change_visit(store, &command, now);
        } else {
            if (is_named) { /* the cookie may be somebody else's by now, and stays so */
                command.who.cookie = MS_SLICE("");
            }
            ms_change_activity(store, &command, now, true);
            if (!is_named && command.marketo_id == 0) {
                retry_cookie(store, &command, now);
            }
        }
    }
    return true;
}

/* Letters from the one after `after` to `last`. */
typedef struct {
    int64_t after;
    int64_t last;
} range;

/* `only` that one, or, if it is 0, all that there are now. */
static range
range_of(ms_store *store, int64_t only)
{
    return only != 0 ? (range){only - 1, only}
                     : (range){0, ms_sql_number(ms_sql_begin(store, MS_DEAD_LAST))};
}

/* The next letter's id, 0 at the end. */
static int64_t
next_letter(ms_store *store, range *letters)
{
    int64_t id = store->failed ? 0 : ms_sql_number_1(store, MS_DEAD_AFTER, letters->after);
    letters->after = id;
    return id <= letters->last ? id : 0;
}

static void
drop(ms_store *store, int64_t id)
{
    (void)ms_sql_run_1(store, MS_DEAD_DELETE, id);
    ms_count_change(store, MS_COUNT_DEAD, -1);
}

ms_store_result
ms_store_dead_retry(ms_store *store, int64_t only, int64_t now, uint64_t *count)
{
    int64_t id;
    *count = 0;
    ms_store_starts(store);
    ms_rules_recall(store);
    ms_store_starts(store);
    range letters = range_of(store, only); /* what is put aside again is behind it */
    while ((id = next_letter(store, &letters)) != 0) {
        ms_store_starts(store);
        int64_t dead = ms_count_now(store, MS_COUNT_DEAD);
        ms_sql *sql = ms_sql_begin(store, MS_DEAD_GET);
        ms_sql_int(sql, id);
        bool found = ms_sql_row(sql);
        ms_slice kind = found ? ms_scratch_copy(store, ms_sql_get_text(sql, 0)) : MS_SLICE("");
        ms_slice text = found ? ms_scratch_copy(store, ms_sql_get_text(sql, 1)) : MS_SLICE("");
        int64_t at = found ? ms_sql_get_int(sql, 2) : 0;
        ms_sql_end(sql);
        if (found && !store->failed && retry(store, kind, text, at, now)) {
            *count += ms_count_now(store, MS_COUNT_DEAD) == dead;
            drop(store, id);
        }
    }
    return ms_store_ended(store);
}

ms_store_result
ms_store_dead_drop(ms_store *store, int64_t only, uint64_t *count)
{
    int64_t id;
    *count = 0;
    ms_store_starts(store);
    range letters = range_of(store, only);
    while ((id = next_letter(store, &letters)) != 0) {
        drop(store, id);
        (*count)++;
    }
    return ms_store_ended(store);
}
