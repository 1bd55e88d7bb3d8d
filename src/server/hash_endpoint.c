#include "hash_endpoint.h"

#include "../core/hash_request.h"
#include "../core/sign.h"
#include "page_access.h"

#include <stdlib.h>

enum MHD_Result
ms_hash_respond(const ms_service *service, const ms_exchange *exchange, ms_slice email)
{
    static const char prefix[] = "{\"hash\":\"";
    static const char suffix[] = "\"}";
    char json[sizeof prefix - 1 + MS_SHA1_HEX + sizeof suffix - 1];
    memcpy(json, prefix, sizeof prefix - 1);
    ms_sign_associate_lead(service->private_key, email, json + sizeof prefix - 1);
    memcpy(json + sizeof prefix - 1 + MS_SHA1_HEX, suffix, sizeof suffix - 1);
    return ms_respond_json(exchange, MHD_HTTP_OK, json, sizeof json);
}

static enum MHD_Result
post(ms_service *service, ms_request *request)
{
    const ms_exchange *exchange = &request->exchange;
    ms_slice text = ms_body_text(&request->body);
    ms_arena arena;
    ms_slice email = {"", 0};
    cJSON *body = NULL;
    ms_admission admission = {.wait = ms_page_take_turn(service, exchange)};
    if (admission.wait > 0) {
        return ms_page_refuse(exchange, MS_RATE_LIMITED, admission.wait);
    }
    size_t size = ms_body_scratch(text.len);
    void *memory = malloc(size);
    if (memory == NULL) {
        return ms_respond_error(exchange, MS_QUEUE_FULL);
    }
    ms_arena_init(&arena, memory, size);
    /* Whatever its content type says: a page sends text/plain, since for JSON a browser would ask
     * for leave first, with a round trip. */
    ms_status status = ms_json_parse(&arena, text, &body);
    if (status == MS_OK) {
        status = ms_hash_request_email(&arena, body, &email);
    }
    if (status == MS_OK) {
        status = ms_page_admit(service, &arena, body, email, &admission);
    }
    enum MHD_Result result = status == MS_OK ? ms_hash_respond(service, exchange, email)
                                             : ms_page_refuse(exchange, status, admission.wait);
    free(memory);
    return result;
}

enum MHD_Result
ms_hash_answer(ms_service *service, ms_request *request, const char *method)
{
    ms_exchange *exchange = &request->exchange;
    ms_status status = ms_page_check_origin(service, exchange);
    if (status != MS_OK) {
        return ms_page_refuse_origin(service, exchange, status);
    }
    if (strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0) {
        return ms_page_preflight(exchange, "content-type");
    }
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
        return ms_respond_error_with(exchange, MS_METHOD_NOT_ALLOWED, "Allow", "POST, OPTIONS");
    }
    if (service->private_key.len == 0) {
        return ms_respond_error(exchange, MS_HASH_UNAVAILABLE);
    }
    status = ms_request_check_body(request);
    return status == MS_OK ? post(service, request) : ms_respond_error(exchange, status);
}
