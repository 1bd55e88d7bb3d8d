#include "page_access.h"

#include <stdio.h>
#include <time.h>

/* What the headers say of the origin. */
typedef struct {
    const char *value;
    size_t count;
} origin_header;

static enum MHD_Result
find_origin(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    origin_header *found = cls;
    if (ms_slice_equal_fold(ms_slice_from(name), MS_SLICE("Origin"))) {
        found->value = value;
        found->count++;
    }
    return MHD_YES;
}

ms_status
ms_page_check_origin(const ms_service *service, ms_exchange *exchange)
{
    origin_header found = {NULL, 0};
    (void)MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, find_origin, &found);
    const char *origin = found.value;
    exchange->origin = NULL;
    if (origin == NULL) {
        return MS_ORIGIN_MISSING;
    }
    /* No browser sends two, and a proxy on the way may have looked at the other one. */
    if (found.count > 1 || !ms_origins_allow(&service->allowed, origin)) {
        return MS_ORIGIN_NOT_ALLOWED;
    }
    exchange->origin = origin;
    return MS_OK;
}

enum MHD_Result
ms_page_preflight(const ms_exchange *exchange, const char *headers)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    ms_respond_header(&response, "Access-Control-Allow-Methods", "POST");
    ms_respond_header(&response, "Access-Control-Allow-Headers", headers);
    ms_respond_header(&response, "Access-Control-Max-Age", "86400");
    return ms_respond(exchange, MHD_HTTP_NO_CONTENT, response);
}

static double
seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

unsigned int
ms_page_take_turn(ms_service *service, const ms_exchange *exchange)
{
    struct sockaddr_in6 client;
    return ms_client_address(exchange->connection, &service->proxies, &client)
               ? ms_rate_limit_take(&service->rate_limit, (const struct sockaddr *)&client,
                                    seconds_now())
               : 0;
}

enum MHD_Result
ms_page_rate_limited(const ms_exchange *exchange, unsigned int seconds)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u", seconds);
    return ms_respond_error_with(exchange, MS_RATE_LIMITED, "Retry-After", text);
}
