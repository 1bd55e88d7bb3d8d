/*
 * One call of ms_http_client, as libcurl is told of it; the client's own.
 */
#ifndef MS_HTTP_TRANSFER_H
#define MS_HTTP_TRANSFER_H

#include "http_client.h"

#include <curl/curl.h>

/* A call, from ms_http_client_start until it is discarded. */
typedef struct ms_transfer {
    struct ms_transfer *next; /* the client's */
    CURL *easy;
    struct curl_slist *headers;
    char *request;
    bool begun; /* curl was about to send it */
    char *answer;
    size_t len;
    size_t room;
    bool too_long;
    bool changes;      /* is no GET */
    ms_http_call call; /* its functions and argument; what it points to is not kept */
    long status;
    const char *problem;
    int64_t retry_after;
    int64_t started; /* monotonic, ms */
    int64_t sent_after;
    bool at_work;
} ms_transfer;

/* One that is ready to leave. NULL without memory, or if a header is no header. */
ms_transfer *ms_transfer_new(const ms_http_call *call);

void ms_transfer_free(ms_transfer *one);

#endif
