/*
 * How SQLite carries out what the queue asks it: by keys and indexes, so that a million rows are
 * no slower than ten.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include "../../src/server/queue/queries.h"

#include <sqlite3.h>
#include <stdio.h>

/* Every statement of the queue. Those that go through all rows of a table do so at a start only, or
 * end at the first. */
static const struct {
    const char *name;
    const char *sql;
} statements[] = {
#define STATEMENT(name, sql) {#name, sql},
    MS_QUERIES(STATEMENT)
#undef STATEMENT
};

static bool
may_scan(const char *name)
{
    static const char *const names[] = {"MS_RECOUNT",   "_RECOVER",      "_OLDEST",
                                        "MS_FLIGHTS",   "MS_LEADS_LAST", "COUNTERS_CLEAR",
                                        "CALLS_FORGET", "_SHIFT",        "MS_JOURNAL_"};
    bool may = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        may = may || strstr(name, names[i]) != NULL;
    }
    return may;
}

/* A range of them, however many there are. */
static void
test_messages_are_forgotten_by_their_keys(void **state)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *plan = NULL;
    char sql[2048] = "";
    (void)state;
    queue_commit();
    assert_int_equal(sqlite3_open(queue_path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (strcmp(statements[i].name, "MS_MESSAGES_FORGET") == 0) {
            (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", statements[i].sql);
        }
    }
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &plan, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(plan), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(plan, 3),
                        "SEARCH message USING PRIMARY KEY (period=? AND hash<?)");
    assert_int_equal(sqlite3_finalize(plan), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_plans(void **state)
{
    sqlite3 *db = NULL;
    char sql[2048];
    (void)state;
    queue_commit();
    assert_int_equal(sqlite3_open(queue_path, &db), SQLITE_OK);
    (void)snprintf(sql, sizeof sql, "ATTACH '%s-accepted' AS accepted", queue_path);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "ATTACH ':memory:' AS queue; CREATE TABLE queue.journal"
                                  " (id INTEGER PRIMARY KEY, at, messages, commands)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        sqlite3_stmt *plan = NULL;
        (void)snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", statements[i].sql);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);
            if ((strncmp(step, "SCAN", 4) == 0 || strstr(step, "TEMP B-TREE") != NULL) &&
                !may_scan(statements[i].name)) {
                fail_msg("%s: %s", statements[i].name, step);
            }
        }
        assert_int_equal(sqlite3_finalize(plan), SQLITE_OK);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages_are_forgotten_by_their_keys, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(test_plans, queue_setup, queue_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
