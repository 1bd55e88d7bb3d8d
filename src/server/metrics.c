#include "metrics.h"

#include "clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static const char *const routes[MS_ROUTE_COUNT] = {"hash",    "lead",   "segment", "healthz",
                                                   "metrics", "static", "other"};
static const char *const types[MS_TYPE_COUNT] = {"identify", "track", "page", "screen",
                                                 "group",    "alias", "other"};
static const unsigned int statuses[] = {200, 202, 204, 304, 400, 401, 403,
                                        404, 405, 413, 415, 429, 500, 503};
#define STATUS_COUNT (sizeof statuses / sizeof *statuses)

static atomic_ulong answered[MS_ROUTE_COUNT][STATUS_COUNT];
static atomic_ulong events[MS_TYPE_COUNT];
static atomic_long in_flight;
static atomic_ulong fields_left_out;
static atomic_ulong records_refused;
static atomic_int failing_threads;
static time_t started;

void
ms_metrics_start(void)
{
    started = time(NULL);
}

void
ms_metrics_request_begins(void)
{
    atomic_fetch_add_explicit(&in_flight, 1, memory_order_relaxed);
}

void
ms_metrics_request_ends(void)
{
    atomic_fetch_sub_explicit(&in_flight, 1, memory_order_relaxed);
}

long
ms_metrics_in_flight(void)
{
    return atomic_load_explicit(&in_flight, memory_order_relaxed);
}

void
ms_metrics_answered(ms_route route, unsigned int http_status)
{
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        if (statuses[i] == http_status) {
            atomic_fetch_add_explicit(&answered[route][i], 1, memory_order_relaxed);
        }
    }
}

void
ms_metrics_field_left_out(void)
{
    atomic_fetch_add_explicit(&fields_left_out, 1, memory_order_relaxed);
}

void
ms_metrics_record_refused(void)
{
    atomic_fetch_add_explicit(&records_refused, 1, memory_order_relaxed);
}

void
ms_metrics_queue_failed(void)
{
    atomic_fetch_add_explicit(&failing_threads, 1, memory_order_relaxed);
}

void
ms_metrics_queue_recovered(void)
{
    atomic_fetch_sub_explicit(&failing_threads, 1, memory_order_relaxed);
}

void
ms_metrics_events(const unsigned int counts[MS_TYPE_COUNT])
{
    for (size_t type = 0; type < MS_TYPE_COUNT; type++) {
        if (counts[type] > 0) {
            atomic_fetch_add_explicit(&events[type], counts[type], memory_order_relaxed);
        }
    }
}

/* Appends to the page; what does not fit is left out. */
__attribute__((format(printf, 3, 4))) static void
append(char *text, size_t *len, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is initialised in the line above. */
    int written = vsnprintf(text + *len, MS_METRICS_TEXT - *len, format, arguments);
    va_end(arguments);
    if (written > 0 && (size_t)written < MS_METRICS_TEXT - *len) {
        *len += (size_t)written;
    }
}

static void
write_requests(char *text, size_t *len)
{
    append(text, len,
           "# HELP munchkin_server_requests_total Requests answered, by route and HTTP status.\n"
           "# TYPE munchkin_server_requests_total counter\n");
    for (size_t route = 0; route < MS_ROUTE_COUNT; route++) {
        for (size_t i = 0; i < STATUS_COUNT; i++) {
            unsigned long count = atomic_load_explicit(&answered[route][i], memory_order_relaxed);
            if (count > 0) {
                append(text, len,
                       "munchkin_server_requests_total{route=\"%s\",status=\"%u\"} %lu\n",
                       routes[route], statuses[i], count);
            }
        }
    }
    append(text, len,
           "# HELP munchkin_server_hashes_total Hashes signed.\n"
           "# TYPE munchkin_server_hashes_total counter\n"
           "munchkin_server_hashes_total %lu\n",
           atomic_load_explicit(&answered[MS_ROUTE_HASH][0], memory_order_relaxed) +
               atomic_load_explicit(&answered[MS_ROUTE_LEAD][0], memory_order_relaxed));
    append(text, len,
           "# HELP munchkin_server_requests_in_flight Requests being answered.\n"
           "# TYPE munchkin_server_requests_in_flight gauge\n"
           "munchkin_server_requests_in_flight %ld\n",
           ms_metrics_in_flight());
}

/* Requests turned away because the queue or the disk would take no more. */
static unsigned long
refused(void)
{
    unsigned long count = 0;
    for (size_t i = 0; i < STATUS_COUNT; i++) {
        if (statuses[i] == 503) {
            count += atomic_load_explicit(&answered[MS_ROUTE_LEAD][i], memory_order_relaxed);
            count += atomic_load_explicit(&answered[MS_ROUTE_SEGMENT][i], memory_order_relaxed);
        }
    }
    return count;
}

static void
write_queue(char *text, size_t *len, const ms_store_counts *queue)
{
    const struct {
        const char *kind;
        uint64_t count;
    } waiting[] = {
        {"message", queue->messages_waiting},   {"lead", queue->leads_waiting},
        {"held_lead", queue->leads_held},       {"lead_in_flight", queue->leads_in_flight},
        {"cookie", queue->cookies_waiting},     {"visit", queue->visits_waiting},
        {"activity", queue->activities_waiting}};
    append(text, len,
           "# HELP munchkin_server_events_total Events taken, by type.\n"
           "# TYPE munchkin_server_events_total counter\n");
    for (size_t type = 0; type < MS_TYPE_COUNT; type++) {
        append(text, len, "munchkin_server_events_total{type=\"%s\"} %lu\n", types[type],
               atomic_load_explicit(&events[type], memory_order_relaxed));
    }
    append(text, len,
           "# HELP munchkin_server_refused_total Requests that the queue or the disk refused.\n"
           "# TYPE munchkin_server_refused_total counter\n"
           "munchkin_server_refused_total %lu\n"
           "# HELP munchkin_server_queue_failing Whether the queue's database cannot be used.\n"
           "# TYPE munchkin_server_queue_failing gauge\n"
           "munchkin_server_queue_failing %d\n"
           "# HELP munchkin_server_queue What waits for Marketo, by kind.\n"
           "# TYPE munchkin_server_queue gauge\n",
           refused(), atomic_load_explicit(&failing_threads, memory_order_relaxed) > 0);
    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++) {
        append(text, len, "munchkin_server_queue{kind=\"%s\"} %llu\n", waiting[i].kind,
               (unsigned long long)waiting[i].count);
    }
    int64_t age = queue->oldest_waiting > 0 ? (ms_clock_now() - queue->oldest_waiting) / 1000 : 0;
    append(text, len,
           "# HELP munchkin_server_oldest_waiting_seconds How long the oldest has waited.\n"
           "# TYPE munchkin_server_oldest_waiting_seconds gauge\n"
           "munchkin_server_oldest_waiting_seconds %lld\n"
           "# HELP munchkin_server_dead_letters What Marketo cannot take, kept for people.\n"
           "# TYPE munchkin_server_dead_letters gauge\n"
           "munchkin_server_dead_letters %llu\n"
           "# HELP munchkin_server_marketo_calls_today Calls counted against the daily quota.\n"
           "# TYPE munchkin_server_marketo_calls_today gauge\n"
           "munchkin_server_marketo_calls_today %llu\n",
           (long long)(age > 0 ? age : 0), (unsigned long long)queue->dead,
           (unsigned long long)queue->calls_today);
}

size_t
ms_metrics_write(char text[MS_METRICS_TEXT], const ms_store_counts *queue)
{
    size_t len = 0;
    write_requests(text, &len);
    if (queue != NULL) {
        write_queue(text, &len, queue);
    }
    append(text, &len,
           "# HELP munchkin_server_fields_left_out_total Fields that Marketo does not take.\n"
           "# TYPE munchkin_server_fields_left_out_total counter\n"
           "munchkin_server_fields_left_out_total %lu\n"
           "# HELP munchkin_server_records_refused_total Records that Marketo refused.\n"
           "# TYPE munchkin_server_records_refused_total counter\n"
           "munchkin_server_records_refused_total %lu\n",
           atomic_load_explicit(&fields_left_out, memory_order_relaxed),
           atomic_load_explicit(&records_refused, memory_order_relaxed));
    append(text, &len,
           "# HELP munchkin_server_build_info Always 1; the version is a label.\n"
           "# TYPE munchkin_server_build_info gauge\n"
           "munchkin_server_build_info{version=\"" MS_VERSION "\"} 1\n"
           "# HELP process_start_time_seconds When the process started, in Unix time.\n"
           "# TYPE process_start_time_seconds gauge\n"
           "process_start_time_seconds %lld\n",
           (long long)started);
    return len;
}
