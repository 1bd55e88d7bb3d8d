#include "../clock.h"
#include "http_transfer.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define CONNECTIONS_MAX 32L
#define ANSWERING_US 5000 /* then the answers that are left wait for the next turn */

/* A list that grows at its end. */
typedef struct {
    ms_transfer *first;
    ms_transfer *last;
} transfers;

struct ms_http_client {
    CURLM *multi;
    transfers starting; /* leave with the commit */
    transfers running;
    transfers finished; /* not handed out */
    transfers answered; /* handed out, not committed */
    size_t under_way;
    atomic_bool woken;
};

static void
push(transfers *list, ms_transfer *one)
{
    one->next = NULL;
    if (list->last == NULL) {
        list->first = one;
    } else {
        list->last->next = one;
    }
    list->last = one;
}

static ms_transfer *
pop(transfers *list)
{
    ms_transfer *first = list->first;
    if (first != NULL) {
        list->first = first->next;
        list->last = list->first == NULL ? NULL : list->last;
    }
    return first;
}

static void
take_out(transfers *list, const ms_transfer *one)
{
    ms_transfer *before = NULL;
    for (ms_transfer *t = list->first; t != NULL; before = t, t = t->next) {
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

/* libcurl's memory had the client secret in it, as a part of a URL: it is wiped when it is given
 * back. */
static void
wiping_free(void *memory)
{
    if (memory != NULL) {
        explicit_bzero(memory, malloc_usable_size(memory));
        free(memory);
    }
}

static void *
wiping_realloc(void *memory, size_t size)
{
    size_t was = memory == NULL ? 0 : malloc_usable_size(memory);
    void *other = malloc(size);
    if (other != NULL && memory != NULL) {
        memcpy(other, memory, was < size ? was : size);
        wiping_free(memory);
    }
    return other;
}

ms_http_client *
ms_http_client_open(void)
{
    ms_http_client *client = calloc(1, sizeof *client);
    if (client == NULL || curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free,
                                               wiping_realloc, strdup, calloc) != CURLE_OK) {
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

static void
discard(ms_http_client *client, ms_transfer *one)
{
    ms_http_call call = one->call;
    ms_transfer_free(one);
    client->under_way--;
    if (call.discard != NULL) {
        call.discard(call.argument);
    }
}

static void
discard_all(ms_http_client *client, transfers *list)
{
    for (ms_transfer *one = pop(list); one != NULL; one = pop(list)) {
        discard(client, one);
    }
}

void
ms_http_client_close(ms_http_client *client)
{
    for (ms_transfer *one = client->running.first; one != NULL; one = one->next) {
        (void)curl_multi_remove_handle(client->multi, one->easy);
    }
    discard_all(client, &client->starting);
    discard_all(client, &client->running);
    discard_all(client, &client->finished);
    discard_all(client, &client->answered);
    (void)curl_multi_cleanup(client->multi);
    curl_global_cleanup();
    free(client);
}

bool
ms_http_client_start(ms_http_client *client, const ms_http_call *call)
{
    ms_transfer *one = ms_transfer_new(call);
    if (one == NULL) {
        return false;
    }
    client->under_way++;
    one->started = ms_clock_steady_ms();
    push(&client->starting, one);
    return true;
}

size_t
ms_http_client_under_way(const ms_http_client *client)
{
    return client->under_way;
}

/* The transfer aborts itself where curl would send its request again: nothing came for it. */
static const char *
reason_of(CURLcode result)
{
    return curl_easy_strerror(result == CURLE_ABORTED_BY_CALLBACK ? CURLE_GOT_NOTHING : result);
}

static void
finish(ms_http_client *client, ms_transfer *one, CURLcode result)
{
    curl_off_t seconds = 0;
    curl_off_t connecting = 0; /* in microseconds */
    long sent = 0;             /* bytes, to a proxy as well */
    (void)curl_easy_getinfo(one->easy, CURLINFO_PRETRANSFER_TIME_T, &connecting);
    one->sent_after += connecting / 1000;
    if (result == CURLE_OK) {
        (void)curl_easy_getinfo(one->easy, CURLINFO_RESPONSE_CODE, &one->status);
        (void)curl_easy_getinfo(one->easy, CURLINFO_RETRY_AFTER, &seconds);
        one->retry_after = seconds > 0 && seconds < 86400 ? (int64_t)seconds * 1000 : 0;
    } else {
        one->problem = one->too_long ? "The answer is too long" : reason_of(result);
    }
    (void)curl_easy_getinfo(one->easy, CURLINFO_REQUEST_SIZE, &sent);
    /* Who stands between has given it up, as 502 and 504 say, or its connection broke. */
    bool given_up = one->status == 502 || one->status == 504;
    bool broke = result != CURLE_OK && one->begun && sent > 0 && !one->too_long;
    one->at_work = one->changes && (given_up || broke);
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
        ms_transfer *one = NULL;
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

void
ms_http_client_wait(ms_http_client *client, long wait_ms)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    int64_t end = ms_clock_steady_ms() + wait_ms;
    for (;;) {
        int running = 0;
        (void)curl_multi_perform(client->multi, &running);
        bool any = collect(client);
        int64_t left = end - ms_clock_steady_ms();
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
    int64_t end = ms_clock_steady_us() + ANSWERING_US;
    do {
        ms_transfer *one = pop(&client->finished);
        if (one == NULL) {
            break;
        }
        push(&client->answered, one);
        const ms_http_answer answer = {
            .status = one->status,
            .body = {one->answer == NULL ? "" : one->answer, one->len},
            .problem = one->problem,
            .retry_after = one->retry_after,
            .sent_after = one->sent_after,
            .at_work = one->at_work,
        };
        if (one->call.answered(one->call.argument, &answer, store, now) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
    } while (ms_clock_steady_us() < end);
    return MS_STORE_OK;
}

void
ms_http_client_committed(ms_http_client *client)
{
    discard_all(client, &client->answered);
    for (ms_transfer *one = pop(&client->starting); one != NULL; one = pop(&client->starting)) {
        one->sent_after = ms_clock_steady_ms() - one->started;
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
    for (ms_transfer *one = pop(&client->finished); one != NULL; one = pop(&client->finished)) {
        push(&again, one);
    }
    client->finished = again;
}
