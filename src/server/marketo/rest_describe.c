#include "rest.h"

#include <stdlib.h>

#define REMEMBERED "describe"
#define FRESH_MS (INT64_C(24) * 3600000)

static bool
fits(const ms_rest_call *call, const ms_rest_reply *reply)
{
    ms_rest_fields fields;
    (void)call;
    bool read = ms_rest_fields_read(&fields, reply->body);
    ms_rest_fields_free(&fields);
    return read;
}

/* Takes a list up in place of the one that there is. */
static bool
take_up(ms_rest *rest, ms_slice describe, int64_t at)
{
    ms_rest_fields fields;
    if (!ms_rest_fields_read(&fields, describe)) {
        return false;
    }
    ms_rest_fields_free(&rest->fields);
    rest->fields = fields;
    rest->fields_at = at;
    rest->fields_number++;
    return true;
}

static ms_store_result
took(ms_rest_call *call, const ms_rest_reply *reply, ms_arena *arena, ms_store *store, int64_t now)
{
    ms_rest *rest = call->rest;
    (void)arena;
    if (!take_up(rest, reply->body, now)) {
        return MS_STORE_OK; /* no memory; it is asked for again */
    }
    if (rest->fields_doubted) {
        rest->fields_settled = rest->fields_number;
        rest->fields_doubted = false;
    }
    return ms_store_remember(store, REMEMBERED, reply->body, now);
}

static const ms_rest_kind kind = {.lane = MS_LANE_DESCRIBE, .fits = fits, .took = took};

ms_store_result
ms_rest_recall_fields(ms_rest *rest, ms_store *store, int64_t now)
{
    if (rest->fields_recalled) {
        return MS_STORE_OK;
    }
    ms_slice describe = {"", 0};
    int64_t at = 0;
    void *memory = malloc(MS_ANSWER_MAX + 4096);
    if (memory == NULL) {
        return MS_STORE_OK;
    }
    ms_arena arena;
    ms_arena_init(&arena, memory, MS_ANSWER_MAX + 4096);
    ms_store_result result = ms_store_recall(store, REMEMBERED, &arena, &describe, &at);
    if (result == MS_STORE_OK) {
        rest->fields_recalled = true;
        if (describe.len > 0 && take_up(rest, describe, at) && at > now) {
            rest->fields_at = 0; /* from before the clock was set back; who knows how old */
        }
    }
    free(memory);
    return result;
}

ms_store_result
ms_rest_start_describe(ms_rest *rest, ms_store *store, ms_http_client *client, int64_t now,
                       int64_t *wake)
{
    bool fresh = rest->fields.count > 0 && now - rest->fields_at < FRESH_MS;
    if ((fresh && !rest->fields_doubted) || rest->lanes[MS_LANE_DESCRIBE].under_way > 0 ||
        !ms_rest_may_call(rest, MS_LANE_DESCRIBE, now, wake)) {
        return MS_STORE_OK;
    }
    ms_rest_call *call = ms_rest_call_new(rest, &kind, 0, 0, now);
    return call == NULL ? MS_STORE_OK
                        : ms_rest_call_start(call, store, client, "GET",
                                             MS_SLICE("/rest/v1/leads/describe.json"), MS_SLICE(""),
                                             MS_TIMEOUT_OTHERS);
}
