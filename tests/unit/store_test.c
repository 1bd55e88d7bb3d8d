/*
 * The queue's file: what survives, who may open it, what a full disk and damage do.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include "../../src/server/queue/schema.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RIPE (START + 5 * SECOND)

static void
test_closed_and_opened(void **state)
{
    (void)state;
    identify("a@x.com", "u1", NULL, "{\"A\":\"\\u0000\xC3\xA4\"}", START);
    queue_close();
    queue_open();
    assert_int_equal(query("PRAGMA synchronous"), 2); /* FULL */
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "@u1 a@x.com {\"A\":\"\\u0000\xC3\xA4\"}\n");
}

/* Puts leads in for as long as it lives, and says after each commit how many there are. */
static void
fill_until_killed(int say)
{
    char email[32];
    ms_store_close(queue);
    queue_open();
    for (int i = 0;; i++) {
        (void)snprintf(email, sizeof email, "p%d@x.com", i);
        identify(email, NULL, NULL, "{\"A\":1}", START);
        queue_commit();
        if (write(say, &i, sizeof i) != sizeof i) {
            _exit(1);
        }
    }
}

static void
test_killed(void **state)
{
    int64_t before = 0;
    (void)state;
    for (int round = 0; round < 5; round++) {
        int said[2];
        int last = -1;
        ms_store_rollback(queue);
        ms_store_close(queue); /* SQLite's locks do not go over to a child */
        queue = NULL;
        assert_int_equal(pipe(said), 0);
        pid_t child = fork();
        if (child == 0) {
            (void)close(said[0]);
            fill_until_killed(said[1]);
        }
        (void)close(said[1]);
        while (last < 20 * round && read(said[0], &last, sizeof last) == sizeof last) {
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(said[0], &last, sizeof last) == sizeof last) {
        }
        (void)close(said[0]);
        queue_open();
        for (bool found = true; found;) {
            ok(ms_store_carry_out(queue, START, &found));
        }
        /* All that was said is there, in this round or before; of the last commit it may not have
         * been said. */
        int64_t leads = query("SELECT count(*) FROM lead");
        if (last + 1 > before) {
            assert_in_range(leads, last + 1, last + 2);
        } else {
            assert_in_range(leads, before, before + 1);
        }
        assert_int_equal(counts().leads_waiting, leads);
        before = leads;
    }
}

static void
test_in_flight_at_the_end(void **state)
{
    (void)state;
    identify_in_browser("a@x.com", NULL, "c1", "{\"A\":1}", START);
    sync_one(MS_BY_EMAIL, 7, RIPE);
    assert_string_equal(associations(RIPE), "c1>7\n");
    identify("b@x.com", NULL, NULL, "{\"B\":1}", START);
    identify(NULL, NULL, "c2", "{\"C\":1}", START);
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "b@x.com {\"B\":1}\n");
    assert_string_equal(lookups(RIPE), "c2>0\n");
    identify("b@x.com", NULL, NULL, "{\"B\":2}", RIPE);
    queue_close();

    queue_open();
    ok(ms_store_recover(queue, RIPE, 60 * SECOND));
    const int64_t after = RIPE + 60 * SECOND;
    assert_string_equal(take(MS_BY_EMAIL, after - 1), "");
    assert_string_equal(lookups(after - 1), "");
    assert_string_equal(associations(after - 1), "");
    assert_string_equal(take(MS_BY_EMAIL, after), "b@x.com {\"B\":2}\n");
    assert_string_equal(lookups(after), "c2>0\n");
    assert_string_equal(associations(after), "c1>7\n");
}

static void
test_for_nobody_else(void **state)
{
    struct stat status;
    const char *problem = NULL;
    char path[160];
    (void)state;
    static const char *const ends[] = {"",          "-wal",          "-shm",         ".lock",
                                       "-accepted", "-accepted-wal", "-accepted-shm"};
    identify("a@x.com", NULL, NULL, NULL, START);
    queue_commit();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        (void)snprintf(path, sizeof path, "%s%s", queue_path, ends[i]);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    assert_null(ms_store_open(queue_path, &queue_rules, &problem));
    assert_non_null(strstr(problem, "Another munchkin-server"));
}

static void
test_beside_a_server(void **state)
{
    const char *problem = NULL;
    ms_store_counts counted;
    uint64_t count = 0;
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), slice(""), RIPE));
    identify(NULL, "u1", NULL, "{\"B\":1}", RIPE);
    ok(ms_store_count_call(queue, "2026-11-24"));
    queue_commit();
    ok(ms_store_commit(queue)); /* no transaction under way, as between the worker's turns */

    ms_store *beside = ms_store_attach(queue_path, &queue_rules, &problem);
    assert_non_null(beside);
    ok(ms_store_count(beside, "2026-11-24", &counted));
    assert_int_equal(counted.dead, 1);
    assert_int_equal(counted.leads_held, 1);
    assert_int_equal(counted.calls_today, 1);
    ok(ms_store_begin(beside));
    ok(ms_store_dead_retry(beside, 0, START + DAY, &count));
    ok(ms_store_commit(beside));
    assert_int_equal(count, 1);
    ms_store_close(beside);

    ok(ms_store_begin(queue));
    assert_string_equal(take(MS_BY_EMAIL, START + DAY), "a@x.com {\"A\":1}\n");
    assert_int_equal(counts().dead, 0);
}

/* A person's command knows the server's rules: one sync of a lead in 30 seconds. */
static void
test_retry_beside_a_server_waits_as_long(void **state)
{
    const char *problem = NULL;
    uint64_t count = 0;
    (void)state;
    ok(ms_store_recover(queue, START, 0));
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    (void)take(MS_BY_EMAIL, RIPE);
    ok(ms_store_lead_refused(queue, taken[0].id, slice("1003"), slice(""), RIPE));
    ok(ms_store_commit(queue));
    ms_store *beside = ms_store_attach(queue_path, &(ms_store_rules){0}, &problem);
    assert_non_null(beside);
    ok(ms_store_begin(beside));
    ok(ms_store_dead_retry(beside, 0, RIPE + SECOND, &count));
    ok(ms_store_commit(beside));
    ms_store_close(beside);
    ok(ms_store_begin(queue));
    assert_int_equal(count, 1);
    assert_string_equal(take(MS_BY_EMAIL, RIPE + 29 * SECOND), "");
    assert_string_equal(take(MS_BY_EMAIL, RIPE + 35 * SECOND), "a@x.com {\"A\":1}\n");
}

/* A transaction that could not be rolled back, for want of memory say, does not stop those behind
 * it. */
static void
test_begin_within_another(void **state)
{
    (void)state;
    queue_commit();
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    ok(ms_store_begin(queue));
    assert_int_equal(query("SELECT count(*) FROM lead"), 0);
    identify("b@x.com", NULL, NULL, "{\"B\":1}", START); /* a@x.com waits before it */
    queue_commit();
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":1}\n");
}

static void
test_full_disk(void **state)
{
    static char fields[60000];
    char email[32];
    bool found = false;
    ms_store_result result = MS_STORE_OK;
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    queue_commit();
    (void)snprintf(fields, sizeof fields, "{\"B\":\"%0*d\"}", 50000, 1);
    queue_disk_full(true);
    identify("a@x.com", NULL, NULL, "{\"C\":1}", START); /* there is room in its page */
    for (int i = 0; i < 100 && result == MS_STORE_OK; i++) {
        (void)snprintf(email, sizeof email, "p%d@x.com", i);
        const ms_command command = {.kind = MS_COMMAND_LEAD,
                                    .message_id = slice(email),
                                    .who = {slice(email), slice(""), slice(""), true},
                                    .time = START,
                                    .fields = slice(fields)};
        queue_accept(&command, START);
        result = ms_store_carry_out(queue, START, &found);
    }
    assert_int_equal(result, MS_STORE_FAILED);
    assert_string_equal(ms_store_problem(queue), "database or disk is full");
    ms_store_rollback(queue);

    /* As before, and all goes on. */
    ok(ms_store_begin(queue));
    assert_int_equal(counts().leads_waiting, 1);
    assert_int_equal(query("SELECT count(*) FROM lead"), 1);
    assert_int_equal(query("SELECT count(*) FROM message"), 0);
    queue_disk_full(false);
    for (found = true; found;) {
        ok(ms_store_carry_out(queue, START, &found));
    }
    identify("b@x.com", NULL, NULL, fields, START);
    queue_commit();
    (void)take(MS_BY_EMAIL, RIPE);
    assert_in_range(taken_count, 3, 102);
    assert_true(ms_slice_equal(taken[0].fields, slice("{\"A\":1,\"C\":1}")));
}

static void
test_rollback(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    queue_commit();
    (void)take(MS_BY_EMAIL, RIPE);
    identify("b@x.com", NULL, "c1", "{\"A\":1}", START);
    ms_store_rollback(queue);
    ok(ms_store_begin(queue));
    ms_store_counts counted = counts();
    assert_int_equal(counted.leads_waiting, 1);
    assert_int_equal(counted.leads_in_flight, 0);
    assert_int_equal(counted.cookies_waiting, 0);
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":1}\n");
}

/* The file, whole. */
static char *
contents(size_t *len)
{
    struct stat status;
    int file = open(queue_path, O_RDONLY);
    assert_int_equal(fstat(file, &status), 0);
    *len = (size_t)status.st_size;
    char *bytes = malloc(*len);
    assert_int_equal(read(file, bytes, *len), status.st_size);
    (void)close(file);
    return bytes;
}

static void
assert_refused(const char *words)
{
    const char *problem = NULL;
    size_t before_len = 0;
    size_t after_len = 0;
    char *before = contents(&before_len);
    assert_null(ms_store_open(queue_path, &queue_rules, &problem));
    if (strstr(problem, words) == NULL) {
        fail_msg("%s", problem);
    }
    char *after = contents(&after_len);
    assert_int_equal(before_len, after_len);
    assert_memory_equal(before, after, before_len);
    free(before);
    free(after);
}

static void
overwrite(off_t at, const char *bytes, size_t len)
{
    int file = open(queue_path, O_WRONLY);
    assert_int_equal(pwrite(file, bytes, len, at), len);
    (void)close(file);
}

static void
test_damage(void **state)
{
    char email[32];
    char noise[4096];
    (void)state;
    for (int i = 0; i < 200; i++) {
        (void)snprintf(email, sizeof email, "p%d@x.com", i);
        identify(email, NULL, NULL, "{\"A\":1}", START);
    }
    queue_close();
    memset(noise, 0x5A, sizeof noise);
    overwrite(4096, noise, sizeof noise); /* the root of the leads */
    assert_refused("The database is damaged");
    overwrite(0, noise, 16);
    assert_refused("The database is damaged");
}

static void
run(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(queue_path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_other_versions(void **state)
{
    const char *problem = NULL;
    (void)state;
    queue_close();
    run("PRAGMA user_version = 1000");
    assert_refused("newer munchkin-server");
    run("PRAGMA user_version = 0; PRAGMA application_id = 0");
    assert_refused("another program");
    assert_int_equal(unlink(queue_path), 0);
    assert_null(ms_store_attach(queue_path, &queue_rules, &problem));
    assert_non_null(strstr(problem, "There is no database"));
    assert_null(ms_store_open("/nowhere/at/all.db", &queue_rules, &problem));
    assert_non_null(strstr(problem, "cannot be opened"));
    assert_null(ms_store_open("", &queue_rules, &problem));
}

/* A release to come, which adds a column, and one that fails halfway. */
static void
test_migration(void **state)
{
    enum { VERSION = 7 }; /* today's */
    const char *steps[VERSION + 1];
    ms_schema next = {ms_queue_schema.application, steps, VERSION + 1};
    assert_int_equal(ms_queue_schema.version, VERSION);
    memcpy(steps, ms_queue_schema.steps, VERSION * sizeof *steps);
    sqlite3 *db = NULL;
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    queue_close();
    assert_int_equal(sqlite3_open(queue_path, &db), SQLITE_OK);
    assert_int_equal(ms_schema_examine(db, &next), MS_SCHEMA_OLDER);
    steps[VERSION] = "ALTER TABLE lead ADD COLUMN oops INTEGER; SELECT nothing";
    assert_int_equal(ms_schema_update(db, &next), MS_SCHEMA_FAILED);
    assert_int_equal(ms_schema_examine(db, &ms_queue_schema), MS_SCHEMA_CURRENT);
    assert_int_equal(sqlite3_exec(db, "SELECT oops FROM lead", NULL, NULL, NULL), SQLITE_ERROR);
    steps[VERSION] = "ALTER TABLE lead ADD COLUMN score INTEGER NOT NULL DEFAULT 5";
    assert_int_equal(ms_schema_update(db, &next), MS_SCHEMA_CURRENT);
    assert_int_equal(sqlite3_exec(db, "SELECT 1 / (score = 5) FROM lead", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_refused("newer munchkin-server");
    run("ALTER TABLE lead DROP COLUMN score; PRAGMA user_version = 7");
    queue_open();
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":1}\n");
}

static void
test_remembered(void **state)
{
    unsigned char memory[64];
    ms_arena arena;
    ms_slice value;
    int64_t at = 0;
    (void)state;
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_recall(queue, "fields", &arena, &value, &at));
    assert_int_equal(value.len, 0);
    ok(ms_store_remember(queue, "fields", slice("[1]"), START));
    ok(ms_store_remember(queue, "fields", slice("[2]"), START + 1));
    queue_close();
    queue_open();
    ok(ms_store_recall(queue, "fields", &arena, &value, &at));
    assert_true(ms_slice_equal(value, slice("[2]")));
    assert_int_equal(at, START + 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_closed_and_opened),
        TEST(test_killed),
        TEST(test_in_flight_at_the_end),
        TEST(test_for_nobody_else),
        TEST(test_beside_a_server),
        TEST(test_retry_beside_a_server_waits_as_long),
        TEST(test_begin_within_another),
        TEST(test_full_disk),
        TEST(test_rollback),
        TEST(test_damage),
        TEST(test_other_versions),
        TEST(test_migration),
        TEST(test_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
