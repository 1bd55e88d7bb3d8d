#include "rest.h"

#include "../../core/email.h"
#include "../../core/json.h"
#include "../metrics.h"

#include <stdio.h>

#define COOKIES_ROOM 65536

/* ---- whose cookies they are ---------------------------------------------------------------------
 */

/* What tells one cookie from another: "_mch-…". */
static ms_slice
token_of(ms_slice cookie)
{
    static const char mark[] = "token:";
    for (size_t i = 0; i + sizeof mark - 1 < cookie.len; i++) {
        if (memcmp(cookie.ptr + i, mark, sizeof mark - 1) == 0) {
            size_t start = i + sizeof mark - 1;
            return (ms_slice){cookie.ptr + start, cookie.len - start};
        }
    }
    return cookie;
}

/* What a token is made of; see is_token in intake/cookie.c. */
static bool
is_of_token(char c)
{
    return ms_is_alpha(c) || ms_is_digit(c) || c == '-' || c == '.' || c == '_';
}

/* Is it among the tokens of the text? Whole: anybody can send a cookie that is a part of another's.
 */
static bool
is_among(ms_slice token, ms_slice text)
{
    const char *end = text.ptr + text.len;
    for (const char *p = text.ptr; p < end; p++) {
        p = memmem(p, (size_t)(end - p), token.ptr, token.len);
        if (p == NULL) {
            return false;
        }
        bool begins = p == text.ptr || !is_of_token(p[-1]);
        bool ends = p + token.len == end || !is_of_token(p[token.len]);
        if (begins && ends) {
            return true;
        }
    }
    return false;
}

/* Does the lead of an answer say that it has this cookie? */
static bool
says(const cJSON *lead, ms_slice cookie)
{
    ms_slice token = token_of(cookie);
    return token.len > 0 && is_among(token, ms_json_string(lead, "cookies"));
}

/* Does it say nothing of cookies? */
static bool
is_silent(const cJSON *lead)
{
    return ms_json_string(lead, "cookies").len == 0;
}

/* NULL if nobody has it. One that only says that it has others is not believed; one that says
 * nothing is, if no other cookie was asked for. */
static const cJSON *
owner_of(const ms_rest_call *call, const ms_rest_item *item, const cJSON *result)
{
    const cJSON *silent = NULL;
    for (const cJSON *lead = result->child; lead != NULL; lead = lead->next) {
        if (says(lead, item->name)) {
            return lead;
        }
        silent = silent == NULL && is_silent(lead) ? lead : silent;
    }
    return call->count == 1 ? silent : NULL;
}

/* Is it clear which of several cookies each lead was found by? */
static bool
all_are_told(const ms_rest_call *call, const cJSON *result)
{
    for (const cJSON *lead = result->child; lead != NULL; lead = lead->next) {
        bool told = call->count == 1;
        for (size_t i = 0; i < call->count && !told; i++) {
            told = says(lead, call->items[i].name);
        }
        if (!told) {
            return false;
        }
    }
    return true;
}

/* The address of a lead that was found; whatever else may stand there is none. */
static ms_slice
email_of(const cJSON *lead)
{
    ms_slice email = ms_json_string(lead, "email");
    return ms_email_is_valid(email) ? email : MS_SLICE("");
}

static ms_store_result
lookup_took(ms_rest_call *call, const ms_rest_reply *reply, ms_arena *arena, ms_store *store,
            int64_t now)
{
    ms_store_result result = MS_STORE_OK;
    bool told = all_are_told(call, reply->result);
    (void)arena;
    if (!told) {
        /* One by one, then; more again with each that goes well. */
        call->rest->lanes[MS_LANE_LOOKUPS].size = 1;
    }
    for (size_t i = 0; i < call->count && result == MS_STORE_OK; i++) {
        const ms_rest_item *item = &call->items[i];
        const cJSON *lead = owner_of(call, item, reply->result);
        result = told ? ms_store_looked_up(store, item->id, ms_rest_id(ms_json_member(lead, "id")),
                                           email_of(lead), now)
                      : ms_store_lookup_again(store, item->id, now);
    }
    return result;
}

static ms_store_result
lookup_refused(ms_rest_call *call, const ms_rest_item *item, ms_slice code, ms_slice message,
               ms_store *store, int64_t now)
{
    (void)call;
    ms_metrics_record_refused();
    return ms_store_lookup_refused(store, item->id, ms_rest_cut(code, MS_REST_CODE_MAX, true),
                                   ms_rest_cut(message, MS_REST_REASON_MAX, true), now);
}

static const ms_rest_kind lookups = {.lane = MS_LANE_LOOKUPS,
                                     .fits = ms_rest_lookup_fits,
                                     .took = lookup_took,
                                     .again = ms_store_lookup_again,
                                     .records = MS_SUSPECT_COOKIE,
                                     .refused = lookup_refused};

static ms_rest_call *
call_of_cookies(ms_rest *rest, const ms_rest_kind *kind, const ms_due_cookie *cookies, size_t count,
                int64_t now)
{
    ms_rest_item items[MS_REST_LOOKUPS_MAX];
    for (size_t i = 0; i < count; i++) {
        items[i] = (ms_rest_item){.id = cookies[i].id,
                                  .marketo_id = cookies[i].marketo_id,
                                  .attempts = cookies[i].attempts,
                                  .gone = cookies[i].gone,
                                  .suspicions = cookies[i].suspicions,
                                  .name = cookies[i].cookie};
    }
    return ms_rest_call_of(rest, kind, items, count, now);
}

ms_store_result
ms_rest_start_lookups(ms_rest *rest, ms_store *store, ms_http_client *client, int64_t now,
                      int64_t *wake)
{
    ms_due_cookie cookies[MS_REST_LOOKUPS_MAX];
    while (ms_rest_may_call(rest, MS_LANE_LOOKUPS, now, wake)) {
        ms_arena arena;
        size_t count = 0;
        size_t room = rest->lanes[MS_LANE_LOOKUPS].size;
        ms_arena_init(&arena, rest->memory, COOKIES_ROOM);
        rest->tried |= MS_TRIED_LOOKUPS;
        if (ms_store_take_lookups(store, now, room, &arena, cookies, &count) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
        if (count == 0) {
            break;
        }
        ms_rest_call *call = call_of_cookies(rest, &lookups, cookies, count, now);
        if (call == NULL) {
            return MS_STORE_FAILED; /* the turn is undone and comes again */
        }
        if (ms_rest_start_lookup(call, MS_SLICE("filterType=cookies&fields=id,email,cookies"),
                                 store, client, now) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
    }
    return MS_STORE_OK;
}

/* ---- tying them to leads ------------------------------------------------------------------------
 */

static ms_store_result
association_took(ms_rest_call *call, const ms_rest_reply *reply, ms_arena *arena, ms_store *store,
                 int64_t now)
{
    const cJSON *first = reply->result == NULL ? NULL : reply->result->child;
    if (first != NULL && ms_json_string(first, "status").len > 0) {
        ms_rest_record record = ms_rest_record_read(arena, first);
        if (record.understood && !record.taken) {
            return ms_rest_settle(call, &call->items[0], &record, store, now);
        }
    }
    return ms_store_associated(store, call->items[0].id, now);
}

static ms_store_result
association_refused(ms_rest_call *call, const ms_rest_item *item, ms_slice code, ms_slice message,
                    ms_store *store, int64_t now)
{
    (void)call;
    if (ms_rest_is_gone(code) && item->gone + 1 < MS_REST_GONE_TRIES) {
        return ms_store_cookie_gone(store, item->id, item->marketo_id, now);
    }
    ms_metrics_record_refused();
    return ms_store_cookie_refused(store, item->id, ms_rest_cut(code, MS_REST_CODE_MAX, true),
                                   ms_rest_cut(message, MS_REST_REASON_MAX, true), now);
}

static const ms_rest_kind associations = {.lane = MS_LANE_ASSOCIATIONS,
                                          .took = association_took,
                                          .again = ms_store_cookie_again,
                                          .records = MS_SUSPECT_COOKIE,
                                          .refused = association_refused};

ms_store_result
ms_rest_start_associations(ms_rest *rest, ms_store *store, ms_http_client *client, int64_t now,
                           int64_t *wake)
{
    while (ms_rest_may_call(rest, MS_LANE_ASSOCIATIONS, now, wake)) {
        ms_due_cookie cookie;
        ms_arena arena;
        size_t count = 0;
        char lead[64];
        ms_arena_init(&arena, rest->memory, COOKIES_ROOM);
        rest->tried |= MS_TRIED_ASSOCIATIONS;
        if (ms_store_take_associations(store, now, 1, &arena, &cookie, &count) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
        if (count == 0) {
            break;
        }
        ms_rest_call *call = call_of_cookies(rest, &associations, &cookie, 1, now);
        if (call == NULL) {
            return MS_STORE_FAILED;
        }
        ms_arena_init(&arena, rest->memory + COOKIES_ROOM, COOKIES_ROOM);
        char *start = ms_text_begin(&arena);
        (void)snprintf(lead, sizeof lead,
                       "/rest/v1/leads/%lld/associate.json?cookie=", (long long)cookie.marketo_id);
        ms_text_append(&arena, ms_slice_from(lead));
        ms_text_encoded(&arena, cookie.cookie, ms_component_set);
        if (ms_rest_call_start(call, store, client, "POST", ms_text_end(&arena, start),
                               MS_SLICE(""), MS_TIMEOUT_ASSOCIATE) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
    }
    return MS_STORE_OK;
}
