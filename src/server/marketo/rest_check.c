/* For --check: what Marketo says to the credentials, and to asking for its fields with them. */

#include "rest.h"
#include "url_host.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOM ((size_t)256 << 10)

/* What came of one call. */
typedef struct {
    ms_arena *arena;
    ms_http_answer answer;
    bool came;
} outcome;

/* Keeps the answer, in the arena. */
static ms_store_result
keep(void *argument, const ms_http_answer *answer, ms_store *store, int64_t now)
{
    outcome *kept = argument;
    (void)store;
    (void)now;
    char *copy = ms_arena_alloc(kept->arena, answer->body.len + 1);
    kept->answer = *answer;
    kept->answer.body = copy == NULL ? MS_SLICE("") : (ms_slice){copy, answer->body.len};
    if (copy != NULL) {
        memcpy(copy, answer->body.ptr, answer->body.len);
    }
    kept->came = true;
    return MS_STORE_OK;
}

static bool
ask(ms_http_client *client, const char *url, const char *const *headers, ms_arena *arena,
    ms_http_answer *answer)
{
    outcome kept = {.arena = arena};
    const ms_http_call call = {.method = "GET",
                               .url = url,
                               .headers = headers,
                               .body = {"", 0},
                               .timeout_ms = MS_TIMEOUT_OTHERS,
                               .answered = keep,
                               .argument = &kept};
    if (!ms_http_client_start(client, &call)) {
        return false;
    }
    ms_http_client_committed(client);
    while (!ms_http_client_has_answers(client)) {
        ms_http_client_wait(client, MS_TIMEOUT_OTHERS);
    }
    (void)ms_http_client_answer(client, NULL, 0);
    ms_http_client_committed(client);
    *answer = kept.answer;
    return kept.came;
}

static const char *
no_answer(const ms_marketo_settings *settings, const char *api, const ms_http_answer *answer)
{
    static char sentence[512];
    ms_slice host = ms_url_host(settings->rest_url);
    int len = (int)host.len;
    if (answer->problem != NULL) {
        (void)snprintf(sentence, sizeof sentence,
                       "%.*s does not answer (%s); look at --rest-url and the network.", len,
                       host.ptr, answer->problem);
    } else {
        (void)snprintf(sentence, sizeof sentence,
                       "%s of %.*s does not answer as Marketo does (HTTP %ld); look at --rest-url "
                       "and the network.",
                       api, len, host.ptr, answer->status);
    }
    return sentence;
}

static const char *
meaning(const ms_marketo_settings *settings, const ms_rest_reply *reply,
        const ms_http_answer *answer)
{
    static char sentence[160];
    switch (reply->meaning) {
    case MS_REPLY_OK:
        return reply->result != NULL ? NULL : no_answer(settings, "describe.json", answer);
    case MS_REPLY_NONE:
        return no_answer(settings, "describe.json", answer);
    case MS_REPLY_QUOTA:
        return "Marketo's calls of today are used up (607); what comes waits until midnight, US "
               "Central.";
    case MS_REPLY_RATE:
    case MS_REPLY_CONCURRENCY:
        return NULL; /* others are at work, and it goes on by itself */
    default:
        break;
    }
    if (ms_slice_equal(reply->code, MS_SLICE("603"))) {
        return "The API user may not do this (603); its role needs the permission Read-Write "
               "Person.";
    }
    (void)snprintf(sentence, sizeof sentence,
                   "Marketo refuses to tell its fields (%.*s); look at the API user's role and "
                   "--rest-url.",
                   (int)(reply->code.len < 16 ? reply->code.len : 16), reply->code.ptr);
    return sentence;
}

static const char *
check_with(ms_http_client *client, const ms_marketo_settings *settings, ms_arena *arena)
{
    ms_http_answer answer = {0};
    ms_slice token = {"", 0};
    int64_t life = 0;
    ms_slice url = ms_rest_token_url(settings, arena);
    if (arena->exhausted || !ask(client, url.ptr, NULL, arena, &answer)) {
        return "There is no memory for a call to Marketo.";
    }
    int read = ms_rest_token_read(arena, &answer, &token, &life);
    if (read < 0) {
        return "Marketo refuses the client id and secret; look at Admin > Integration > "
               "LaunchPoint.";
    }
    if (read == 0) {
        return no_answer(settings, "identity/oauth/token", &answer);
    }
    char authorization[sizeof "Authorization: Bearer " + MS_REST_TOKEN_MAX];
    const char *headers[] = {authorization, NULL};
    (void)snprintf(authorization, sizeof authorization, "Authorization: Bearer %.*s",
                   (int)token.len, token.ptr);
    char *start = ms_text_begin(arena);
    ms_text_append(arena, settings->rest_url);
    ms_text_append(arena, MS_SLICE("/rest/v1/leads/describe.json"));
    url = ms_text_end(arena, start);
    bool came = !arena->exhausted && ask(client, url.ptr, headers, arena, &answer);
    explicit_bzero(authorization, sizeof authorization);
    if (!came) {
        return "There is no memory for a call to Marketo.";
    }
    ms_rest_reply reply = ms_rest_reply_read(arena, &answer);
    return meaning(settings, &reply, &answer);
}

const char *
ms_rest_check(const ms_marketo_settings *settings)
{
    size_t room = ROOM + MS_ANSWER_MAX + ms_rest_reply_room(MS_ANSWER_MAX);
    ms_http_client *client = ms_http_client_open();
    void *memory = malloc(room);
    const char *problem = "There is no memory for a call to Marketo.";
    if (client != NULL && memory != NULL) {
        ms_arena arena;
        ms_arena_init(&arena, memory, room);
        problem = check_with(client, settings, &arena);
        explicit_bzero(memory, arena.used);
    }
    free(memory);
    if (client != NULL) {
        ms_http_client_close(client);
    }
    return problem;
}
