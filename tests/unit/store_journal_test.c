/*
 * What was accepted waits in a file of its own, outlives the process, and is carried out in its
 * order.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/queue/journal.h"
#include "../../src/server/queue/schema.h"
#include "../../src/server/queue/statements.h"
#include "queue.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#define RIPE (START + 5 * SECOND)

static const ms_slice none = {"", 0};

static ms_command
lead(const char *email, const char *fields)
{
    return (ms_command){.kind = MS_COMMAND_LEAD,
                        .who = {slice(email), none, none, true},
                        .time = START,
                        .fields = slice(fields)};
}

static void
accept(const char *email, const char *fields, int64_t now)
{
    const ms_command command = lead(email, fields);
    queue_accept(&command, now);
}

static bool
carry_out(void)
{
    bool found = false;
    ok(ms_store_carry_out(queue, RIPE, &found));
    return found;
}

/* Runs it in the file of what was accepted, and gives its number. */
static int64_t
query_accepted(const char *sql)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = ms_store_accepting(queue)->db;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return value;
}

#define REQUESTS "SELECT count(*) FROM request"

static void
test_order(void **state)
{
    (void)state;
    accept("a@x.com", "{\"A\":1}", START);
    accept("a@x.com", "{\"A\":2}", START);
    accept("b@x.com", "{\"A\":3}", START + SECOND);
    assert_int_equal(counts().messages_waiting, 3);
    assert_int_equal(counts().leads_waiting, 0);
    assert_int_equal(counts().oldest_waiting, START);
    assert_true(carry_out());
    assert_true(carry_out());
    assert_int_equal(counts().messages_waiting, 1);
    assert_int_equal(counts().oldest_waiting, START);
    assert_true(carry_out());
    assert_false(carry_out());
    assert_int_equal(counts().messages_waiting, 0);
    /* As of the time when they came. */
    assert_int_equal(query("SELECT count(*) FROM lead WHERE since = 1790000001000"), 1);
    assert_string_equal(take(MS_BY_EMAIL, RIPE + SECOND), "a@x.com {\"A\":2}\nb@x.com {\"A\":3}\n");
}

/* What comes while a turn carries out is for the next one, whether this one went well or not. */
static void
test_a_view_ends_with_its_transaction(void **state)
{
    (void)state;
    accept("a@x.com", "{\"A\":1}", START);
    ok(ms_store_view_accepted(queue));
    assert_true(carry_out());
    accept("b@x.com", "{\"A\":2}", START);
    assert_false(carry_out());
    queue_commit();
    ok(ms_store_view_accepted(queue));
    assert_true(carry_out());
    accept("c@x.com", "{\"A\":3}", START);
    assert_false(carry_out());
    ms_store_rollback(queue);
    ok(ms_store_begin(queue));
    ok(ms_store_view_accepted(queue));
    assert_true(carry_out());
    assert_true(carry_out());
    assert_false(carry_out());
}

static void
test_outlives_the_process(void **state)
{
    (void)state;
    accept("a@x.com", "{\"A\":1}", START);
    queue_close();
    queue_open();
    ok(ms_store_recover(queue, RIPE, SECOND));
    assert_int_equal(counts().messages_waiting, 1);
    assert_true(carry_out());
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":1}\n");
}

/* The clock was set back between two processes: what waits does not wait for it to catch up. */
static void
test_clock_set_back(void **state)
{
    (void)state;
    accept("a@x.com", "{\"A\":1}", START + DAY);
    queue_close();
    queue_open();
    ok(ms_store_recover(queue, START, SECOND));
    bool found = false;
    ok(ms_store_carry_out(queue, START, &found));
    assert_true(found);
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":1}\n");
}

static void
test_rolled_back(void **state)
{
    (void)state;
    accept("a@x.com", "{\"A\":1}", START);
    queue_commit();
    assert_true(carry_out());
    ms_store_rollback(queue);
    ok(ms_store_begin(queue));
    assert_int_equal(counts().messages_waiting, 1);
    assert_int_equal(counts().leads_waiting, 0);
    assert_true(carry_out());
    assert_false(carry_out());
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":1}\n");
}

/* What could not be committed has no number. */
static void
test_accepting_rolled_back(void **state)
{
    const ms_command command = lead("a@x.com", "{\"A\":1}");
    ms_store *accepting = ms_store_accepting(queue);
    (void)state;
    accept("b@x.com", "{\"A\":1}", START);
    ok(ms_store_begin(accepting));
    ok(ms_store_accept(accepting, &command, START));
    assert_int_equal(ms_store_last_accepted(accepting), 1);
    ms_store_rollback(accepting);
    assert_int_equal(counts().messages_waiting, 1);
    accept("c@x.com", "{\"A\":1}", START);
    assert_int_equal(ms_store_last_accepted(accepting), 2);
    assert_true(carry_out());
    assert_true(carry_out());
    assert_false(carry_out());
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "b@x.com {\"A\":1}\nc@x.com {\"A\":1}\n");
}

static void
forget(int64_t carried_out)
{
    ms_store *accepting = ms_store_accepting(queue);
    ok(ms_store_begin(accepting));
    ok(ms_store_forget_carried_out(accepting, carried_out));
    ok(ms_store_commit(accepting));
}

/* What is carried out is deleted, and that is not begun anew by the numbers of what comes. */
static void
test_forgetting(void **state)
{
    ms_command commands[300];
    (void)state;
    for (size_t i = 0; i < 300; i++) {
        commands[i] =
            (ms_command){.kind = MS_COMMAND_NOTHING, .next = i + 1 < 300 ? &commands[i + 1] : NULL};
    }
    for (int i = 0; i < 5; i++) {
        queue_accept(commands, START);
    }
    assert_int_equal(ms_store_last_accepted(ms_store_accepting(queue)), 1500);
    assert_int_equal(counts().messages_waiting, 1500);
    for (int i = 0; i < 4; i++) {
        assert_true(carry_out());
    }
    queue_commit();
    assert_int_equal(ms_store_carried_out(queue), 1200);
    assert_int_equal(counts().messages_waiting, 300);
    assert_false(ms_store_holds_carried_out(ms_store_accepting(queue), 0));
    assert_true(ms_store_holds_carried_out(ms_store_accepting(queue), 1200));
    forget(1200); /* 1000 messages at once */
    assert_int_equal(query_accepted(REQUESTS), 2);
    assert_true(ms_store_holds_carried_out(ms_store_accepting(queue), 1200));
    forget(1200);
    assert_int_equal(query_accepted(REQUESTS), 1);
    assert_false(ms_store_holds_carried_out(ms_store_accepting(queue), 1200));

    queue_close();
    queue_open();
    assert_false(ms_store_holds_carried_out(ms_store_accepting(queue), 1200));
    assert_true(carry_out());
    queue_commit();
    accept("b@x.com", "{\"A\":1}", START);
    forget(1500);
    assert_int_equal(query_accepted(REQUESTS), 1); /* which is not carried out */
    assert_true(carry_out());
    queue_commit();
    forget(1501);
    assert_int_equal(query_accepted(REQUESTS), 0);

    queue_close();
    queue_open();
    assert_int_equal(ms_store_last_accepted(ms_store_accepting(queue)), 1501);
    accept("a@x.com", "{\"A\":1}", START);
    assert_int_equal(counts().messages_waiting, 1);
    assert_true(carry_out());
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "b@x.com {\"A\":1}\na@x.com {\"A\":1}\n");
}

/* What cannot be read is not taken for nothing. */
static void
test_what_was_accepted_cannot_be_read(void **state)
{
    sqlite3 *db = ms_store_accepting(queue)->db;
    bool found = true;
    (void)state;
    accept("a@x.com", "{\"A\":1}", START);
    assert_int_equal(sqlite3_exec(db, "ALTER TABLE request RENAME TO elsewhere", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(ms_store_carry_out(queue, START, &found), MS_STORE_FAILED);
    assert_string_equal(ms_store_problem(queue), "no such table: request");
    ms_store_rollback(queue);
    assert_int_equal(sqlite3_exec(db, "ALTER TABLE elsewhere RENAME TO request", NULL, NULL, NULL),
                     SQLITE_OK);
    ok(ms_store_begin(queue));
    assert_true(carry_out());
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":1}\n");
}

static void
remove_file(const char *ending)
{
    char path[192];
    (void)snprintf(path, sizeof path, "%s%s", queue_path, ending);
    assert_int_equal(unlink(path), 0);
}

/* Either of the two files may be moved away: what is in the other goes on. */
static void
test_one_file_alone(void **state)
{
    (void)state;
    accept("a@x.com", "{\"A\":1}", START);
    accept("b@x.com", "{\"A\":1}", START);
    assert_true(carry_out());
    queue_close();
    remove_file("-accepted");
    queue_open();
    assert_int_equal(counts().messages_waiting, 0);
    queue_commit();
    /* A person may look at a copy of the database alone. */
    queue_close();
    remove_file("-accepted");
    const char *problem = NULL;
    ms_store_counts counted;
    ms_store *beside = ms_store_attach(queue_path, &queue_rules, &problem);
    assert_non_null(beside);
    ok(ms_store_count(beside, "2026-11-24", &counted));
    assert_int_equal(counted.leads_waiting, 1);
    assert_int_equal(counted.messages_waiting, 0);
    ms_store_close(beside);
    queue_open();
    accept("c@x.com", "{\"A\":1}", START);
    assert_int_equal(counts().messages_waiting, 1);
    assert_true(carry_out());
    assert_false(carry_out());
    accept("d@x.com", "{\"A\":1}", START);
    queue_close();
    remove_file("");
    queue_open();
    assert_int_equal(counts().messages_waiting, 3);
    while (carry_out()) {
    }
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "c@x.com {\"A\":1}\nd@x.com {\"A\":1}\n");
}

static void
test_nothing_to_do(void **state)
{
    (void)state;
    queue_accept(NULL, START);
    assert_int_equal(query_accepted(REQUESTS), 0);
    assert_false(carry_out());
    ok(ms_store_carry_out_or_bury(queue, START));
    assert_string_equal(dead_letters(), "");
}

static void
assert_same(ms_slice a, ms_slice b)
{
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.ptr, b.ptr, a.len);
}

/* All that a command can have, and bytes that texts seldom have. */
static void
test_layout(void **state)
{
    static unsigned char memory[4096];
    ms_arena arena;
    ms_command read;
    ms_command second = {.kind = MS_COMMAND_NOTHING, .message_id = slice("m2")};
    const ms_command first = {.kind = MS_COMMAND_ACTIVITY,
                              .message_id = MS_SLICE("m\0001"),
                              .who = {slice("e"), slice("u"), slice("c"), true},
                              .time = INT64_MIN,
                              .fields = slice("{\"\xff\":1}"),
                              .query = slice("q"),
                              .user_agent = slice("a"),
                              .activity_type = INT64_MAX,
                              .primary_value = slice("p"),
                              .attributes = slice("[]"),
                              .code = slice("code"),
                              .payload = slice("{}"),
                              .next = &second};
    (void)state;
    ms_arena_init(&arena, memory, sizeof memory);
    ms_slice entry = ms_journal_write(&arena, &first);
    assert_false(arena.exhausted);
    ms_slice left = entry;
    assert_int_equal(ms_journal_read(&left, &read), MS_JOURNAL_READ);
    assert_int_equal(read.kind, MS_COMMAND_ACTIVITY);
    assert_true(read.who.cookie_first);
    assert_true(read.time == INT64_MIN && read.activity_type == INT64_MAX);
    assert_same(read.message_id, first.message_id);
    assert_same(read.who.email, first.who.email);
    assert_same(read.who.user_id, first.who.user_id);
    assert_same(read.who.cookie, first.who.cookie);
    assert_same(read.fields, first.fields);
    assert_same(read.query, first.query);
    assert_same(read.user_agent, first.user_agent);
    assert_same(read.primary_value, first.primary_value);
    assert_same(read.attributes, first.attributes);
    assert_same(read.code, first.code);
    assert_same(read.payload, first.payload);
    size_t end_of_first = entry.len - left.len;
    assert_int_equal(ms_journal_read(&left, &read), MS_JOURNAL_READ);
    assert_int_equal(read.kind, MS_COMMAND_NOTHING);
    assert_int_equal(ms_journal_read(&left, &read), MS_JOURNAL_END);

    /* Cut anywhere else, it is not taken for another. */
    for (size_t len = 1; len < entry.len; len++) {
        left = (ms_slice){entry.ptr, len};
        ms_journal_state last = ms_journal_read(&left, &read);
        while (last == MS_JOURNAL_READ) {
            last = ms_journal_read(&left, &read);
        }
        assert_int_equal(last, len == end_of_first ? MS_JOURNAL_END : MS_JOURNAL_UNKNOWN);
    }
    /* Too little memory is known. */
    for (size_t size = 0; size < entry.len; size++) {
        ms_arena_init(&arena, memory, size);
        (void)ms_journal_write(&arena, &first);
        assert_true(arena.exhausted);
    }
}

static void
test_one_that_cannot_be_carried_out(void **state)
{
    (void)state;
    ms_command activity = {.kind = MS_COMMAND_ACTIVITY,
                           .who = {.user_id = slice("u1"), .cookie = slice("c1")},
                           .time = 6,
                           .activity_type = 100001,
                           .primary_value = slice("one"),
                           .attributes = slice("[{\"apiName\":\"a\"}]")};
    ms_command visit = {
        .kind = MS_COMMAND_VISIT, .time = 5, .query = slice("q"), .next = &activity};
    ms_command bad = lead("a@x.com", "{\"A\":1}");
    bad.next = &visit;
    bool found = false;
    queue_accept(&bad, START);
    accept("b@x.com", "{\"A\":2}", START);
    /* As if of a version to come: its first command is carried out, and taken back. */
    (void)query_accepted("UPDATE request SET commands = commands || x'02' WHERE number = 3"
                         " RETURNING number");
    queue_commit();
    assert_int_equal(ms_store_carry_out(queue, START, &found), MS_STORE_FAILED);
    assert_string_equal(ms_store_problem(queue),
                        "the database holds what this version does not know");
    ms_store_rollback(queue);
    ok(ms_store_begin(queue));
    ok(ms_store_carry_out_or_bury(queue, START));
    assert_string_equal(dead_letters(), "lead a@x.com not_stored {\"email\":\"a@x.com\",\"time\":"
                                        "1790000000000,\"fields\":{\"A\":1}}\n"
                                        "visit  not_stored {\"time\":5,\"query\":\"q\"}\n"
                                        "activity u1 not_stored {\"userId\":\"u1\",\"cookie\":"
                                        "\"c1\",\"time\":6,\"activityType\":100001,"
                                        "\"primaryValue\":\"one\",\"attributes\":[{\"apiName\":"
                                        "\"a\"}]}\nmessage  not_stored \"02\"\n");
    assert_int_equal(counts().messages_waiting, 1);
    assert_int_equal(counts().leads_waiting, 0);
    ok(ms_store_carry_out_or_bury(queue, START));
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "b@x.com {\"A\":2}\n");
    /* What was in its way may be gone one day. */
    uint64_t count = 0;
    ok(ms_store_dead_retry(queue, 0, RIPE, &count));
    assert_int_equal(count, 3);
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":1}\n");
    assert_int_equal(counts().visits_waiting, 1);
    assert_int_equal(counts().activities_waiting, 1);
}

/* A full disk is nobody's fault: nothing is buried for it. */
static void
test_full_disk(void **state)
{
    static char fields[60000];
    ms_store_result result = MS_STORE_OK;
    (void)state;
    (void)snprintf(fields, sizeof fields, "{\"B\":\"%0*d\"}", 50000, 1);
    accept("a@x.com", fields, START);
    queue_commit();
    queue_disk_full(true);
    for (int i = 0; i < 3; i++) {
        result = ms_store_carry_out_or_bury(queue, START);
        assert_int_equal(result, MS_STORE_FAILED);
        assert_string_equal(ms_store_problem(queue), "database or disk is full");
        ms_store_rollback(queue);
        ok(ms_store_begin(queue));
    }
    queue_disk_full(false);
    ok(ms_store_carry_out_or_bury(queue, START));
    assert_string_equal(dead_letters(), "");
    (void)take(MS_BY_EMAIL, RIPE);
    assert_int_equal(taken_count, 1);
}

static void
test_full_disk_while_accepting(void **state)
{
    static char fields[60000];
    ms_store *accepting = ms_store_accepting(queue);
    (void)state;
    (void)snprintf(fields, sizeof fields, "{\"B\":\"%0*d\"}", 50000, 1);
    const ms_command command = lead("a@x.com", fields);
    (void)query_accepted("PRAGMA max_page_count = 2");
    for (int i = 0; i < 2; i++) {
        ok(ms_store_begin(accepting));
        assert_int_equal(ms_store_accept(accepting, &command, START), MS_STORE_FAILED);
        assert_string_equal(ms_store_problem(accepting), "database or disk is full");
        ms_store_rollback(accepting);
    }
    assert_int_equal(ms_store_last_accepted(accepting), 0);
    (void)query_accepted("PRAGMA max_page_count = 1000");
    queue_accept(&command, START);
    assert_int_equal(ms_store_last_accepted(accepting), 1);
    assert_true(carry_out());
}

/* Without what version 7 has brought, and what version 6 has. */
#define TO_VERSION_6                                                                               \
    "DROP INDEX flight_marketo_id; ALTER TABLE flight DROP COLUMN marketo_id;"                     \
    "PRAGMA user_version = 6;"
#define TO_VERSION_5                                                                               \
    TO_VERSION_6 "ALTER TABLE lead DROP COLUMN email_unasked;"                                     \
                 "DELETE FROM counter WHERE id IN (5, 10);"                                        \
                 "UPDATE counter SET id = 10 WHERE id = 11;"                                       \
                 "UPDATE counter SET id = 11 WHERE id = 12; PRAGMA user_version = 5;"

/* Makes the database one of an older version. */
static void
make_older(const char *sql, ms_slice entry)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    queue_close();
    assert_int_equal(sqlite3_open(queue_path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    if (entry.len > 0) {
        assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO journal VALUES (NULL, ?1, 2, ?2)", -1,
                                            &statement, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_bind_int64(statement, 1, START), SQLITE_OK);
        assert_int_equal(sqlite3_bind_blob(statement, 2, entry.ptr, (int)entry.len, SQLITE_STATIC),
                         SQLITE_OK);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
            (void)sqlite3_reset(statement);
        }
        (void)sqlite3_finalize(statement);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A database from before there was a journal. */
static void
test_upgrade_of_version_1(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    make_older(TO_VERSION_5 "PRAGMA user_version = 1", none);
    remove_file("-accepted");
    queue_open();
    accept("a@x.com", "{\"B\":2}", START);
    assert_true(carry_out());
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":1,\"B\":2}\n");
}

/* The records of what was sent were others: they are forgotten, and it is sent once more. */
static void
sent_once_more(const char *older)
{
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    make_older(older, none);
    queue_open();
    assert_int_equal(query("SELECT sum(length(sent)) FROM lead"), 0);
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START + DAY / 2);
    assert_string_equal(take(MS_BY_MARKETO_ID, START + DAY), "#7 a@x.com {\"A\":1}\n");
}

static void
test_upgrade_of_version_3(void **state)
{
    (void)state;
    sent_once_more(TO_VERSION_5 "UPDATE lead SET sent = zeroblob(24); PRAGMA user_version = 3");
}

static void
test_upgrade_of_version_4(void **state)
{
    (void)state;
    sent_once_more(TO_VERSION_5 "PRAGMA user_version = 4");
}

/* What was accepted and is carried out stays so, and no lead's id is given twice. */
static void
test_upgrade_of_version_5(void **state)
{
    (void)state;
    accept("a@x.com", "{\"A\":1}", START);
    assert_true(carry_out());
    (void)take(MS_BY_EMAIL, RIPE);
    int64_t first = taken[0].id;
    ok(ms_store_lead_sent(queue, first, 7, RIPE));
    /* As one that is forgotten. */
    make_older(TO_VERSION_5 "DELETE FROM lead; DELETE FROM alias", none);
    queue_open();
    ok(ms_store_recover(queue, RIPE, 0));
    assert_int_equal(counts().messages_waiting, 0);
    assert_false(carry_out());
    accept("b@x.com", "{\"B\":2}", RIPE);
    assert_int_equal(counts().messages_waiting, 1);
    assert_true(carry_out());
    assert_string_equal(take(MS_BY_EMAIL, RIPE + DAY), "b@x.com {\"B\":2}\n");
    assert_int_equal(taken[0].id, first + 1);
}

/* What was under way waits again, and can go. */
static void
test_upgrade_of_version_6(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    identify("a@x.com", NULL, NULL, "{\"B\":2}", RIPE);
    identify("b@x.com", NULL, NULL, "{\"B\":2}", RIPE);
    (void)take(MS_BY_EMAIL, RIPE + DAY);
    (void)take(MS_BY_MARKETO_ID, RIPE + DAY);
    make_older(TO_VERSION_6, none);
    queue_open();
    ok(ms_store_recover(queue, RIPE + DAY, 90 * SECOND));
    assert_string_equal(take(MS_BY_MARKETO_ID, RIPE + 2 * DAY), "#7 a@x.com {\"B\":2}\n");
    assert_string_equal(take(MS_BY_EMAIL, RIPE + 2 * DAY), "b@x.com {\"B\":2}\n");
    assert_int_equal(query("SELECT sum(marketo_id) FROM flight"), 7);
    ok(ms_store_lead_sent(queue, taken[0].id, 8, RIPE + 2 * DAY));
}

/* One whose journal was a table of it: what waits there is taken over. If that was interrupted
 * before the database was of its next version, it is not done twice. */
static void
test_upgrade_of_version_2(void **state)
{
    static const char version_2[] =
        TO_VERSION_5 "CREATE TABLE journal (id INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
                     " messages INTEGER NOT NULL, commands BLOB NOT NULL);"
                     "INSERT OR REPLACE INTO counter VALUES (11, 4); PRAGMA user_version = 2";
    static unsigned char memory[4096];
    ms_arena arena;
    ms_command second = lead("b@x.com", "{\"B\":1}");
    ms_command commands = lead("a@x.com", "{\"B\":2}");
    (void)state;
    commands.next = &second;
    ms_arena_init(&arena, memory, sizeof memory);
    ms_slice entry = ms_journal_write(&arena, &commands);
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    for (int time = 1; time <= 3; time++) {
        make_older(version_2, entry);
        if (time == 1) {
            remove_file("-accepted");
        }
        queue_open();
        assert_int_equal(counts().messages_waiting, 4);
        assert_int_equal(query("SELECT count(*) FROM sqlite_schema WHERE name = 'journal'"), 0);
    }
    /* One that is older than what was accepted since: both are kept. */
    accept("c@x.com", "{}", START);
    make_older(version_2, entry);
    queue_open();
    assert_int_equal(counts().messages_waiting, 9);
    while (carry_out()) {
    }
    assert_string_equal(take(MS_BY_EMAIL, RIPE),
                        "a@x.com {\"A\":1,\"B\":2}\nb@x.com {\"B\":1}\nc@x.com {}\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_a_view_ends_with_its_transaction, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(test_outlives_the_process, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_clock_set_back, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_rolled_back, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_accepting_rolled_back, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_forgetting, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_what_was_accepted_cannot_be_read, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(test_one_file_alone, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_nothing_to_do, queue_setup, queue_teardown),
        cmocka_unit_test(test_layout),
        cmocka_unit_test_setup_teardown(test_one_that_cannot_be_carried_out, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(test_full_disk, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_full_disk_while_accepting, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(test_upgrade_of_version_1, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_upgrade_of_version_3, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_upgrade_of_version_4, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_upgrade_of_version_5, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_upgrade_of_version_6, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_upgrade_of_version_2, queue_setup, queue_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
