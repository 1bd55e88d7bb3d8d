/*
 * Outgoing HTTP through libcurl, many at a time, in one thread: the worker's.
 *
 * TLS certificates are checked, redirects are not followed, answers are capped, compressed answers
 * are taken.
 *
 * Calls follow the worker's transactions. One that is started in a turn leaves this machine only
 * when the turn is committed, so that nothing is under way that the queue does not know of. An
 * answer is kept until the turn in which it was handled is committed: after a rollback it is handed
 * out again, and finds the store as if it had never been.
 */
#ifndef MS_HTTP_CLIENT_H
#define MS_HTTP_CLIENT_H

#include "../../core/arena.h"
#include "../queue/store.h"

#include <stdint.h>

typedef struct ms_http_client ms_http_client;

/* 300 results, or a list of all fields. A longer answer counts as none. */
#define MS_ANSWER_MAX ((size_t)4 << 20)

typedef struct {
    long status; /* HTTP; 0: no answer (refused, reset, timed out, too long) */
    ms_slice body;
    const char *problem; /* libcurl's sentence where status is 0 */
    int64_t retry_after; /* ms, of the header Retry-After; 0: none */
    int64_t sent_after;  /* ms, from the call's start until its request left */
    /* The request left, and nobody who would know has answered: what it asks for may be done yet.
     * A GET asks for nothing to be done. */
    bool at_work;
} ms_http_answer;

typedef struct {
    const char *method;
    const char *url;            /* copied */
    const char *const *headers; /* "Name: value", NULL at the end; copied */
    ms_slice body;              /* copied; empty: none */
    long timeout_ms;
    bool shares_connection; /* may leave by one that another call has left open, and leaves its own
                               open: if that breaks, it can go again soon without harm */
    /* Called in the worker's turn, within its transaction; again in a later one if that is not
     * committed. The answer lives until it returns. It starts no calls. */
    ms_store_result (*answered)(void *argument, const ms_http_answer *answer, ms_store *store,
                                int64_t now);
    /* Called once, as the last: after the commit of what `answered` did, or without any answer, if
     * the turn that started the call was rolled back or the client is closed. May be NULL. */
    void (*discard)(void *argument);
    void *argument;
} ms_http_call;

/* NULL without memory. */
ms_http_client *ms_http_client_open(void);
void ms_http_client_close(ms_http_client *client);

/* False without memory: then neither function of the call's is called. */
bool ms_http_client_start(ms_http_client *client, const ms_http_call *call);

/* Calls that were started and not discarded. */
size_t ms_http_client_under_way(const ms_http_client *client);

/*
 * Waits until an answer has come whole, ms_http_client_wake was called, or `wait_ms` are over,
 * doing network work meanwhile.
 */
void ms_http_client_wait(ms_http_client *client, long wait_ms);

/* From any thread. */
void ms_http_client_wake(ms_http_client *client);

/* Have answers come that were not handed out? */
bool ms_http_client_has_answers(const ms_http_client *client);

/* Hands the answers that have come to their calls, until that has taken some milliseconds, since
 * new requests wait meanwhile; stops at the first failure of the store's. */
ms_store_result ms_http_client_answer(ms_http_client *client, ms_store *store, int64_t now);

/* How the turn ended: see above. One of the two after each turn. */
void ms_http_client_committed(ms_http_client *client);
void ms_http_client_rolled_back(ms_http_client *client);

#endif
