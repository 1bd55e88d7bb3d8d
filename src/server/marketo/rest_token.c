#include "rest.h"

#include "../../core/json.h"
#include "../log.h"
#include "backoff.h"

#include <stdlib.h>

#define URL_ROOM 8192
#define ANSWER_ROOM 65536
#define EARLY_MS 10000 /* a token that ends in a moment may end on the way */
#define LEAST_MS 1000  /* between one request for a token and the next */
#define LONGEST_S 3600

ms_slice
ms_rest_token_url(const ms_marketo_settings *settings, ms_arena *arena)
{
    char *start = ms_text_begin(arena);
    ms_text_append(arena, settings->rest_url);
    ms_text_append(arena,
                   MS_SLICE("/identity/oauth/token?grant_type=client_credentials&client_id="));
    ms_text_encoded(arena, settings->client_id, ms_component_set);
    ms_text_append(arena, MS_SLICE("&client_secret="));
    ms_text_encoded(arena, settings->client_secret, ms_component_set);
    return ms_text_end(arena, start);
}

/* Only what a header can carry. */
static bool
is_token(ms_slice token)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] <= ' ' || token.ptr[i] > '~') {
            return false;
        }
    }
    return token.len > 0 && token.len < MS_REST_TOKEN_MAX;
}

/* Ms. Marketo's last an hour at most; if one turns out to have ended, it says so. */
static int64_t
life_of(const cJSON *expires_in)
{
    double seconds = cJSON_IsNumber(expires_in) ? expires_in->valuedouble : LONGEST_S;
    if (!(seconds > 0)) {
        return 0;
    }
    return 1000 * (int64_t)(seconds < LONGEST_S ? seconds : LONGEST_S);
}

/* Until the next one is asked for. Asked for early it is the same one, with less to live. */
static int64_t
time_to_use(int64_t life)
{
    int64_t early = life / 2 < EARLY_MS ? life / 2 : EARLY_MS;
    return life - early > LEAST_MS ? life - early : LEAST_MS;
}

int
ms_rest_token_read(ms_arena *arena, const ms_http_answer *answer, ms_slice *token, int64_t *life)
{
    cJSON *object = NULL;
    if (answer->status == 400 || answer->status == 401 || answer->status == 403) {
        return -1;
    }
    if (answer->status != 200 || ms_json_parse(arena, answer->body, &object) != MS_OK) {
        return 0;
    }
    *token = ms_json_string(object, "access_token");
    *life = life_of(ms_json_member(object, "expires_in"));
    return is_token(*token) ? 1 : 0;
}

static ms_store_result
answered(void *argument, const ms_http_answer *answer, ms_store *store, int64_t now)
{
    ms_rest_call *call = argument;
    ms_rest *rest = call->rest;
    ms_lane *lane = &rest->lanes[MS_LANE_TOKEN];
    char memory[ANSWER_ROOM];
    ms_arena arena;
    ms_slice token;
    int64_t life = 0;
    (void)store;
    if (call->noted) {
        return MS_STORE_OK;
    }
    call->noted = true;
    ms_rest_call_end(call, MS_LANE_TOKEN, MS_LIMITER_NEVER);
    ms_arena_init(&arena, memory, sizeof memory);
    switch (ms_rest_token_read(&arena, answer, &token, &life)) {
    case 1:
        memcpy(rest->token, token.ptr, token.len);
        rest->token[token.len] = '\0';
        rest->token_number++;
        rest->token_until = now + time_to_use(life);
        ms_lane_went_well(lane);
        break;
    case 0:
        (void)ms_lane_failed(lane, call->started, 0, answer->retry_after, now, ms_backoff_random());
        ms_lane_tell_failure(lane, answer, MS_SLICE(""));
        break;
    default:
        if (ms_lane_refused(lane, now)) {
            ms_log("error", "credentials_refused", "message",
                   "Marketo refuses the client id and secret; all that waits is kept, and it is "
                   "tried again every five minutes.");
        }
        break;
    }
    explicit_bzero(memory, sizeof memory);
    return MS_STORE_OK;
}

static void
discard(void *argument)
{
    ms_rest_call *call = argument;
    ms_rest_call_end(call, MS_LANE_TOKEN, MS_LIMITER_NEVER);
    free(call);
}

ms_store_result
ms_rest_start_token(ms_rest *rest, ms_http_client *client, int64_t now, int64_t *wake)
{
    char memory[URL_ROOM];
    ms_arena arena;
    if (rest->lanes[MS_LANE_TOKEN].under_way > 0 ||
        !ms_rest_may_call(rest, MS_LANE_TOKEN, now, wake)) {
        return MS_STORE_OK;
    }
    ms_rest_call *call = ms_rest_call_new(rest, NULL, 0, 0, now);
    if (call == NULL) {
        return MS_STORE_OK; /* the worker looks again */
    }
    ms_arena_init(&arena, memory, sizeof memory);
    ms_slice url = ms_rest_token_url(&rest->settings, &arena);
    const ms_http_call http = {.method = "GET",
                               .url = url.ptr,
                               .timeout_ms = MS_TIMEOUT_OTHERS,
                               .answered = answered,
                               .discard = discard,
                               .argument = call};
    if (!arena.exhausted && ms_http_client_start(client, &http)) {
        rest->lanes[MS_LANE_TOKEN].under_way++;
    } else {
        free(call);
    }
    explicit_bzero(memory, sizeof memory);
    return MS_STORE_OK;
}
