#include "rest.h"

#include "../../core/json.h"
#include "../log.h"
#include "../metrics.h"
#include "backoff.h"

#include <stdio.h>

/* A list of fields that was fetched because of a doubt settles the like for so long. */
#define SETTLED_MS INT64_C(3600000)
#define LEADS_MAX 300
/* So often a lead is sent that Marketo answers with another's id. */
#define WRONG_ID_TRIES 5

/* ---- the body -----------------------------------------------------------------------------------
 */

static uint64_t
hash(ms_slice name)
{
    uint64_t value = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < name.len; i++) {
        value = (value ^ (unsigned char)name.ptr[i]) * UINT64_C(1099511628211);
    }
    return value;
}

/* Names are whatever somebody has said; what is not like a field's name may be about a person. */
static bool
is_plain(ms_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char lower = ms_to_lower(name.ptr[i]);
        if (!(lower >= 'a' && lower <= 'z') && !ms_is_digit(lower) && lower != '_') {
            return false;
        }
    }
    return true;
}

/* Each name is reported once, while there is room to remember it. */
static void
left_out(void *argument, ms_slice name, ms_rest_reason why)
{
    static const char *const events[] = {[MS_FIELD_UNKNOWN] = "field_unknown",
                                         [MS_FIELD_READ_ONLY] = "field_read_only",
                                         [MS_FIELD_TOO_LONG] = "field_too_long"};
    ms_rest *rest = argument;
    uint64_t value = hash(name);
    ms_metrics_field_left_out();
    for (size_t i = 0; i < rest->reported_count; i++) {
        if (rest->reported[i] == value) {
            return;
        }
    }
    if (rest->reported_count < sizeof rest->reported / sizeof *rest->reported) {
        char text[128];
        rest->reported[rest->reported_count++] = value;
        if (!is_plain(name)) {
            name = MS_SLICE("?");
        }
        (void)snprintf(text, sizeof text, "%.*s", (int)(name.len < 100 ? name.len : 100), name.ptr);
        ms_log("warning", events[why], "field", text);
    }
}

static bool
is_without_company(const ms_rest *rest, int64_t lead)
{
    for (size_t i = 0; i < MS_REST_WITHOUT_COMPANY && rest->without_company[i] != 0; i++) {
        if (rest->without_company[i] == lead) {
            return true;
        }
    }
    return false;
}

/* Marketo lets nobody write the company of this lead. Who is forgotten is refused once more. */
static void
leave_company_out(ms_rest *rest, int64_t lead)
{
    if (is_without_company(rest, lead)) { /* the answer is handed out once more */
        return;
    }
    if (rest->without_company_count == 0) {
        ms_log(
            "warning", "company_refused", "message",
            "Marketo does not let the company of some leads be written (1021): what those say of "
            "it is left out.");
    }
    rest->without_company[rest->without_company_count++ % MS_REST_WITHOUT_COMPANY] = lead;
    ms_metrics_field_left_out();
}

/* What leads are looked up by, in a call. */
typedef struct {
    const ms_rest_kind *kind;
    ms_lead_selection selection;
    const char *action;
    ms_slice field; /* its REST name */
} lookup;

static void
write_key(ms_arena *out, const lookup *by, const ms_due_lead *lead)
{
    char number[32];
    if (by->selection == MS_BY_MARKETO_ID) {
        (void)snprintf(number, sizeof number, "%lld", (long long)lead->marketo_id);
        ms_text_append(out, ms_slice_from(number));
    } else {
        ms_json_write_string(out, by->selection == MS_BY_EMAIL ? lead->email : lead->user_id);
    }
}

/* Writes a record behind those that are there; false, with nothing written, if it does not fit. */
static bool
write_record(ms_rest *rest, ms_arena *body, ms_arena scratch, const lookup *by,
             const ms_due_lead *lead)
{
    cJSON *fields = NULL;
    size_t before = body->used;
    const cJSON none = {0};
    if (lead->fields.len > 0 && ms_json_parse(&scratch, lead->fields, &fields) != MS_OK) {
        return false;
    }
    char *start = ms_text_begin(&scratch);
    write_key(&scratch, by, lead);
    ms_slice key = ms_text_end(&scratch, start);
    ms_text_append(body,
                   before > 0 && body->memory[before - 1] == '}' ? MS_SLICE(",{") : MS_SLICE("{"));
    rest->fields.without_company = is_without_company(rest, lead->id);
    ms_rest_fields_write(&rest->fields, body, by->field, key, fields == NULL ? &none : fields,
                         left_out, rest);
    ms_text_byte(body, '}');
    if (body->exhausted || scratch.exhausted) {
        body->used = before;
        body->exhausted = false;
        return false;
    }
    return true;
}

/* ---- the answer ---------------------------------------------------------------------------------
 */

static size_t
length(const cJSON *array)
{
    size_t count = 0;
    for (const cJSON *child = array->child; child != NULL; child = child->next) {
        count++;
    }
    return count;
}

static bool
fits(const ms_rest_call *call, const ms_rest_reply *reply)
{
    if (reply->result == NULL || length(reply->result) != call->count) {
        return false;
    }
    for (const cJSON *child = reply->result->child; child != NULL; child = child->next) {
        char memory[512];
        ms_arena arena;
        ms_arena_init(&arena, memory, sizeof memory);
        ms_rest_record record = ms_rest_record_read(&arena, child);
        if (!record.understood || (record.taken && record.marketo_id == 0)) {
            return false;
        }
    }
    return true;
}

/* Does it say another id than the one by which its lead was to be found? */
static bool
is_of_another(const ms_rest_item *item, const cJSON *record)
{
    int64_t id = ms_rest_id(ms_json_member(record, "id"));
    return item->marketo_id != 0 && id != 0 && id != item->marketo_id;
}

static bool
is_mixed_up(const ms_rest_call *call, const cJSON *result)
{
    const ms_rest_item *item = call->items;
    for (const cJSON *child = result->child; child != NULL; child = child->next, item++) {
        if (is_of_another(item, child)) {
            return true;
        }
    }
    return false;
}

/* Whose the other records of such an answer are is no more certain: all go again, each when it is
 * time for it, so that one which is never answered as it should be stops none. */
static ms_store_result
took_mixed_up(ms_rest_call *call, const cJSON *answer, ms_store *store, int64_t now)
{
    const ms_rest_item *item = call->items;
    ms_store_result result = MS_STORE_OK;
    ms_lane_split(&call->rest->lanes[call->kind->lane], call->count);
    for (const cJSON *child = answer->child; child != NULL && result == MS_STORE_OK;
         child = child->next, item++) {
        bool wrong = is_of_another(item, child);
        if (wrong && item->suspicions + 1 >= WRONG_ID_TRIES) {
            ms_metrics_record_refused();
            result = ms_store_lead_refused(
                store, item->id, MS_SLICE("wrong_id"),
                MS_SLICE("Marketo answers with the id of another lead, again and again."), now);
            continue;
        }
        if (wrong) {
            result = ms_store_suspect(store, MS_SUSPECT_LEAD, item->id);
        }
        if (result == MS_STORE_OK) {
            result = ms_store_lead_again(store, item->id, ms_backoff_until(item->attempts, now));
        }
    }
    return result;
}

static ms_store_result
took(ms_rest_call *call, const ms_rest_reply *reply, ms_arena *arena, ms_store *store, int64_t now)
{
    const ms_rest_item *item = call->items;
    ms_store_result result = MS_STORE_OK;
    if (is_mixed_up(call, reply->result)) {
        return took_mixed_up(call, reply->result, store, now);
    }
    for (const cJSON *child = reply->result->child; child != NULL && result == MS_STORE_OK;
         child = child->next, item++) {
        ms_rest_record record = ms_rest_record_read(arena, child);
        result = record.taken ? ms_store_lead_sent(store, item->id, record.marketo_id, now)
                              : ms_rest_settle(call, item, &record, store, now);
    }
    return result;
}

/* A list that was fetched since, because of such a refusal, has the last word. */
static bool
may_be_the_list(const ms_rest_call *call, int64_t now)
{
    const ms_rest *rest = call->rest;
    bool settled = call->fields_number == rest->fields_settled && rest->fields_settled > 0;
    return !settled || now - rest->fields_at > SETTLED_MS;
}

/* One with a field that Marketo does not know after all goes again: with the next list, which its
 * call waits for, or while there is none to be had, later and later. */
static ms_store_result
doubt_fields(ms_rest_call *call, const ms_rest_item *item, ms_store *store, int64_t now)
{
    ms_rest *rest = call->rest;
    rest->fields_doubted = rest->fields_doubted || call->fields_number == rest->fields_number;
    bool fails = rest->lanes[MS_LANE_DESCRIBE].attempts > 0;
    return ms_store_lead_again(store, item->id,
                               fails ? ms_backoff_until(item->attempts, now) : now);
}

static ms_store_result
refused(ms_rest_call *call, const ms_rest_item *item, ms_slice code, ms_slice message,
        ms_store *store, int64_t now)
{
    if (ms_slice_equal(code, MS_SLICE("1006")) && may_be_the_list(call, now)) {
        return doubt_fields(call, item, store, now);
    }
    if (ms_slice_equal(code, MS_SLICE("1021")) && !item->without_company) {
        leave_company_out(call->rest, item->id);
        return ms_store_lead_again(store, item->id, now);
    }
    if (ms_rest_is_gone(code) && item->marketo_id != 0) {
        ms_store_result result = ms_store_forget_marketo_id(store, item->marketo_id, now);
        return result == MS_STORE_OK ? ms_store_lead_again(store, item->id, now) : result;
    }
    ms_metrics_record_refused();
    return ms_store_lead_refused(store, item->id, ms_rest_cut(code, MS_REST_CODE_MAX, true),
                                 ms_rest_cut(message, MS_REST_REASON_MAX, true), now);
}

static const ms_rest_kind leads_kind = {.lane = MS_LANE_LEADS,
                                        .each_answered = true,
                                        .fits = fits,
                                        .took = took,
                                        .again = ms_store_lead_again,
                                        .records = MS_SUSPECT_LEAD,
                                        .refused = refused};

/* Marketo knows these already. */
static const ms_rest_kind known_leads_kind = {.lane = MS_LANE_KNOWN_LEADS,
                                              .each_answered = true,
                                              .fits = fits,
                                              .took = took,
                                              .again = ms_store_lead_again,
                                              .records = MS_SUSPECT_LEAD,
                                              .refused = refused};

/* Not each account has a field UserId that leads may be looked up by. */
static const ms_rest_kind user_ids_kind = {.lane = MS_LANE_USER_IDS,
                                           .doubtful = true,
                                           .each_answered = true,
                                           .fits = fits,
                                           .took = took,
                                           .again = ms_store_lead_again,
                                           .records = MS_SUSPECT_LEAD,
                                           .refused = refused};

/* ---- the call -----------------------------------------------------------------------------------
 */

/* Writes the records that fit, and says so in the call; the others go again. */
static ms_store_result
write_records(ms_rest_call *call, ms_arena *body, ms_arena scratch, const lookup *by,
              const ms_due_lead *leads, size_t count, ms_store *store, int64_t now)
{
    ms_store_result result = MS_STORE_OK;
    for (size_t i = 0; i < count && result == MS_STORE_OK; i++) {
        const ms_due_lead *lead = &leads[i];
        if (write_record(call->rest, body, scratch, by, lead)) {
            call->items[call->count++] = (ms_rest_item){
                .id = lead->id,
                .marketo_id = by->selection == MS_BY_MARKETO_ID ? lead->marketo_id : 0,
                .attempts = lead->attempts,
                .suspicions = lead->suspicions,
                .without_company = call->rest->fields.without_company};
        } else if (call->count > 0) {
            result = ms_store_lead_again(store, lead->id, now);
        } else {
            ms_metrics_record_refused();
            result =
                ms_store_lead_refused(store, lead->id, MS_SLICE("413"),
                                      MS_SLICE("The lead alone is too large for a call."), now);
        }
    }
    return result;
}

/* Takes leads and starts a call of them; `*taken` is how many were taken. */
static ms_store_result
start_batch(ms_rest *rest, ms_store *store, ms_http_client *client, const lookup *by, int64_t now,
            size_t *taken)
{
    static const size_t for_leads = (size_t)1 << 20;
    ms_due_lead leads[LEADS_MAX];
    ms_arena arena;
    ms_arena body;
    ms_arena scratch;
    size_t room = rest->lanes[by->kind->lane].size;
    ms_arena_init(&arena, rest->memory, for_leads);
    ms_arena_init(&body, rest->memory + for_leads, MS_REST_BODY_MAX);
    ms_arena_init(&scratch, rest->memory + 2 * for_leads, MS_REST_MEMORY - 2 * for_leads);
    *taken = 0;
    if (ms_store_take_leads(store, by->selection, now, room < LEADS_MAX ? room : LEADS_MAX,
                            MS_REST_TAKE_MAX, &arena, leads, taken) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    if (*taken == 0) {
        return MS_STORE_OK;
    }
    ms_rest_call *call = ms_rest_call_new(rest, by->kind, *taken, 0, now);
    if (call == NULL) {
        return MS_STORE_FAILED; /* the turn is undone and comes again */
    }
    ms_text_append(&body, MS_SLICE("{\"action\":\""));
    ms_text_append(&body, ms_slice_from(by->action));
    ms_text_append(&body, MS_SLICE("\",\"lookupField\":"));
    ms_json_write_string(&body, by->field);
    ms_text_append(&body, MS_SLICE(",\"input\":["));
    body.size -= 2; /* for the end */
    ms_store_result result = write_records(call, &body, scratch, by, leads, *taken, store, now);
    body.size += 2;
    ms_text_append(&body, MS_SLICE("]}"));
    if (result != MS_STORE_OK || call->count == 0) {
        ms_rest_call_drop(call);
        return result;
    }
    return ms_rest_call_start(call, store, client, "POST", MS_SLICE("/rest/v1/leads.json"),
                              (ms_slice){(const char *)body.memory, body.used}, MS_TIMEOUT_LEADS);
}

ms_store_result
ms_rest_start_leads(ms_rest *rest, ms_store *store, ms_http_client *client, int64_t now,
                    int64_t *wake)
{
    const ms_rest_field *user_id = ms_rest_fields_find(&rest->fields, MS_SLICE("UserId"));
    const lookup lookups[] = {
        {&known_leads_kind, MS_BY_MARKETO_ID, "updateOnly", MS_SLICE("id")},
        {&leads_kind, MS_BY_EMAIL, "createOrUpdate", MS_SLICE("email")},
        {&user_ids_kind, MS_BY_USER_ID, "createOrUpdate",
         user_id == NULL ? MS_SLICE("") : user_id->rest},
    };
    bool all_tried = true;
    for (size_t i = 0; i < sizeof lookups / sizeof *lookups; i++) {
        size_t taken = lookups[i].field.len > 0 ? 1 : 0;
        while (taken > 0 && ms_rest_may_call(rest, lookups[i].kind->lane, now, wake)) {
            if (start_batch(rest, store, client, &lookups[i], now, &taken) != MS_STORE_OK) {
                return MS_STORE_FAILED;
            }
        }
        all_tried = all_tried && taken == 0;
    }
    rest->tried |= all_tried ? MS_TRIED_LEADS : 0;
    return MS_STORE_OK;
}
