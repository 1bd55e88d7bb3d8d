/*
 * Dead letters that are sent again: what they say stays as old as it is, and goes to whom it was
 * about.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "known_leads.h"

#include <stdio.h>

#define RIPE (START + 5 * SECOND)

static const ms_slice none = {"", 0};

static void
test_fields_are_as_old_as_they_were(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"B\":1}", START);
    identify("a@x.com", NULL, NULL, "{\"C\":1}", START + 2 * SECOND);
    (void)take(MS_BY_EMAIL, RIPE);
    identify("a@x.com", NULL, NULL, "{\"A\":2}", RIPE + SECOND);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE + 2 * SECOND));
    assert_string_equal(dead_letters(),
                        "lead a@x.com 1003 {\"email\":\"a@x.com\",\"times\":[1790000000000,"
                        "1790000000000,1790000002000],\"fields\":{\"A\":1,\"B\":1,\"C\":1}}\n");
    sync_one(MS_BY_EMAIL, 7, RIPE + 60 * SECOND);
    /* Older than one, and newer than the other. */
    identify("a@x.com", NULL, NULL, "{\"B\":2}", RIPE + 70 * SECOND);
    assert_int_equal(retry(0, RIPE + 80 * SECOND), 1);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + DAY), "#7 a@x.com {\"B\":2,\"C\":1}\n");
}

static void
test_fields_go_to_the_lead_that_they_are_of(void **state)
{
    (void)state;
    /* The cookie's lead was told an address that is somebody else's. */
    identify("b@x.com", NULL, NULL, "{\"A\":9}", START);
    sync_one(MS_BY_EMAIL, 9, RIPE);
    identify("b@x.com", NULL, COOKIE, "{\"A\":7}", RIPE);
    assert_string_not_equal(lookups(RIPE + 5 * SECOND), "");
    ok(ms_store_looked_up(queue, cookies[0].id, 7, slice("a@x.com"), RIPE + 5 * SECOND));
    (void)take(MS_BY_MARKETO_ID, RIPE + 10 * SECOND);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE + 10 * SECOND));
    assert_int_equal(retry(0, RIPE + 60 * SECOND), 1);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + DAY), "#7 b@x.com {\"A\":7}\n");
}

/* Lead 7 of u1 is refused something, and then gone: by the user id it is lead 8. */
static void
test_fields_of_a_lead_that_is_gone(void **state)
{
    int64_t now = RIPE;
    (void)state;
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    sync_one(MS_BY_USER_ID, 7, now);
    identify(NULL, "u1", NULL, "{\"A\":2}", now += 60 * SECOND);
    (void)take(MS_BY_MARKETO_ID, now += 60 * SECOND);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, now));
    ok(ms_store_forget_marketo_id(queue, 7, now));
    sync_one(MS_BY_USER_ID, 8, now += 60 * SECOND);
    assert_int_equal(retry(0, now), 1);
    assert_string_equal(take(MS_BY_MARKETO_ID, now + 60 * SECOND), "#8 @u1  {\"A\":2}\n");
}

static void
test_an_address_does_not_come_back(void **state)
{
    int64_t now = RIPE;
    (void)state;
    identify("x@x.com", NULL, COOKIE, "{\"A\":1}", START);
    assert_string_not_equal(lookups(now), "");
    ok(ms_store_looked_up(queue, cookies[0].id, 0, none, now));
    sync_one(MS_BY_EMAIL, 7, now);
    identify("x@x.com", NULL, COOKIE, "{\"A\":2}", now += 60 * SECOND);
    (void)take(MS_BY_MARKETO_ID, now += 60 * SECOND);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, now));
    identify("y@x.com", NULL, COOKIE, "{\"Email\":\"y@x.com\"}", now);
    sync_one(MS_BY_MARKETO_ID, 7, now += 60 * SECOND);
    assert_int_equal(retry(0, now), 1);
    assert_string_equal(take(MS_BY_MARKETO_ID, now + 60 * SECOND), "#7 y@x.com {\"A\":2}\n");
}

/* Of a cookie alone Marketo is asked whose it is. */
static void
test_what_only_a_cookie_tells(void **state)
{
    (void)state;
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    assert_string_not_equal(lookups(RIPE), "");
    ok(ms_store_lookup_refused(queue, cookies[0].id, slice("1003"), none, RIPE));
    assert_int_equal(retry(0, RIPE), 1);
    assert_string_equal(lookups(RIPE + 60 * SECOND), COOKIE ">0\n");
    ok(ms_store_looked_up(queue, cookies[0].id, 7, none, RIPE + 60 * SECOND));
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + DAY), "#7  {\"A\":1}\n");
}

/* SOAP says the cookie in the lead's own sync. */
static void
refuse_with_cookie(void)
{
    identify("a@x.com", NULL, COOKIE, "{\"A\":1}", START);
    assert_string_equal(take(MS_BY_ANY, RIPE), "%" COOKIE " a@x.com {\"A\":1}\n");
    ok(ms_store_lead_refused(queue, taken[0].id, slice("20103"), none, RIPE));
}

static void
test_a_cookie_that_is_still_theirs_is_tied(void **state)
{
    (void)state;
    refuse_with_cookie();
    assert_int_equal(retry(0, RIPE + 70 * SECOND), 1);
    sync_one(MS_BY_ANY, 7, RIPE + 70 * SECOND);
    assert_string_equal(take(MS_BY_ANY, RIPE + DAY), "#7 %" COOKIE " a@x.com {}\n");
}

/* Takes by any key into `size` bytes; how many leads that were. */
static size_t
take_into(size_t size)
{
    static unsigned char memory[4096];
    ms_arena arena;
    ms_arena_init(&arena, memory, size);
    ok(ms_store_take_leads(queue, MS_BY_ANY, RIPE, 10, MS_LEAD_FIELDS_MAX, &arena, taken,
                           &taken_count));
    return taken_count;
}

static void
test_one_that_fits_in_no_call_is_put_aside_once(void **state)
{
    (void)state;
    identify("a.long.address.indeed@x.com", "u1", COOKIE, "{\"A\":1}", START);
    identify("b@x.com", NULL, NULL, "{\"A\":2}", START);
    assert_int_equal(take_into(64), 1);
    assert_string_equal(taken[0].email.ptr, "b@x.com");
    assert_int_equal(take_into(64), 0);
    assert_string_equal(dead_letters(), "lead a.long.address.indeed@x.com too_large "
                                        "{\"email\":\"a.long.address.indeed@x.com\","
                                        "\"userId\":\"u1\",\"cookie\":\"" COOKIE "\","
                                        "\"time\":1790000000000,\"fields\":{\"A\":1}}\n");
}

static void
test_a_cookie_that_moved_stays(void **state)
{
    (void)state;
    refuse_with_cookie();
    identify_in_browser("b@x.com", NULL, COOKIE, "{\"A\":2}", RIPE);
    sync_one(MS_BY_ANY, 8, RIPE + 60 * SECOND);
    assert_int_equal(retry(0, RIPE + 70 * SECOND), 1);
    assert_int_equal(query("SELECT email = 'b@x.com' FROM cookie, lead ON lead.id = cookie.lead"),
                     1);
    assert_string_equal(take(MS_BY_ANY, RIPE + DAY),
                        "a@x.com {\"A\":1}\n#8 %" COOKIE " b@x.com {}\n");
}

/* What is put aside again is a letter like those before, and not met again. */
static void
test_too_large_again(void **state)
{
    char fields[70000];
    (void)state;
    (void)snprintf(fields, sizeof fields, "{\"A\":\"%0*d\"}", 66000, 1);
    identify("a@x.com", NULL, NULL, fields, START);
    identify("b@x.com", NULL, NULL, fields, START);
    assert_int_equal(counts().dead, 2);
    assert_int_equal(retry(0, RIPE), 0);
    assert_int_equal(counts().dead, 2);
    assert_int_equal(retry(3, RIPE), 0);
    assert_int_equal(retry(3, RIPE), 0); /* it has another number now */
    uint64_t count = 0;
    ok(ms_store_dead_drop(queue, 0, &count));
    assert_int_equal(count, 2);
}

/* By SOAP, where nothing but the cookie says whose the lead is. */
static void
test_a_lead_of_a_cookie_alone(void **state)
{
    (void)state;
    identify(NULL, NULL, "c1", "{\"A\":1}", START);
    assert_string_equal(take(MS_BY_ANY, START + 10 * SECOND), "%c1  {\"A\":1}\n");
    ok(ms_store_lead_refused(queue, taken[0].id, slice("20103"), slice("r"), START + 10 * SECOND));
    identify(NULL, NULL, "c1", "{\"B\":1}", START + 11 * SECOND);
    assert_string_equal(take(MS_BY_ANY, START + 100 * SECOND), "%c1  {\"B\":1}\n");
    ok(ms_store_lead_refused(queue, taken[0].id, slice("20103"), slice("r"), START + 100 * SECOND));
    assert_int_equal(retry(0, START + 200 * SECOND), 2);
    assert_string_equal(take(MS_BY_ANY, START + 300 * SECOND), "%c1  {\"A\":1,\"B\":1}\n");
}

/* The call of a process that was killed may still be under way. */
static void
test_a_retry_keeps_the_pause_after_a_restart(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    (void)take(MS_BY_EMAIL, START + 10 * SECOND);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), slice(""), START + 10 * SECOND));
    identify("a@x.com", NULL, NULL, "{\"B\":1}", START + 60 * SECOND);
    (void)take(MS_BY_EMAIL, START + 90 * SECOND);
    queue_close();
    queue_open();
    ok(ms_store_recover(queue, START + 92 * SECOND, 90 * SECOND));
    assert_int_equal(retry(0, START + 95 * SECOND), 1);
    assert_string_equal(take(MS_BY_EMAIL, START + 181 * SECOND), "");
    assert_string_equal(take(MS_BY_EMAIL, START + 182 * SECOND), "a@x.com {\"A\":1,\"B\":1}\n");
}

/* u1 has become b, by the time at which a letter about a goes again. */
static void
expect_user_id_of_b(void)
{
    identify("b@x.com", "u1", NULL, "{\"A\":2}", RIPE + SECOND);
    sync_one(MS_BY_EMAIL, 8, RIPE + 40 * SECOND);
    assert_int_not_equal(retry(0, RIPE + 60 * SECOND), 0);
    sync_one(MS_BY_EMAIL, 7, RIPE + 100 * SECOND);
    identify(NULL, "u1", NULL, "{\"B\":1}", RIPE + 110 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 300 * SECOND), "#8 @u1 b@x.com {\"B\":1}\n");
}

static void
test_a_user_id_does_not_come_back(void **state)
{
    (void)state;
    identify("a@x.com", "u1", NULL, "{\"A\":1}", START);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), slice("r"), RIPE));
    expect_user_id_of_b();
}

static ms_command
activity_of(const char *email, const char *user_id, const char *cookie)
{
    return (ms_command){.kind = MS_COMMAND_ACTIVITY,
                        .who = {slice(email), slice(user_id), slice(cookie), true},
                        .time = START,
                        .activity_type = 5,
                        .primary_value = slice("p"),
                        .attributes = slice("[]")};
}

static void
test_a_user_id_does_not_come_back_by_an_activity(void **state)
{
    (void)state;
    const ms_command activity = activity_of("a@x.com", "u1", "");
    request(&activity, START);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), slice("r"), RIPE));
    expect_user_id_of_b();
}

/* An activity is refused with its lead; then its cookie, c1, has come to lead 8, of b. */
static void
refuse_before_the_cookie_moves(const ms_command *activity, ms_lead_selection selection)
{
    (void)take(selection, START);
    (void)lookups(START);
    request(activity, START);
    assert_string_equal(lookups(RIPE), "c1>0\n");
    ok(ms_store_looked_up(queue, cookies[0].id, 0, none, RIPE));
    (void)take(selection, RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE));
    identify_in_browser("b@x.com", "u2", "c1", NULL, RIPE + SECOND);
    sync_one(MS_BY_EMAIL, 8, RIPE + 10 * SECOND);
    assert_string_equal(associations(RIPE + 10 * SECOND), "c1>8\n");
    ok(ms_store_associated(queue, cookies[0].id, RIPE + 10 * SECOND));
}

static void
test_a_cookie_does_not_come_back_by_an_activity(void **state)
{
    (void)state;
    const ms_command activity = activity_of("a@x.com", "", "c1");
    refuse_before_the_cookie_moves(&activity, MS_BY_EMAIL);
    assert_int_equal(retry(0, RIPE + DAY), 2); /* of the lead and of the activity */
    sync_one(MS_BY_EMAIL, 7, RIPE + DAY + 60 * SECOND);
    assert_string_equal(associations(RIPE + 2 * DAY), "");
    assert_int_equal(query("SELECT email = 'b@x.com' FROM cookie, lead ON lead.id = cookie.lead"),
                     1);
}

static void
test_an_activity_does_not_follow_its_cookie(void **state)
{
    (void)state;
    const ms_command activity = activity_of("", "u1", "c1");
    refuse_before_the_cookie_moves(&activity, MS_BY_USER_ID);
    assert_int_equal(retry(0, RIPE + DAY), 2); /* of the lead and of the activity */
    assert_int_equal(query("SELECT count(*) FROM lead WHERE user_id = 'u1' AND marketo_id = 0 AND "
                           "id IN (SELECT lead FROM activity)"),
                     1);
}

/* Its lead was given up, since nobody knew whose the cookie is; now somebody does. */
static void
test_an_activity_that_only_a_cookie_tells(void **state)
{
    (void)state;
    const ms_command activity = activity_of("", "", "c1");
    (void)take(MS_BY_EMAIL, START);
    (void)lookups(START);
    request(&activity, START);
    assert_string_equal(lookups(RIPE), "c1>0\n");
    ok(ms_store_looked_up(queue, cookies[0].id, 0, slice(""), RIPE));
    ok(ms_store_tidy(queue, RIPE + HOLD + SECOND));
    assert_int_equal(counts().dead, 1);
    identify_in_browser("a@x.com", NULL, "c1", NULL, RIPE + HOLD + 2 * SECOND);
    assert_int_equal(retry(0, RIPE + HOLD + 3 * SECOND), 1);
    sync_one(MS_BY_EMAIL, 7, RIPE + HOLD + 60 * SECOND);
    assert_int_equal(query("SELECT count(*) FROM activity WHERE due > 0"), 1);
}

/* Nobody's at first. When the letter goes again Marketo is asked once more. */
static void
test_a_cookie_that_marketo_knows_by_now(void **state)
{
    (void)state;
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    answer(0, NULL, RIPE);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_tidy(queue, RIPE + HOLD));
    assert_int_equal(retry(0, RIPE + HOLD), 1);
    answer(7, "a@x.com", RIPE + HOLD + 5 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + HOLD + DAY), "#7 a@x.com {\"A\":1}\n");
}

static void
test_an_activity_of_a_cookie_that_marketo_knows_by_now(void **state)
{
    (void)state;
    const ms_command activity = activity_of("", "", COOKIE);
    request(&activity, START);
    answer(0, NULL, RIPE);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_tidy(queue, RIPE + HOLD));
    assert_int_equal(retry(0, RIPE + HOLD), 1);
    answer(7, "a@x.com", RIPE + HOLD + 5 * SECOND);
    assert_string_equal(activities(RIPE + HOLD + DAY), ">7\n");
}

/* The user of Marketo's 7, of whom there is a letter, is 9 by now: what the letter says goes there.
 */
static void
leave_before_the_retry(void)
{
    known("a@x.com", NULL, 9);
    identify("a@x.com", "u1", NULL, "{\"C\":1}", LATER);
    (void)take(MS_BY_MARKETO_ID, MUCH_LATER);
    assert_int_equal(taken_count, 2);
    for (size_t i = 0; i < 2; i++) {
        ok(ms_store_lead_sent(queue, taken[i].id, taken[i].marketo_id, MUCH_LATER));
    }
    assert_int_equal(retry(0, MUCH_LATER), 1);
}

static void
test_fields_of_a_lead_that_was_left(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify(NULL, "u1", NULL, "{\"B\":1}", START - 600 * SECOND);
    (void)take(MS_BY_MARKETO_ID, START - 500 * SECOND);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, START - 500 * SECOND));
    leave_before_the_retry();
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + DAY), "#9 @u1 a@x.com {\"B\":1}\n");
}

static void
test_an_activity_of_a_lead_that_was_left(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    track("", "u1", START);
    assert_string_equal(activities(RIPE), ">7\n");
    ok(ms_store_refused(queue, MS_QUEUED_ACTIVITY, 1, slice("1003"), none, RIPE));
    leave_before_the_retry();
    assert_string_equal(activities(MUCH_LATER + 5 * SECOND), ">9\n");
}

/* The refused lead's row is forgotten before the letter goes again. */
static void
test_the_cookie_of_a_refused_lead(void **state)
{
    const int64_t now = START + 32 * DAY;
    (void)state;
    identify_in_browser("a@x.com", NULL, COOKIE, "{\"A\":1}", START);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE));
    ok(ms_store_tidy(queue, START + 31 * DAY));
    assert_int_equal(leads(), 0);
    assert_string_equal(dead_letters(),
                        "lead a@x.com 1003 {\"email\":\"a@x.com\",\"cookie\":\"" COOKIE
                        "\",\"time\":1790000000000,\"fields\":{\"A\":1}}\n");
    assert_int_equal(retry(0, now), 1);
    sync_one(MS_BY_EMAIL, 7, now + 10 * SECOND);
    assert_string_equal(associations(now + 20 * SECOND), COOKIE ">7\n");
}

/* Who has no key cannot fill the disk with letters; who has one, can. */
static void
test_letters_of_pages_are_capped(void **state)
{
    char fields[70000];
    const ms_command nonsense = {.kind = MS_COMMAND_DEAD,
                                 .time = START,
                                 .code = slice("json_invalid"),
                                 .payload = slice("{}")};
    (void)state;
    (void)snprintf(fields, sizeof fields, "{\"A\":\"%0*d\"}", 66000, 1);
    identify_in_browser("a@x.com", NULL, NULL, fields, START);
    assert_int_equal(counts().dead, 1);
    for (int i = 1; i < 10000; i++) {
        request(&nonsense, START);
    }
    identify_in_browser("a@x.com", NULL, NULL, fields, START);
    assert_int_equal(counts().dead, 10000);
    identify("a@x.com", NULL, NULL, fields, START);
    assert_int_equal(counts().dead, 10001);
    assert_int_equal(retry(1, RIPE), 0); /* and is a letter again */
    assert_int_equal(counts().dead, 10001);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_fields_are_as_old_as_they_were),
        TEST(test_fields_go_to_the_lead_that_they_are_of),
        TEST(test_fields_of_a_lead_that_is_gone),
        TEST(test_an_address_does_not_come_back),
        TEST(test_what_only_a_cookie_tells),
        TEST(test_a_cookie_that_moved_stays),
        TEST(test_one_that_fits_in_no_call_is_put_aside_once),
        TEST(test_a_cookie_that_is_still_theirs_is_tied),
        TEST(test_too_large_again),
        TEST(test_a_lead_of_a_cookie_alone),
        TEST(test_a_retry_keeps_the_pause_after_a_restart),
        TEST(test_a_user_id_does_not_come_back),
        TEST(test_a_user_id_does_not_come_back_by_an_activity),
        TEST(test_a_cookie_does_not_come_back_by_an_activity),
        TEST(test_an_activity_does_not_follow_its_cookie),
        TEST(test_an_activity_that_only_a_cookie_tells),
        TEST(test_a_cookie_that_marketo_knows_by_now),
        TEST(test_an_activity_of_a_cookie_that_marketo_knows_by_now),
        TEST(test_fields_of_a_lead_that_was_left),
        TEST(test_an_activity_of_a_lead_that_was_left),
        TEST(test_the_cookie_of_a_refused_lead),
        TEST(test_letters_of_pages_are_capped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
