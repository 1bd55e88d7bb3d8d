#include "page_access.h"

#include "clock.h"
#include "exact_json.h"

#include <stdio.h>

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

static origin_header
origin_of(struct MHD_Connection *connection)
{
    origin_header found = {NULL, 0};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, find_origin, &found);
    return found;
}

ms_status
ms_page_check_origin(const ms_service *service, ms_exchange *exchange)
{
    origin_header found = origin_of(exchange->connection);
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
ms_page_refuse_origin(ms_service *service, const ms_exchange *exchange, ms_status status)
{
    if (status == MS_ORIGIN_NOT_ALLOWED) {
        origin_header found = origin_of(exchange->connection);
        ms_refused_origins_note(&service->refused, found.count == 1 ? found.value : NULL);
    }
    return ms_respond_error(exchange, status);
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

unsigned int
ms_page_take_turn(ms_service *service, const ms_exchange *exchange)
{
    struct sockaddr_in6 client;
    return ms_client_address(exchange->connection, &service->proxies, &client)
               ? ms_rate_limit_take(&service->rate_limit, (const struct sockaddr *)&client,
                                    (double)ms_clock_steady_us() / 1e6)
               : 0;
}

/* Does the token say that this is the visitor's user id? */
static bool
knows_user(const ms_token_bearer *bearer, const cJSON *user_id)
{
    char number[MS_NUMBER_TEXT];
    ms_slice id = ms_id_text(user_id, number);
    return ms_slice_equal(id, bearer->user_id) ||
           ms_slice_equal_fold(ms_slice_trim(id), bearer->email);
}

/* Is there a token in the body, and is it this address's? */
static ms_status
check_token(const ms_service *service, ms_arena *arena, const cJSON *body, ms_slice email,
            ms_admission *admission)
{
    const cJSON *token = ms_json_member(body, "token");
    ms_token_bearer bearer;
    if (token == NULL || cJSON_IsNull(token) ||
        (cJSON_IsString(token) && token->valuestring[0] == '\0')) {
        return MS_TOKEN_MISSING;
    }
    if (!cJSON_IsString(token)) {
        return MS_TOKEN_INVALID;
    }
    ms_status status = ms_token_read(arena, &service->tokens, ms_slice_from(token->valuestring),
                                     ms_clock_now(), &bearer);
    if (status == MS_OK && !ms_slice_equal_fold(bearer.email, email)) {
        status = MS_TOKEN_EMAIL_DIFFERS;
    }
    admission->by_token = status == MS_OK;
    admission->knows_user = status == MS_OK && knows_user(&bearer, ms_json_member(body, "userId"));
    return status;
}

ms_status
ms_page_admit(ms_service *service, ms_arena *arena, const cJSON *body, ms_slice email,
              ms_admission *admission)
{
    *admission = (ms_admission){.knows_user = true};
    ms_status status = ms_token_is_needed(&service->tokens)
                           ? check_token(service, arena, body, email, admission)
                           : MS_OK;
    if (status == MS_OK) {
        admission->wait = ms_rate_limit_take_email(&service->email_rate_limit, email,
                                                   (double)ms_clock_steady_us() / 1e6);
    }
    return status == MS_OK && admission->wait > 0 ? MS_RATE_LIMITED : status;
}

enum MHD_Result
ms_page_refuse(const ms_exchange *exchange, ms_status status, unsigned int wait)
{
    char text[16];
    if (status != MS_RATE_LIMITED) {
        return ms_respond_error(exchange, status);
    }
    (void)snprintf(text, sizeof text, "%u", wait);
    return ms_respond_error_with(exchange, status, "Retry-After", text);
}
