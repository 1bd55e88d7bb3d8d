/*
 * Answers in JSON, and the headers that every answer of the API has.
 */
#ifndef MS_RESPOND_H
#define MS_RESPOND_H

#include "../core/status.h"
#include "metrics.h"

#include <microhttpd.h>

/* A request's connection, and what its answer depends on. */
typedef struct {
    struct MHD_Connection *connection;
    ms_route route;
    bool is_last;       /* the connection is closed after the answer */
    const char *origin; /* the Origin header, if that may read the answer; else NULL */
} ms_exchange;

/*
 * Adds a header to a response. Without memory for it the response is let go and becomes NULL: it
 * would be another answer without one of its headers. NULL stays as it is.
 */
void ms_respond_header(struct MHD_Response **response, const char *name, const char *value);

/* Answers with JSON text that is copied. */
enum MHD_Result ms_respond_json(const ms_exchange *exchange, unsigned int http_status,
                                const char *json, size_t len);

/* Answers with {"error": code, "message": sentence} and the HTTP status that goes with it. */
enum MHD_Result ms_respond_error(const ms_exchange *exchange, ms_status status);

/* The same, with one more header. */
enum MHD_Result ms_respond_error_with(const ms_exchange *exchange, ms_status status,
                                      const char *header, const char *value);

/* Adds the headers of the API to a response of the caller's, sends it and lets it go. NULL closes
 * the connection: there was no memory for it. */
enum MHD_Result ms_respond(const ms_exchange *exchange, unsigned int http_status,
                           struct MHD_Response *response);

#endif
