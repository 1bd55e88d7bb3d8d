/*
 * The queue and time: when a lead is due, what is not sent again, and what is taken.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include "../../src/server/queue/statements.h"

#include <stdio.h>

#define A "{\"Email\":\"a@x.com\",\"FirstName\":\"Ann\"}"
#define RIPE (START + 5 * SECOND)

static const ms_slice none = {"", 0};

static int64_t
next_due(void)
{
    int64_t due = 0;
    ok(ms_store_next_due(queue, &due));
    return due;
}

/* Neither the next event of a lead of whom nothing waited, nor a cookie that did, waits a year. */
static void
test_clock_was_ahead_before_a_restart(void **state)
{
    (void)state;
    ok(ms_store_recover(queue, START + 365 * DAY, 0));
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START + 365 * DAY);
    sync_one(MS_BY_EMAIL, 7, START + 365 * DAY + 10 * SECOND);
    identify_in_browser("a@x.com", NULL, "c1", NULL, START + 365 * DAY + 60 * SECOND);
    for (int restarts = 0; restarts < 2; restarts++) {
        queue_close();
        queue_open();
        ok(ms_store_recover(queue, START, 0));
    }
    assert_string_equal(associations(START + 60 * SECOND), "c1>7\n");
    ok(ms_store_associated(queue, cookies[0].id, START + 60 * SECOND));
    (void)take(MS_BY_MARKETO_ID, START);
    identify("a@x.com", NULL, NULL, "{\"A\":2}", START + SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, START + 60 * SECOND), "#7 a@x.com {\"A\":2}\n");
}

/* b is a, as Marketo says at the first one's end; then a's older value arrives there. */
static void
test_two_in_flight_that_are_one(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, NULL, START - 3600 * SECOND);
    sync_one(MS_BY_EMAIL, 7, START - 3500 * SECOND);
    identify("a@x.com", NULL, NULL, "{\"A\":2}", START + 2 * SECOND);
    identify("b@x.com", NULL, NULL, "{\"A\":1}", START + SECOND);
    (void)take(MS_BY_MARKETO_ID, START + 10 * SECOND);
    int64_t a = taken[0].id;
    (void)take(MS_BY_EMAIL, START + 10 * SECOND);
    identify("b@x.com", NULL, NULL, "{\"A\":1}", START + 11 * SECOND);
    ok(ms_store_lead_sent(queue, taken[0].id, 7, START + 12 * SECOND));
    ok(ms_store_lead_sent(queue, a, 7, START + 13 * SECOND));
    assert_string_equal(take(MS_BY_MARKETO_ID, START + 600 * SECOND), "#7 b@x.com {\"A\":1}\n");
}

static void
test_lingers(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, A, START);
    identify("b@x.com", NULL, NULL, NULL, START + 4 * SECOND);
    assert_string_equal(take(MS_BY_EMAIL, RIPE - 1), "");
    assert_int_equal(next_due(), RIPE);
    /* The one that is ripe takes along the one that is not. */
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com " A "\nb@x.com {}\n");
    assert_string_equal(take(MS_BY_EMAIL, START + DAY), "");
    assert_int_equal(next_due(), INT64_MAX);
    assert_int_equal(counts().leads_in_flight, 2);
}

static void
test_a_full_call_waits_for_nothing(void **state)
{
    char email[32];
    (void)state;
    for (int i = 0; i < 299; i++) {
        (void)snprintf(email, sizeof email, "p%d@x.com", i);
        identify(email, NULL, NULL, NULL, START);
    }
    assert_string_equal(take(MS_BY_EMAIL, START), "");
    identify("last@x.com", NULL, NULL, NULL, START);
    (void)take(MS_BY_EMAIL, START);
    assert_int_equal(taken_count, 300);
    assert_true(ms_slice_equal(taken[0].email, slice("p0@x.com")));
}

static void
test_interval(void **state)
{
    (void)state;
    identify("c@x.com", NULL, NULL, NULL, START - 100 * SECOND);
    sync_one(MS_BY_EMAIL, 9, START - 95 * SECOND);
    identify("a@x.com", NULL, NULL, A, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify("a@x.com", NULL, NULL, "{\"A\":1}", RIPE + SECOND);
    identify("a@x.com", NULL, NULL, "{\"A\":2,\"B\":1}", RIPE + 2 * SECOND);
    /* Not even one that is ripe takes it along earlier. */
    identify("c@x.com", NULL, NULL, "{\"C\":1}", START);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 30 * SECOND - 1), "#9 c@x.com {\"C\":1}\n");
    identify("c@x.com", NULL, NULL, "{\"C\":2}", START);
    ok(ms_store_lead_sent(queue, taken[0].id, 9, START - 50 * SECOND));
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 30 * SECOND),
                        "#9 c@x.com {\"C\":2}\n#7 a@x.com {\"A\":2,\"B\":1}\n");
}

static void
test_interval_then_linger(void **state)
{
    (void)state;
    /* Their intervals end at different times; they share a call. */
    identify("a@x.com", NULL, NULL, A, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify("b@x.com", NULL, NULL, NULL, START);
    sync_one(MS_BY_EMAIL, 8, RIPE + 3 * SECOND);
    identify("a@x.com", NULL, NULL, "{\"A\":1}", RIPE + 4 * SECOND);
    identify("b@x.com", NULL, NULL, "{\"B\":1}", RIPE + 4 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 35 * SECOND - 1), "");
    assert_int_equal(next_due(), RIPE + 35 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 35 * SECOND),
                        "#7 a@x.com {\"A\":1}\n#8 b@x.com {\"B\":1}\n");
}

static void
test_linger_after_the_interval(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, A, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify("a@x.com", NULL, NULL, "{\"A\":1}", RIPE + 100 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 105 * SECOND - 1), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 105 * SECOND), "#7 a@x.com {\"A\":1}\n");
}

static void
test_unchanged(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, A, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify("a@x.com", NULL, NULL, A, START + 3600 * SECOND);
    assert_int_equal(next_due(), INT64_MAX);
    assert_int_equal(counts().leads_waiting, 0);
    /* Only what is new is sent. */
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"FirstName\":\"Ann\"}", START + 3601 * SECOND);
    sync_one(MS_BY_MARKETO_ID, 7, START + 3700 * SECOND);
    assert_true(ms_slice_equal(taken[0].fields, slice("{\"A\":1}")));
    /* A day after it was sent, each is sent again. */
    identify("a@x.com", NULL, NULL, A, RIPE + DAY);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + DAY + 5 * SECOND), "#7 a@x.com " A "\n");
}

static void
test_there_and_back(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify("a@x.com", NULL, NULL, "{\"A\":2}", RIPE);
    identify("a@x.com", NULL, NULL, "{\"A\":1}", RIPE);
    assert_int_equal(counts().leads_waiting, 0); /* as Marketo has it */
    /* But what is in flight changes what Marketo has. */
    identify("a@x.com", NULL, NULL, "{\"A\":2}", RIPE);
    assert_string_equal(take(MS_BY_MARKETO_ID, START + DAY / 2), "#7 a@x.com {\"A\":2}\n");
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START + DAY / 2);
    ok(ms_store_lead_sent(queue, taken[0].id, 7, START + DAY / 2));
    sync_one(MS_BY_MARKETO_ID, 7, START + DAY / 2 + 35 * SECOND);
    assert_true(ms_slice_equal(taken[0].fields, slice("{\"A\":1}")));
}

/* An answer was lost, so nobody knows which of the two values Marketo has. */
static void
test_there_and_back_by_a_lost_answer(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"B\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify("a@x.com", NULL, NULL, "{\"A\":2}", START + 60 * SECOND);
    (void)take(MS_BY_MARKETO_ID, START + 65 * SECOND);
    ok(ms_store_lead_again(queue, taken[0].id, START + 70 * SECOND));
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"B\":1}", START + 66 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, START + 100 * SECOND), "#7 a@x.com {\"A\":1}\n");
}

static void
test_during_flight(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"B\":1}", START);
    (void)take(MS_BY_EMAIL, RIPE);
    /* The same again, and something new. */
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"B\":2}", RIPE);
    assert_string_equal(take(MS_BY_EMAIL, START + DAY), ""); /* never twice at once */
    assert_int_equal(next_due(), INT64_MAX);
    ok(ms_store_lead_sent(queue, 1, 7, RIPE + SECOND));
    assert_int_equal(next_due(), RIPE + 36 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 36 * SECOND), "#7 a@x.com {\"B\":2}\n");
}

static void
test_again(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"B\":1}", START);
    (void)take(MS_BY_EMAIL, RIPE);
    identify("a@x.com", NULL, NULL, "{\"B\":2,\"C\":2}", RIPE);
    ok(ms_store_lead_again(queue, taken[0].id, RIPE + 60 * SECOND));
    assert_int_equal(next_due(), RIPE + 60 * SECOND);
    assert_string_equal(take(MS_BY_EMAIL, RIPE + 60 * SECOND - 1), "");
    assert_string_equal(take(MS_BY_EMAIL, RIPE + 60 * SECOND),
                        "a@x.com {\"A\":1,\"B\":2,\"C\":2}\n");
    assert_int_equal(taken[0].attempts, 1);
    ok(ms_store_lead_again(queue, taken[0].id, RIPE + 70 * SECOND));
    assert_int_equal(counts().oldest_waiting, START);
    (void)take(MS_BY_EMAIL, RIPE + 70 * SECOND);
    assert_int_equal(taken[0].attempts, 2);
    ok(ms_store_lead_sent(queue, taken[0].id, 7, RIPE + 70 * SECOND));
    identify("a@x.com", NULL, NULL, "{\"A\":3}", START + DAY);
    (void)take(MS_BY_MARKETO_ID, START + DAY + 5 * SECOND);
    assert_int_equal(taken[0].attempts, 0);
}

static void
test_refused(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":\"\\\"\"}", START);
    (void)take(MS_BY_EMAIL, RIPE);
    identify("a@x.com", NULL, NULL, "{\"B\":2}", RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), slice("Not so."), RIPE));
    assert_string_equal(dead_letters(), "lead a@x.com 1003 {\"email\":\"a@x.com\","
                                        "\"time\":1790000000000,\"fields\":{\"A\":\"\\\"\"}}\n");
    /* What came meanwhile still goes. */
    assert_string_equal(take(MS_BY_EMAIL, RIPE + 35 * SECOND), "a@x.com {\"B\":2}\n");
}

static void
command_at(const char *fields, int64_t time, int64_t now)
{
    const ms_command command = {.kind = MS_COMMAND_LEAD,
                                .who = {slice("a@x.com"), none, none, true},
                                .time = time,
                                .fields = slice(fields)};
    request(&command, now);
}

static void
test_newest_by_its_own_time(void **state)
{
    (void)state;
    command_at("{\"A\":2,\"B\":2}", START - SECOND, START);
    command_at("{\"A\":1,\"C\":1}", START - 2 * SECOND, START); /* late on its way */
    command_at("{\"B\":3}", START + DAY, START);                /* a clock that is ahead */
    command_at("{\"B\":4}", START + SECOND, START + SECOND);
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":2,\"B\":4,\"C\":1}\n");
}

/* What is late on its way does not take the place of what Marketo has. */
static void
test_older_than_what_was_sent(void **state)
{
    const int64_t hour = 3600 * SECOND;
    (void)state;
    command_at("{\"A\":2,\"B\":2}", START, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    command_at("{\"A\":1,\"C\":1}", START - SECOND, START + hour);
    assert_string_equal(take(MS_BY_MARKETO_ID, START + 2 * hour), "#7 a@x.com {\"C\":1}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, START + 2 * hour));
    /* Also if it is newer than that, but the value was said again since. */
    command_at("{\"A\":2}", START + 4 * hour, START + 4 * hour);
    command_at("{\"A\":3}", START + 3 * hour, START + 5 * hour);
    assert_int_equal(next_due(), INT64_MAX);
    /* However long ago that was. */
    command_at("{\"A\":3}", START + 3 * hour, START + 20 * DAY);
    assert_int_equal(next_due(), INT64_MAX);
    command_at("{\"A\":4}", START + 20 * DAY, START + 20 * DAY);
    sync_one(MS_BY_MARKETO_ID, 7, START + 20 * DAY + hour);
    /* But not if the clock was ahead then. */
    ok(ms_store_follow_clock(queue, START + 20 * DAY + hour));
    ok(ms_store_follow_clock(queue, START + 19 * DAY));
    command_at("{\"A\":5}", START + 19 * DAY, START + 19 * DAY);
    assert_string_equal(take(MS_BY_MARKETO_ID, START + 19 * DAY + hour), "#7 a@x.com {\"A\":5}\n");
}

/* Nor if it came in flight, and the flight did not arrive. */
static void
test_older_than_what_was_sent_in_flight(void **state)
{
    (void)state;
    command_at("{\"A\":2}", START, START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    command_at("{\"B\":1}", START + 60 * SECOND, START + 60 * SECOND);
    (void)take(MS_BY_MARKETO_ID, START + 70 * SECOND);
    command_at("{\"A\":1}", START - SECOND, START + 71 * SECOND);
    ok(ms_store_lead_again(queue, taken[0].id, START + 80 * SECOND));
    assert_string_equal(take(MS_BY_MARKETO_ID, START + 120 * SECOND), "#7 a@x.com {\"B\":1}\n");
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, START + 121 * SECOND));
    /* Nor after an answer that was lost, though nobody knows what Marketo has since. */
    command_at("{\"B\":0}", START, START + 200 * SECOND);
    command_at("{\"A\":3}", START + 200 * SECOND, START + 200 * SECOND);
    (void)take(MS_BY_MARKETO_ID, START + 210 * SECOND);
    ok(ms_store_lead_again(queue, taken[0].id, START + 220 * SECOND));
    (void)take(MS_BY_MARKETO_ID, START + 300 * SECOND);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), none, START + 301 * SECOND));
    command_at("{\"A\":1}", START - SECOND, START + 302 * SECOND);
    assert_int_equal(next_due(), INT64_MAX);
}

/* What was sent by a clock that was ahead is not what Marketo has once there is something newer. */
static void
test_there_and_back_by_a_clock_set_back(void **state)
{
    (void)state;
    command_at("{\"A\":1}", START + DAY, START + DAY);
    sync_one(MS_BY_EMAIL, 7, START + DAY + 5 * SECOND);
    ok(ms_store_follow_clock(queue, START + DAY + 6 * SECOND));
    ok(ms_store_follow_clock(queue, START));
    command_at("{\"A\":2}", START + 60 * SECOND, START + 60 * SECOND);
    sync_one(MS_BY_MARKETO_ID, 7, START + 120 * SECOND);
    command_at("{\"A\":1}", START + 180 * SECOND, START + 180 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, START + 240 * SECOND), "#7 a@x.com {\"A\":1}\n");
}

static void
test_message_once(void **state)
{
    ms_command command = {.kind = MS_COMMAND_LEAD,
                          .message_id = slice("m-1"),
                          .who = {slice("a@x.com"), none, none, true},
                          .time = START,
                          .fields = slice("{\"A\":1}")};
    (void)state;
    request(&command, START);
    command.fields = slice("{\"B\":1}");
    request(&command, START);
    request(&command, START + 7 * DAY - 1);
    ok(ms_store_tidy(queue, START + 7 * DAY - 1));
    request(&command, START + 7 * DAY - 1);
    assert_string_equal(take(MS_BY_EMAIL, START + 7 * DAY), "a@x.com {\"A\":1}\n");
    request(&command, START + 7 * DAY);
    assert_int_equal(query("SELECT count(*) FROM lead WHERE fields <> ''"), 1);
    ok(ms_store_tidy(queue, START + 30 * DAY)); /* one half week at a time */
    ok(ms_store_tidy(queue, START + 30 * DAY));
    assert_int_equal(query("SELECT count(*) FROM message"), 0);
}

/* Ids of as many messages as came at 10,000 a second, in an earlier half week and in one before. */
static void
test_messages_are_forgotten_as_fast_as_they_come(void **state)
{
    char sql[400];
    (void)state;
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO message WITH RECURSIVE n(i) AS"
                   " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
                   " SELECT i %% 2, randomblob(16), %lld FROM n",
                   (long long)START);
    assert_int_equal(sqlite3_exec(queue->db, sql, NULL, NULL, NULL), SQLITE_OK);
    const ms_command command = {.kind = MS_COMMAND_LEAD,
                                .message_id = slice("m-1"),
                                .who = {slice("a@x.com"), none, none, true},
                                .time = START,
                                .fields = slice("{\"A\":1}")};
    request(&command, START);
    for (int second = 0; second < 20; second += 5) {
        ok(ms_store_tidy(queue, START + second * SECOND));
    }
    assert_int_equal(query("SELECT count(*) FROM message"), 1);
    assert_int_equal(query("SELECT max(at) FROM message WHERE period > 1"), START);
}

/* What waits waits for as long as it would have; also when the server was started anew meanwhile.
 */
static void
test_clock_set_back(void **state)
{
    (void)state;
    ok(ms_store_follow_clock(queue, START));
    identify("a@x.com", NULL, NULL, A, START);
    ok(ms_store_follow_clock(queue, START - DAY));
    assert_int_equal(next_due(), RIPE - DAY);
    ok(ms_store_follow_clock(queue, START - DAY)); /* once */
    assert_int_equal(next_due(), RIPE - DAY);
    queue_commit();
    ok(ms_store_follow_clock(queue, START - 2 * DAY));
    ms_store_rollback(queue);
    ok(ms_store_begin(queue));
    assert_int_equal(next_due(), RIPE - DAY);
    ok(ms_store_follow_clock(queue, START - 2 * DAY));
    assert_int_equal(next_due(), RIPE - 2 * DAY);
    for (int step = 1; step <= 60; step++) { /* a minute, by a second each time */
        ok(ms_store_follow_clock(queue, START - 2 * DAY - step * SECOND));
    }
    assert_int_equal(next_due(), RIPE - 2 * DAY - 60 * SECOND);
    queue_close();
    queue_open();
    ok(ms_store_recover(queue, START - 3 * DAY, 0));
    assert_int_equal(next_due(), RIPE - 3 * DAY);
    assert_string_equal(take(MS_BY_EMAIL, RIPE - 3 * DAY), "a@x.com " A "\n");
}

/* SOAP: the same of a lead of which nothing waits but its cookie. */
static void
test_clock_set_back_while_a_cookie_waits_alone(void **state)
{
    const int64_t later = RIPE + 2 * DAY;
    (void)state;
    ok(ms_store_follow_clock(queue, START));
    identify("a@x.com", NULL, NULL, A, START);
    sync_one(MS_BY_ANY, 7, RIPE);
    identify_in_browser("a@x.com", NULL, "c1", NULL, later);
    assert_string_equal(take(MS_BY_ANY, later + 10 * SECOND), "#7 %c1 a@x.com {}\n");
    ok(ms_store_lead_again(queue, taken[0].id, later + 300 * SECOND));
    ok(ms_store_follow_clock(queue, later + 10 * SECOND));
    ok(ms_store_follow_clock(queue, later + 10 * SECOND - DAY));
    assert_string_equal(take(MS_BY_ANY, later + 299 * SECOND - DAY), "");
    assert_string_equal(take(MS_BY_ANY, later + 310 * SECOND - DAY), "#7 %c1 a@x.com {}\n");
}

static void
test_oldest_first(void **state)
{
    char email[32];
    ms_arena arena;
    static unsigned char memory[1 << 16];
    (void)state;
    identify("old@x.com", NULL, NULL, NULL, START);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_lead_again(queue, taken[0].id, START + 60 * SECOND));
    for (int i = 0; i < 500; i++) {
        (void)snprintf(email, sizeof email, "new%d@x.com", i);
        identify(email, NULL, NULL, NULL, START + 56 * SECOND);
    }
    /* A flood of new ones does not keep it from its turn. */
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_take_leads(queue, MS_BY_EMAIL, START + 61 * SECOND, 10, 1 << 20, &arena, taken,
                           &taken_count));
    assert_int_equal(taken_count, 10);
    assert_true(ms_slice_equal(taken[0].email, slice("old@x.com")));
}

static void
test_bytes_and_arena_bound_what_is_taken(void **state)
{
    ms_arena arena;
    static unsigned char memory[1 << 18];
    char fields[40000];
    (void)state;
    int len = snprintf(fields, sizeof fields, "{\"A\":\"%0*d\"}", 39000, 1);
    assert_in_range(len, 39000, sizeof fields - 1);
    for (int i = 0; i < 4; i++) {
        char email[32];
        (void)snprintf(email, sizeof email, "p%d@x.com", i);
        identify(email, NULL, NULL, fields, START);
    }
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_take_leads(queue, MS_BY_EMAIL, RIPE, 300, 80000, &arena, taken, &taken_count));
    assert_int_equal(taken_count, 2);
    ms_arena_init(&arena, memory, 50000);
    ok(ms_store_take_leads(queue, MS_BY_EMAIL, RIPE, 300, 80000, &arena, taken, &taken_count));
    assert_int_equal(taken_count, 1);
    assert_false(arena.exhausted);
    assert_int_equal(counts().leads_waiting, 1);
}

static void
test_no_more_waits_than_a_call_takes(void **state)
{
    char fields[40000];
    (void)state;
    (void)snprintf(fields, sizeof fields, "{\"A\":\"%0*d\"}", 39000, 1);
    identify("a@x.com", NULL, NULL, fields, START);
    fields[2] = 'B';
    identify("a@x.com", NULL, NULL, fields, START);
    ms_store_counts counted = counts();
    assert_int_equal(counted.dead, 1);
    assert_int_equal(counted.leads_waiting, 1);
    /* Once the first have been sent there is room for them. */
    sync_one(MS_BY_EMAIL, 7, RIPE);
    uint64_t count = 0;
    ok(ms_store_dead_retry(queue, 0, RIPE + DAY / 2, &count));
    assert_int_equal(count, 1);
    sync_one(MS_BY_MARKETO_ID, 7, RIPE + DAY / 2);
    assert_true(ms_slice_equal(taken[0].fields, slice(fields)));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_clock_was_ahead_before_a_restart),
        TEST(test_two_in_flight_that_are_one),
        TEST(test_lingers),
        TEST(test_a_full_call_waits_for_nothing),
        TEST(test_interval),
        TEST(test_interval_then_linger),
        TEST(test_linger_after_the_interval),
        TEST(test_unchanged),
        TEST(test_there_and_back),
        TEST(test_there_and_back_by_a_lost_answer),
        TEST(test_during_flight),
        TEST(test_again),
        TEST(test_refused),
        TEST(test_newest_by_its_own_time),
        TEST(test_older_than_what_was_sent),
        TEST(test_older_than_what_was_sent_in_flight),
        TEST(test_there_and_back_by_a_clock_set_back),
        TEST(test_clock_set_back),
        TEST(test_clock_set_back_while_a_cookie_waits_alone),
        TEST(test_message_once),
        TEST(test_messages_are_forgotten_as_fast_as_they_come),
        TEST(test_oldest_first),
        TEST(test_bytes_and_arena_bound_what_is_taken),
        TEST(test_no_more_waits_than_a_call_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
