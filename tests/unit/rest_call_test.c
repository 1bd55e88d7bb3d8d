/* The answer to a call whose turn is rolled back: it is handed out again, and means the same once.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/marketo/rest.h"

#define NOW INT64_C(1795629600000)

static ms_http_call started;
static size_t counted;
static size_t again_count;
static size_t refused_count;

bool
ms_http_client_start(ms_http_client *client, const ms_http_call *call)
{
    (void)client;
    started = *call;
    return true;
}

ms_store_result
ms_store_count(ms_store *store, const char *day, ms_store_counts *counts)
{
    (void)store, (void)day;
    *counts = (ms_store_counts){0};
    return MS_STORE_OK;
}

ms_store_result
ms_store_count_call(ms_store *store, const char *day)
{
    (void)store, (void)day;
    counted++;
    return MS_STORE_OK;
}

ms_store_result
ms_store_remember(ms_store *store, const char *name, ms_slice value, int64_t now)
{
    (void)store, (void)name, (void)value, (void)now;
    return MS_STORE_OK;
}

ms_store_result
ms_store_recall(ms_store *store, const char *name, ms_arena *arena, ms_slice *value, int64_t *at)
{
    (void)store, (void)name, (void)arena;
    *value = MS_SLICE("");
    *at = 0;
    return MS_STORE_OK;
}

static ms_store_result
again(ms_store *store, int64_t id, int64_t due)
{
    (void)store, (void)id;
    assert_true(due >= NOW);
    again_count++;
    return MS_STORE_OK;
}

static ms_store_result
refused(ms_rest_call *call, const ms_rest_item *item, ms_slice code, ms_slice message,
        ms_store *store, int64_t now)
{
    (void)call, (void)item, (void)code, (void)message, (void)store, (void)now;
    refused_count++;
    return MS_STORE_OK;
}

static const ms_rest_kind leads = {.lane = MS_LANE_LEADS, .again = again, .refused = refused};

/* A call of one record that is answered with this three times: two turns are rolled back. */
static const ms_lane *
answer(ms_rest *rest, long status, const char *body)
{
    const ms_http_answer answer = {.status = status, .body = ms_slice_from(body)};
    *rest = (ms_rest){.settings = {.rest_url = MS_SLICE("http://127.0.0.1")}};
    ms_limiter_init(&rest->limiter, MS_LIMITER_CALLS, MS_LIMITER_AT_ONCE);
    ms_lane_init(&rest->lanes[MS_LANE_LEADS], "leads", 300);
    again_count = refused_count = counted = 0;
    ms_rest_call *call = ms_rest_call_new(rest, &leads, 1, 0, NOW);
    assert_non_null(call);
    call->count = 1;
    assert_int_equal(
        ms_rest_call_start(call, NULL, NULL, "GET", MS_SLICE("/x"), MS_SLICE(""), 1000),
        MS_STORE_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(started.answered(started.argument, &answer, NULL, NOW), MS_STORE_OK);
    }
    started.discard(started.argument);
    assert_int_equal(counted, 1);
    assert_int_equal(rest->lanes[MS_LANE_LEADS].under_way, 0);
    return &rest->lanes[MS_LANE_LEADS];
}

static void
test_an_answer_that_is_handed_out_again(void **state)
{
    static ms_rest rest;
    (void)state;
    const ms_lane *lane = answer(&rest, 503, "");
    assert_int_equal(lane->attempts, 1);
    assert_int_equal(again_count, 3); /* what is rolled back is done again */

    lane =
        answer(&rest, 200, "{\"success\":false,\"errors\":[{\"code\":\"601\",\"message\":\"\"}]}");
    assert_int_equal(rest.tokens_refused, 1);
    assert_int_equal(lane->attempts, 0);

    lane =
        answer(&rest, 200, "{\"success\":false,\"errors\":[{\"code\":\"1003\",\"message\":\"\"}]}");
    assert_int_equal(lane->refused, 1);
    assert_int_equal(refused_count, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_that_is_handed_out_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
