#include "lead_endpoint.h"

#include "../../core/lead.h"
#include "../clock.h"
#include "../exact_json.h"
#include "../hash_endpoint.h"
#include "../page_access.h"
#include "cookie.h"
#include "deposit.h"

#include <stdlib.h>

/* As in segment_endpoint.c. */
#define OUT_PER_BYTE 8
#define OUT_LEAST (sizeof(ms_command) + 2048)

#define AGE_MAX 86400000 /* so long a browser keeps a lead, in ms */

static ms_slice
kept(ms_arena *out, ms_slice text)
{
    const char *start = ms_text_begin(out);
    ms_text_append(out, text);
    return ms_text_end(out, start);
}

/*
 * By a token, the field UserId says what that vouches for or nothing: leads that servers name by
 * their user id alone are looked up in Marketo by this field. Marketo tells no names apart by case.
 */
static void
drop_unknown_user(ms_fields *fields, const ms_admission *admission)
{
    for (size_t i = 0; i < fields->count && admission->by_token; i++) {
        ms_field *field = &fields->list[i];
        bool is_users = ms_slice_equal_fold(field->name, MS_SLICE("UserId"));
        if (is_users && !(admission->knows_user && field->source == MS_FIELD_ARGUMENT)) {
            field->dropped = true;
        }
    }
}

/*
 * How long ago it was said, in ms: a browser keeps what it could not bring here, and that is not to
 * take the place of what was said since. Nobody vouches for it, so it is no reason for a refusal.
 */
static int64_t
age_of(const cJSON *body)
{
    const cJSON *age = ms_json_member(body, "age");
    if (!cJSON_IsNumber(age) || !(age->valuedouble > 0)) {
        return 0;
    }
    return age->valuedouble < AGE_MAX ? (int64_t)age->valuedouble : AGE_MAX;
}

static ms_command *
command_of(const ms_service *service, const cJSON *body, const ms_lead *lead, bool knows_user,
           ms_arena *out)
{
    static const ms_slice none = {"", 0};
    char number[MS_NUMBER_TEXT];
    ms_command *command = ms_arena_alloc(out, sizeof *command);
    if (command == NULL) {
        return NULL;
    }
    *command = (ms_command){.kind = MS_COMMAND_LEAD,
                            .message_id = none,
                            .who = {.user_id = none},
                            .time = ms_clock_now() - age_of(body),
                            .query = none,
                            .user_agent = none,
                            .primary_value = none,
                            .attributes = none,
                            .code = none,
                            .payload = none};
    command->who.email = kept(out, lead->email);
    if (knows_user) {
        command->who.user_id = kept(out, ms_id_text(ms_json_member(body, "userId"), number));
    }
    /* A cookie that cannot be used does not keep the lead back. */
    (void)ms_cookie_read(out, ms_json_string(body, "cookie"), service->rules.munchkin_id,
                         &command->who.cookie);
    const char *start = ms_text_begin(out);
    ms_fields_write(&lead->fields, true, out);
    command->fields = ms_text_end(out, start);
    return command;
}

/* Sets the deposit's command, or where there is no queue `email`, which lives in `scratch`; and
 * `admission`, as ms_page_admit does. */
static ms_status
read_lead(ms_service *service, ms_request *request, ms_arena *scratch, ms_slice *email,
          ms_admission *admission)
{
    ms_slice text = ms_body_text(&request->body);
    cJSON *body = NULL;
    ms_lead lead;
    ms_status status = ms_json_parse_exact(scratch, text, &body);
    if (status == MS_OK) {
        status = ms_lead_from_identify(scratch, ms_json_member(body, "userId"),
                                       ms_json_member(body, "traits"), &lead);
    }
    if (status == MS_OK) {
        status = ms_page_admit(service, scratch, body, lead.email, admission);
    }
    if (status != MS_OK) {
        return status;
    }
    *email = lead.email;
    drop_unknown_user(&lead.fields, admission);
    if (service->worker == NULL) {
        return MS_OK;
    }
    ms_deposit *deposit = ms_deposit_open(request, text.len * OUT_PER_BYTE + OUT_LEAST);
    if (deposit == NULL) {
        return MS_QUEUE_FULL;
    }
    deposit->commands.first =
        command_of(service, body, &lead, admission->knows_user, &deposit->arena);
    deposit->events[MS_TYPE_IDENTIFY]++;
    return deposit->arena.exhausted ? MS_OUT_OF_MEMORY : MS_OK;
}

static enum MHD_Result
post(ms_service *service, ms_request *request)
{
    const ms_exchange *exchange = &request->exchange;
    ms_arena scratch;
    ms_slice email = {"", 0};
    ms_admission admission = {.wait = ms_page_take_turn(service, exchange)};
    if (admission.wait > 0) {
        return ms_page_refuse(exchange, MS_RATE_LIMITED, admission.wait);
    }
    size_t size = ms_body_scratch(ms_body_text(&request->body).len);
    void *memory = malloc(size);
    if (memory == NULL) {
        return ms_respond_error(exchange, MS_QUEUE_FULL);
    }
    ms_arena_init(&scratch, memory, size);
    ms_status status = read_lead(service, request, &scratch, &email, &admission);
    enum MHD_Result result = status != MS_OK ? ms_page_refuse(exchange, status, admission.wait)
                             : service->worker == NULL ? ms_hash_respond(service, exchange, email)
                                                       : ms_deposit_send(service, request);
    free(memory);
    return result;
}

static enum MHD_Result
respond_deposited(const ms_request *request)
{
    static const char queued[] = "{\"queued\":true}";
    ms_status status = ms_deposit_status(request->deposit);
    if (status != MS_OK) {
        return ms_respond_error(&request->exchange, status);
    }
    ms_metrics_events(request->deposit->events);
    return ms_respond_json(&request->exchange, MHD_HTTP_ACCEPTED, queued, sizeof queued - 1);
}

enum MHD_Result
ms_lead_answer(ms_service *service, ms_request *request, const char *method)
{
    ms_exchange *exchange = &request->exchange;
    ms_status status = ms_page_check_origin(service, exchange);
    if (status != MS_OK) {
        return ms_page_refuse_origin(service, exchange, status);
    }
    if (request->deposit != NULL) {
        return respond_deposited(request);
    }
    if (strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0) {
        return ms_page_preflight(exchange, "content-type");
    }
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
        return ms_respond_error_with(exchange, MS_METHOD_NOT_ALLOWED, "Allow", "POST, OPTIONS");
    }
    status = ms_request_check_body(request);
    return status == MS_OK ? post(service, request) : ms_respond_error(exchange, status);
}
