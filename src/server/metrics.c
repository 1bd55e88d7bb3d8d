#include "metrics.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static const char *const routes[MS_ROUTE_COUNT] = {"hash", "healthz", "metrics", "static", "other"};
static const unsigned int statuses[] = {200, 204, 304, 400, 403, 404, 405, 413, 429, 500};
#define STATUS_COUNT (sizeof statuses / sizeof *statuses)

static atomic_ulong answered[MS_ROUTE_COUNT][STATUS_COUNT];
static atomic_long in_flight;
static atomic_ulong fields_left_out;
static atomic_ulong records_refused;
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

size_t
ms_metrics_write(char text[MS_METRICS_TEXT])
{
    size_t len = 0;
    append(text, &len,
           "# HELP munchkin_server_requests_total Requests answered, by route and HTTP status.\n"
           "# TYPE munchkin_server_requests_total counter\n");
    for (size_t route = 0; route < MS_ROUTE_COUNT; route++) {
        for (size_t i = 0; i < STATUS_COUNT; i++) {
            unsigned long count = atomic_load_explicit(&answered[route][i], memory_order_relaxed);
            if (count > 0) {
                append(text, &len,
                       "munchkin_server_requests_total{route=\"%s\",status=\"%u\"} %lu\n",
                       routes[route], statuses[i], count);
            }
        }
    }
    append(text, &len,
           "# HELP munchkin_server_hashes_total Hashes signed.\n"
           "# TYPE munchkin_server_hashes_total counter\n"
           "munchkin_server_hashes_total %lu\n",
           atomic_load_explicit(&answered[MS_ROUTE_HASH][0], memory_order_relaxed));
    append(text, &len,
           "# HELP munchkin_server_requests_in_flight Requests being answered.\n"
           "# TYPE munchkin_server_requests_in_flight gauge\n"
           "munchkin_server_requests_in_flight %ld\n",
           ms_metrics_in_flight());
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
