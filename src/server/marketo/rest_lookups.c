/* GET leads.json: asking for the leads that have one of some values. */

#include "rest.h"

#include "../../core/json.h"

/* Marketo takes URIs of 8 KB. */
#define PATH_MAX_BYTES 7000

bool
ms_rest_lookup_fits(const ms_rest_call *call, const ms_rest_reply *reply)
{
    (void)call;
    if (reply->result == NULL) {
        return false;
    }
    for (const cJSON *lead = reply->result->child; lead != NULL; lead = lead->next) {
        if (ms_rest_id(ms_json_member(lead, "id")) == 0) {
            return false;
        }
    }
    return true;
}

ms_store_result
ms_rest_start_lookup(ms_rest_call *call, ms_slice query, ms_store *store, ms_http_client *client,
                     int64_t now)
{
    unsigned char memory[2 * PATH_MAX_BYTES];
    ms_arena path;
    ms_store_result result = MS_STORE_OK;
    size_t count = call->count;
    ms_arena_init(&path, memory, sizeof memory);
    char *start = ms_text_begin(&path);
    call->count = 0;
    ms_text_append(&path, MS_SLICE("/rest/v1/leads.json?"));
    ms_text_append(&path, query);
    ms_text_append(&path, MS_SLICE("&filterValues="));
    for (size_t i = 0; i < count && result == MS_STORE_OK; i++) {
        if (i > 0 && path.used + 3 * call->items[i].name.len > PATH_MAX_BYTES) {
            result = call->kind->again(store, call->items[i].id, now);
            continue;
        }
        ms_text_append(&path, call->count > 0 ? MS_SLICE(",") : MS_SLICE(""));
        ms_text_encoded(&path, call->items[i].name, ms_component_set);
        call->items[call->count++] = call->items[i];
    }
    if (result != MS_STORE_OK) {
        ms_rest_call_drop(call);
        return result;
    }
    return ms_rest_call_start(call, store, client, "GET", ms_text_end(&path, start), MS_SLICE(""),
                              MS_TIMEOUT_OTHERS);
}
