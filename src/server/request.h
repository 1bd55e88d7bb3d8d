/*
 * One request, from its headers to its answer.
 */
#ifndef MS_REQUEST_H
#define MS_REQUEST_H

#include "body.h"
#include "intake/message.h"
#include "respond.h"

typedef struct ms_deposit ms_deposit;

/* What is served under a path. */
typedef struct {
    const char *path;
    ms_route route;
    size_t body_max;
    bool is_batch;        /* of the intake: */
    ms_message_type type; /* what its messages are, if they are not in a batch */
} ms_endpoint;

typedef struct {
    ms_exchange exchange;
    const ms_endpoint *endpoint;
    ms_body body;
    ms_deposit *deposit; /* what goes to disk before it is answered (intake/deposit.h), or NULL */
} ms_request;

/* The endpoint of a path, which may end in a slash below /v1/; if there is none, that of files. */
const ms_endpoint *ms_endpoint_of(const char *path);

/* MS_OK if the whole body is there; MS_BODY_TOO_LARGE, MS_QUEUE_FULL. */
ms_status ms_request_check_body(const ms_request *request);

#endif
