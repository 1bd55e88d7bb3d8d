#include "http_client.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define CONNECT_TIMEOUT_MS 10000L
#define CONNECTIONS_MAX 32L

/* A call, from ms_http_client_start until it is discarded; then it is kept for the next. */
typedef struct transfer {
    struct transfer *next;
    CURL *easy;
    struct curl_slist *headers;
    char *request;
    size_t request_len;
    size_t request_sent;
    char *answer;
    size_t len;
    size_t room;
    bool too_long;
    ms_http_call call; /* its functions and argument; what it points to is not kept */
    long status;
    const char *problem;
    int64_t retry_after;
} transfer;

/* A list that grows at its end. */
typedef struct {
    transfer *first;
    transfer *last;
} transfers;

struct ms_http_client {
    CURLM *multi;
    transfers starting; /* leave with the commit */
    transfers running;
    transfers finished; /* not handed out */
    transfers answered; /* handed out, not committed */
    transfer *idle;
    size_t under_way;
    atomic_bool woken;
};

static void
push(transfers *list, transfer *one)
{
    one->next = NULL;
    if (list->last == NULL) {
        list->first = one;
    } else {
        list->last->next = one;
    }
    list->last = one;
}

static transfer *
pop(transfers *list)
{
    transfer *first = list->first;
    if (first != NULL) {
        list->first = first->next;
        list->last = list->first == NULL ? NULL : list->last;
    }
    return first;
}

static void
take_out(transfers *list, const transfer *one)
{
    transfer *before = NULL;
    for (transfer *t = list->first; t != NULL; before = t, t = t->next) {
        if (t != one) {
            continue;
        }
        if (before == NULL) {
            list->first = t->next;
        } else {
            before->next = t->next;
        }
        list->last = list->last == t ? before : list->last;
        return;
    }
}

ms_http_client *
ms_http_client_open(void)
{
    ms_http_client *client = calloc(1, sizeof *client);
    if (client == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(client);
        return NULL;
    }
    client->multi = curl_multi_init();
    if (client->multi == NULL) {
        curl_global_cleanup();
        free(client);
        return NULL;
    }
    (void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
    return client;
}

/* Forgets what the call left, its secrets too. */
static void
clear(transfer *one)
{
    curl_slist_free_all(one->headers);
    free(one->request);
    free(one->answer);
    *one = (transfer){.easy = one->easy};
}

static void
discard(ms_http_client *client, transfer *one)
{
    ms_http_call call = one->call;
    clear(one);
    curl_easy_reset(one->easy);
    one->next = client->idle;
    client->idle = one;
    client->under_way--;
    if (call.discard != NULL) {
        call.discard(call.argument);
    }
}

static void
discard_all(ms_http_client *client, transfers *list)
{
    for (transfer *one = pop(list); one != NULL; one = pop(list)) {
        discard(client, one);
    }
}

void
ms_http_client_close(ms_http_client *client)
{
    for (transfer *one = client->running.first; one != NULL; one = one->next) {
        (void)curl_multi_remove_handle(client->multi, one->easy);
    }
    discard_all(client, &client->starting);
    discard_all(client, &client->running);
    discard_all(client, &client->finished);
    discard_all(client, &client->answered);
    for (transfer *one = client->idle; one != NULL;) {
        transfer *next = one->next;
        curl_easy_cleanup(one->easy);
        free(one);
        one = next;
    }
    (void)curl_multi_cleanup(client->multi);
    curl_global_cleanup();
    free(client);
}

/* curl's write function: takes the answer in, up to its limit, whatever it was compressed to. */
static size_t
take_in(char *bytes, size_t size, size_t count, void *argument)
{
    transfer *one = argument;
    size_t len = size * count;
    if (len > MS_ANSWER_MAX - one->len) {
        one->too_long = true;
        return 0;
    }
    if (len > one->room - one->len) {
        size_t room = 2 * one->room + len;
        char *larger = realloc(one->answer, room);
        if (larger == NULL) {
            return 0;
        }
        one->answer = larger;
        one->room = room;
    }
    memcpy(one->answer + one->len, bytes, len);
    one->len += len;
    return len;
}

/*
 * curl's read function. Without a way back to the beginning of the body: else curl sends a request
 * again by itself when a connection that it had kept breaks, and Marketo would have two at once.
 */
static size_t
give(char *place, size_t size, size_t count, void *argument)
{
    transfer *one = argument;
    size_t left = one->request_len - one->request_sent;
    size_t len = size * count < left ? size * count : left;
    memcpy(place, one->request + one->request_sent, len);
    one->request_sent += len;
    return len;
}

/* A line break in a header would begin another one. */
static bool
is_one_line(const char *header)
{
    return strpbrk(header, "\r\n") == NULL;
}

static bool
set_headers(transfer *one, const char *const *headers)
{
    /* curl would wait for leave to send a long body. */
    one->headers = curl_slist_append(NULL, "Expect:");
    bool all = one->headers != NULL;
    for (; all && headers != NULL && *headers != NULL; headers++) {
        struct curl_slist *more =
            is_one_line(*headers) ? curl_slist_append(one->headers, *headers) : NULL;
        all = more != NULL;
        one->headers = all ? more : one->headers;
    }
    return all && curl_easy_setopt(one->easy, CURLOPT_HTTPHEADER, one->headers) == CURLE_OK;
}

static bool
set_body(transfer *one, const ms_http_call *call)
{
    if (strcmp(call->method, "GET") == 0) {
        return true;
    }
    one->request = malloc(call->body.len + 1);
    if (one->request == NULL) {
        return false;
    }
    memcpy(one->request, call->body.ptr == NULL ? "" : call->body.ptr, call->body.len);
    one->request_len = call->body.len;
    (void)curl_easy_setopt(one->easy, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(one->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
    (void)curl_easy_setopt(one->easy, CURLOPT_READFUNCTION, give);
    (void)curl_easy_setopt(one->easy, CURLOPT_READDATA, one);
    return curl_easy_setopt(one->easy, CURLOPT_CUSTOMREQUEST, call->method) == CURLE_OK;
}

static bool
set_up(transfer *one, const ms_http_call *call)
{
    CURL *easy = one->easy;
    bool tls = strncmp(call->url, "https:", 6) == 0;
    long connecting = call->timeout_ms < CONNECT_TIMEOUT_MS ? call->timeout_ms : CONNECT_TIMEOUT_MS;
    one->call = (ms_http_call){
        .answered = call->answered, .discard = call->discard, .argument = call->argument};
    bool set =
        curl_easy_setopt(easy, CURLOPT_URL, call->url) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http") == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "munchkin-server/" MS_VERSION) == CURLE_OK &&
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "") == CURLE_OK;
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, call->timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connecting);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_in);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, one);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, one);
    return set && set_headers(one, call->headers) && set_body(one, call);
}

bool
ms_http_client_start(ms_http_client *client, const ms_http_call *call)
{
    transfer *one = client->idle;
    if (one != NULL) {
        client->idle = one->next;
    } else {
        one = calloc(1, sizeof *one);
        if (one == NULL) {
            return false;
        }
        one->easy = curl_easy_init();
        if (one->easy == NULL) {
            free(one);
            return false;
        }
    }
    if (!set_up(one, call)) {
        clear(one);
        curl_easy_reset(one->easy);
        one->next = client->idle;
        client->idle = one;
        return false;
    }
    client->under_way++;
    push(&client->starting, one);
    return true;
}

size_t
ms_http_client_under_way(const ms_http_client *client)
{
    return client->under_way;
}

static void
finish(ms_http_client *client, transfer *one, CURLcode result)
{
    curl_off_t seconds = 0;
    if (result == CURLE_OK) {
        (void)curl_easy_getinfo(one->easy, CURLINFO_RESPONSE_CODE, &one->status);
        (void)curl_easy_getinfo(one->easy, CURLINFO_RETRY_AFTER, &seconds);
        one->retry_after = seconds > 0 && seconds < 86400 ? (int64_t)seconds * 1000 : 0;
    } else {
        one->problem = one->too_long ? "The answer is too long" : curl_easy_strerror(result);
    }
    push(&client->finished, one);
}

/* Takes the calls that have ended out of curl's hands; says whether there were any. */
static bool
collect(ms_http_client *client)
{
    bool any = false;
    int left = 0;
    const CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        transfer *one = NULL;
        CURLcode result = message->data.result;
        CURL *easy = message->easy_handle;
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&one) != CURLE_OK || one == NULL) {
            continue;
        }
        (void)curl_multi_remove_handle(client->multi, easy);
        take_out(&client->running, one);
        finish(client, one, result);
        any = true;
    }
    return any;
}

static int64_t
monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
ms_http_client_wait(ms_http_client *client, long wait_ms)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    int64_t end = monotonic_ms() + wait_ms;
    for (;;) {
        int running = 0;
        (void)curl_multi_perform(client->multi, &running);
        bool any = collect(client);
        int64_t left = end - monotonic_ms();
        if (any || atomic_exchange(&client->woken, false) || left <= 0) {
            return;
        }
        left = left > 60000 ? 60000 : left;
        if (curl_multi_poll(client->multi, NULL, 0, (int)left, NULL) != CURLM_OK) {
            (void)nanosleep(&moment, NULL);
        }
    }
}

void
ms_http_client_wake(ms_http_client *client)
{
    if (!atomic_exchange(&client->woken, true)) {
        (void)curl_multi_wakeup(client->multi);
    }
}

bool
ms_http_client_has_answers(const ms_http_client *client)
{
    return client->finished.first != NULL;
}

ms_store_result
ms_http_client_answer(ms_http_client *client, ms_store *store, int64_t now)
{
    for (transfer *one = pop(&client->finished); one != NULL; one = pop(&client->finished)) {
        push(&client->answered, one);
        const ms_http_answer answer = {
            .status = one->status,
            .body = {one->answer == NULL ? "" : one->answer, one->len},
            .problem = one->problem,
            .retry_after = one->retry_after,
        };
        if (one->call.answered(one->call.argument, &answer, store, now) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
    }
    return MS_STORE_OK;
}

void
ms_http_client_committed(ms_http_client *client)
{
    discard_all(client, &client->answered);
    for (transfer *one = pop(&client->starting); one != NULL; one = pop(&client->starting)) {
        if (curl_multi_add_handle(client->multi, one->easy) == CURLM_OK) {
            push(&client->running, one);
        } else {
            finish(client, one, CURLE_OUT_OF_MEMORY);
        }
    }
}

void
ms_http_client_rolled_back(ms_http_client *client)
{
    discard_all(client, &client->starting);
    /* In the order they came, those of this turn first. */
    transfers again = client->answered;
    client->answered = (transfers){NULL, NULL};
    for (transfer *one = pop(&client->finished); one != NULL; one = pop(&client->finished)) {
        push(&again, one);
    }
    client->finished = again;
}
