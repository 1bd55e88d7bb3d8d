#include "respond.h"

#include <stdio.h>

#define ERROR_TEXT 256

typedef struct {
    const char *code;
    const char *sentence;
} error_text;

static error_text
text_of(ms_status status)
{
    switch (status) {
#define MS_ERROR_TEXT(name, code, sentence)                                                        \
    case name:                                                                                     \
        return (error_text){code, sentence};
        MS_CORE_ERRORS(MS_ERROR_TEXT)
        MS_SERVER_ERRORS(MS_ERROR_TEXT)
#undef MS_ERROR_TEXT
    default:
        return (error_text){"", ""};
    }
}

static unsigned int
http_status_of(ms_status status)
{
    switch (status) {
    case MS_ORIGIN_MISSING:
    case MS_ORIGIN_NOT_ALLOWED:
        return MHD_HTTP_FORBIDDEN;
    case MS_NOT_FOUND:
        return MHD_HTTP_NOT_FOUND;
    case MS_METHOD_NOT_ALLOWED:
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    case MS_BODY_TOO_LARGE:
        return MHD_HTTP_CONTENT_TOO_LARGE;
    case MS_RATE_LIMITED:
        return MHD_HTTP_TOO_MANY_REQUESTS;
    default:
        return MHD_HTTP_BAD_REQUEST;
    }
}

enum MHD_Result
ms_respond(const ms_exchange *exchange, unsigned int http_status, struct MHD_Response *response)
{
    if (response == NULL) {
        return MHD_NO; /* out of memory: the connection is closed */
    }
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    if (exchange->route == MS_ROUTE_HASH) {
        (void)MHD_add_response_header(response, "Vary", "Origin");
    }
    if (exchange->origin != NULL) {
        (void)MHD_add_response_header(response, "Access-Control-Allow-Origin", exchange->origin);
        (void)MHD_add_response_header(response, "Access-Control-Expose-Headers", "Retry-After");
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
    if (response != NULL) {
        (void)MHD_add_response_header(response, "Content-Type", "application/json");
    }
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
    error_text text = text_of(status);
    int len = snprintf(json, sizeof json, "{\"error\":\"%s\",\"message\":\"%s\"}", text.code,
                       text.sentence);
    struct MHD_Response *response = json_response(json, (size_t)len);
    if (response != NULL && header != NULL) {
        (void)MHD_add_response_header(response, header, value);
    }
    return ms_respond(exchange, http_status_of(status), response);
}

enum MHD_Result
ms_respond_error(const ms_exchange *exchange, ms_status status)
{
    return ms_respond_error_with(exchange, status, NULL, NULL);
}
