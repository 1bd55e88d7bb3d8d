/* What comes for a lead while Marketo is told of it, or asked about its cookie. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#define RIPE (START + 5 * SECOND)

static const ms_slice none = {"", 0};

/* Of SOAP, where a cookie takes a sync of its lead's: that is one call for two cookies, and another
 * once it has ended. */
static void
test_two_cookies_of_a_lead(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    sync_one(MS_BY_ANY, 7, RIPE);
    identify_in_browser(NULL, "u1", "c3", NULL, RIPE);
    identify_in_browser(NULL, "u1", "c4", NULL, RIPE);
    assert_string_equal(take(MS_BY_ANY, RIPE + DAY), "#7 @u1 %c4  {}\n");
    int64_t first = taken[0].id;
    assert_string_equal(take(MS_BY_ANY, RIPE + DAY), "");
    ok(ms_store_lead_sent(queue, first, 7, RIPE + DAY));
    assert_string_equal(take(MS_BY_ANY, RIPE + 2 * DAY), "#7 @u1 %c3  {}\n");
}

/* Whoever the e-mail finds or makes has nothing of what was sent to the lead that is gone. */
static void
test_all_is_sent_to_the_next_lead(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    ok(ms_store_forget_marketo_id(queue, 7, RIPE));
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"B\":2}", RIPE);
    assert_string_equal(take(MS_BY_EMAIL, RIPE + 60 * SECOND), "a@x.com {\"A\":1,\"B\":2}\n");
}

/* A call for a cookie alone had no field that has waited. */
static void
test_a_field_that_came_while_a_cookie_flew(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    sync_one(MS_BY_ANY, 7, RIPE);
    identify_in_browser("a@x.com", NULL, "c1", NULL, RIPE);
    assert_string_equal(take(MS_BY_ANY, RIPE + 60 * SECOND), "#7 %c1 a@x.com {}\n");
    identify("a@x.com", NULL, NULL, "{\"B\":2}", RIPE + 61 * SECOND);
    ok(ms_store_lead_again(queue, taken[0].id, RIPE + 62 * SECOND));
    assert_int_equal(counts().leads_waiting, 1);
    assert_string_equal(take(MS_BY_ANY, RIPE + DAY), "#7 %c1 a@x.com {\"B\":2}\n");
}

/* Until Marketo has said whose the cookie is, nobody is taken for somebody else by a user id. */
static void
test_a_user_id_does_not_move_while_a_cookie_is_looked_up(void **state)
{
    (void)state;
    identify("a@x.com", "u1", NULL, "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify(NULL, NULL, "c1", NULL, RIPE);
    assert_string_equal(lookups(RIPE + 5 * SECOND), "c1>0\n");
    identify("b@x.com", "u1", "c1", "{\"B\":1}", RIPE + 6 * SECOND);
    identify(NULL, "u1", NULL, "{\"C\":1}", RIPE + 7 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 60 * SECOND), "#7 @u1 a@x.com {\"C\":1}\n");
}

/* The answer about one cookie names the address of a lead whose own cookie is being looked up. */
static void
test_a_lead_that_is_looked_up_is_left_to_its_answer(void **state)
{
    (void)state;
    identify("a@x.com", NULL, "c1", "{\"A\":1}", START);
    identify(NULL, NULL, "c2", "{\"B\":1}", START + SECOND);
    assert_string_equal(lookups(RIPE + SECOND), "c1>0\nc2>0\n");
    int64_t first = cookies[0].id;
    ok(ms_store_looked_up(queue, cookies[1].id, 7, slice("a@x.com"), RIPE + SECOND));
    ok(ms_store_looked_up(queue, first, 8, none, RIPE + SECOND));
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 60 * SECOND), "#8 a@x.com {\"A\":1}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 8, RIPE + 60 * SECOND));
    /* One of two leads of an address waits until the other has been sent. */
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + DAY), "#7 a@x.com {\"B\":1}\n");
}

/* Marketo makes a lead of a user id alone while the page says who that is: whom Marketo has known
 * before. */
static void
test_a_known_lead_does_not_become_a_nameless_one(void **state)
{
    const int64_t now = RIPE + 3600 * SECOND;
    (void)state;
    identify_in_browser("a@x.com", NULL, NULL, "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify(NULL, "u1", NULL, "{\"B\":1}", now);
    assert_string_equal(take(MS_BY_USER_ID, now + 5 * SECOND), "@u1  {\"B\":1}\n");
    int64_t nameless = taken[0].id;
    identify_in_browser("a@x.com", "u1", NULL, "{\"A\":1}", now + 6 * SECOND);
    ok(ms_store_lead_sent(queue, nameless, 9, now + 7 * SECOND));
    identify_in_browser("a@x.com", NULL, NULL, "{\"A\":1,\"C\":1}", now + 8 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, now + 60 * SECOND),
                        "#7 @u1 a@x.com {\"B\":1,\"C\":1}\n#9  {\"UserId\":null}\n");
}

/* The one address that is asked about is this lead's. */
static void
answer_email(int64_t marketo_id, int64_t now)
{
    assert_string_equal(email_lookups(now), "a@x.com\n");
    ok(ms_store_email_looked_up(queue, taken[0].id, marketo_id, now));
}

#define SAID "{\"Email\":\"a@x.com\",\"Plan\":\"pro\",\"UserId\":\"u1\"}"

/* The user's first address comes with what Marketo's 7 has, while a sync of that is under way: the
 * lead that has the address gets it all the same. */
static void
expect_all_with_the_first_address(int64_t sync)
{
    identify("a@x.com", "u1", NULL, SAID, RIPE + SECOND);
    ok(ms_store_lead_sent(queue, sync, 7, RIPE + 2 * SECOND));
    answer_email(9, RIPE + 60 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 100 * SECOND),
                        "#9 @u1 a@x.com " SAID "\n#7  {\"UserId\":null}\n");
}

static void
test_what_a_sync_by_user_id_said_goes_with_the_first_address(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"Plan\":\"pro\",\"UserId\":\"u1\"}", START);
    assert_string_equal(take(MS_BY_USER_ID, RIPE), "@u1  {\"Plan\":\"pro\",\"UserId\":\"u1\"}\n");
    expect_all_with_the_first_address(taken[0].id);
}

static void
test_what_was_sent_before_goes_with_the_first_address(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"Plan\":\"pro\",\"UserId\":\"u1\"}", START - 3600 * SECOND);
    sync_one(MS_BY_USER_ID, 7, START - 3500 * SECOND);
    identify(NULL, "u1", NULL, "{\"Seats\":3}", START);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE), "#7 @u1  {\"Seats\":3}\n");
    expect_all_with_the_first_address(taken[0].id);
}

/* Marketo has two leads of the person: 7, made of the user id, and 9, which has the address. Both
 * are told of while the queue learns that they are one person. */
static void
test_what_another_lead_was_sent_is_sent_when_it_is_said_again(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"Plan\":\"pro\",\"UserId\":\"u1\"}", START);
    identify("a@x.com", NULL, NULL, "{\"B\":1}", START);
    (void)take(MS_BY_USER_ID, RIPE);
    int64_t by_user_id = taken[0].id;
    (void)take(MS_BY_EMAIL, RIPE);
    int64_t by_address = taken[0].id;
    identify("a@x.com", "u1", NULL, NULL, RIPE + SECOND);
    ok(ms_store_lead_sent(queue, by_user_id, 7, RIPE + 2 * SECOND));
    ok(ms_store_lead_sent(queue, by_address, 9, RIPE + 3 * SECOND));
    answer_email(9, RIPE + 60 * SECOND);
    identify("a@x.com", "u1", NULL, "{\"B\":1,\"Plan\":\"pro\",\"UserId\":\"u1\"}",
             RIPE + 61 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 100 * SECOND),
                        "#9 @u1 a@x.com {\"Plan\":\"pro\",\"UserId\":\"u1\"}\n"
                        "#7  {\"UserId\":null}\n");
}

/* An hour before all that Marketo's 7 was told, their Plan was free; it comes now. */
static void
say_something_older(const char *email, const char *user_id)
{
    const ms_command late = {.kind = MS_COMMAND_LEAD,
                             .who = {slice(email), slice(user_id), none, true},
                             .time = START - 3600 * SECOND,
                             .fields = slice("{\"Plan\":\"free\"}")};
    request(&late, RIPE + SECOND);
}

static void
test_what_is_older_does_not_go_to_the_lead_that_has_the_address(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"Plan\":\"pro\"}", START);
    sync_one(MS_BY_USER_ID, 7, RIPE);
    identify("a@x.com", "u1", NULL, "{\"B\":1}", RIPE);
    say_something_older("", "u1");
    answer_email(9, RIPE + 60 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 100 * SECOND),
                        "#9 @u1 a@x.com {\"B\":1}\n#7  {\"UserId\":null}\n");
}

/* The newest value is as new if it is said late. */
static void
test_what_was_sent_goes_to_the_lead_that_has_the_address_if_it_is_said_late(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"Plan\":\"free\"}", START);
    sync_one(MS_BY_USER_ID, 7, RIPE);
    identify("a@x.com", "u1", NULL, NULL, RIPE);
    say_something_older("", "u1");
    answer_email(9, RIPE + 60 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 100 * SECOND),
                        "#9 @u1 a@x.com {\"Plan\":\"free\"}\n#7  {\"UserId\":null}\n");
}

static void
test_what_is_older_does_not_go_to_the_next_lead(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"Plan\":\"pro\"}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    ok(ms_store_forget_marketo_id(queue, 7, RIPE));
    say_something_older("a@x.com", "");
    assert_string_equal(take(MS_BY_EMAIL, RIPE + 60 * SECOND), "a@x.com {}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 8, RIPE + 60 * SECOND));
    /* What is as new as what the former one had got is not. */
    identify("a@x.com", NULL, NULL, "{\"Plan\":\"pro\"}", RIPE + 61 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 100 * SECOND),
                        "#8 a@x.com {\"Plan\":\"pro\"}\n");
}

/* Two cookies are looked up, one that came with the address and one with the user id; meanwhile
 * they are said to be one person's. Whichever answer comes first, they are. */
static void
expect_one_lead(const char *first, const char *second)
{
    identify("a@x.com", NULL, "c1", "{\"B\":2}", START);
    identify(NULL, "u1", "c2", "{\"A\":1}", START);
    identify("a@x.com", "u1", NULL, "{\"C\":3}", START);
    (void)lookups(RIPE);
    for (int i = 0; i < 4; i++) {
        ms_slice next = slice(i < 2 ? first : second);
        if (ms_slice_equal(cookies[i % 2].cookie, next)) {
            ok(ms_store_looked_up(queue, cookies[i % 2].id, 0, none, RIPE));
        }
    }
    assert_string_equal(take(MS_BY_USER_ID, RIPE + DAY), "");
    assert_string_equal(take(MS_BY_EMAIL, RIPE + DAY), "@u1 a@x.com {\"A\":1,\"B\":2,\"C\":3}\n");
    assert_int_equal(query("SELECT count(*) FROM lead"), 1);
}

static void
test_a_user_is_the_addresses_that_is_looked_up_first(void **state)
{
    (void)state;
    expect_one_lead("c1", "c2");
}

static void
test_a_user_that_is_looked_up_first_is_the_addresses(void **state)
{
    (void)state;
    expect_one_lead("c2", "c1");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_two_cookies_of_a_lead),
        TEST(test_all_is_sent_to_the_next_lead),
        TEST(test_a_field_that_came_while_a_cookie_flew),
        TEST(test_a_user_id_does_not_move_while_a_cookie_is_looked_up),
        TEST(test_a_lead_that_is_looked_up_is_left_to_its_answer),
        TEST(test_a_known_lead_does_not_become_a_nameless_one),
        TEST(test_what_a_sync_by_user_id_said_goes_with_the_first_address),
        TEST(test_what_was_sent_before_goes_with_the_first_address),
        TEST(test_what_another_lead_was_sent_is_sent_when_it_is_said_again),
        TEST(test_what_is_older_does_not_go_to_the_lead_that_has_the_address),
        TEST(test_what_was_sent_goes_to_the_lead_that_has_the_address_if_it_is_said_late),
        TEST(test_what_is_older_does_not_go_to_the_next_lead),
        TEST(test_a_user_is_the_addresses_that_is_looked_up_first),
        TEST(test_a_user_that_is_looked_up_first_is_the_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
