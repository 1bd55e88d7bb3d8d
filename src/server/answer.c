#include "answer.h"

#include "assets.h"
#include "hash_endpoint.h"
#include "intake/lead_endpoint.h"
#include "intake/segment_endpoint.h"
#include "static_files.h"

#include <stdio.h>

static bool
is_get(const char *method)
{
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

static enum MHD_Result
answer_health(const ms_exchange *exchange)
{
    char json[96];
    int len = snprintf(json, sizeof json,
                       "{\"status\":\"ok\",\"version\":\"" MS_VERSION "\",\"release\":\"%s\"}",
                       ms_release);
    return ms_respond_json(exchange, MHD_HTTP_OK, json, (size_t)len);
}

static enum MHD_Result
answer_metrics(const ms_service *service, const ms_exchange *exchange)
{
    char text[MS_METRICS_TEXT];
    ms_store_counts counts;
    if (service->worker != NULL) {
        ms_worker_counts(service->worker, &counts);
    }
    size_t len = ms_metrics_write(text, service->worker != NULL ? &counts : NULL);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_COPY);
    ms_respond_header(&response, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    return ms_respond(exchange, MHD_HTTP_OK, response);
}

static enum MHD_Result
answer_static(ms_exchange *exchange, const char *path, const char *method)
{
    unsigned int http_status = 0;
    struct MHD_Response *response = ms_static_find(exchange->connection, path, &http_status);
    if (response == NULL) {
        return ms_respond_error(exchange, MS_NOT_FOUND);
    }
    exchange->route = MS_ROUTE_STATIC;
    if (exchange->is_last) {
        /* These responses are shared by all, and none says that the connection ends. */
        return ms_respond_error(exchange, MS_FRAMING_INVALID);
    }
    if (!is_get(method)) {
        return ms_respond_error_with(exchange, MS_METHOD_NOT_ALLOWED, "Allow", "GET, HEAD");
    }
    ms_metrics_answered(exchange->route, http_status);
    return MHD_queue_response(exchange->connection, http_status, response);
}

enum MHD_Result
ms_answer(ms_service *service, ms_request *request, const char *path, const char *method)
{
    ms_exchange *exchange = &request->exchange;
    switch (exchange->route) {
    case MS_ROUTE_HASH:
        return ms_hash_answer(service, request, method);
    case MS_ROUTE_LEAD:
        return ms_lead_answer(service, request, method);
    case MS_ROUTE_SEGMENT:
        return ms_segment_answer(service, request, method);
    case MS_ROUTE_HEALTH:
    case MS_ROUTE_METRICS:
        if (!is_get(method)) {
            return ms_respond_error_with(exchange, MS_METHOD_NOT_ALLOWED, "Allow", "GET, HEAD");
        }
        return exchange->route == MS_ROUTE_HEALTH ? answer_health(exchange)
                                                  : answer_metrics(service, exchange);
    default:
        return answer_static(exchange, path, method);
    }
}
