#include "rest.h"

#include "../../core/date.h"
#include "../../core/json.h"
#include "../metrics.h"

#include <stdio.h>

#define ACTIVITIES_MAX 300

static bool
fits(const ms_rest_call *call, const ms_rest_reply *reply)
{
    size_t count = 0;
    if (reply->result == NULL) {
        return false;
    }
    for (const cJSON *child = reply->result->child; child != NULL; child = child->next) {
        char memory[512];
        ms_arena arena;
        ms_arena_init(&arena, memory, sizeof memory);
        if (!ms_rest_record_read(&arena, child).understood) {
            return false;
        }
        count++;
    }
    return count == call->count;
}

static ms_store_result
took(ms_rest_call *call, const ms_rest_reply *reply, ms_arena *arena, ms_store *store, int64_t now)
{
    const ms_rest_item *item = call->items;
    ms_store_result result = MS_STORE_OK;
    for (const cJSON *child = reply->result->child; child != NULL && result == MS_STORE_OK;
         child = child->next, item++) {
        ms_rest_record record = ms_rest_record_read(arena, child);
        result = record.taken ? ms_store_sent(store, MS_QUEUED_ACTIVITY, item->id)
                              : ms_rest_settle(call, item, &record, store, now);
    }
    return result;
}

static ms_store_result
again(ms_store *store, int64_t id, int64_t due)
{
    return ms_store_again(store, MS_QUEUED_ACTIVITY, id, due);
}

static ms_store_result
refused(ms_rest_call *call, const ms_rest_item *item, ms_slice code, ms_slice message,
        ms_store *store, int64_t now)
{
    (void)call;
    if (ms_rest_is_gone(code) && item->gone + 1 < MS_REST_GONE_TRIES) {
        return ms_store_activity_gone(store, item->id, item->marketo_id, now);
    }
    ms_metrics_record_refused();
    return ms_store_refused(store, MS_QUEUED_ACTIVITY, item->id,
                            ms_rest_cut(code, MS_REST_CODE_MAX, true),
                            ms_rest_cut(message, MS_REST_REASON_MAX, true), now);
}

static const ms_rest_kind kind = {.lane = MS_LANE_ACTIVITIES,
                                  .each_answered = true,
                                  .fits = fits,
                                  .took = took,
                                  .again = again,
                                  .records = MS_SUSPECT_ACTIVITY,
                                  .refused = refused};

/* Writes a record behind those that are there; false, with nothing written, if it does not fit. */
static bool
write_record(ms_arena *body, const ms_due_activity *activity)
{
    char text[160];
    char date[MS_DATE_TEXT + 1] = "";
    size_t before = body->used;
    (void)ms_date_format((double)activity->time, date);
    (void)snprintf(text, sizeof text,
                   "%s{\"leadId\":%lld,\"activityDate\":\"%s\",\"activityTypeId\":%lld",
                   before > 0 && body->memory[before - 1] == '}' ? "," : "",
                   (long long)activity->marketo_id, date, (long long)activity->type);
    ms_text_append(body, ms_slice_from(text));
    ms_text_append(body, MS_SLICE(",\"primaryAttributeValue\":"));
    ms_json_write_string(body, activity->primary_value);
    ms_text_append(body, MS_SLICE(",\"attributes\":"));
    ms_text_append(body, activity->attributes.len > 0 ? activity->attributes : MS_SLICE("[]"));
    ms_text_byte(body, '}');
    if (body->exhausted) {
        body->used = before;
        body->exhausted = false;
        return false;
    }
    return true;
}

static ms_store_result
write_records(ms_rest_call *call, ms_arena *body, const ms_due_activity *activities, size_t count,
              ms_store *store, int64_t now)
{
    ms_store_result result = MS_STORE_OK;
    for (size_t i = 0; i < count && result == MS_STORE_OK; i++) {
        if (write_record(body, &activities[i])) {
            call->items[call->count++] = (ms_rest_item){.id = activities[i].id,
                                                        .marketo_id = activities[i].marketo_id,
                                                        .attempts = activities[i].attempts,
                                                        .gone = activities[i].gone,
                                                        .suspicions = activities[i].suspicions};
        } else if (call->count > 0) {
            result = again(store, activities[i].id, now);
        } else {
            ms_metrics_record_refused();
            result = ms_store_refused(store, MS_QUEUED_ACTIVITY, activities[i].id, MS_SLICE("413"),
                                      MS_SLICE("The activity alone is too large for a call."), now);
        }
    }
    return result;
}

static ms_store_result
start_batch(ms_rest *rest, ms_store *store, ms_http_client *client, int64_t now, size_t *taken)
{
    static const size_t for_records = (size_t)2 << 20;
    ms_due_activity activities[ACTIVITIES_MAX];
    ms_arena arena;
    ms_arena body;
    size_t room = rest->lanes[MS_LANE_ACTIVITIES].size;
    ms_arena_init(&arena, rest->memory, for_records);
    ms_arena_init(&body, rest->memory + for_records, MS_REST_BODY_MAX);
    *taken = 0;
    rest->tried |= MS_TRIED_ACTIVITIES;
    if (ms_store_take_activities(store, now, room < ACTIVITIES_MAX ? room : ACTIVITIES_MAX, &arena,
                                 activities, taken) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    if (*taken == 0) {
        return MS_STORE_OK;
    }
    ms_rest_call *call = ms_rest_call_new(rest, &kind, *taken, 0, now);
    if (call == NULL) {
        return MS_STORE_FAILED; /* the turn is undone and comes again */
    }
    ms_text_append(&body, MS_SLICE("{\"input\":["));
    body.size -= 2; /* for the end */
    ms_store_result result = write_records(call, &body, activities, *taken, store, now);
    body.size += 2;
    ms_text_append(&body, MS_SLICE("]}"));
    if (result != MS_STORE_OK || call->count == 0) {
        ms_rest_call_drop(call);
        return result;
    }
    return ms_rest_call_start(
        call, store, client, "POST", MS_SLICE("/rest/v1/activities/external.json"),
        (ms_slice){(const char *)body.memory, body.used}, MS_TIMEOUT_ACTIVITIES);
}

ms_store_result
ms_rest_start_activities(ms_rest *rest, ms_store *store, ms_http_client *client, int64_t now,
                         int64_t *wake)
{
    size_t taken = 1;
    while (taken > 0 && ms_rest_may_call(rest, MS_LANE_ACTIVITIES, now, wake)) {
        if (start_batch(rest, store, client, now, &taken) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
    }
    return MS_STORE_OK;
}
