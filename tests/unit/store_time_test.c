/*
 * The queue and time: when a lead is due, what is not sent again, and what is taken.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include <stdio.h>

#define A "{\"Email\":\"a@x.com\",\"FirstName\":\"Ann\"}"

static void
test_lingers(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, A, START);
    identify("b@x.com", NULL, NULL, NULL, START + 4 * SECOND);
    assert_string_equal(take(MS_BY_EMAIL, START + 5 * SECOND - 1), "");
    /* The one that is ripe takes along the one that is not. */
    assert_string_equal(take(MS_BY_EMAIL, START + 5 * SECOND), "a@x.com " A "\nb@x.com {}\n");
    assert_string_equal(take(MS_BY_EMAIL, START + DAY), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lingers, queue_setup, queue_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
