/*
 * Visits and activities, what people do with dead letters, SOAP's cookies, and what is forgotten.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include <stdio.h>

#define RIPE (START + 5 * SECOND)
#define COOKIE "id:561-HYG-937&token:_mch-a.com-1-1"

static const ms_slice none = {"", 0};
static unsigned char memory[1 << 20];
static ms_due_visit visits[10];
static ms_due_activity activities[10];

static size_t
take_visits(int64_t now)
{
    ms_arena arena;
    size_t count = 0;
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_take_visits(queue, false, now, 2, &arena, visits, &count));
    return count;
}

static size_t
take_activities(int64_t now)
{
    ms_arena arena;
    size_t count = 0;
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_take_activities(queue, now, 10, &arena, activities, &count));
    return count;
}

static void
visit(const char *visited, int64_t now)
{
    const ms_command command = {.kind = MS_COMMAND_VISIT,
                                .who = {none, none, slice(COOKIE), true},
                                .time = now - 1,
                                .query = slice(visited),
                                .user_agent = slice("Mozilla/5.0 \"x\"")};
    request(&command, now);
}

static void
activity_of(const char *email, const char *user_id, const char *value, int64_t now)
{
    const ms_command command = {.kind = MS_COMMAND_ACTIVITY,
                                .who = {slice(email), slice(user_id), none, true},
                                .time = now - 1,
                                .activity_type = 100001,
                                .primary_value = slice(value),
                                .attributes = slice("[{\"apiName\":\"a\",\"value\":1}]")};
    request(&command, now);
}

static void
activity(const char *email, const char *value, int64_t now)
{
    activity_of(email, "", value, now);
}

static void
test_visits(void **state)
{
    (void)state;
    visit("_mchRu=%2Fa", START);
    visit("_mchRu=%2Fb", START);
    visit("_mchRu=%2Fc", START);
    assert_int_equal(take_visits(START), 2);
    assert_true(ms_slice_equal(visits[0].query, slice("_mchRu=%2Fa")));
    assert_true(ms_slice_equal(visits[0].user_agent, slice("Mozilla/5.0 \"x\"")));
    assert_int_equal(visits[0].time, START - 1);
    assert_int_equal(counts().visits_waiting, 1);
    int64_t first = visits[0].id;
    ok(ms_store_sent(queue, MS_QUEUED_VISIT, visits[1].id));
    ok(ms_store_again(queue, MS_QUEUED_VISIT, first, START + 10 * SECOND));
    assert_int_equal(take_visits(START), 1); /* c */
    ok(ms_store_refused(queue, MS_QUEUED_VISIT, visits[0].id, slice("visit_refused"), none, START));
    assert_string_equal(dead_letters(),
                        "visit  visit_refused {\"time\":1789999999999,\"query\":\"_mchRu=%2Fc\","
                        "\"userAgent\":\"Mozilla/5.0 \\\"x\\\"\"}\n");
    assert_int_equal(take_visits(START + 10 * SECOND), 1);
    assert_int_equal(visits[0].id, first);
    assert_int_equal(visits[0].attempts, 1);
    /* Back from the dead, as it was. */
    assert_int_equal(retry(0, START + DAY), 1);
    assert_int_equal(take_visits(START + DAY), 1);
    assert_true(ms_slice_equal(visits[0].query, slice("_mchRu=%2Fc")));
    assert_true(ms_slice_equal(visits[0].user_agent, slice("Mozilla/5.0 \"x\"")));
    assert_int_equal(visits[0].time, START - 1);
}

static void
test_activities_wait_for_the_leads_id(void **state)
{
    (void)state;
    activity("a@x.com", "one", START);
    assert_int_equal(take_activities(START + DAY), 0);
    assert_int_equal(counts().activities_waiting, 1);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    /* They share a call, as leads do. */
    activity("a@x.com", "two", RIPE + SECOND);
    assert_int_equal(take_activities(RIPE + 5 * SECOND - 1), 0);
    assert_int_equal(take_activities(RIPE + 5 * SECOND), 2);
    assert_int_equal(activities[1].marketo_id, 7);
    assert_int_equal(activities[1].type, 100001);
    assert_int_equal(activities[1].time, RIPE + SECOND - 1);
    assert_true(ms_slice_equal(activities[1].primary_value, slice("two")));
    ok(ms_store_sent(queue, MS_QUEUED_ACTIVITY, activities[0].id));
    ok(ms_store_again(queue, MS_QUEUED_ACTIVITY, activities[1].id, RIPE + 60 * SECOND));
    assert_int_equal(take_activities(RIPE + 59 * SECOND), 0);
    assert_int_equal(take_activities(RIPE + 60 * SECOND), 1);
    assert_int_equal(activities[0].attempts, 1);
    assert_int_equal(activities[0].gone, 0);
    ok(ms_store_refused(queue, MS_QUEUED_ACTIVITY, activities[0].id, slice("1039"), none, RIPE));
    assert_string_equal(dead_letters(),
                        "activity a@x.com 1039 {\"email\":\"a@x.com\",\"marketoId\":7,"
                        "\"time\":1790000005999,\"activityType\":100001,\"primaryValue\":\"two\","
                        "\"attributes\":[{\"apiName\":\"a\",\"value\":1}]}\n");
    assert_int_equal(retry(0, RIPE + DAY), 1);
    assert_int_equal(take_activities(RIPE + DAY), 1);
    assert_true(
        ms_slice_equal(activities[0].attributes, slice("[{\"apiName\":\"a\",\"value\":1}]")));
    assert_int_equal(activities[0].time, RIPE + SECOND - 1);
}

/* An activity of Marketo's lead 7 is under way. */
static void
put_an_activity_in_flight(void)
{
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    sync_one(MS_BY_USER_ID, 7, RIPE);
    activity_of("", "u1", "one", RIPE);
    assert_int_equal(take_activities(RIPE + 5 * SECOND), 1);
}

/* It has nobody to go to by now, and waits for that after a start as before it. */
static void
start_anew(int64_t now)
{
    queue_close();
    queue_open();
    ok(ms_store_recover(queue, now, 90 * SECOND));
    queue_check();
    assert_int_equal(take_activities(now + 3600 * SECOND), 0);
}

static void
test_activities_of_an_address_that_is_asked_about_wait_after_a_start(void **state)
{
    (void)state;
    put_an_activity_in_flight();
    identify("a@x.com", "u1", NULL, "{\"B\":1}", RIPE + 10 * SECOND);
    start_anew(RIPE + 20 * SECOND);
    assert_string_equal(email_lookups(RIPE + 60 * SECOND), "a@x.com\n");
    ok(ms_store_email_looked_up(queue, taken[0].id, 9, RIPE + 60 * SECOND));
    assert_int_equal(take_activities(RIPE + 70 * SECOND), 1);
    assert_int_equal(activities[0].marketo_id, 9);
}

static void
test_activities_of_a_lead_that_is_gone_wait_after_a_start(void **state)
{
    (void)state;
    put_an_activity_in_flight();
    ok(ms_store_forget_marketo_id(queue, 7, RIPE + 10 * SECOND));
    start_anew(RIPE + 20 * SECOND);
    sync_one(MS_BY_USER_ID, 8, RIPE + 60 * SECOND);
    assert_int_equal(take_activities(RIPE + 70 * SECOND), 1);
    assert_int_equal(activities[0].marketo_id, 8);
}

static void
test_activities_of_a_refused_lead(void **state)
{
    (void)state;
    activity("a@x.com", "one", START);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE));
    ms_store_counts counted = counts();
    assert_int_equal(counted.dead, 2);
    assert_int_equal(counted.activities_waiting, 0);
    assert_int_equal(retry(0, RIPE + DAY), 2);
    sync_one(MS_BY_EMAIL, 7, RIPE + DAY);
    assert_int_equal(take_activities(RIPE + DAY + 5 * SECOND), 1);
}

/* A lead with an activity is being looked up by its user id alone; returns its sync. */
static int64_t
look_up_by_user_id(void)
{
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    activity_of("", "u1", "one", START);
    assert_string_equal(take(MS_BY_USER_ID, RIPE), "@u1  {\"A\":1}\n");
    return taken[0].id;
}

/* Its user id is refused, but by its address it gets an id. */
static void
test_activities_of_a_lead_that_is_to_go_by_its_address(void **state)
{
    (void)state;
    int64_t sync = look_up_by_user_id();
    identify("a@x.com", "u1", NULL, "{\"B\":1}", RIPE + SECOND);
    ok(ms_store_lead_refused(queue, sync, slice("1007"), none, RIPE + 2 * SECOND));
    sync_one(MS_BY_EMAIL, 9, RIPE + 60 * SECOND);
    assert_int_equal(take_activities(RIPE + 70 * SECOND), 1);
    assert_int_equal(activities[0].marketo_id, 9);
}

/* Of two syncs that are one lead's by now, that by the user id is refused first; returns the other,
 * by the address. */
static int64_t
refuse_by_user_id_alone(void)
{
    int64_t sync = look_up_by_user_id();
    identify("a@x.com", NULL, NULL, "{\"B\":1}", START);
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"B\":1}\n");
    identify("a@x.com", "u1", NULL, NULL, RIPE + SECOND);
    ok(ms_store_lead_refused(queue, sync, slice("1007"), none, RIPE + 2 * SECOND));
    assert_int_equal(counts().activities_waiting, 1);
    return taken[0].id;
}

static void
test_activities_of_a_lead_that_goes_by_its_address(void **state)
{
    (void)state;
    ok(ms_store_lead_sent(queue, refuse_by_user_id_alone(), 9, RIPE + 3 * SECOND));
    assert_int_equal(take_activities(RIPE + 60 * SECOND), 1);
    assert_int_equal(activities[0].marketo_id, 9);
}

/* They wait no longer than there is something that may give it one. */
static void
test_activities_of_a_lead_that_is_refused_in_every_way(void **state)
{
    (void)state;
    ok(ms_store_lead_refused(queue, refuse_by_user_id_alone(), slice("1003"), none,
                             RIPE + 3 * SECOND));
    assert_string_equal(take(MS_BY_EMAIL, RIPE + 60 * SECOND), "@u1 a@x.com {}\n");
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE + 60 * SECOND));
    assert_int_equal(counts().activities_waiting, 0);
    assert_int_equal(counts().dead, 4);
}

static void
test_dead_leads(void **state)
{
    uint64_t count = 0;
    (void)state;
    identify("a@x.com", "u1", NULL, "{\"A\":\"1\",\"B\":\"\\\"\"}", START);
    identify("b@x.com", NULL, NULL, "{\"A\":\"1\"}", START);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE));
    ok(ms_store_lead_refused(queue, taken[1].id, slice("1003"), none, RIPE));
    /* What came since is newer. */
    identify("a@x.com", NULL, NULL, "{\"A\":\"2\"}", RIPE + SECOND);
    assert_int_equal(retry(3, RIPE + 30 * SECOND), 0);
    assert_int_equal(retry(1, RIPE + 30 * SECOND), 1);
    assert_string_equal(take(MS_BY_EMAIL, RIPE + 35 * SECOND),
                        "@u1 a@x.com {\"A\":\"2\",\"B\":\"\\\"\"}\n");
    ok(ms_store_dead_drop(queue, 1, &count));
    assert_int_equal(count, 0);
    ok(ms_store_dead_drop(queue, 0, &count));
    assert_int_equal(count, 1);
    assert_string_equal(dead_letters(), "");
}

/* The newest wins also over what was sent before the letter is sent again. */
static void
test_dead_leads_are_older_than_what_was_sent(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"B\":1}", START);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE));
    identify("a@x.com", NULL, NULL, "{\"A\":2}", RIPE + 60 * SECOND);
    sync_one(MS_BY_EMAIL, 7, RIPE + 70 * SECOND);
    assert_int_equal(retry(0, RIPE + 120 * SECOND), 1);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 130 * SECOND), "#7 a@x.com {\"B\":1}\n");
}

/* Marketo refuses lead 7, of which nothing is known but its cookie. */
static void
refuse_a_cookies_lead(void)
{
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    assert_string_not_equal(lookups(RIPE), "");
    ok(ms_store_looked_up(queue, cookies[0].id, 7, none, RIPE));
    (void)take(MS_BY_MARKETO_ID, RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE));
}

/* A letter that says nothing but the Marketo id, as of a lead that was found by its cookie. */
static void
test_dead_leads_by_their_marketo_id(void **state)
{
    (void)state;
    refuse_a_cookies_lead();
    assert_string_equal(
        dead_letters(),
        "lead  1003 {\"marketoId\":7,\"time\":1790000000000,\"fields\":{\"A\":1}}\n");
    assert_int_equal(retry(0, RIPE + 60 * SECOND), 1);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 60 * SECOND), "#7  {\"A\":1}\n");
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE + 61 * SECOND));
    /* The lead has been forgotten since. */
    ok(ms_store_tidy(queue, START + 40 * DAY));
    assert_int_equal(query("SELECT count(*) FROM lead"), 0);
    assert_int_equal(retry(0, START + 40 * DAY), 1);
    assert_string_equal(take(MS_BY_MARKETO_ID, START + 40 * DAY), "#7  {\"A\":1}\n");
}

/* One that says nothing at all cannot be sent, and stays. */
static void
test_dead_leads_of_nobody_stay(void **state)
{
    (void)state;
    refuse_a_cookies_lead();
    assert_int_equal(query("UPDATE dead SET payload = '{\"fields\":{\"A\":1}}' RETURNING 1"), 1);
    assert_int_equal(retry(0, RIPE), 0);
    assert_string_equal(dead_letters(), "lead  1003 {\"fields\":{\"A\":1}}\n");
}

static void
test_dead_messages_stay(void **state)
{
    const ms_command command = {.kind = MS_COMMAND_DEAD,
                                .who = {none, slice("u1"), none, true},
                                .time = START,
                                .code = slice("email_invalid"),
                                .payload = slice("{\"type\":\"identify\"}")};
    (void)state;
    request(&command, START);
    assert_int_equal(retry(0, RIPE), 0);
    assert_string_equal(dead_letters(), "message u1 email_invalid {\"type\":\"identify\"}\n");
}

/* What failed before, for other reasons, is counted by itself. */
static void
test_what_is_of_a_lead_that_is_gone(void **state)
{
    (void)state;
    identify_in_browser("a@x.com", NULL, COOKIE, "{\"A\":1}", START);
    activity("a@x.com", "one", START);
    for (unsigned int i = 0; i < 3; i++) {
        int64_t now = RIPE + i * DAY;
        sync_one(MS_BY_EMAIL, 7, now);
        now += 5 * SECOND;
        assert_int_equal(take_activities(now), 1);
        ok(ms_store_again(queue, MS_QUEUED_ACTIVITY, activities[0].id, now));
        assert_int_equal(take_activities(now), 1);
        assert_int_equal(activities[0].attempts, i + 1);
        assert_int_equal(activities[0].gone, i);
        assert_string_equal(associations(now), COOKIE ">7\n");
        ok(ms_store_cookie_again(queue, cookies[0].id, now));
        assert_string_equal(associations(now), COOKIE ">7\n");
        assert_int_equal(cookies[0].attempts, i + 1);
        assert_int_equal(cookies[0].gone, i);
        ok(ms_store_activity_gone(queue, activities[0].id, 7, now));
        ok(ms_store_cookie_gone(queue, cookies[0].id, 7, now));
        assert_int_equal(take_activities(now + 3600 * SECOND), 0);
        assert_string_equal(associations(now + 3600 * SECOND), "");
        assert_int_equal(counts().activities_waiting, 1);
    }
    sync_one(MS_BY_EMAIL, 7, RIPE + 3 * DAY);
    (void)associations(RIPE + 3 * DAY);
    ok(ms_store_associated(queue, cookies[0].id, RIPE + 3 * DAY));
    /* Of the next tie nothing is known. */
    identify_in_browser("b@x.com", NULL, COOKIE, "{\"A\":1}", RIPE + 3 * DAY);
    sync_one(MS_BY_EMAIL, 8, RIPE + 4 * DAY);
    assert_string_equal(associations(RIPE + 4 * DAY), COOKIE ">8\n");
    assert_int_equal(cookies[0].gone, 0);
}

static void
test_dead_cookies(void **state)
{
    (void)state;
    identify_in_browser("a@x.com", NULL, COOKIE, "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    (void)associations(RIPE);
    ok(ms_store_cookie_again(queue, cookies[0].id, RIPE + 10 * SECOND));
    assert_string_equal(associations(RIPE + 9 * SECOND), "");
    assert_string_equal(associations(RIPE + 10 * SECOND), COOKIE ">7\n");
    assert_int_equal(cookies[0].attempts, 1);
    ok(ms_store_cookie_refused(queue, cookies[0].id, slice("1004"), none, RIPE));
    assert_string_equal(dead_letters(), "cookie a@x.com 1004 {\"email\":\"a@x.com\",\"cookie\":"
                                        "\"" COOKIE "\",\"marketoId\":7}\n");
    identify_in_browser("a@x.com", NULL, COOKIE, "{\"A\":1}", RIPE);
    assert_string_equal(associations(START + DAY), ""); /* not by itself */
    assert_int_equal(retry(0, START + DAY), 1);
    assert_string_equal(associations(START + DAY), COOKIE ">7\n");
}

static void
test_refused_lookup_is_nobodys(void **state)
{
    (void)state;
    identify("a@x.com", NULL, COOKIE, "{\"A\":1}", START);
    (void)lookups(RIPE);
    ok(ms_store_lookup_refused(queue, cookies[0].id, slice("1001"), none, RIPE));
    sync_one(MS_BY_EMAIL, 7, RIPE);
    assert_string_equal(associations(START + DAY), "");
    assert_int_equal(counts().dead, 1);
}

static void
test_soap_ties_cookies_in_the_sync(void **state)
{
    (void)state;
    identify("a@x.com", NULL, COOKIE, "{\"A\":1}", START);
    identify(NULL, NULL, "c2", "{\"B\":1}", START);
    assert_string_equal(take(MS_BY_ANY, RIPE), "%" COOKIE " a@x.com {\"A\":1}\n%c2  {\"B\":1}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, RIPE));
    /* Marketo knows whose the other is: the same one's. */
    ok(ms_store_lead_sent(queue, taken[1].id, 7, RIPE));
    assert_int_equal(query("SELECT count(*) FROM lead"), 1);
    /* One more cookie is a sync too, though no field is new. */
    identify_in_browser("a@x.com", NULL, "c3", "{\"A\":1}", RIPE);
    assert_string_equal(take(MS_BY_ANY, RIPE + 30 * SECOND - 1), "");
    int64_t due = 0;
    ok(ms_store_next_due(queue, &due));
    assert_int_equal(due, RIPE + 30 * SECOND);
    assert_string_equal(take(MS_BY_ANY, due), "#7 %c3 a@x.com {}\n");
    ok(ms_store_lead_again(queue, taken[0].id, due + 10 * SECOND));
    assert_string_equal(take(MS_BY_ANY, due + 10 * SECOND), "#7 %c3 a@x.com {}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, due + 10 * SECOND));
    assert_string_equal(take(MS_BY_ANY, START + DAY), "");
    assert_int_equal(counts().cookies_waiting, 0);
}

static void
test_held_too_long(void **state)
{
    (void)state;
    (void)take(MS_BY_EMAIL, START); /* and nobody takes leads by their user ids */
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    identify(NULL, "u2", NULL, "{\"A\":1}", START + SECOND);
    assert_int_equal(counts().leads_held, 2);
    assert_int_equal(counts().oldest_waiting, 0);
    ok(ms_store_tidy(queue, START + HOLD - 1));
    assert_string_equal(dead_letters(), "");
    ok(ms_store_tidy(queue, START + HOLD));
    assert_string_equal(
        dead_letters(),
        "lead u1 email_missing {\"userId\":\"u1\",\"time\":1790000000000,\"fields\":{\"A\":1}}\n");
    /* An address that comes after all, and a second try, bring it to Marketo. */
    identify("a@x.com", "u1", NULL, NULL, START + HOLD);
    assert_int_equal(retry(0, START + HOLD), 1);
    assert_string_equal(take(MS_BY_EMAIL, START + HOLD), "@u1 a@x.com {\"A\":1}\n");
}

/* Nor is it known that nobody takes them before leads are taken at all. */
static void
test_held_until_leads_are_taken(void **state)
{
    ms_arena arena;
    ms_due_visit visit;
    size_t count = 0;
    (void)state;
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_take_visits(queue, false, START + HOLD, 1, &arena, &visit, &count));
    ok(ms_store_tidy(queue, START + HOLD));
    assert_string_equal(dead_letters(), "");
    assert_string_equal(take(MS_BY_USER_ID, START + HOLD), "@u1  {\"A\":1}\n");
}

static void
test_user_ids_that_are_taken_are_not_held(void **state)
{
    (void)state;
    (void)take(MS_BY_USER_ID, START);
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    assert_int_equal(counts().leads_held, 0);
    ok(ms_store_tidy(queue, START + 2 * HOLD));
    assert_string_equal(take(MS_BY_USER_ID, START + 2 * HOLD), "@u1  {\"A\":1}\n");
}

static void
test_forgotten(void **state)
{
    const int64_t month = START + 30 * DAY + 3600 * SECOND;
    (void)state;
    identify_in_browser("a@x.com", "u1", COOKIE, "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify("b@x.com", NULL, NULL, "{\"A\":1}", START);
    ok(ms_store_tidy(queue, month));
    assert_int_equal(query("SELECT count(*) FROM lead"), 2); /* a cookie waits, a field waits */
    (void)associations(month);
    ok(ms_store_associated(queue, cookies[0].id, month));
    ok(ms_store_tidy(queue, month));
    assert_int_equal(query("SELECT count(*) FROM lead"), 1);
    assert_int_equal(query("SELECT count(*) FROM alias"), 1);
    assert_int_equal(query("SELECT count(*) FROM cookie"), 0);
}

static void
test_calls_of_a_day(void **state)
{
    (void)state;
    ok(ms_store_count_call(queue, "2026-11-24"));
    ok(ms_store_count_call(queue, "2026-11-24"));
    ok(ms_store_count_call(queue, "2026-11-25"));
    assert_int_equal(counts().calls_today, 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_visits),
        TEST(test_activities_wait_for_the_leads_id),
        TEST(test_activities_of_an_address_that_is_asked_about_wait_after_a_start),
        TEST(test_activities_of_a_lead_that_is_gone_wait_after_a_start),
        TEST(test_activities_of_a_refused_lead),
        TEST(test_activities_of_a_lead_that_is_to_go_by_its_address),
        TEST(test_activities_of_a_lead_that_goes_by_its_address),
        TEST(test_activities_of_a_lead_that_is_refused_in_every_way),
        TEST(test_dead_leads),
        TEST(test_dead_leads_are_older_than_what_was_sent),
        TEST(test_dead_leads_by_their_marketo_id),
        TEST(test_dead_leads_of_nobody_stay),
        TEST(test_dead_messages_stay),
        TEST(test_what_is_of_a_lead_that_is_gone),
        TEST(test_dead_cookies),
        TEST(test_refused_lookup_is_nobodys),
        TEST(test_soap_ties_cookies_in_the_sync),
        TEST(test_held_too_long),
        TEST(test_held_until_leads_are_taken),
        TEST(test_user_ids_that_are_taken_are_not_held),
        TEST(test_forgotten),
        TEST(test_calls_of_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
