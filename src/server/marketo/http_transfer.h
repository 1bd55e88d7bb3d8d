/*
 * One call of ms_http_client, as libcurl is told of it; the client's own.
 */
#ifndef MS_HTTP_TRANSFER_H
#define MS_HTTP_TRANSFER_H

#include "http_client.h"

#include <curl/curl.h>

/* A call, from ms_http_client_start until it is discarded; then it is kept for the next. */
typedef struct ms_transfer {
    struct ms_transfer *next; /* the client's */
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
    int64_t started; /* monotonic, ms */
    int64_t sent_after;
} ms_transfer;

/* Prepares one that is clear for a call. False without memory, or if a header is no header. */
bool ms_transfer_set_up(ms_transfer *one, const ms_http_call *call);

/* Forgets all of a call; what is left, `easy`, is used for the next. */
void ms_transfer_clear(ms_transfer *one);

#endif
