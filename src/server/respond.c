#include "respond.h"

#include "status_text.h"

#include <stdio.h>

#define ERROR_TEXT 256
#define RETRY_SECONDS "5"

static unsigned int
http_status_of(ms_status status)
{
    switch (status) {
    case MS_ORIGIN_MISSING:
    case MS_ORIGIN_NOT_ALLOWED:
    /* Not 401, which asks for credentials in a header. */
    case MS_TOKEN_MISSING:
    case MS_TOKEN_INVALID:
    case MS_TOKEN_EXPIRED:
    case MS_TOKEN_NOT_YET_VALID:
    case MS_TOKEN_LIFETIME:
    case MS_TOKEN_AUDIENCE:
    case MS_TOKEN_EMAIL_DIFFERS:
        return MHD_HTTP_FORBIDDEN;
    case MS_NOT_FOUND:
    case MS_INTAKE_CLOSED:
    case MS_HASH_UNAVAILABLE:
        return MHD_HTTP_NOT_FOUND;
    case MS_WRITE_KEY_INVALID:
        return MHD_HTTP_UNAUTHORIZED;
    case MS_ENCODING_UNSUPPORTED:
        return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    case MS_QUEUE_FULL:
    case MS_NOT_STORED:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    case MS_METHOD_NOT_ALLOWED:
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    case MS_BODY_TOO_LARGE:
    case MS_BATCH_TOO_LONG:
    case MS_BATCH_SHARED_TOO_LARGE:
        return MHD_HTTP_CONTENT_TOO_LARGE;
    case MS_RATE_LIMITED:
        return MHD_HTTP_TOO_MANY_REQUESTS;
    default:
        return MHD_HTTP_BAD_REQUEST;
    }
}

void
ms_respond_header(struct MHD_Response **response, const char *name, const char *value)
{
    if (*response != NULL && MHD_add_response_header(*response, name, value) != MHD_YES) {
        MHD_destroy_response(*response);
        *response = NULL;
    }
}

enum MHD_Result
ms_respond(const ms_exchange *exchange, unsigned int http_status, struct MHD_Response *response)
{
    ms_respond_header(&response, "X-Content-Type-Options", "nosniff");
    ms_respond_header(&response, "Cache-Control", "no-store");
    if (exchange->route == MS_ROUTE_HASH || exchange->route == MS_ROUTE_LEAD ||
        exchange->route == MS_ROUTE_SEGMENT) {
        ms_respond_header(&response, "Vary", "Origin");
    }
    if (exchange->origin != NULL) {
        ms_respond_header(&response, "Access-Control-Allow-Origin", exchange->origin);
        ms_respond_header(&response, "Access-Control-Expose-Headers", "Retry-After");
    }
    if (response == NULL) {
        return MHD_NO;
    }
    if (exchange->is_last) {
        (void)MHD_add_response_header(response, "Connection", "close");
    }
    ms_metrics_answered(exchange->route, http_status);
    enum MHD_Result result = MHD_queue_response(exchange->connection, http_status, response);
    MHD_destroy_response(response);
    return result;
}

static struct MHD_Response *
json_response(const char *json, size_t len)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, (void *)json, MHD_RESPMEM_MUST_COPY);
    ms_respond_header(&response, "Content-Type", "application/json");
    return response;
}

enum MHD_Result
ms_respond_json(const ms_exchange *exchange, unsigned int http_status, const char *json, size_t len)
{
    return ms_respond(exchange, http_status, json_response(json, len));
}

enum MHD_Result
ms_respond_error_with(const ms_exchange *exchange, ms_status status, const char *header,
                      const char *value)
{
    char json[ERROR_TEXT];
    int len = snprintf(json, sizeof json, "{\"error\":\"%s\",\"message\":\"%s\"}",
                       ms_code_of(status), ms_sentence_of(status));
    struct MHD_Response *response = json_response(json, (size_t)len);
    if (header != NULL) {
        ms_respond_header(&response, header, value);
    }
    return ms_respond(exchange, http_status_of(status), response);
}

enum MHD_Result
ms_respond_error(const ms_exchange *exchange, ms_status status)
{
    unsigned int http_status = http_status_of(status);
    if (http_status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        return ms_respond_error_with(exchange, status, "Retry-After", RETRY_SECONDS);
    }
    if (http_status == MHD_HTTP_UNAUTHORIZED) {
        return ms_respond_error_with(exchange, status, "WWW-Authenticate",
                                     "Basic realm=\"munchkin-server\"");
    }
    return ms_respond_error_with(exchange, status, NULL, NULL);
}
