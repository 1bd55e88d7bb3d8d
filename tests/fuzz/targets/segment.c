/*
 * Segment's HTTP API and the pages' leads, from a request's headers and body to commands for the
 * queue (src/server/intake): a byte for the path, one for the headers and the encoding, and the
 * body. The worker, of which no more is needed than that it takes commands, is this file.
 */

#include "../../../src/server/clock.h"
#include "../../../src/server/intake/activities.h"
#include "../../../src/server/intake/batch.h"
#include "../../../src/server/intake/deposit.h"
#include "../../../src/server/intake/lead_endpoint.h"
#include "../../../src/server/intake/segment_endpoint.h"
#include "../commands.h"
#include "../connection.h"
#include "../standards.h"

#include <zlib.h>

#define KEY "the-key"
#define BASIC "Basic dGhlLWtleTo=" /* the key, and no password */
#define ORIGIN "https://www.example.com"
#define GZIP (15 + 16)

struct ms_worker {
    size_t jobs;
    size_t commands;
    bool full;
};

bool
ms_worker_submit(ms_worker *worker, ms_job *job)
{
    if (worker->full) {
        return false;
    }
    worker->jobs++;
    worker->commands = check_commands(job->commands, ms_clock_now());
    EXPECT(worker->commands > 0);
    job->done(job, true);
    return true;
}

static const ms_activities *
activities(void)
{
    static const char file[] =
        "{\"Signed up\":{\"activityTypeId\":100001,\"primaryAttribute\":\"plan\","
        "\"attributes\":{\"seats\":\"numberOfSeats\",\"n\\u0000\":\"q\\\"\"},\"visit\":true},"
        "\"a\":{\"activityTypeId\":1}}";
    static ms_activities *read;
    char problem[MS_ACTIVITIES_PROBLEM];
    if (read == NULL) {
        read = ms_activities_parse(MS_SLICE(file), problem);
        EXPECT(read != NULL);
    }
    return read;
}

static ms_slice
packed(ms_slice plain)
{
    z_stream stream = {.next_in = (unsigned char *)plain.ptr, .avail_in = (uInt)plain.len};
    EXPECT(deflateInit2(&stream, 1, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t room = deflateBound(&stream, plain.len);
    stream.next_out = fuzz_memory(room);
    stream.avail_out = (uInt)room;
    char *bytes = (char *)stream.next_out;
    EXPECT(deflate(&stream, Z_FINISH) == Z_STREAM_END && deflateEnd(&stream) == Z_OK);
    return (ms_slice){bytes, room - stream.avail_out};
}

static bool
is_lead(const ms_request *request)
{
    return request->endpoint->route == MS_ROUTE_LEAD;
}

static void
answer(ms_service *service, ms_request *request)
{
    enum MHD_Result result = is_lead(request) ? ms_lead_answer(service, request, "POST")
                                              : ms_segment_answer(service, request, "POST");
    EXPECT(result == MHD_YES);
}

/* Each message has become at least one command; and what was taken to the queue was told so. */
static void
check_outcome(const ms_service *service, const ms_request *request, ms_slice plain)
{
    ms_batch batch;
    const ms_worker *worker = service->worker;
    unsigned int status = request->exchange.connection->answered;
    EXPECT(status == 200 || status == 202 || status == 400 || status == 401 || status == 403 ||
           status == 413 || status == 415 || status == 503);
    EXPECT(worker->jobs == 0 || status == (is_lead(request) ? 202U : 200U));
    EXPECT(request->deposit == NULL || !request->deposit->arena.exhausted);
    ms_arena arena = fuzz_arena(plain.len + 1);
    if (worker->jobs > 0 && request->endpoint->is_batch &&
        ms_batch_open(&arena, plain, &batch) == MS_OK) {
        EXPECT(worker->commands >= batch.count);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const paths[] = {"/v1/batch", "/v1/import", "/v1/identify", "/v1/track",
                                        "/v1/page",  "/v1/lead",   "/v1/group",    "/v1/alias"};
    static ms_service service;
    fuzz_input in = {bytes, size};
    ms_worker worker = {.jobs = 0};
    ms_write_keys keys = {.count = 0};
    const ms_endpoint *endpoint = ms_endpoint_of(paths[fuzz_byte(&in) % 8]);
    unsigned int headers = fuzz_byte(&in);
    ms_slice plain = fuzz_rest(&in);
    struct MHD_Connection connection = {.count = 0};
    char origin[] = ORIGIN;

    connection_from(&connection, &in6addr_loopback);
    service = (ms_service){.worker = &worker, .write_keys = &keys};
    service.rules = (ms_message_rules){MS_SLICE(COMMANDS_MUNCHKIN_ID), activities()};
    ms_rate_limit_init(&service.rate_limit, 0);
    EXPECT(ms_write_keys_add(&keys, MS_SLICE(KEY)));
    EXPECT(ms_origins_add(&service.allowed, origin));

    worker.full = (headers & 64) != 0;
    if ((headers & 1) == 0) {
        connection_add(&connection, "Authorization",
                       (headers & 128) != 0 ? plain : MS_SLICE(BASIC));
    }
    if ((headers & 32) == 0) {
        connection_add(&connection, "Origin", MS_SLICE(ORIGIN));
    }
    ms_slice body = plain;
    if ((headers & 2) != 0) {
        connection_add(&connection, "Content-Encoding",
                       (headers & 4) != 0 ? MS_SLICE("identity") : MS_SLICE("gzip"));
        body = (headers & 12) == 0 ? packed(plain) : plain;
    }
    ms_request request = {.exchange = {.connection = &connection, .route = endpoint->route},
                          .endpoint = endpoint};
    ms_segment_body_init(&request.body, &service, &connection);
    ms_body_add(&request.body, body.ptr, body.len);
    answer(&service, &request);
    if (request.deposit != NULL && connection.answered == 0) {
        answer(&service, &request); /* it goes on once it is stored */
    }
    EXPECT(connection.answered != 0 && service.deposits == 0);
    check_outcome(&service, &request, plain);
    ms_body_free(&request.body);
    ms_deposit_free(request.deposit);
    EXPECT(service.body_bytes == 0 && service.known_body_bytes == 0);
    fuzz_forget();
    return 0;
}
