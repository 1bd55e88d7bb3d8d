/*
 * The server's rate limit: what a client has, who counts as one, and that none can push its own
 * drained bucket out of the table.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/rate_limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static ms_rate_limit limit;

/* Asks as the client of an address, IPv4 or IPv6. */
static unsigned int
ask(const char *address, double now)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        return ms_rate_limit_take(&limit, (const struct sockaddr *)&v4, now);
    }
    assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return ms_rate_limit_take(&limit, (const struct sockaddr *)&v6, now);
}

static void
test_burst_and_refill(void **state)
{
    (void)state;
    assert_true(ms_rate_limit_init(&limit, 2));
    assert_int_equal(ask("192.0.2.1", 100), 0);
    assert_int_equal(ask("192.0.2.1", 100), 0);
    /* One in thirty seconds; the wait is rounded up. */
    assert_int_equal(ask("192.0.2.1", 100), 31);
    assert_int_equal(ask("192.0.2.1", 115), 16);
    assert_int_equal(ask("192.0.2.1", 131), 0);
    assert_true(ask("192.0.2.1", 131) > 0);
    /* However long it has been away, it has no more than the burst. */
    assert_int_equal(ask("192.0.2.1", 100000), 0);
    assert_int_equal(ask("192.0.2.1", 100000), 0);
    assert_true(ask("192.0.2.1", 100000) > 0);
}

static void
test_who_is_one_client(void **state)
{
    (void)state;
    assert_true(ms_rate_limit_init(&limit, 1));
    assert_int_equal(ask("2001:db8:1:2::1", 100), 0);
    assert_true(ask("2001:db8:1:2:ffff::9", 100) > 0);
    assert_int_equal(ask("2001:db8:1:3::1", 100), 0);
    assert_int_equal(ask("192.0.2.1", 100), 0);
    assert_true(ask("::ffff:192.0.2.1", 100) > 0);
    assert_int_equal(ask("192.0.2.2", 100), 0);
    assert_int_equal(ask("0.0.0.0", 100), 0);
    assert_true(ask("0.0.0.0", 100) > 0);
}

static void
test_no_new_bucket_by_crowding(void **state)
{
    (void)state;
    assert_true(ms_rate_limit_init(&limit, 10));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ask("192.0.2.1", 100), 0);
    }
    assert_true(ask("192.0.2.1", 100) > 0);
    /* Many times the table: every row overflows. */
    for (uint32_t i = 0; i < (uint32_t)20 * MS_RATE_ROWS * MS_RATE_BUCKETS; i++) {
        struct sockaddr_in other = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(0x0A000000 + i)};
        assert_int_equal(ms_rate_limit_take(&limit, (const struct sockaddr *)&other, 100), 0);
    }
    assert_true(ask("192.0.2.1", 100) > 0);
}

/* Asks about an e-mail address. */
static unsigned int
ask_about(const char *email, double now)
{
    return ms_rate_limit_take_email(&limit, ms_slice_from(email), now);
}

static void
test_emails(void **state)
{
    (void)state;
    assert_true(ms_rate_limit_init(&limit, 2));
    assert_int_equal(ask_about("ada@example.com", 100), 0);
    assert_int_equal(ask_about("Ada@EXAMPLE.com", 100), 0);
    assert_int_equal(ask_about("ADA@example.COM", 100), 31); /* in either case */
    assert_int_equal(ask_about("ada@example.co", 100), 0);
    assert_int_equal(ask_about("bda@example.com", 100), 0);
    /* Many times the table, and none gets its own back. */
    for (int i = 0; i < 20 * MS_RATE_ROWS * MS_RATE_BUCKETS; i++) {
        char email[32];
        (void)snprintf(email, sizeof email, "%d@example.com", i);
        assert_int_equal(ask_about(email, 100), 0);
    }
    assert_true(ask_about("ada@example.com", 100) > 0);
}

/* The only one that has a bucket. */
static uint64_t
who_is_in(const ms_rate_limit *asked)
{
    uint64_t who = 0;
    for (size_t row = 0; row < MS_RATE_ROWS; row++) {
        for (size_t i = 0; i < MS_RATE_BUCKETS; i++) {
            assert_true(who == 0 || asked->table[row][i].who == 0);
            who |= asked->table[row][i].who;
        }
    }
    assert_true(who != 0);
    return who;
}

/* Whoever sees the table sees no address in it, nor what another process has for the same. */
static void
test_emails_are_not_in_the_table(void **state)
{
    (void)state;
    static const char email[] = "ada@example.com";
    static const char begin[] = "ada@";
    static ms_rate_limit other;
    assert_true(ms_rate_limit_init(&limit, 2));
    assert_true(ms_rate_limit_init(&other, 2));
    assert_int_equal(ask_about(email, 100), 0);
    assert_null(memmem(&limit, sizeof limit, begin, sizeof begin - 1));
    assert_int_equal(ms_rate_limit_take_email(&other, ms_slice_from(email), 100), 0);
    assert_true(who_is_in(&limit) != who_is_in(&other));
}

static void
test_no_limit(void **state)
{
    (void)state;
    assert_true(ms_rate_limit_init(&limit, 0));
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ask("192.0.2.1", 100), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_and_refill),
        cmocka_unit_test(test_who_is_one_client),
        cmocka_unit_test(test_no_new_bucket_by_crowding),
        cmocka_unit_test(test_emails),
        cmocka_unit_test(test_emails_are_not_in_the_table),
        cmocka_unit_test(test_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
