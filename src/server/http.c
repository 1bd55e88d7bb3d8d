#include "http.h"

#include "answer.h"
#include "clock.h"
#include "connections.h"
#include "framing.h"
#include "intake/deposit.h"
#include "intake/segment_endpoint.h"
#include "log.h"
#include "page_access.h"
#include "static_files.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* One address, even of a large office; others must get in beside it. A proxy is all addresses. */
#define CONNECTIONS_OF_ADDRESS 512
/* libmicrohttpd copies and lists cookies, so theirs count twice and more; a page's visitors have
 * kilobytes of them, and send them to each host of its domain. */
#define CONNECTION_BYTES 32768
#define IDLE_SECONDS 10
#define FILES_BESIDE 64  /* for the database, Marketo, and what else is no client */
#define WORD_US 60000000 /* clients that are cut off are told of so often */
#define DRAIN_SECONDS 5
#define DISK_SECONDS 30

struct ms_http {
    struct MHD_Daemon *daemon;
    ms_service *service;
    uint16_t port;

    /* Of the thread that looks for clients who let others wait, and tells of pages that were
     * refused. */
    ms_connections connections;
    size_t cut_off; /* of which nothing was said yet */
    int64_t last_word;
    pthread_t watcher;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t ends;
    bool stopping;
};

/* Where a body in chunks ends, libmicrohttpd is more lenient to see than proxies are. What they
 * took for a part of it is no request of its own if there comes none after it. */
static bool
is_chunked(struct MHD_Connection *connection)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding") != NULL;
}

static enum MHD_Result
begin(ms_service *service, struct MHD_Connection *connection, const ms_framing_line *line,
      void **context)
{
    ms_request *request = malloc(sizeof *request);
    if (request == NULL) {
        return MHD_NO;
    }
    const ms_endpoint *endpoint = ms_endpoint_of(line->path);
    *request = (ms_request){.exchange = {.connection = connection,
                                         .route = endpoint->route,
                                         .is_last = is_chunked(connection)},
                            .endpoint = endpoint};
    if (endpoint->route == MS_ROUTE_SEGMENT) {
        ms_segment_body_init(&request->body, service, connection);
    } else {
        ms_body_init(&request->body, endpoint->body_max, &service->body_bytes);
    }
    *context = request;
    ms_metrics_request_begins();
    ms_status status = ms_framing_check(connection, line);
    request->exchange.is_last = request->exchange.is_last || status != MS_OK;
    if (status == MS_BODY_TOO_LARGE && endpoint->body_max > 0) { /* a page is to know it */
        (void)ms_page_check_origin(service, &request->exchange);
    }
    return status == MS_OK ? MHD_YES : ms_respond_error(&request->exchange, status);
}

/* From when a handler has put it aside until it goes on. */
static bool
is_suspended(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_SUSPENDED)
               ->suspended == MHD_YES;
}

/* libmicrohttpd calls this with the headers, then with each part of the body, then at its end, and
 * again when a connection that was suspended goes on. */
static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *path, const char *method,
       const char *version, const char *bytes, size_t *len, void **context)
{
    ms_request *request = *context;
    if (request == NULL) {
        const ms_framing_line line = {method, path, version};
        return begin(cls, connection, &line, context);
    }
    if (*len > 0) {
        ms_body_add(&request->body, bytes, *len);
        *len = 0;
        return request->body.len > MS_DISCARD_MAX ? MHD_NO : MHD_YES;
    }
    enum MHD_Result result = ms_answer(cls, request, path, method);
    ms_connection_is_turn_of(connection,
                             is_suspended(connection) ? MS_CLIENT_WAITS : MS_CLIENT_TAKES);
    return result;
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
    (void)why;
    ms_request *request = *context;
    if (request != NULL) {
        ms_body_free(&request->body);
        ms_deposit_free(request->deposit);
        free(request);
        *context = NULL;
        ms_metrics_request_ends();
    }
    ms_connection_is_turn_of(connection, MS_CLIENT_SENDS);
}

/* As many as the process may have open: else those who come when that is used up would wait for a
 * place, and those who hold one would not be asked to leave it. */
static unsigned int
connections_allowed(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 ||
        files.rlim_cur >= MS_CONNECTIONS_MAX + FILES_BESIDE) {
        return MS_CONNECTIONS_MAX;
    }
    return files.rlim_cur > (rlim_t)2 * FILES_BESIDE ? (unsigned int)files.rlim_cur - FILES_BESIDE
                                                     : FILES_BESIDE;
}

static void
look_for_late(ms_http *http)
{
    http->cut_off += ms_connections_cut_off_late(&http->connections);
    if (http->cut_off == 0 || ms_clock_steady_us() - http->last_word < WORD_US) {
        return;
    }
    ms_log_counted("warning", "clients_cut_off", http->cut_off, NULL, NULL);
    http->cut_off = 0;
    http->last_word = ms_clock_steady_us();
}

/* Looks every second. */
static void *
watch(void *argument)
{
    ms_http *http = argument;
    (void)pthread_mutex_lock(&http->lock);
    while (!http->stopping) {
        struct timespec next;
        (void)clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_sec++;
        (void)pthread_cond_timedwait(&http->ends, &http->lock, &next);
        look_for_late(http);
        ms_refused_origins_tell(&http->service->refused, ms_clock_steady_us());
    }
    (void)pthread_mutex_unlock(&http->lock);
    return NULL;
}

static bool
start_watch(ms_http *http)
{
    pthread_condattr_t steady;
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&http->ends, &steady);
    (void)pthread_condattr_destroy(&steady);
    (void)pthread_mutex_init(&http->lock, NULL);
    return pthread_create(&http->watcher, NULL, watch, http) == 0;
}

static void
stop_watch(ms_http *http)
{
    (void)pthread_mutex_lock(&http->lock);
    http->stopping = true;
    (void)pthread_cond_signal(&http->ends);
    (void)pthread_mutex_unlock(&http->lock);
    (void)pthread_join(http->watcher, NULL);
}

ms_http *
ms_http_start(const ms_options *options, ms_service *service)
{
    ms_http *http = calloc(1, sizeof *http);
    if (http == NULL || !ms_static_start()) {
        free(http);
        return NULL;
    }
    unsigned int flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME;
    if (options->address.ss_family == AF_INET6) {
        flags |= MHD_USE_IPv6;
    }
    http->service = service;
    http->last_word = ms_clock_steady_us() - WORD_US;
    unsigned int most = connections_allowed();
    ms_connections_init(&http->connections, most - most / 16, options->request_timeout);
    errno = 0;
    /* A pool of one is none. MHD_OPTION_LISTENING_ADDRESS_REUSE is left out: given as 1, a second
     * server could listen at the same address and would get half of the requests; as 0, none could
     * for a minute after one was killed. Without, it is SO_REUSEADDR. */
    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, service, MHD_OPTION_SOCK_ADDR, &options->address,
        MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        ms_connections_notify, &http->connections, MHD_OPTION_CONNECTION_LIMIT, most,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        options->proxies.count > 0 ? 0 : (unsigned int)CONNECTIONS_OF_ADDRESS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)IDLE_SECONDS, MHD_OPTION_THREAD_POOL_SIZE,
        options->threads > 1 ? options->threads : 0, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    if (http->daemon == NULL || !start_watch(http)) {
        int why = errno;
        if (http->daemon != NULL) {
            MHD_stop_daemon(http->daemon);
        }
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

/* Until `count` is 0, or `seconds` are over; whether it is. */
static bool
wait_for_none(size_t (*count)(const ms_service *service), const ms_service *service, int seconds)
{
    static const struct timespec pause = {.tv_nsec = 10000000};
    int64_t end = ms_clock_steady_ms() + (int64_t)seconds * 1000;
    while (count(service) > 0 && ms_clock_steady_ms() < end) {
        (void)nanosleep(&pause, NULL);
    }
    return count(service) == 0;
}

static size_t
requests(const ms_service *service)
{
    (void)service;
    return (size_t)ms_metrics_in_flight();
}

static size_t
deposits(const ms_service *service)
{
    return atomic_load(&service->deposits);
}

/*
 * New connections are refused, so that proxies turn elsewhere. Not by MHD_quiesce_daemon: it and
 * the daemon's threads both take the socket out of epoll, and whoever comes second ends the
 * process. The threads look at the socket again and again until the daemon is stopped.
 */
static void
stop_listening(ms_http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_LISTEN_FD);
    (void)shutdown(info->listen_fd, SHUT_RDWR);
}

void
ms_http_stop(ms_http *http)
{
    stop_watch(http);
    stop_listening(http);
    if (!wait_for_none(requests, http->service, DRAIN_SECONDS)) {
        ms_log("warning", "requests_cut_off", NULL, NULL);
    }
    atomic_store(&http->service->stopping, true);
    if (!wait_for_none(deposits, http->service, DISK_SECONDS)) {
        /* libmicrohttpd cannot be stopped while connections wait, nor can the queue be closed.
         * None of them was told that it is stored. */
        ms_log("error", "disk_does_not_answer", NULL, NULL);
        _exit(EXIT_FAILURE);
    }
    MHD_stop_daemon(http->daemon);
    ms_static_stop();
    free(http);
}
