#include "segment_endpoint.h"

#include "../clock.h"
#include "../exact_json.h"
#include "../page_access.h"
#include "batch.h"
#include "deposit.h"

#include <stdlib.h>

/* A byte that is escaped or percent-encoded becomes up to six; and what every message has. */
#define OUT_PER_BYTE 8
#define OUT_PER_MESSAGE (sizeof(ms_command) + 2048)
/* The queue takes no more at once (SCRATCH of queue/open.c). */
#define OUT_MAX ((size_t)8 << 20)

/* A body on its way to commands. */
typedef struct {
    ms_service *service;
    ms_request *request;
    bool authorized;
    ms_message_envelope envelope;
    ms_arena scratch;
} intake;

static bool
is_authorized_by(const intake *in, const cJSON *body)
{
    return in->authorized ||
           ms_write_keys_hold(in->service->write_keys, ms_json_string(body, "writeKey"));
}

static void
bury(const intake *in, ms_status why, ms_slice text)
{
    ms_deposit *deposit = in->request->deposit;
    deposit->events[MS_TYPE_OTHER]++;
    ms_message_dead(why, MS_SLICE(""), text, in->envelope.received, &deposit->arena,
                    &deposit->commands);
}

static void
read_message(const intake *in, ms_message_type type, const cJSON *message, ms_slice text,
             ms_arena *scratch)
{
    ms_deposit *deposit = in->request->deposit;
    deposit->events[type]++;
    ms_message_read(&in->service->rules, &in->envelope, type, message, text, scratch,
                    &deposit->arena, &deposit->commands);
}

static ms_status
read_single(intake *in, ms_slice body)
{
    cJSON *message = NULL;
    if (body.len > MS_MESSAGE_MAX) {
        return MS_BODY_TOO_LARGE;
    }
    ms_status status = ms_json_parse_exact(&in->scratch, body, &message);
    if (status != MS_OK) {
        return status;
    }
    if (!is_authorized_by(in, message)) {
        return MS_WRITE_KEY_INVALID;
    }
    if (ms_deposit_open(in->request, body.len * OUT_PER_BYTE + OUT_PER_MESSAGE) == NULL) {
        return MS_QUEUE_FULL;
    }
    read_message(in, in->request->endpoint->type, message, body, &in->scratch);
    return MS_OK;
}

/* One of a batch. What it needs to be read is forgotten with it. */
static void
read_one(const intake *in, ms_slice text)
{
    ms_arena scratch = in->scratch;
    cJSON *message = NULL;
    ms_status status = text.len > MS_MESSAGE_MAX ? MS_MESSAGE_TOO_LARGE
                                                 : ms_json_parse_exact(&scratch, text, &message);
    if (status != MS_OK) {
        bury(in, status, text);
        return;
    }
    ms_message_type type = ms_message_type_of(ms_json_string(message, "type"));
    read_message(in, type, message, text, &scratch);
}

/* Memory for the commands of a batch. What it says around its messages may be in each of them. */
static size_t
out_size(const ms_batch *batch, ms_slice body)
{
    size_t size = (body.len + batch->count * batch->envelope.len) * OUT_PER_BYTE +
                  batch->count * OUT_PER_MESSAGE;
    return size < OUT_MAX ? size : OUT_MAX;
}

static ms_status
read_batch(intake *in, ms_slice body)
{
    ms_batch batch;
    ms_slice message;
    cJSON *envelope = NULL;
    ms_status status = ms_batch_open(&in->scratch, body, &batch);
    if (status != MS_OK) {
        return status;
    }
    status = ms_batch_envelope(&in->scratch, &batch, &envelope);
    if (status != MS_OK) {
        return status;
    }
    if (!is_authorized_by(in, envelope)) {
        return MS_WRITE_KEY_INVALID;
    }
    status = ms_batch_check_size(&batch);
    if (status != MS_OK) {
        return status;
    }
    if (ms_deposit_open(in->request, out_size(&batch, body)) == NULL) {
        return MS_QUEUE_FULL;
    }
    in->envelope.sent_at = ms_json_string(envelope, "sentAt");
    in->envelope.context = ms_json_member(envelope, "context");
    in->envelope.integrations = ms_json_member(envelope, "integrations");
    while (!in->request->deposit->arena.exhausted && ms_batch_next(&batch.messages, &message)) {
        read_one(in, message);
    }
    return MS_OK;
}

/* Memory for the envelope and one message; more than that is never read at once. */
static size_t
scratch_size(const ms_request *request, ms_slice body)
{
    size_t longest = body.len < MS_MESSAGE_MAX ? body.len : MS_MESSAGE_MAX;
    return ms_body_scratch(longest) + (request->endpoint->is_batch ? body.len : 0);
}

static ms_status
read_body(ms_service *service, ms_request *request, bool authorized)
{
    ms_slice body = ms_body_text(&request->body);
    size_t size = scratch_size(request, body);
    void *memory = malloc(size);
    intake in = {.service = service,
                 .request = request,
                 .authorized = authorized,
                 .envelope = {.sent_at = {"", 0}, .received = ms_clock_now()}};
    if (memory == NULL) {
        return MS_QUEUE_FULL;
    }
    ms_arena_init(&in.scratch, memory, size);
    ms_status status = request->endpoint->is_batch ? read_batch(&in, body) : read_single(&in, body);
    free(memory);
    if (status == MS_OK && request->deposit->arena.exhausted) {
        /* There is room for all messages of a batch, as they came. */
        return request->endpoint->is_batch ? MS_BATCH_SHARED_TOO_LARGE : MS_BODY_TOO_LARGE;
    }
    return status;
}

/* Unpacks the body, if its headers say that it is packed. */
static ms_status
unpack(ms_request *request)
{
    const char *encoding = MHD_lookup_connection_value(request->exchange.connection,
                                                       MHD_HEADER_KIND, "Content-Encoding");
    ms_status status = ms_request_check_body(request);
    if (status != MS_OK || encoding == NULL || *encoding == '\0' ||
        ms_slice_equal_fold(ms_slice_from(encoding), MS_SLICE("identity"))) {
        return status;
    }
    if (!ms_slice_equal_fold(ms_slice_from(encoding), MS_SLICE("gzip"))) {
        return MS_ENCODING_UNSUPPORTED;
    }
    return ms_body_gunzip(&request->body) ? ms_request_check_body(request) : MS_GZIP_INVALID;
}

/* Whether there is anything to store. */
static bool
is_idle(const ms_deposit *deposit)
{
    const ms_command *command = deposit->commands.first;
    while (command != NULL && command->kind == MS_COMMAND_NOTHING) {
        command = command->next;
    }
    return command == NULL;
}

static enum MHD_Result
respond_taken(ms_request *request)
{
    static const char taken[] = "{\"success\":true}";
    ms_metrics_events(request->deposit->events);
    return ms_respond_json(&request->exchange, MHD_HTTP_OK, taken, sizeof taken - 1);
}

/* What the header says of a write key. NULL if that is nothing, or of another scheme, which is for
 * a proxy on the way: then the key may be in the body. */
static const char *
authorization_of(struct MHD_Connection *connection)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    return value != NULL && ms_write_keys_is_basic(value) ? value : NULL;
}

void
ms_segment_body_init(ms_body *body, ms_service *service, struct MHD_Connection *connection)
{
    const char *authorization = authorization_of(connection);
    if (authorization == NULL) {
        ms_body_init(body, MS_SEGMENT_BODY_MAX, &service->body_bytes);
    } else {
        bool known = ms_write_keys_authorize(service->write_keys, authorization);
        ms_body_init(body, known ? MS_SEGMENT_BODY_MAX : 0, &service->known_body_bytes);
    }
}

static enum MHD_Result
post(ms_service *service, ms_request *request)
{
    const ms_exchange *exchange = &request->exchange;
    const char *authorization = authorization_of(exchange->connection);
    bool authorized =
        authorization != NULL && ms_write_keys_authorize(service->write_keys, authorization);
    if (authorization != NULL && !authorized) {
        return ms_respond_error(exchange, MS_WRITE_KEY_INVALID);
    }
    ms_status status = unpack(request);
    if (status == MS_OK) {
        status = read_body(service, request, authorized);
    }
    if (status != MS_OK) {
        return ms_respond_error(exchange, status);
    }
    return is_idle(request->deposit) ? respond_taken(request) : ms_deposit_send(service, request);
}

enum MHD_Result
ms_segment_answer(ms_service *service, ms_request *request, const char *method)
{
    ms_exchange *exchange = &request->exchange;
    /* A page of ours may read the answer; who sends from elsewhere has the write key. */
    (void)ms_page_check_origin(service, exchange);
    if (service->worker == NULL || service->write_keys->count == 0) {
        return ms_respond_error(exchange, MS_INTAKE_CLOSED);
    }
    if (request->deposit != NULL) {
        ms_status status = ms_deposit_status(request->deposit);
        return status == MS_OK ? respond_taken(request) : ms_respond_error(exchange, status);
    }
    if (strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0) {
        return ms_page_preflight(exchange, "authorization, content-type, x-retry-count");
    }
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
        return ms_respond_error_with(exchange, MS_METHOD_NOT_ALLOWED, "Allow", "POST, OPTIONS");
    }
    return post(service, request);
}
