/*
 * How often Marketo is called, when again after a failure, and when its day begins.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/marketo/backoff.h"
#include "../../src/server/marketo/central_time.h"
#include "../../src/server/marketo/limiter.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void
test_never_more_in_a_window(void **state)
{
    (void)state;
    static int64_t began[20000];
    ms_limiter limiter;
    size_t count = 0;
    ms_limiter_init(&limiter, 50, 5);
    for (int64_t now = 1000000; now < 1000000 + 600000; now += 7) {
        int64_t wake = INT64_MAX;
        while (ms_limiter_allows(&limiter, now, &wake)) {
            ms_limiter_end(&limiter, ms_limiter_begin(&limiter), now);
            began[count++] = now;
        }
        assert_true(wake > now && wake < now + 20500);
    }
    for (size_t i = 50; i < count; i++) {
        assert_true(began[i] - began[i - 50] > 20000);
    }
    /* And not many fewer: 95 of a hundred. */
    assert_true(count >= 50 * 30 * 95 / 100);
}

static unsigned int
allowed_at(ms_limiter *limiter, int64_t now)
{
    unsigned int count = 0;
    int64_t wake = INT64_MAX;
    while (ms_limiter_allows(limiter, now, &wake)) {
        ms_limiter_end(limiter, ms_limiter_begin(limiter), now);
        count++;
    }
    return count;
}

static void
test_never_more_at_once(void **state)
{
    (void)state;
    ms_limiter limiter;
    int64_t wake = INT64_MAX;
    ms_limiter_init(&limiter, 50, 5);
    size_t tickets[5];
    for (int i = 0; i < 5; i++) {
        assert_true(ms_limiter_allows(&limiter, 1, &wake));
        tickets[i] = ms_limiter_begin(&limiter);
    }
    assert_false(ms_limiter_allows(&limiter, 1, &wake));
    assert_true(wake == INT64_MAX);
    ms_limiter_end(&limiter, tickets[3], 1);
    assert_true(ms_limiter_allows(&limiter, 1, &wake));
}

/* What counts is when Marketo got them, and those count that it has not yet. */
static void
test_calls_that_leave_late(void **state)
{
    (void)state;
    ms_limiter limiter;
    int64_t wake = INT64_MAX;
    ms_limiter_init(&limiter, 50, 5);
    size_t slow = ms_limiter_begin(&limiter);
    for (int i = 0; i < 49; i++) {
        assert_true(ms_limiter_allows(&limiter, 1000, &wake));
        ms_limiter_end(&limiter, ms_limiter_begin(&limiter), 1000);
    }
    assert_false(ms_limiter_allows(&limiter, 1000, &wake));
    assert_true(wake == 1000 + MS_LIMITER_WINDOW);
    assert_true(ms_limiter_allows(&limiter, wake, &wake));
    ms_limiter_end(&limiter, slow, 9000);
    assert_int_equal(allowed_at(&limiter, 1000 + MS_LIMITER_WINDOW), 49);
    assert_false(ms_limiter_allows(&limiter, 9000 + MS_LIMITER_WINDOW - 1, &wake));
    assert_int_equal(allowed_at(&limiter, 9000 + MS_LIMITER_WINDOW), 1);
    /* One that never left counts for nothing. */
    ms_limiter_init(&limiter, 50, 5);
    ms_limiter_end(&limiter, ms_limiter_begin(&limiter), MS_LIMITER_NEVER);
    assert_int_equal(allowed_at(&limiter, 1000), 50);
}

/* A process knows of the calls of the one before it. */
static void
test_calls_of_another_process(void **state)
{
    (void)state;
    static char text[MS_LIMITER_TEXT];
    const int64_t start = INT64_C(1790000000000);
    ms_limiter before;
    ms_limiter after;
    ms_limiter_init(&before, 50, 5);
    for (int i = 0; i < 40; i++) {
        ms_limiter_end(&before, ms_limiter_begin(&before), start + i);
    }
    for (int i = 0; i < 5; i++) { /* under way when it was killed: nobody knows when they left */
        (void)ms_limiter_begin(&before);
    }
    const ms_slice written = {text, ms_limiter_write(&before, text)};
    ms_limiter_init(&after, 50, 5);
    ms_limiter_read(&after, written, start + 1000);
    assert_int_equal(allowed_at(&after, start + 1000), 5);
    assert_int_equal(allowed_at(&after, start + 39 + MS_LIMITER_WINDOW), 40);
    assert_int_equal(allowed_at(&after, start + 1000 + MS_LIMITER_WINDOW), 10);

    /* As many as there can be, of the longest times, have room. */
    ms_limiter_init(&before, MS_LIMITER_CALLS_MAX, 5);
    for (int i = 0; i < 2 * MS_LIMITER_CALLS_MAX; i++) {
        ms_limiter_end(&before, ms_limiter_begin(&before), INT64_MAX - 1);
    }
    assert_int_equal(ms_limiter_write(&before, text), MS_LIMITER_CALLS_MAX * 20);

    /* What is no such text. */
    ms_limiter_init(&after, 50, 5);
    ms_limiter_read(&after, MS_SLICE("x -1 99999999999999999999999999999999 ,"), start);
    assert_in_range(allowed_at(&after, start), 45, 50);
}

/* Those that are many leave a fifth of the calls, and one of those at once, to others. */
static void
test_one_of_many(void **state)
{
    (void)state;
    ms_limiter limiter;
    int64_t now = 1000000;
    int64_t wake = INT64_MAX;
    ms_limiter_init(&limiter, 50, 5);
    for (int i = 0; i < 40; i++) {
        assert_true(ms_limiter_allows_one_of_many(&limiter, now, &wake));
        ms_limiter_end(&limiter, ms_limiter_begin(&limiter), now + i);
    }
    now += 100;
    assert_int_equal(wake, INT64_MAX);
    assert_false(ms_limiter_allows_one_of_many(&limiter, now, &wake));
    assert_int_equal(wake, 1000000 + MS_LIMITER_WINDOW);
    assert_int_equal(allowed_at(&limiter, now), 10);

    now += 100000;
    size_t first = ms_limiter_begin(&limiter);
    for (int i = 0; i < 3; i++) {
        assert_true(ms_limiter_allows_one_of_many(&limiter, now, &wake));
        (void)ms_limiter_begin(&limiter);
    }
    assert_false(ms_limiter_allows_one_of_many(&limiter, now, &wake));
    assert_true(ms_limiter_allows(&limiter, now, &wake));
    ms_limiter_end(&limiter, first, now);
    /* But if only one may be made at once, it may be theirs. */
    ms_limiter_init(&limiter, 50, 1);
    assert_true(ms_limiter_allows_one_of_many(&limiter, now, &wake));
}

static void
test_slower_and_faster_again(void **state)
{
    (void)state;
    ms_limiter limiter;
    int64_t now = 1000000;
    ms_limiter_init(&limiter, 50, 5);
    ms_limiter_slow_down(&limiter);
    assert_int_equal(allowed_at(&limiter, now), 25);
    for (int i = 0; i < 10; i++) {
        ms_limiter_slow_down(&limiter);
        ms_limiter_fewer_at_once(&limiter);
    }
    assert_int_equal(allowed_at(&limiter, now += 30000), 5);
    assert_int_equal(limiter.at_once_now, 1);
    for (int i = 0; i < 1000; i++) {
        ms_limiter_went_well(&limiter);
    }
    assert_int_equal(limiter.at_once_now, 5);
    assert_int_equal(allowed_at(&limiter, now += 30000), 50);
}

static void
test_clock_set_back(void **state)
{
    (void)state;
    ms_limiter limiter;
    ms_limiter_init(&limiter, 50, 5);
    assert_int_equal(allowed_at(&limiter, 100000000), 50);
    /* An hour earlier nothing more is held up than a window. */
    assert_int_equal(allowed_at(&limiter, 100000000 - 3600000), 0);
    assert_int_equal(allowed_at(&limiter, 100000000 - 3600000 + MS_LIMITER_WINDOW), 50);
}

static void
test_backoff(void **state)
{
    (void)state;
    int64_t ceiling = 2000;
    for (unsigned int attempts = 1; attempts < 40; attempts++) {
        int64_t least = INT64_MAX;
        int64_t most = 0;
        for (uint32_t i = 0; i < 2000; i++) {
            int64_t delay = ms_backoff_delay(attempts, 0, i * 2147001u);
            least = delay < least ? delay : least;
            most = delay > most ? delay : most;
        }
        assert_in_range(least, 1000, 1000 + ceiling / 50);
        assert_in_range(most, ceiling - ceiling / 50, ceiling);
        ceiling = 2 * ceiling < 300000 ? 2 * ceiling : 300000;
    }
    assert_int_equal(ms_backoff_delay(1, 42000, 0), 42000);
    assert_int_equal(ms_backoff_delay(1, INT64_MAX, 0), 3600000);
    assert_in_range(ms_backoff_delay(UINT32_MAX, 0, UINT32_MAX), 1000, 300000);
    assert_in_range(ms_backoff_delay(0, 0, UINT32_MAX), 1000, 2000);
}

static int64_t
utc(const char *text)
{
    struct tm tm = {0};
    assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%S", &tm));
    return (int64_t)timegm(&tm) * 1000;
}

static void
assert_day(const char *moment, const char *day, const char *next_midnight)
{
    char actual[MS_CENTRAL_DAY];
    ms_central_day(utc(moment), actual);
    assert_string_equal(actual, day);
    assert_int_equal(ms_central_next_midnight(utc(moment)), utc(next_midnight));
}

static void
test_central_days(void **state)
{
    (void)state;
    assert_day("2026-11-24T05:59:59", "2026-11-23", "2026-11-24T06:00:00");
    assert_day("2026-11-24T06:00:00", "2026-11-24", "2026-11-25T06:00:00");
    assert_day("2026-07-01T04:59:59", "2026-06-30", "2026-07-01T05:00:00");
    assert_day("2026-07-01T05:00:00", "2026-07-01", "2026-07-02T05:00:00");
    /* Into daylight saving, 8 March 2026: the day has 23 hours. Out of it, 1 November: 25. */
    assert_day("2026-03-08T06:00:00", "2026-03-08", "2026-03-09T05:00:00");
    assert_day("2026-03-08T07:59:59", "2026-03-08", "2026-03-09T05:00:00");
    assert_day("2026-03-08T08:00:00", "2026-03-08", "2026-03-09T05:00:00");
    assert_day("2026-11-01T05:00:00", "2026-11-01", "2026-11-02T06:00:00");
    assert_day("2026-11-01T07:00:00", "2026-11-01", "2026-11-02T06:00:00");
    assert_day("2027-01-01T05:59:59", "2026-12-31", "2027-01-01T06:00:00");
    assert_day("2024-02-29T12:00:00", "2024-02-29", "2024-03-01T06:00:00");
}

/* Beside the C library's own knowledge of the zone, hour by hour. */
static void
test_central_days_of_many_years(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "CST6CDT,M3.2.0,M11.1.0", 1), 0);
    tzset();
    for (int64_t ms = utc("2024-01-01T00:30:00"); ms < utc("2045-01-01T00:00:00"); ms += 3600000) {
        char expected[MS_CENTRAL_DAY];
        char actual[MS_CENTRAL_DAY];
        struct tm local;
        time_t seconds = (time_t)(ms / 1000);
        assert_non_null(localtime_r(&seconds, &local));
        assert_int_equal(strftime(expected, sizeof expected, "%Y-%m-%d", &local), 10);
        ms_central_day(ms, actual);
        assert_string_equal(actual, expected);
        local.tm_hour = local.tm_min = local.tm_sec = 0;
        local.tm_mday++;
        local.tm_isdst = -1;
        assert_int_equal(ms_central_next_midnight(ms), (int64_t)mktime(&local) * 1000);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_more_in_a_window),
        cmocka_unit_test(test_never_more_at_once),
        cmocka_unit_test(test_calls_that_leave_late),
        cmocka_unit_test(test_calls_of_another_process),
        cmocka_unit_test(test_one_of_many),
        cmocka_unit_test(test_slower_and_faster_again),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_central_days),
        cmocka_unit_test(test_central_days_of_many_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
