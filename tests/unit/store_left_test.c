/*
 * Leads that Marketo has made of a user id alone, and whose user turns out to be another one: what
 * was said of that user goes to the other, whatever is under way meanwhile, and the lead that was
 * left is told that it has no user id.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "known_leads.h"

/* The one that is due by this selection is under way; the queue's id of its lead. */
static int64_t
start(ms_lead_selection selection, const char *line, int64_t now)
{
    assert_string_equal(take(selection, now), line);
    return taken[0].id;
}

/* A call to the lead that is left is another row's by now: it is the only one all the same. */
static void
test_a_call_that_goes_on_is_the_only_one_to_its_lead(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify(NULL, "u1", NULL, "{\"B\":1}", START);
    identify("a@x.com", NULL, NULL, "{\"C\":1}", START);
    int64_t to_7 = start(MS_BY_MARKETO_ID, "#7 @u1  {\"B\":1}\n", LATER);
    int64_t by_email = start(MS_BY_EMAIL, "a@x.com {\"C\":1}\n", LATER);
    identify("a@x.com", "u1", NULL, "{\"D\":1}", LATER);
    ok(ms_store_lead_sent(queue, by_email, 9, LATER));
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "");
    ok(ms_store_lead_sent(queue, to_7, 7, MUCH_LATER));
    (void)email_lookups(MUCH_LATER + DAY);
    ok(ms_store_email_looked_up(queue, taken[0].id, 9, MUCH_LATER + DAY));
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + 2 * DAY),
                        "#9 @u1 a@x.com {\"B\":1,\"D\":1}\n" LEFT);
}

/* What a call by user id makes is not whom the cookie has meanwhile proved the user to be. */
static void
test_a_call_by_user_id_takes_nobody_from_their_cookie(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    int64_t by_user_id = start(MS_BY_USER_ID, "@u1  {\"A\":1}\n", LATER);
    identify(NULL, "u1", COOKIE, "{\"B\":1}", LATER);
    answer(7, "ann@x.com", LATER + 5 * SECOND);
    ok(ms_store_lead_sent(queue, by_user_id, 8, LATER + 6 * SECOND));
    identify("ann@x.com", NULL, NULL, "{\"C\":1}", LATER + 10 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + DAY),
                        "#7 @u1 ann@x.com {\"A\":1,\"B\":1,\"C\":1}\n#8  {\"UserId\":null}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, MUCH_LATER + DAY));
    ok(ms_store_lead_sent(queue, taken[1].id, 8, MUCH_LATER + DAY));
    assert_string_equal(associations(MUCH_LATER + 2 * DAY), "");
}

/* Nor is it whom the cookie will be said to be of: what came with that waits for the answer. */
static void
test_a_call_by_user_id_takes_nobody_from_a_cookie_that_is_looked_up(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    int64_t by_user_id = start(MS_BY_USER_ID, "@u1  {\"A\":1}\n", LATER);
    identify(NULL, "u1", COOKIE, "{\"B\":1}", LATER);
    ok(ms_store_lead_sent(queue, by_user_id, 8, LATER + SECOND));
    answer(7, "ann@x.com", LATER + 5 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#7 @u1 ann@x.com {\"B\":1}\n");
}

/* If it is nobody's, there is one lead. */
static void
test_a_call_by_user_id_while_a_cookie_of_nobodys_is_looked_up(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    int64_t by_user_id = start(MS_BY_USER_ID, "@u1  {\"A\":1}\n", LATER);
    identify(NULL, "u1", COOKIE, "{\"B\":1}", LATER);
    answer(0, NULL, LATER + 5 * SECOND);
    assert_string_equal(take(MS_BY_USER_ID, MUCH_LATER), "");
    ok(ms_store_lead_sent(queue, by_user_id, 8, MUCH_LATER));
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + DAY), "#8 @u1  {\"B\":1}\n");
    assert_int_equal(leads(), 1);
}

/* The user id, with an address, goes over to whom a new cookie is said to be of, as it does to
 * whom a known one is of. */
static void
test_a_new_cookie_that_marketo_knows_takes_the_user_id(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify("a@x.com", "u1", COOKIE, "{\"B\":1}", START);
    answer(9, "a@x.com", LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "#9 @u1 a@x.com {\"B\":1}\n" LEFT);
    ok(ms_store_lead_sent(queue, taken[0].id, 9, LATER));
    identify(NULL, "u1", NULL, "{\"C\":1}", LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#9 @u1 a@x.com {\"C\":1}\n");
}

/* Without an address it says nothing of a lead that Marketo knows. */
static void
test_a_new_cookie_alone_does_not_take_the_user_id(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify(NULL, "u1", COOKIE, "{\"B\":1}", START);
    answer(9, "a@x.com", LATER);
    sync_one(MS_BY_MARKETO_ID, 9, LATER);
    identify(NULL, "u1", NULL, "{\"C\":1}", LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#7 @u1  {\"C\":1}\n");
}

/* It has just been synced, by a call of another row. */
static void
test_the_interval_of_a_lead_that_a_call_has_made(void **state)
{
    (void)state;
    known("a@x.com", NULL, 9);
    identify(NULL, "u1", NULL, "{\"B\":1}", START);
    int64_t by_user_id = start(MS_BY_USER_ID, "@u1  {\"B\":1}\n", LATER);
    identify("a@x.com", "u1", NULL, "{\"D\":1}", LATER);
    ok(ms_store_lead_sent(queue, by_user_id, 7, LATER));
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER + 30 * SECOND - 1), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER),
                        "#9 @u1 a@x.com {\"B\":1,\"D\":1}\n" LEFT);
}

/* The user's row was synced, and is another lead's by now. */
static void
test_the_interval_of_a_lead_that_is_left_for_an_address(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify("a@x.com", NULL, NULL, "{\"C\":1}", START);
    int64_t by_email = start(MS_BY_EMAIL, "a@x.com {\"C\":1}\n", LATER);
    identify(NULL, "u1", NULL, "{\"B\":1}", LATER);
    sync_one(MS_BY_MARKETO_ID, 7, LATER + 10 * SECOND);
    identify("a@x.com", "u1", NULL, "{\"D\":1}", LATER + 10 * SECOND);
    ok(ms_store_lead_sent(queue, by_email, 9, LATER + 11 * SECOND));
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER + 40 * SECOND - 1), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + 30 * SECOND), LEFT);
}

/* The user of Marketo's 7 has gone over to 9 while 7 is told of B. The call is the result's. */
static int64_t
leave_in_flight(void)
{
    known_by_user_id("u1", 7);
    known("a@x.com", NULL, 9);
    identify(NULL, "u1", NULL, "{\"B\":1}", START);
    int64_t to_7 = start(MS_BY_MARKETO_ID, "#7 @u1  {\"B\":1}\n", LATER);
    identify("a@x.com", "u1", NULL, "{\"C\":1}", LATER);
    return to_7;
}

static void
test_what_comes_to_the_lead_that_was_left_goes_to_the_other_too(void **state)
{
    (void)state;
    int64_t to_7 = leave_in_flight();
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "");
    ok(ms_store_lead_sent(queue, to_7, 7, MUCH_LATER));
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + DAY),
                        LEFT "#9 @u1 a@x.com {\"B\":1,\"C\":1}\n");
}

static void
test_what_goes_in_vain_to_the_lead_that_was_left_goes_to_the_other(void **state)
{
    (void)state;
    ok(ms_store_lead_again(queue, leave_in_flight(), MUCH_LATER));
    /* Marketo may be at work on it still. */
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER - 1), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER),
                        LEFT "#9 @u1 a@x.com {\"B\":1,\"C\":1}\n");
}

/* What it was to be told is for nobody else, and no letter. */
static void
test_the_lead_that_was_left_is_gone(void **state)
{
    (void)state;
    int64_t to_7 = leave_in_flight();
    ok(ms_store_forget_marketo_id(queue, 7, LATER));
    ok(ms_store_lead_again(queue, to_7, LATER));
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#9 @u1 a@x.com {\"B\":1,\"C\":1}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 9, MUCH_LATER));
    assert_int_equal(counts().leads_waiting + counts().leads_held, 0);
    ok(ms_store_tidy(queue, START + HOLD + DAY));
    assert_string_equal(dead_letters(), "");
}

static void
test_the_lead_that_was_left_is_gone_when_it_is_told(void **state)
{
    (void)state;
    ok(ms_store_lead_sent(queue, leave_in_flight(), 7, LATER));
    (void)take(MS_BY_MARKETO_ID, MUCH_LATER);
    assert_int_equal(taken_count, 2);
    ok(ms_store_forget_marketo_id(queue, 7, MUCH_LATER));
    ok(ms_store_lead_again(queue, taken[0].id, MUCH_LATER));
    ok(ms_store_lead_sent(queue, taken[1].id, 9, MUCH_LATER));
    assert_int_equal(counts().leads_waiting + counts().leads_held, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_call_that_goes_on_is_the_only_one_to_its_lead),
        TEST(test_a_call_by_user_id_takes_nobody_from_their_cookie),
        TEST(test_a_call_by_user_id_takes_nobody_from_a_cookie_that_is_looked_up),
        TEST(test_a_call_by_user_id_while_a_cookie_of_nobodys_is_looked_up),
        TEST(test_a_new_cookie_that_marketo_knows_takes_the_user_id),
        TEST(test_a_new_cookie_alone_does_not_take_the_user_id),
        TEST(test_the_interval_of_a_lead_that_a_call_has_made),
        TEST(test_the_interval_of_a_lead_that_is_left_for_an_address),
        TEST(test_what_comes_to_the_lead_that_was_left_goes_to_the_other_too),
        TEST(test_what_goes_in_vain_to_the_lead_that_was_left_goes_to_the_other),
        TEST(test_the_lead_that_was_left_is_gone),
        TEST(test_the_lead_that_was_left_is_gone_when_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
