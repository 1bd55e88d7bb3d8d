#include "hash_endpoint.h"

#include "../core/hash_request.h"
#include "../core/sign.h"

#include <stdio.h>
#include <time.h>

/* Enough for what a real request can be made into; one made to be larger ends with an error. */
#define ARENA_BYTES (4 * MS_BODY_MAX)

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
ms_hash_check_origin(const ms_service *service, ms_exchange *exchange)
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
ms_hash_preflight(const ms_exchange *exchange)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (response != NULL) {
        (void)MHD_add_response_header(response, "Access-Control-Allow-Methods", "POST");
        (void)MHD_add_response_header(response, "Access-Control-Allow-Headers", "content-type");
        (void)MHD_add_response_header(response, "Access-Control-Max-Age", "86400");
    }
    return ms_respond(exchange, MHD_HTTP_NO_CONTENT, response);
}

static double
seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum MHD_Result
ms_hash_post(ms_service *service, const ms_exchange *exchange, ms_slice body)
{
    static const char prefix[] = "{\"hash\":\"";
    static const char suffix[] = "\"}";
    char json[sizeof prefix - 1 + MS_SHA1_HEX + sizeof suffix - 1];
    char memory[ARENA_BYTES];
    ms_arena arena;
    ms_slice email = {"", 0};

    struct sockaddr_in6 client;
    unsigned int wait = ms_client_address(exchange->connection, &service->proxies, &client)
                            ? ms_rate_limit_take(&service->rate_limit,
                                                 (const struct sockaddr *)&client, seconds_now())
                            : 0;
    if (wait > 0) {
        char seconds[16];
        (void)snprintf(seconds, sizeof seconds, "%u", wait);
        return ms_respond_error_with(exchange, MS_RATE_LIMITED, "Retry-After", seconds);
    }
    ms_arena_init(&arena, memory, sizeof memory);
    /* Whatever its content type says: a page sends text/plain, since for JSON a browser would ask
     * for leave first, with a round trip. */
    ms_status status = ms_hash_request_email(&arena, body, &email);
    if (status != MS_OK) {
        return ms_respond_error(exchange, status);
    }
    memcpy(json, prefix, sizeof prefix - 1);
    ms_sign_associate_lead(service->private_key, email, json + sizeof prefix - 1);
    memcpy(json + sizeof prefix - 1 + MS_SHA1_HEX, suffix, sizeof suffix - 1);
    return ms_respond_json(exchange, MHD_HTTP_OK, json, sizeof json);
}
