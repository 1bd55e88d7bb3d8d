#include "http.h"

#include "assets.h"
#include "framing.h"
#include "hash_endpoint.h"
#include "log.h"
#include "static_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* One address, even of a large office; others must get in beside it. A proxy is all addresses. */
#define CONNECTIONS_OF_ADDRESS 512
#define CONNECTION_BYTES 8192
#define IDLE_SECONDS 10
#define DRAIN_SECONDS 5

struct ms_http {
    struct MHD_Daemon *daemon;
    uint16_t port;
};

/* One request, from its headers to its answer. */
typedef struct {
    ms_exchange exchange;
    size_t body_len; /* beyond MS_BODY_MAX what came is counted, not kept */
    char body[MS_BODY_MAX];
} request;

static ms_route
route_of(const char *path)
{
    if (strcmp(path, "/v1/hash") == 0) {
        return MS_ROUTE_HASH;
    }
    if (strcmp(path, "/healthz") == 0) {
        return MS_ROUTE_HEALTH;
    }
    if (strcmp(path, "/metrics") == 0) {
        return MS_ROUTE_METRICS;
    }
    return MS_ROUTE_OTHER;
}

static bool
is_get(const char *method)
{
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

static enum MHD_Result
answer_hash(ms_service *service, request *request, const char *method)
{
    ms_exchange *exchange = &request->exchange;
    ms_status status = ms_hash_check_origin(service, exchange);
    if (status != MS_OK) {
        return ms_respond_error(exchange, status);
    }
    if (strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0) {
        return ms_hash_preflight(exchange);
    }
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
        return ms_respond_error_with(exchange, MS_METHOD_NOT_ALLOWED, "Allow", "POST, OPTIONS");
    }
    if (request->body_len > MS_BODY_MAX) {
        return ms_respond_error(exchange, MS_BODY_TOO_LARGE);
    }
    return ms_hash_post(service, exchange, (ms_slice){request->body, request->body_len});
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
answer_metrics(const ms_exchange *exchange)
{
    char text[MS_METRICS_TEXT];
    size_t len = ms_metrics_write(text);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_COPY);
    if (response != NULL) {
        (void)MHD_add_response_header(response, "Content-Type",
                                      "text/plain; version=0.0.4; charset=utf-8");
    }
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
    if (!is_get(method)) {
        return ms_respond_error_with(exchange, MS_METHOD_NOT_ALLOWED, "Allow", "GET, HEAD");
    }
    ms_metrics_answered(exchange->route, http_status);
    return MHD_queue_response(exchange->connection, http_status, response);
}

static enum MHD_Result
answer(ms_service *service, request *request, const char *path, const char *method)
{
    ms_exchange *exchange = &request->exchange;
    switch (exchange->route) {
    case MS_ROUTE_HASH:
        return answer_hash(service, request, method);
    case MS_ROUTE_HEALTH:
    case MS_ROUTE_METRICS:
        if (!is_get(method)) {
            return ms_respond_error_with(exchange, MS_METHOD_NOT_ALLOWED, "Allow", "GET, HEAD");
        }
        return exchange->route == MS_ROUTE_HEALTH ? answer_health(exchange)
                                                  : answer_metrics(exchange);
    default:
        return answer_static(exchange, path, method);
    }
}

static enum MHD_Result
begin(struct MHD_Connection *connection, const char *path, void **context)
{
    request *request = malloc(sizeof *request);
    if (request == NULL) {
        return MHD_NO;
    }
    request->exchange = (ms_exchange){.connection = connection, .route = route_of(path)};
    request->body_len = 0;
    *context = request;
    ms_metrics_request_begins();
    ms_status status = ms_framing_check(connection);
    return status == MS_OK
               ? MHD_YES
               : ms_respond_error_with(&request->exchange, status, "Connection", "close");
}

static void
keep_body(request *request, const char *bytes, size_t len)
{
    if (request->body_len + len <= MS_BODY_MAX) {
        memcpy(request->body + request->body_len, bytes, len);
    }
    request->body_len += len;
}

/* libmicrohttpd calls this with the headers, then with each part of the body, then at its end. */
static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *path, const char *method,
       const char *version, const char *bytes, size_t *len, void **context)
{
    (void)version;
    request *request = *context;
    if (request == NULL) {
        return begin(connection, path, context);
    }
    if (*len > 0) {
        keep_body(request, bytes, *len);
        *len = 0;
        return request->body_len > MS_DISCARD_MAX ? MHD_NO : MHD_YES;
    }
    return answer(cls, request, path, method);
}

/* No path here needs an escape; and a decoded %00 would hide what follows it. */
static size_t
keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static void
completed(void *cls, struct MHD_Connection *connection, void **context,
          enum MHD_RequestTerminationCode why)
{
    (void)cls;
    (void)connection;
    (void)why;
    if (*context != NULL) {
        free(*context);
        *context = NULL;
        ms_metrics_request_ends();
    }
}

ms_http *
ms_http_start(const ms_options *options, ms_service *service)
{
    ms_http *http = calloc(1, sizeof *http);
    if (http == NULL || !ms_static_start()) {
        free(http);
        return NULL;
    }
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_TURBO;
    if (options->address.ss_family == AF_INET6) {
        flags |= MHD_USE_IPv6;
    }
    errno = 0;
    /* A pool of one is none. */
    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, service, MHD_OPTION_SOCK_ADDR, &options->address,
        MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned int)MS_CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        options->proxies.count > 0 ? 0 : (unsigned int)CONNECTIONS_OF_ADDRESS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)IDLE_SECONDS, MHD_OPTION_THREAD_POOL_SIZE,
        options->threads > 1 ? options->threads : 0, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_END);
    if (http->daemon == NULL) {
        int why = errno;
        ms_static_stop();
        free(http);
        errno = why;
        return NULL;
    }
    http->port = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return http;
}

uint16_t
ms_http_port(const ms_http *http)
{
    return http->port;
}

void
ms_http_stop(ms_http *http)
{
    static const struct timespec pause = {.tv_nsec = 10000000};
    MHD_socket listening = MHD_quiesce_daemon(http->daemon);
    if (listening != MHD_INVALID_SOCKET) {
        (void)close(listening);
    }
    for (int i = 0; i < DRAIN_SECONDS * 100 && ms_metrics_in_flight() > 0; i++) {
        (void)nanosleep(&pause, NULL);
    }
    if (ms_metrics_in_flight() > 0) {
        ms_log("warning", "requests_cut_off", NULL, NULL);
    }
    MHD_stop_daemon(http->daemon);
    ms_static_stop();
    free(http);
}
