/* What a lane says in the log, and what a clock that was set back does to it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/log.h"
#include "../../src/server/marketo/lane.h"

#include <stdio.h>

#define HOUR INT64_C(3600000)

static char logged[256];

/* In place of the server's. */
void
ms_log(const char *level, const char *event, const char *name, const char *value)
{
    (void)level;
    (void)name;
    (void)snprintf(logged, sizeof logged, "%s %s", event, value);
}

/* Marketo's codes are numbers. An answer may have anything in their place. */
static void
test_codes_that_are_logged(void **state)
{
    static const char *const codes[][2] = {{"610", "610"},
                                           {"http_403", "http_403"},
                                           {"wrong_id", "wrong_id"},
                                           {"1234567890123456", "1234567890123456"},
                                           {"12345678901234567", "strange_code"},
                                           {"ada@example.com", "strange_code"},
                                           {"+491701234567", "strange_code"},
                                           {"Ada Lovelace", "strange_code"},
                                           {"Zo\xC3\xAB", "strange_code"},
                                           {"6\n0", "strange_code"},
                                           {"", "strange_code"}};
    const ms_http_answer answer = {.status = 500};
    char expected[64];
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        ms_lane lane;
        const ms_slice code = ms_slice_from(codes[i][0]);
        ms_lane_init(&lane, "leads", 300);
        assert_false(ms_lane_fault(&lane, 0, code, 10, 10));
        (void)snprintf(expected, sizeof expected, "marketo_refuses leads: %s", codes[i][1]);
        assert_string_equal(logged, expected);

        ms_lane_init(&lane, "leads", 300);
        for (int64_t now = 10; now < 13; now++) {
            (void)ms_lane_failed(&lane, now, 0, 0, now, 0);
        }
        ms_lane_tell_failure(&lane, &answer, code);
        (void)snprintf(expected, sizeof expected, "marketo_does_not_answer leads: %s",
                       code.len == 0 ? "HTTP 500" : codes[i][1]);
        assert_string_equal(logged, expected);
    }
}

/* Calls that were under way together count as one failure: one that began after the clock was set
 * back was not under way with one that failed before that, though its time is an earlier one. */
static void
test_a_failure_after_the_clock_was_set_back(void **state)
{
    ms_lane lane;
    int64_t wake = INT64_MAX;
    (void)state;
    ms_lane_init(&lane, "leads", 300);
    (void)ms_lane_failed(&lane, 10 * HOUR, 0, 0, 10 * HOUR, 0);
    assert_int_equal(lane.attempts, 1);
    (void)ms_lane_allows(&lane, 9 * HOUR, &wake);
    (void)ms_lane_failed(&lane, 9 * HOUR + 1000, 0, 0, 9 * HOUR + 2000, UINT32_MAX);
    assert_int_equal(lane.attempts, 2);
    assert_true(lane.not_before > 9 * HOUR + 2000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_that_are_logged),
        cmocka_unit_test(test_a_failure_after_the_clock_was_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
