/* Whose e-mail addresses are, of leads that Marketo knows by something else. */

#include "rest.h"

#include "../../core/json.h"

#define EMAILS_ROOM 65536

/* The Marketo id of the lead that has the address, 0 if nobody has. Of several, the lead that asks
 * goes before the others. */
static int64_t
owner_of(const ms_rest_item *item, const cJSON *result)
{
    int64_t owner = 0;
    for (const cJSON *lead = result->child; lead != NULL; lead = lead->next) {
        if (ms_slice_equal_fold(ms_json_string(lead, "email"), item->name)) {
            int64_t id = ms_rest_id(ms_json_member(lead, "id"));
            owner = owner == 0 || id == item->marketo_id ? id : owner;
        }
    }
    return owner;
}

static ms_store_result
took(ms_rest_call *call, const ms_rest_reply *reply, ms_arena *arena, ms_store *store, int64_t now)
{
    ms_store_result result = MS_STORE_OK;
    (void)arena;
    for (size_t i = 0; i < call->count && result == MS_STORE_OK; i++) {
        const ms_rest_item *item = &call->items[i];
        result = ms_store_email_looked_up(store, item->id, owner_of(item, reply->result), now);
    }
    return result;
}

/* What is wrong with it, its sync will show. */
static ms_store_result
refused(ms_rest_call *call, const ms_rest_item *item, ms_slice code, ms_slice message,
        ms_store *store, int64_t now)
{
    (void)call;
    (void)code;
    (void)message;
    return ms_store_email_looked_up(store, item->id, 0, now);
}

static const ms_rest_kind emails = {.lane = MS_LANE_EMAILS,
                                    .fits = ms_rest_lookup_fits,
                                    .took = took,
                                    .again = ms_store_lead_again,
                                    .records = MS_SUSPECT_LEAD,
                                    .refused = refused};

ms_store_result
ms_rest_start_emails(ms_rest *rest, ms_store *store, ms_http_client *client, int64_t now,
                     int64_t *wake)
{
    ms_due_lead leads[MS_REST_LOOKUPS_MAX];
    ms_rest_item items[MS_REST_LOOKUPS_MAX];
    while (ms_rest_may_call(rest, MS_LANE_EMAILS, now, wake)) {
        ms_arena arena;
        size_t count = 0;
        size_t room = rest->lanes[MS_LANE_EMAILS].size;
        ms_arena_init(&arena, rest->memory, EMAILS_ROOM);
        rest->tried |= MS_TRIED_EMAILS;
        if (ms_store_take_email_lookups(store, now, room, &arena, leads, &count) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
        if (count == 0) {
            break;
        }
        for (size_t i = 0; i < count; i++) {
            items[i] = (ms_rest_item){.id = leads[i].id,
                                      .marketo_id = leads[i].marketo_id,
                                      .attempts = leads[i].attempts,
                                      .suspicions = leads[i].suspicions,
                                      .name = leads[i].email};
        }
        ms_rest_call *call = ms_rest_call_of(rest, &emails, items, count, now);
        if (call == NULL) {
            return MS_STORE_FAILED; /* the turn is undone and comes again */
        }
        if (ms_rest_start_lookup(call, MS_SLICE("filterType=email&fields=id,email"), store, client,
                                 now) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
    }
    return MS_STORE_OK;
}
