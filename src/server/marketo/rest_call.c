#include "rest.h"

#include "../../core/json.h"
#include "backoff.h"

#include <stdio.h>
#include <stdlib.h>

#define URL_MAX 16384

#define DAY_MS 86400000
#define DAILY_CALLS 50000   /* as many as Marketo allows if no more were bought */
#define LOOK_AGAIN_MS 60000 /* whether cookies have calls left by then */

/* From so many failures on, it may be one record that Marketo cannot digest: fewer a call find out
 * which. */
#define FAILURES_TO_SPLIT 3

ms_rest_call *
ms_rest_call_new(ms_rest *rest, const ms_rest_kind *kind, size_t count, size_t text, int64_t now)
{
    ms_rest_call *call = calloc(1, sizeof *call + count * sizeof *call->items + text);
    if (call != NULL) {
        call->rest = rest;
        call->kind = kind;
        call->started = now;
        call->token_number = rest->token_number;
        call->fields_number = rest->fields_number;
    }
    return call;
}

ms_rest_call *
ms_rest_call_of(ms_rest *rest, const ms_rest_kind *kind, const ms_rest_item *items, size_t count,
                int64_t now)
{
    size_t text = 0;
    for (size_t i = 0; i < count; i++) {
        text += items[i].name.len;
    }
    ms_rest_call *call = ms_rest_call_new(rest, kind, count, text, now);
    if (call == NULL) {
        return NULL;
    }
    char *place = (char *)&call->items[count];
    for (size_t i = 0; i < count; i++) {
        ms_slice name = items[i].name;
        memcpy(place, name.ptr, name.len);
        call->items[i] = items[i];
        call->items[i].name.ptr = place;
        place += name.len;
    }
    call->count = count;
    return call;
}

void
ms_rest_call_drop(ms_rest_call *call)
{
    free(call);
}

void
ms_rest_call_end(ms_rest_call *call, ms_rest_lane_name lane, int64_t sent)
{
    if (!call->ended) {
        call->ended = true;
        call->rest->lanes[lane].under_way--;
        if (lane != MS_LANE_TOKEN) {
            ms_limiter_end(&call->rest->limiter, call->ticket, sent);
        }
    }
}

bool
ms_rest_has_calls_left(const ms_rest *rest, int64_t now, int64_t *wake)
{
    uint64_t most = rest->settings.daily_calls;
    if (most == 0 || rest->calls_today < most) {
        return true;
    }
    *wake = ms_sooner(*wake, ms_central_next_midnight(now));
    return false;
}

/*
 * Cookies that are tied to leads take a call each, and so may one that is looked up, where leads
 * and activities take one for hundreds. So they leave as large a part of `reserved` calls of the
 * day to the others as there is left of the day.
 */
static bool
cookies_have_calls_left(const ms_rest *rest, uint64_t most, uint64_t reserved, int64_t now,
                        int64_t *wake)
{
    uint64_t left_of_day = (uint64_t)(ms_central_next_midnight(now) - now);
    if (rest->calls_today + reserved * left_of_day / DAY_MS < most) {
        return true;
    }
    *wake = ms_sooner(*wake, now + LOOK_AGAIN_MS);
    return false;
}

/* The limits that are not of one lane. */
static bool
is_within_limits(ms_rest *rest, ms_rest_lane_name lane, int64_t now, int64_t *wake)
{
    if (!ms_rest_has_calls_left(rest, now, wake)) {
        return false;
    }
    uint64_t most = rest->settings.daily_calls == 0 ? DAILY_CALLS : rest->settings.daily_calls;
    if (lane == MS_LANE_ASSOCIATIONS) {
        return cookies_have_calls_left(rest, most, most / 2, now, wake) &&
               ms_limiter_allows_one_of_many(&rest->limiter, now, wake);
    }
    if (lane == MS_LANE_LOOKUPS && !cookies_have_calls_left(rest, most, most / 4, now, wake)) {
        return false; /* leads wait for them, so they may more than those that tie */
    }
    return ms_limiter_allows(&rest->limiter, now, wake);
}

bool
ms_rest_may_call(ms_rest *rest, ms_rest_lane_name lane, int64_t now, int64_t *wake)
{
    int64_t paused_until = ms_pause_until(&rest->pause, now);
    if (paused_until > now) {
        *wake = ms_sooner(*wake, paused_until);
        return false;
    }
    if (!ms_lane_allows(&rest->lanes[lane], now, wake)) {
        return false;
    }
    /* A token is no call of Marketo's API. */
    return lane == MS_LANE_TOKEN || is_within_limits(rest, lane, now, wake);
}

static ms_store_result
all_again(const ms_rest_call *call, ms_store *store, int64_t due)
{
    ms_store_result result = MS_STORE_OK;
    for (size_t i = 0; i < call->count && result == MS_STORE_OK; i++) {
        result = call->kind->again(store, call->items[i].id, due);
    }
    return result;
}

/* Each by its own failures, so that what went in one call with a record that Marketo cannot digest
 * parts from it; and behind those that wait already. */
static ms_store_result
each_again(const ms_rest_call *call, ms_store *store, int64_t now)
{
    ms_store_result result = MS_STORE_OK;
    for (size_t i = 0; i < call->count && result == MS_STORE_OK; i++) {
        const ms_rest_item *item = &call->items[i];
        int64_t own = ms_backoff_until(item->attempts, now);
        result = call->kind->again(store, item->id, own > call->again_at ? own : call->again_at);
    }
    return result;
}

/* ---- what an answer means for the calls to come ------------------------------------------------
 */

static void
note_well(ms_rest *rest, ms_lane *lane)
{
    ms_lane_went_well(lane);
    ms_limiter_went_well(&rest->limiter);
    ms_pause_went_well(&rest->pause);
    rest->tokens_refused = 0;
}

static unsigned int
most_attempts(const ms_rest_call *call)
{
    unsigned int most = 0;
    for (size_t i = 0; i < call->count; i++) {
        most = call->items[i].attempts > most ? call->items[i].attempts : most;
    }
    return most;
}

static void
note_failure(ms_rest_call *call, ms_lane *lane, const ms_rest_reply *reply,
             const ms_http_answer *answer, int64_t now)
{
    (void)ms_lane_failed(lane, call->started, 0, reply->retry_after, now, ms_backoff_random());
    call->again_at = lane->not_before;
    if (call->kind->records == MS_SUSPECT_LEAD) {
        call->again_at = ms_leads_again_at(call->again_at, answer, call->started);
    }
    call->apart = true;
    if (lane->attempts >= FAILURES_TO_SPLIT || most_attempts(call) >= FAILURES_TO_SPLIT) {
        ms_lane_split(lane, call->count);
    }
    ms_lane_tell_failure(lane, answer, reply->code);
}

static void
note_token(ms_rest_call *call, ms_lane *lane, const ms_rest_reply *reply,
           const ms_http_answer *answer, int64_t now)
{
    ms_rest *rest = call->rest;
    if (call->token_number == rest->token_number) {
        rest->token_until = 0;
        rest->tokens_refused++;
    }
    if (rest->tokens_refused > 1) { /* with a new token as well */
        note_failure(call, lane, reply, answer, now);
    }
}

static void
note(ms_rest_call *call, const ms_rest_reply *reply, const ms_http_answer *answer, int64_t now)
{
    ms_rest *rest = call->rest;
    ms_lane *lane = &rest->lanes[call->kind->lane];
    call->again_at = now;
    switch (reply->meaning) {
    case MS_REPLY_OK:
        note_well(rest, lane);
        break;
    case MS_REPLY_NONE:
        note_failure(call, lane, reply, answer, now);
        break;
    case MS_REPLY_TOKEN:
        note_token(call, lane, reply, answer, now);
        break;
    case MS_REPLY_RATE:
    case MS_REPLY_CONCURRENCY:
        call->again_at =
            ms_pause_too_many(&rest->pause, &rest->limiter, reply->meaning == MS_REPLY_RATE,
                              call->started, reply->retry_after, now);
        break;
    case MS_REPLY_QUOTA:
        ms_pause_quota(&rest->pause, call->started, now);
        break;
    case MS_REPLY_RECORD:
        if (call->count == 1) {
            ms_lane_refused_one(lane);
        }
        ms_lane_split(lane, call->count);
        break;
    case MS_REPLY_TOO_LARGE:
        ms_lane_split(lane, call->count);
        break;
    case MS_REPLY_FAULT:
        call->suspected = ms_lane_fault(lane, call->count, reply->code, call->started, now);
        call->suspicious = call->count == 1 && (call->suspected || !lane->fault);
        call->again_at = call->suspected ? now : lane->not_before;
        call->apart = true;
        break;
    }
}

/* ---- its answer ---------------------------------------------------------------------------------
 */

ms_store_result
ms_rest_settle(ms_rest_call *call, const ms_rest_item *item, const ms_rest_record *record,
               ms_store *store, int64_t now)
{
    switch (record->code.len > 0 ? ms_rest_meaning_of(record->code) : MS_REPLY_RECORD) {
    case MS_REPLY_NONE:
    case MS_REPLY_RATE:
    case MS_REPLY_CONCURRENCY:
    case MS_REPLY_QUOTA:
    case MS_REPLY_TOKEN:
        return call->kind->again(store, item->id, ms_backoff_until(item->attempts, now));
    default:
        return call->kind->refused(call, item, record->code, record->message, store, now);
    }
}

/* What is said of a record may be said of the call: of one without any, or of the field by which
 * its records are looked up. */
static ms_rest_meaning
meaning_for(const ms_rest_call *call, ms_rest_meaning meaning)
{
    bool of_records = meaning == MS_REPLY_RECORD || meaning == MS_REPLY_TOO_LARGE;
    const ms_lane *lane = &call->rest->lanes[call->kind->lane];
    bool doubtful = call->kind->doubtful && !lane->proven;
    bool too_many = call->kind->each_answered && lane->refused >= MS_REFUSED_MOST;
    bool of_call = call->count == 0 || (meaning == MS_REPLY_RECORD && (doubtful || too_many));
    return of_records && of_call ? MS_REPLY_FAULT : meaning;
}

/* Is there more than fits into an answer? Fewer records a call bring all of it; of one, what came
 * has to do. */
static bool
has_more_pages(const ms_rest_call *call, const ms_rest_reply *reply)
{
    return call->count > 1 && ms_json_string(reply->object, "nextPageToken").len > 0;
}

static ms_store_result
ended_badly(ms_rest_call *call, const ms_rest_reply *reply, ms_store *store, int64_t now)
{
    bool own_fault = reply->meaning == MS_REPLY_TOO_LARGE || reply->meaning == MS_REPLY_RECORD ||
                     (call->suspected && call->items[0].suspicions + 1 >= MS_FAULTS_MOST);
    if (own_fault && call->count == 1) {
        return call->kind->refused(call, &call->items[0], reply->code, reply->message, store, now);
    }
    if (call->suspicious &&
        ms_store_suspect(store, call->kind->records, call->items[0].id) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    return call->apart ? each_again(call, store, now) : all_again(call, store, call->again_at);
}

static ms_store_result
answered(void *argument, const ms_http_answer *answer, ms_store *store, int64_t now)
{
    ms_rest_call *call = argument;
    ms_rest_call_end(call, call->kind->lane, call->started + answer->sent_after);
    ms_arena arena;
    size_t room = ms_rest_reply_room(answer->body.len);
    void *memory = malloc(room);
    ms_rest_reply reply = {.meaning = MS_REPLY_NONE, .code = {"", 0}, .message = {"", 0}};
    if (memory != NULL) {
        ms_arena_init(&arena, memory, room);
        reply = ms_rest_reply_read(&arena, answer);
    }
    if (reply.meaning == MS_REPLY_OK && call->kind->fits != NULL &&
        !call->kind->fits(call, &reply)) {
        reply.meaning = MS_REPLY_NONE;
    }
    if (reply.meaning == MS_REPLY_OK && has_more_pages(call, &reply)) {
        reply.meaning = MS_REPLY_TOO_LARGE;
    }
    reply.meaning = meaning_for(call, reply.meaning);
    if (!call->noted) {
        note(call, &reply, answer, now);
        call->noted = true;
    }
    ms_store_result result = reply.meaning == MS_REPLY_OK
                                 ? call->kind->took(call, &reply, &arena, store, now)
                                 : ended_badly(call, &reply, store, now);
    free(memory);
    return result;
}

static void
discard(void *argument)
{
    ms_rest_call *call = argument;
    if (!call->ended && call->rest->calls_today > 0) {
        call->rest->calls_today--; /* its turn was undone, and with it what the store counts */
    }
    ms_rest_call_end(call, call->kind->lane, MS_LIMITER_NEVER);
    free(call);
}

/* ---- its start ----------------------------------------------------------------------------------
 */

static bool
send(ms_rest_call *call, ms_http_client *client, const char *method, ms_slice path, ms_slice body,
     long timeout_ms)
{
    char url[URL_MAX];
    char authorization[sizeof "Authorization: Bearer " + MS_REST_TOKEN_MAX];
    ms_slice base = call->rest->settings.rest_url;
    const char *headers[] = {
        authorization, body.len > 0 ? "Content-Type: application/json" : "Content-Type:", NULL};
    (void)snprintf(authorization, sizeof authorization, "Authorization: Bearer %s",
                   call->rest->token);
    if (base.len + path.len >= sizeof url) {
        return false;
    }
    (void)snprintf(url, sizeof url, "%.*s%.*s", (int)base.len, base.ptr, (int)path.len, path.ptr);
    const ms_http_call http = {.method = method,
                               .url = url,
                               .headers = headers,
                               .body = body,
                               .timeout_ms = timeout_ms,
                               .answered = answered,
                               .discard = discard,
                               .argument = call};
    bool started = ms_http_client_start(client, &http);
    explicit_bzero(authorization, sizeof authorization);
    return started;
}

ms_store_result
ms_rest_call_start(ms_rest_call *call, ms_store *store, ms_http_client *client, const char *method,
                   ms_slice path, ms_slice body, long timeout_ms)
{
    ms_rest *rest = call->rest;
    if (!send(call, client, method, path, body, timeout_ms)) {
        ms_store_result result = all_again(call, store, call->started + MS_BACKOFF_MIN);
        free(call);
        return result;
    }
    rest->lanes[call->kind->lane].under_way++;
    call->ticket = ms_limiter_begin(&rest->limiter);
    rest->calls_today++;
    return ms_calls_made(store, &rest->limiter, rest->day, call->started);
}
