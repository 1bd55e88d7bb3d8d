/*
 * Leads that have very much of something: fields that outgrow a call, activities and cookies that
 * outgrow the queue's memory. None of it may fail a call of the queue's, which would stop all
 * others for ever.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include "../../src/server/queue/statements.h"

#include <stdio.h>
#include <stdlib.h>

#define RIPE (START + 5 * SECOND)
#define REST_BYTES ((size_t)700000)

static const ms_slice none = {"", 0};
static unsigned char memory[1 << 20];
static char text[2 << 20];

/* {"F01_0000":"xxx…",…}: `count` fields of `len` bytes, in static storage. */
static const char *
fields_of(int number, int count, int len)
{
    size_t end = 0;
    for (int i = 0; i < count; i++) {
        end += (size_t)snprintf(text + end, sizeof text - end, "%s\"F%02d_%04d\":\"%0*d\"",
                                i == 0 ? "{" : ",", number, i, len, number);
    }
    (void)snprintf(text + end, sizeof text - end, "}");
    return text;
}

/* Values that look like many fields. */
static const char *
colons_of(int number)
{
    size_t end = 0;
    for (int i = 0; i < 4; i++) {
        end += (size_t)snprintf(text + end, sizeof text - end, "%s\"F%02d_%d\":\"",
                                i == 0 ? "{" : ",", number, i);
        memset(text + end, ':', 15000);
        end += 15000;
        text[end++] = '"';
    }
    (void)snprintf(text + end, sizeof text - end, "}");
    return text;
}

/* Takes leads as a back end with room for so many bytes does. */
static size_t
take_within(ms_lead_selection selection, size_t bytes, int64_t now)
{
    ms_arena arena;
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_take_leads(queue, selection, now, 300, bytes, &arena, taken, &taken_count));
    return taken_count;
}

static size_t
fields_in(ms_slice json)
{
    size_t count = 0;
    for (size_t i = 0; i < json.len; i++) {
        count += json.ptr[i] == ':';
    }
    return count;
}

/* Fields in the dead letters, each of which can be sent again: none is too large for that. */
static size_t dead_fields;

static void
look_at_letter(const ms_dead_letter *letter, void *argument)
{
    (void)argument;
    assert_true(ms_slice_equal(letter->kind, slice("lead")));
    const char *fields = strstr(letter->payload.ptr, "\"fields\":") + strlen("\"fields\":");
    size_t before = (size_t)(fields - letter->payload.ptr);
    assert_in_range(letter->payload.len - before, 1, MS_LEAD_FIELDS_MAX + 1);
    dead_fields += fields_in((ms_slice){fields, letter->payload.len - before});
}

static size_t
count_dead_fields(void)
{
    dead_fields = 0;
    ok(ms_store_dead_list(queue, 0, look_at_letter, NULL));
    return dead_fields;
}

/* Sends the only lead's fields until nothing of it waits, in calls of so many bytes. */
static size_t
send_all(ms_lead_selection selection, size_t bytes, int64_t *now)
{
    size_t sent = 0;
    while (*now += 60 * SECOND, take_within(selection, bytes, *now) > 0) {
        sent += fields_in(taken[0].fields);
        assert_in_range(taken[0].fields.len, 1, MS_LEAD_FIELDS_MAX);
        ok(ms_store_lead_sent(queue, taken[0].id, 7, *now));
        queue_check();
        selection = selection == MS_BY_ANY ? MS_BY_ANY : MS_BY_MARKETO_ID;
    }
    assert_int_equal(counts().leads_waiting, 0);
    return sent;
}

/* What was in flight and what has come since are too much for one call; no value is lost. */
static void
test_more_than_a_call_takes(void **state)
{
    int64_t now = RIPE;
    (void)state;
    identify("a@x.com", NULL, NULL, fields_of(2, 40, 1000), START);
    assert_int_equal(take_within(MS_BY_ANY, MS_LEAD_FIELDS_MAX, now), 1);
    identify("a@x.com", NULL, NULL, fields_of(1, 40, 1000), now);
    identify("a@x.com", NULL, NULL, "{\"Email\":\"a@x.com\",\"AField\":1}", now);
    ok(ms_store_lead_again(queue, taken[0].id, now));

    now += 60 * SECOND;
    assert_int_equal(take_within(MS_BY_ANY, MS_LEAD_FIELDS_MAX, now), 1);
    assert_non_null(strstr(taken[0].fields.ptr, "\"Email\":\"a@x.com\""));
    assert_int_equal(counts().leads_in_flight, 1);
    size_t first = fields_in(taken[0].fields);
    assert_in_range(first, 60, 80);
    /* It fails as well, and is put together again. */
    ok(ms_store_lead_again(queue, taken[0].id, now));
    assert_int_equal(send_all(MS_BY_ANY, MS_LEAD_FIELDS_MAX, &now), 82);
    assert_int_equal(counts().dead, 0);
}

/* A lead of many parts takes no more of its call than one does, so that others have room beside it.
 */
static void
test_large_beside_others(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, fields_of(1, 60, 1000), START);
    assert_int_equal(take_within(MS_BY_EMAIL, REST_BYTES, RIPE), 1);
    identify("a@x.com", NULL, NULL, fields_of(2, 60, 1000), RIPE);
    identify("b@x.com", NULL, NULL, fields_of(2, 60, 1000), RIPE);
    ok(ms_store_lead_again(queue, taken[0].id, RIPE));
    assert_int_equal(take_within(MS_BY_EMAIL, (size_t)130000, RIPE + 60 * SECOND), 2);
    /* What is left waits its interval. */
    ok(ms_store_lead_sent(queue, taken[0].id, 7, RIPE + 60 * SECOND));
    ok(ms_store_lead_sent(queue, taken[1].id, 8, RIPE + 60 * SECOND));
    assert_int_equal(take_within(MS_BY_MARKETO_ID, REST_BYTES, RIPE + 89 * SECOND), 0);
    assert_int_equal(take_within(MS_BY_MARKETO_ID, REST_BYTES, RIPE + 95 * SECOND), 1);
}

/* Part of it is refused: that goes to the dead letters, and what waits is tried. */
static void
test_part_refused(void **state)
{
    int64_t now = RIPE;
    (void)state;
    identify("a@x.com", NULL, NULL, fields_of(1, 40, 1000), START);
    assert_int_equal(take_within(MS_BY_ANY, MS_LEAD_FIELDS_MAX, now), 1);
    identify("a@x.com", NULL, NULL, fields_of(2, 40, 1000), now);
    ok(ms_store_lead_again(queue, taken[0].id, now));
    now += 60 * SECOND;
    assert_int_equal(take_within(MS_BY_ANY, MS_LEAD_FIELDS_MAX, now), 1);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("20110"), none, now));
    size_t dead = count_dead_fields();
    assert_in_range(dead, 1, 79);
    assert_int_equal(dead + send_all(MS_BY_ANY, MS_LEAD_FIELDS_MAX, &now), 80);
}

/* Marketo is away for long, and much comes all the while: of tiny fields, too, of which each costs
 * the queue more memory than its bytes. */
static void
come_in_an_outage(int count, int len)
{
    int64_t now = START;
    identify("a@x.com", NULL, NULL, fields_of(0, count, len), now);
    for (int i = 1; i < 15; i++) {
        now += 60 * SECOND;
        assert_int_equal(take_within(MS_BY_EMAIL, REST_BYTES, now), 1);
        assert_in_range(taken[0].fields.len, 1, MS_LEAD_FIELDS_MAX);
        identify("a@x.com", NULL, NULL, fields_of(i, count, len), now + SECOND);
        ok(ms_store_lead_again(queue, taken[0].id, now + 2 * SECOND));
        queue_commit();
    }
    size_t dead = count_dead_fields();
    size_t sent = send_all(MS_BY_EMAIL, REST_BYTES, &now);
    assert_int_equal(sent + dead, 15 * count);
    /* What the flight and the lead may hold between them. */
    assert_true(sent >= (size_t)(2 * count));
}

static void
test_long_outage(void **state)
{
    (void)state;
    come_in_an_outage(60, 1000);
}

static void
test_long_outage_with_tiny_fields(void **state)
{
    (void)state;
    come_in_an_outage(3900, 1);
}

static void
run(const char *sql)
{
    assert_int_equal(sqlite3_exec(queue->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* What a former version has put together: 60,000 fields of a lead, where one is in flight. */
static void
grow(const char *table)
{
    char sql[400];
    (void)snprintf(sql, sizeof sql,
                   "UPDATE %s SET fields = (WITH RECURSIVE n (i) AS (SELECT 100000 UNION ALL"
                   " SELECT i + 1 FROM n WHERE i < 159999) SELECT '{' || group_concat('\"' || i ||"
                   " '\":[%lld,1]') || '}' FROM n)",
                   table, (long long)START);
    run(sql);
}

static void
test_grown_by_a_former_version(void **state)
{
    int64_t now = RIPE;
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    grow("lead");
    assert_int_equal(send_all(MS_BY_EMAIL, REST_BYTES, &now), 60000);

    identify("a@x.com", NULL, NULL, "{\"A\":2}", now);
    now += 60 * SECOND;
    assert_int_equal(take_within(MS_BY_MARKETO_ID, REST_BYTES, now), 1);
    identify("a@x.com", NULL, NULL, "{\"B\":2}", now);
    grow("flight");
    queue_close();
    queue_open();
    ok(ms_store_recover(queue, now, 0));
    queue_commit();
    size_t dead = count_dead_fields();
    assert_int_equal(dead + send_all(MS_BY_MARKETO_ID, REST_BYTES, &now), 60001);
    assert_in_range(dead, 1, 55000);
    /* A person may send them again, as far as there is room. */
    uint64_t count = 0;
    run("DELETE FROM dead WHERE id > (SELECT min(id) FROM dead)");
    ok(ms_store_recover(queue, now, 0));
    dead = count_dead_fields();
    run("UPDATE lead SET sent = x''");
    ok(ms_store_dead_retry(queue, 0, now, &count));
    assert_int_equal(count, 1);
    assert_int_equal(counts().dead, 0);
    assert_int_equal(send_all(MS_BY_MARKETO_ID, REST_BYTES, &now), dead);
}

/* No call takes such a field, so it cannot have come in; if there is one all the same, it alone is
 * dead. */
static void
test_field_that_fits_in_no_call(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"C\":1}", START);
    run("UPDATE lead SET fields = replace(fields, '\"C\"', '\"B\":[1790000000000,\"' ||"
        " hex(zeroblob(40000)) || '\"],\"C\"')");
    assert_int_equal(take_within(MS_BY_ANY, MS_LEAD_FIELDS_MAX, RIPE), 1);
    assert_true(ms_slice_equal(taken[0].fields, slice("{\"A\":1,\"C\":1}")));
    assert_non_null(strstr(dead_letters(), "lead a@x.com too_large"));
    assert_int_equal(counts().dead, 1);
    ok(ms_store_lead_sent(queue, taken[0].id, 7, RIPE));
    assert_int_equal(counts().leads_waiting, 0);

    /* Nor if it is all there is of a lead. */
    identify("a@x.com", NULL, NULL, "{\"C\":2}", RIPE);
    run("UPDATE lead SET fields = replace(fields, ',2]', ',\"' || hex(zeroblob(40000)) || '\"]')");
    assert_int_equal(take_within(MS_BY_ANY, MS_LEAD_FIELDS_MAX, RIPE + DAY), 0);
    assert_int_equal(counts().dead, 2);
    assert_int_equal(counts().leads_waiting, 0);
}

/* Leads that turn out to be one: the newest values wait, the others go to the dead letters. */
static void
test_merged(void **state)
{
    int64_t now = RIPE;
    (void)state;
    for (int i = 0; i < 3; i++) {
        char email[32];
        (void)snprintf(email, sizeof email, "p%d@x.com", i);
        identify(email, NULL, NULL, "{\"A\":1}", START);
    }
    assert_int_equal(take_within(MS_BY_EMAIL, REST_BYTES, now), 3);
    identify("p0@x.com", NULL, NULL, fields_of(0, 30, 1000), now);
    identify("p0@x.com", NULL, NULL, fields_of(3, 30, 1000), now + SECOND);
    identify("p1@x.com", NULL, NULL, fields_of(1, 60, 1000), now + 2 * SECOND);
    identify("p2@x.com", NULL, NULL, fields_of(2, 60, 1000), now + 2 * SECOND);
    for (int i = 0; i < 3; i++) {
        ok(ms_store_lead_sent(queue, taken[i].id, 7, now + 3 * SECOND));
    }
    assert_int_equal(query("SELECT count(*) FROM lead"), 1);
    size_t dead = count_dead_fields();
    assert_in_range(dead, 50, 60);
    assert_non_null(strstr(dead_letters(), "too_large"));
    /* Each is as old as it was: those of F00 come first. */
    assert_non_null(strstr(dead_letters(), "\"times\":[1790000005000,"));
    assert_null(strstr(dead_letters(), "F01"));
    assert_null(strstr(dead_letters(), "F02"));
    assert_int_equal(dead + send_all(MS_BY_MARKETO_ID, REST_BYTES, &now), 180);
}

static void
add_activities(const char *user_id, int count, size_t len)
{
    (void)snprintf(text, sizeof text, "[{\"apiName\":\"a\",\"value\":\"%0*d\"}]", (int)len, 1);
    const ms_command command = {.kind = MS_COMMAND_ACTIVITY,
                                .who = {none, slice(user_id), none, true},
                                .time = START,
                                .activity_type = 100001,
                                .primary_value = slice("one"),
                                .attributes = slice(text)};
    for (int i = 0; i < count; i++) {
        request(&command, START);
    }
}

/* Together they need more memory than there is, one by one they do not. */
static void
test_activities_of_a_refused_lead(void **state)
{
    (void)state;
    add_activities("guest", 450, 20000);
    (void)take(MS_BY_USER_ID, RIPE);
    assert_int_equal(taken_count, 1);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, RIPE));
    assert_int_equal(counts().activities_waiting, 0);
    assert_int_equal(counts().dead, 451);
}

static void
test_activities_of_a_lead_held_too_long(void **state)
{
    (void)state;
    (void)take(MS_BY_EMAIL, START);
    add_activities("guest", 450, 20000);
    ok(ms_store_tidy(queue, START + HOLD + DAY));
    assert_int_equal(counts().activities_waiting, 0);
    assert_int_equal(counts().leads_held, 0);
    assert_int_equal(counts().dead, 450);
}

#define COOKIES 40000

/* Gives the lead that has cookies already many more, which wait for its id. */
static void
add_cookies(void)
{
    char sql[400];
    (void)snprintf(
        sql, sizeof sql,
        "INSERT INTO cookie SELECT NULL, 'id:561-HYG-937&token:_mch-example.com-1374552656411-'"
        " || i, (SELECT min(lead) FROM cookie), 3, %lld, 0, 0, 0 FROM"
        " (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        " WHERE i < %d) SELECT i FROM n)",
        (long long)START, COOKIES);
    run(sql);
    ms_count_change(queue, MS_COUNT_COOKIES, COOKIES);
}

/* All visitors of a shop are its user "guest". */
static void
test_cookies_of_a_merged_lead(void **state)
{
    (void)state;
    identify(NULL, "guest", "c1", "{\"A\":1}", START);
    identify(NULL, "guest", "c2", "{\"A\":1}", START);
    add_cookies();
    assert_string_equal(lookups(RIPE), "c1>0\nc2>0\n");
    ok(ms_store_looked_up(queue, cookies[0].id, 0, none, RIPE));
    ok(ms_store_looked_up(queue, cookies[1].id, 0, none, RIPE));
    /* A new lead that is the old one takes its place, so that nothing has to be moved to it. */
    int64_t guest = query("SELECT id FROM lead");
    identify(NULL, "guest", "c3", "{\"A\":1}", RIPE);
    assert_int_equal(query("SELECT id FROM lead"), guest);
    assert_string_equal(lookups(RIPE + 5 * SECOND), "c3>0\n");
    ok(ms_store_looked_up(queue, cookies[0].id, 0, none, RIPE + 5 * SECOND));
    queue_check();
    assert_int_equal(query("SELECT count(*) FROM lead"), 1);
    assert_int_equal(query("SELECT count(*) FROM cookie WHERE state = 3"), COOKIES + 3);
}

static void
test_cookies_follow_their_leads_id(void **state)
{
    const int64_t later = RIPE + 60 * SECOND;
    (void)state;
    identify_in_browser("a@x.com", NULL, "c1", "{\"A\":1}", START);
    add_cookies();
    sync_one(MS_BY_EMAIL, 7, RIPE);
    queue_check();
    assert_int_equal(query("SELECT count(*) FROM cookie WHERE state = 4"), COOKIES + 1);
    (void)associations(RIPE);
    ok(ms_store_associated(queue, cookies[0].id, RIPE));
    ok(ms_store_cookie_refused(queue, cookies[1].id, slice("1004"), none, RIPE));
    for (int i = 2; i < 300; i++) {
        ok(ms_store_cookie_again(queue, cookies[i].id, RIPE));
    }
    assert_int_equal(query("SELECT count(*) FROM cookie WHERE state = 0"), 2);
    queue_check();

    /* The one that was refused is let be. */
    ok(ms_store_forget_marketo_id(queue, 7, RIPE));
    queue_check();
    assert_int_equal(query("SELECT count(*) FROM cookie WHERE state = 3"), COOKIES);
    assert_int_equal(query("SELECT count(*) FROM cookie WHERE state = 0"), 1);

    /* The one that is tied to the former id is tied to it again. */
    sync_one(MS_BY_EMAIL, 7, later);
    queue_check();
    assert_int_equal(query("SELECT count(*) FROM cookie WHERE state = 4"), COOKIES - 1);
    assert_int_equal(query("SELECT count(*) FROM cookie WHERE state = 0"), 2);
    ok(ms_store_forget_marketo_id(queue, 7, later));
    sync_one(MS_BY_EMAIL, 8, later + 60 * SECOND);
    queue_check();
    assert_int_equal(query("SELECT count(*) FROM cookie WHERE state = 4"), COOKIES);
    assert_int_equal(query("SELECT count(*) FROM cookie WHERE state = 0"), 1);
}

/* Another lead's cookies become those of one that has an id: only theirs are to be looked at. */
static void
test_cookies_of_another_lead_follow(void **state)
{
    (void)state;
    identify_in_browser("a@x.com", NULL, "c1", "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    assert_string_equal(associations(RIPE), "c1>7\n");
    ok(ms_store_associated(queue, cookies[0].id, RIPE));
    identify_in_browser(NULL, NULL, "c2", "{\"A\":1}", RIPE);
    identify_in_browser(NULL, "u1", "c2", "{\"A\":1}", RIPE);
    assert_string_equal(associations(RIPE), "");
    identify_in_browser("a@x.com", "u1", NULL, "{\"A\":1}", RIPE);
    queue_check();
    assert_int_equal(query("SELECT count(*) FROM lead"), 1);
    assert_string_equal(associations(RIPE), "c2>7\n");
}

static void
test_colons(void **state)
{
    (void)state;
    identify("b@x.com", NULL, NULL, "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify("b@x.com", NULL, NULL, colons_of(1), RIPE);
    identify("a@x.com", NULL, NULL, colons_of(2), RIPE);
    assert_int_equal(take_within(MS_BY_EMAIL, REST_BYTES, RIPE + 60 * SECOND), 1);
    identify("a@x.com", NULL, NULL, colons_of(3), RIPE + 60 * SECOND);
    ok(ms_store_lead_sent(queue, taken[0].id, 7, RIPE + 60 * SECOND));
    ok(ms_store_lead_again(queue, taken[0].id, RIPE + 60 * SECOND));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_more_than_a_call_takes),
        TEST(test_large_beside_others),
        TEST(test_part_refused),
        TEST(test_long_outage),
        TEST(test_long_outage_with_tiny_fields),
        TEST(test_grown_by_a_former_version),
        TEST(test_field_that_fits_in_no_call),
        TEST(test_merged),
        TEST(test_activities_of_a_refused_lead),
        TEST(test_activities_of_a_lead_held_too_long),
        TEST(test_cookies_of_a_merged_lead),
        TEST(test_cookies_follow_their_leads_id),
        TEST(test_cookies_of_another_lead_follow),
        TEST(test_colons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
