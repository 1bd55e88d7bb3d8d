/* Cookies that are tied to a lead by calls of their own (associate.json), and the lead's other
 * calls: one at a time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include <stdio.h>

#define RIPE (START + 5 * SECOND)

static const ms_slice none = {"", 0};

/* Takes one, as rest_cookies.c does; its id, 0 if there is none. */
static int64_t
take_tie(int64_t now)
{
    static unsigned char memory[4096];
    ms_arena arena;
    size_t count = 0;
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_take_associations(queue, now, 1, &arena, cookies, &count));
    return count == 1 ? cookies[0].id : 0;
}

static void
come_with(int cookie, int64_t now)
{
    char text[16];
    (void)snprintf(text, sizeof text, "c%d", cookie);
    identify_in_browser("a@x.com", NULL, text, NULL, now);
}

static void
test_a_lead_is_not_synced_while_it_is_tied(void **state)
{
    (void)state;
    come_with(1, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    assert_string_equal(associations(RIPE), "c1>7\n");
    identify("a@x.com", NULL, NULL, "{\"A\":1}", RIPE + SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 60 * SECOND), "");
    ok(ms_store_associated(queue, cookies[0].id, RIPE + 60 * SECOND));
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 60 * SECOND), "#7 a@x.com {\"A\":1}\n");
}

/* Nor while one is tied to it that has become another's meanwhile. */
static void
test_a_cookie_that_moves_while_it_is_tied(void **state)
{
    (void)state;
    come_with(1, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    assert_string_equal(associations(RIPE), "c1>7\n");
    int64_t tie = cookies[0].id;
    identify_in_browser("b@x.com", NULL, "c1", NULL, RIPE + SECOND);
    identify("a@x.com", NULL, NULL, "{\"A\":1}", RIPE + SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 60 * SECOND), "");
    ok(ms_store_associated(queue, tie, RIPE + 60 * SECOND));
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 60 * SECOND), "#7 a@x.com {\"A\":1}\n");
}

static void
test_a_lead_is_tied_once_at_a_time(void **state)
{
    (void)state;
    come_with(1, START);
    come_with(2, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    int64_t first = take_tie(RIPE);
    assert_int_not_equal(first, 0);
    assert_int_equal(take_tie(RIPE), 0);
    /* Others are. */
    identify_in_browser("b@x.com", NULL, "d1", NULL, RIPE);
    sync_one(MS_BY_EMAIL, 8, RIPE + 5 * SECOND);
    assert_int_not_equal(take_tie(RIPE + 5 * SECOND), 0);
    assert_int_equal(take_tie(RIPE + 5 * SECOND), 0);
    ok(ms_store_associated(queue, first, RIPE + 6 * SECOND));
    assert_int_not_equal(take_tie(RIPE + 6 * SECOND), 0);
}

/* Who comes again and again with another cookie does not keep the lead from its sync: leads are
 * started before ties, so its turn comes between two of them. */
static void
test_many_ties_do_not_hold_up_the_sync(void **state)
{
    (void)state;
    int64_t now = RIPE;
    come_with(0, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    int64_t tie = take_tie(now);
    identify("a@x.com", NULL, NULL, "{\"A\":1}", now);
    for (int i = 1; now < RIPE + 120 * SECOND; i++) {
        come_with(i, now);
        now += 2 * SECOND;
        assert_string_equal(take(MS_BY_MARKETO_ID, now - SECOND), "");
        ok(ms_store_associated(queue, tie, now));
        (void)take(MS_BY_MARKETO_ID, now);
        if (taken_count > 0) {
            break;
        }
        tie = take_tie(now);
    }
    assert_int_equal(taken_count, 1);
    assert_true(now - RIPE <= 30 * SECOND + 5 * SECOND + 2 * SECOND);
}

/* c1 is told to be lead 7's, and is being told to be lead 8's; its id. */
static int64_t
move_once(void)
{
    come_with(1, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    assert_string_equal(associations(RIPE), "c1>7\n");
    ok(ms_store_associated(queue, cookies[0].id, RIPE));
    identify_in_browser("b@x.com", NULL, "c1", NULL, RIPE + SECOND);
    sync_one(MS_BY_EMAIL, 8, RIPE + 10 * SECOND);
    assert_string_equal(associations(RIPE + 10 * SECOND), "c1>8\n");
    return cookies[0].id;
}

/* Nobody knows whether Marketo was told that it had moved. */
static void
test_a_cookie_that_is_back_before_its_tie_fails_is_tied_again(void **state)
{
    (void)state;
    int64_t tie = move_once();
    come_with(1, RIPE + 11 * SECOND);
    ok(ms_store_cookie_again(queue, tie, RIPE + 12 * SECOND));
    assert_string_equal(associations(RIPE + DAY), "c1>7\n");
}

static void
test_a_cookie_that_is_back_after_its_tie_failed_is_tied_again(void **state)
{
    (void)state;
    (void)move_once();
    queue_close();
    queue_open();
    ok(ms_store_recover(queue, RIPE + 11 * SECOND, 90 * SECOND));
    come_with(1, RIPE + 12 * SECOND);
    assert_string_equal(associations(RIPE + DAY), "c1>7\n");
}

/* The same by SOAP, where the sync of lead 8 takes it along; that. */
static int64_t
move_once_by_soap(void)
{
    come_with(1, START);
    sync_one(MS_BY_ANY, 7, RIPE);
    sync_one(MS_BY_ANY, 7, RIPE + 60 * SECOND);
    identify("b@x.com", NULL, NULL, "{\"A\":1}", RIPE + 60 * SECOND);
    sync_one(MS_BY_ANY, 8, RIPE + 70 * SECOND);
    identify_in_browser("b@x.com", NULL, "c1", NULL, RIPE + 70 * SECOND);
    assert_string_equal(take(MS_BY_ANY, RIPE + 200 * SECOND), "#8 %c1 b@x.com {}\n");
    return taken[0].id;
}

static void
test_a_cookie_that_is_back_by_soap_is_tied_again(void **state)
{
    (void)state;
    int64_t sync = move_once_by_soap();
    come_with(1, RIPE + 201 * SECOND);
    ok(ms_store_lead_sent(queue, sync, 8, RIPE + 202 * SECOND));
    assert_string_equal(take(MS_BY_ANY, RIPE + DAY), "#7 %c1 a@x.com {}\n");
}

static void
test_a_cookie_that_is_back_by_soap_after_a_failure_is_tied_again(void **state)
{
    (void)state;
    int64_t sync = move_once_by_soap();
    come_with(1, RIPE + 201 * SECOND);
    ok(ms_store_lead_again(queue, sync, RIPE + 202 * SECOND));
    assert_string_equal(take(MS_BY_ANY, RIPE + DAY), "#7 %c1 a@x.com {}\n");
}

/* A server and a page of one visitor: Marketo is asked whose c1 is, and is told it before it
 * answers. */
static int64_t
tie_before_the_answer(void)
{
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify(NULL, NULL, "c1", "{\"A\":2}", RIPE);
    assert_string_equal(lookups(RIPE + 5 * SECOND), "c1>0\n");
    come_with(1, RIPE + 6 * SECOND);
    assert_string_equal(associations(RIPE + 6 * SECOND), "c1>7\n");
    return cookies[0].id;
}

/* Nothing else is told of the lead until the tie itself has ended. */
static void
expect_being_tied(int64_t cookie)
{
    assert_string_equal(associations(RIPE + DAY), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + DAY), "");
    ok(ms_store_cookie_again(queue, cookie, RIPE + DAY));
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + DAY), "#7 a@x.com {\"A\":2}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, RIPE + DAY));
    assert_string_equal(associations(RIPE + DAY), "c1>7\n");
}

static void
test_a_lookup_that_fails_too_late_leaves_the_tie(void **state)
{
    (void)state;
    int64_t cookie = tie_before_the_answer();
    ok(ms_store_lookup_again(queue, cookie, RIPE + 7 * SECOND));
    expect_being_tied(cookie);
}

static void
test_a_lookup_that_is_refused_too_late_leaves_the_tie(void **state)
{
    (void)state;
    int64_t cookie = tie_before_the_answer();
    ok(ms_store_lookup_refused(queue, cookie, slice("1003"), none, RIPE + 7 * SECOND));
    assert_string_equal(dead_letters(), "");
    expect_being_tied(cookie);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_lead_is_not_synced_while_it_is_tied),
        TEST(test_a_cookie_that_moves_while_it_is_tied),
        TEST(test_a_lead_is_tied_once_at_a_time),
        TEST(test_many_ties_do_not_hold_up_the_sync),
        TEST(test_a_cookie_that_is_back_before_its_tie_fails_is_tied_again),
        TEST(test_a_cookie_that_is_back_after_its_tie_failed_is_tied_again),
        TEST(test_a_cookie_that_is_back_by_soap_is_tied_again),
        TEST(test_a_cookie_that_is_back_by_soap_after_a_failure_is_tied_again),
        TEST(test_a_lookup_that_fails_too_late_leaves_the_tie),
        TEST(test_a_lookup_that_is_refused_too_late_leaves_the_tie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
