/* What holds up all calls to Marketo, and for how long. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/marketo/pause.h"

#define HOUR INT64_C(3600000)
/* 2026-11-24T06:00:00Z, and the next */
#define MIDNIGHT INT64_C(1795500000000)
#define NEXT (MIDNIGHT + 24 * HOUR)

static void
test_quota(void **state)
{
    (void)state;
    ms_pause pause = {0};
    assert_int_equal(ms_pause_until(&pause, MIDNIGHT), 0);
    ms_pause_quota(&pause, MIDNIGHT + 2 * HOUR, MIDNIGHT + 2 * HOUR + 100);
    assert_int_equal(ms_pause_until(&pause, MIDNIGHT + 2 * HOUR), NEXT);
    assert_int_equal(ms_pause_until(&pause, NEXT - 1), NEXT);
    assert_int_equal(ms_pause_until(&pause, NEXT), 0);
    /* Marketo's clock is a moment behind, or its count: it is not the whole day that is lost. */
    ms_pause_quota(&pause, NEXT, NEXT + 1);
    assert_int_equal(ms_pause_until(&pause, NEXT + 2), NEXT + 1 + 300000);
    ms_pause_quota(&pause, NEXT + HOUR, NEXT + HOUR + 1);
    assert_int_equal(ms_pause_until(&pause, NEXT + 2 * HOUR), NEXT + 24 * HOUR);
}

static void
test_quota_of_the_day_before(void **state)
{
    (void)state;
    ms_pause pause = {0};
    ms_pause_quota(&pause, NEXT - 10, NEXT + 10);
    assert_int_equal(ms_pause_until(&pause, NEXT + 10), 0);
}

static void
test_too_many(void **state)
{
    (void)state;
    ms_pause pause = {0};
    ms_limiter limiter;
    ms_limiter_init(&limiter, 50, 5);
    int64_t until = ms_pause_too_many(&pause, &limiter, true, 1000, 60000, 2000);
    assert_int_equal(until, 62000);
    assert_int_equal(limiter.calls_now, 25);
    /* It was under way beside the first: they were too many together. */
    assert_int_equal(ms_pause_too_many(&pause, &limiter, true, 1500, 90000, 3000), until);
    assert_int_equal(limiter.calls_now, 25);
    assert_int_equal(ms_pause_too_many(&pause, &limiter, false, 62000, 60000, 63000), 123000);
    assert_int_equal(limiter.at_once_now, 4);
    ms_pause_went_well(&pause);
    assert_int_equal(ms_pause_until(&pause, 122999), 123000);
    assert_int_equal(ms_pause_until(&pause, 123000), 0);
}

static void
test_clock_set_back(void **state)
{
    (void)state;
    ms_pause pause = {0};
    ms_limiter limiter;
    ms_limiter_init(&limiter, 50, 5);
    (void)ms_pause_too_many(&pause, &limiter, true, MIDNIGHT, 60000, MIDNIGHT);
    ms_pause_quota(&pause, MIDNIGHT + 12 * HOUR, MIDNIGHT + 12 * HOUR);
    assert_int_equal(ms_pause_until(&pause, MIDNIGHT), NEXT);
    assert_int_equal(ms_pause_until(&pause, NEXT), 0);
    /* What is over stays over, and the limiter can be told again. */
    const int64_t back = MIDNIGHT - 5 * HOUR;
    assert_int_equal(ms_pause_until(&pause, back), 0);
    assert_int_equal(ms_pause_too_many(&pause, &limiter, true, back, 60000, back), back + 60000);
    /* What is not is no longer than it can be. */
    assert_int_equal(ms_pause_until(&pause, back - 24 * HOUR), back - 23 * HOUR);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_quota_of_the_day_before),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_clock_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
