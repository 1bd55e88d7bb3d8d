/*
 * The clock: the machine's, and as a test moves it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int64_t
machine(void)
{
    return (int64_t)time(NULL) * 1000;
}

static void
write_ahead(int file, int64_t ahead)
{
    assert_int_equal(pwrite(file, &ahead, sizeof ahead, 0), sizeof ahead);
}

static void
test_machine(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("MUNCHKIN_TEST_CLOCK"), 0);
    assert_true(ms_clock_start());
    assert_false(ms_clock_is_moved());
    assert_in_range(ms_clock_now(), machine() - 1000, machine() + 2000);
}

static void
test_moved(void **state)
{
    const int64_t day = 86400000;
    char path[] = "/tmp/munchkin-clock-XXXXXX";
    (void)state;
    int file = mkstemp(path);
    assert_int_equal(setenv("MUNCHKIN_TEST_CLOCK", path, 1), 0);
    assert_false(ms_clock_start()); /* eight bytes are to be there */
    write_ahead(file, day);
    assert_true(ms_clock_start());
    assert_true(ms_clock_is_moved());
    assert_in_range(ms_clock_now(), machine() + day - 1000, machine() + day + 2000);
    write_ahead(file, 2 * day);
    assert_in_range(ms_clock_now(), machine() + 2 * day - 1000, machine() + 2 * day + 2000);
    (void)close(file);
    assert_int_equal(unlink(path), 0);
    assert_false(ms_clock_start());
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine),
        cmocka_unit_test(test_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
