/*
 * The queue's two files, one of which was moved away and is put back, or is of another time: what
 * waits in the file of accepted requests is carried out, whatever the database says of other ones.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define RIPE (START + 5 * SECOND)
#define DATABASE ""
#define ACCEPTED "-accepted"

static void
accept(const char *email)
{
    const ms_command command = {.kind = MS_COMMAND_LEAD,
                                .who = {.email = slice(email), .cookie_first = true},
                                .time = START,
                                .fields = slice("{\"A\":1}")};
    queue_accept(&command, START);
}

/* All that waits; and how many requests that were. */
static int
carry_out(void)
{
    int count = 0;
    bool found = true;
    while (found) {
        ok(ms_store_carry_out(queue, START, &found));
        count += found;
    }
    queue_commit();
    return count;
}

static void
forget(void)
{
    ms_store *accepting = ms_store_accepting(queue);
    ok(ms_store_begin(accepting));
    ok(ms_store_forget_carried_out(accepting, ms_store_carried_out(queue)));
    ok(ms_store_commit(accepting));
}

static void
go_on(void)
{
    queue_close();
    queue_open();
}

/* What stands behind the database's name; `to` it is with `copy` behind that, or back. */
static void
move(const char *file, const char *from, const char *to)
{
    char old[160];
    char new[160];
    (void)snprintf(old, sizeof old, "%s%s%s", queue_path, file, from);
    (void)snprintf(new, sizeof new, "%s%s%s", queue_path, file, to);
    assert_int_equal(rename(old, new), 0);
}

static void
copy(const char *file, const char *from, const char *to)
{
    char command[400];
    (void)snprintf(command, sizeof command, "cp %s%s%s %s%s%s", queue_path, file, from, queue_path,
                   file, to);
    /* NOLINTNEXTLINE(cert-env33-c): the path is the test's own. */
    assert_int_equal(system(command), 0);
}

/* While the queue is closed, or only to read. */
static void
run(const char *file, const char *sql)
{
    char path[160];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s%s", queue_path, file);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
assert_refused(void)
{
    const char *problem = NULL;
    assert_null(ms_store_open(queue_path, &queue_rules, &problem));
    assert_non_null(problem);
}

static void
test_a_database_that_is_put_back(void **state)
{
    (void)state;
    accept("1@x.com");
    accept("2@x.com");
    accept("3@x.com");
    assert_int_equal(carry_out(), 3);
    forget();
    queue_close();
    move(DATABASE, "", ".old");
    queue_open();
    accept("a@x.com");
    accept("b@x.com");
    queue_close();
    move(DATABASE, ".old", "");
    queue_open();
    assert_int_equal(counts().messages_waiting, 2);
    accept("c@x.com");
    forget();
    assert_int_equal(carry_out(), 3);
    forget();
    go_on();
    assert_int_equal(counts().messages_waiting, 0);
    assert_string_equal(take(MS_BY_EMAIL, RIPE),
                        "1@x.com {\"A\":1}\n2@x.com {\"A\":1}\n3@x.com {\"A\":1}\n"
                        "a@x.com {\"A\":1}\nb@x.com {\"A\":1}\nc@x.com {\"A\":1}\n");
}

static void
test_accepted_requests_that_are_put_back(void **state)
{
    (void)state;
    accept("a@x.com");
    queue_close();
    move(ACCEPTED, "", ".old");
    queue_open();
    accept("1@x.com");
    accept("2@x.com");
    assert_int_equal(carry_out(), 2);
    forget();
    queue_close();
    move(ACCEPTED, ".old", "");
    queue_open();
    assert_int_equal(counts().messages_waiting, 1);
    forget();
    assert_int_equal(carry_out(), 1);
    assert_string_equal(take(MS_BY_EMAIL, RIPE),
                        "1@x.com {\"A\":1}\n2@x.com {\"A\":1}\na@x.com {\"A\":1}\n");
}

/* Both are of one history, which went on in two ways. */
static void
test_a_backup_and_then_what_was_newer_than_it(void **state)
{
    (void)state;
    accept("1@x.com");
    queue_close();
    copy(DATABASE, "", ".backup");
    copy(ACCEPTED, "", ".backup");
    queue_open();
    assert_int_equal(carry_out(), 1);
    accept("2@x.com");
    accept("3@x.com");
    assert_int_equal(carry_out(), 2);
    queue_close();
    move(DATABASE, "", ".newer");
    move(DATABASE, ".backup", "");
    move(ACCEPTED, ".backup", "");
    queue_open();
    assert_int_equal(carry_out(), 1); /* a backup goes on where it was */
    forget();
    accept("a@x.com");
    queue_close();
    move(DATABASE, ".newer", "");
    queue_open();
    assert_int_equal(carry_out(), 1);
}

/* As README says of a backup: while it runs. */
static void
back_up(const char *file)
{
    char to[200];
    (void)snprintf(to, sizeof to, "VACUUM INTO '%s%s.backup'", queue_path, file);
    run(file, to);
}

/* The copies have gone one way, and the file that was copied another, before it was closed. */
static void
test_what_was_accepted_after_a_backup_while_it_ran(void **state)
{
    (void)state;
    accept("1@x.com");
    accept("2@x.com");
    assert_int_equal(carry_out(), 2);
    forget();
    back_up(ACCEPTED);
    back_up(DATABASE);
    accept("3@x.com");
    accept("4@x.com");
    accept("5@x.com");
    queue_close();
    move(ACCEPTED, "", ".newer");
    move(DATABASE, ".backup", "");
    move(ACCEPTED, ".backup", "");
    queue_open();
    accept("a@x.com");
    accept("b@x.com");
    accept("c@x.com");
    assert_int_equal(carry_out(), 3);
    forget();
    queue_close();
    move(ACCEPTED, ".newer", "");
    queue_open();
    forget();
    assert_int_equal(carry_out(), 3);
}

/* The database goes on with the former id too: the files belong together all the same. */
static void
test_a_start_that_is_interrupted_at_last(void **state)
{
    (void)state;
    accept("1@x.com");
    assert_int_equal(carry_out(), 1);
    accept("a@x.com");
    queue_close();
    run(ACCEPTED, "UPDATE lineage SET id = hex(randomblob(16))");
    run(DATABASE, "CREATE TRIGGER fault BEFORE INSERT ON kept WHEN length(NEW.value) = 32 "
                  "BEGIN SELECT raise(ABORT, 'full'); END");
    queue_open();
    assert_int_equal(counts().messages_waiting, 2);
    assert_int_equal(carry_out(), 2);
    queue_close();
    run(DATABASE, "DROP TRIGGER fault");
    queue_open();
    assert_int_equal(counts().messages_waiting, 0);
}

/* As often as it ends between two commits: nothing is lost, nor done twice. */
static void
test_an_interrupted_start(void **state)
{
    static const char *const writes[][2] = {{DATABASE, "INSERT ON kept"},
                                            {ACCEPTED, "INSERT ON lineage"}};
    char sql[128];
    (void)state;
    accept("1@x.com");
    assert_int_equal(carry_out(), 1);
    accept("a@x.com");
    for (int i = 0; i < 2; i++) {
        (void)snprintf(sql, sizeof sql,
                       "CREATE TRIGGER fault BEFORE %s BEGIN SELECT raise(ABORT, 'full'); END",
                       writes[i][1]);
        /* Files that belong together will do as they are. */
        queue_close();
        run(writes[i][0], sql);
        queue_open();
        assert_int_equal(counts().messages_waiting, 1);
        queue_close();
        run(writes[i][0], "DROP TRIGGER fault");
        queue_open();
        assert_int_equal(counts().messages_waiting, 1);
        /* Those that do not are made to, or refused. */
        queue_close();
        run(ACCEPTED, "UPDATE lineage SET id = hex(randomblob(16))");
        run(writes[i][0], sql);
        assert_refused();
        run(writes[i][0], "DROP TRIGGER fault");
        queue_open();
        assert_int_equal(carry_out(), 2);
        accept("a@x.com");
        forget();
        accept("1@x.com");
        assert_int_equal(carry_out(), 2);
        forget();
        accept("1@x.com");
        assert_int_equal(carry_out(), 1);
        accept("a@x.com");
    }
}

#define WITHOUT_ID "DELETE FROM kept WHERE name = 'lineage'"
#define VERSION_1 "DROP TABLE lineage; PRAGMA user_version = 1"

static void
test_upgrade(void **state)
{
    (void)state;
    accept("1@x.com");
    assert_int_equal(carry_out(), 1);
    accept("a@x.com");
    queue_close();
    run(DATABASE, WITHOUT_ID);
    run(ACCEPTED, VERSION_1);
    copy(DATABASE, "", ".old");
    copy(ACCEPTED, "", ".old");
    queue_open();
    assert_int_equal(carry_out(), 1);
    accept("b@x.com");
    go_on();
    assert_int_equal(carry_out(), 1);
    forget();

    /* One of before the upgrade that is put back: all that is accepted counts as waiting. */
    accept("c@x.com");
    accept("d@x.com");
    queue_close();
    copy(DATABASE, "", ".new");
    move(DATABASE, ".old", "");
    run(DATABASE, "UPDATE counter SET count = 1000 WHERE id = 12");
    queue_open();
    assert_int_equal(counts().messages_waiting, 2);
    queue_close();
    move(DATABASE, ".new", "");
    move(ACCEPTED, ".old", "");
    queue_open();
    assert_int_equal(counts().messages_waiting, 2);
    assert_int_equal(carry_out(), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_database_that_is_put_back, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(test_accepted_requests_that_are_put_back, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(test_a_backup_and_then_what_was_newer_than_it, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(test_what_was_accepted_after_a_backup_while_it_ran,
                                        queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_an_interrupted_start, queue_setup, queue_teardown),
        cmocka_unit_test_setup_teardown(test_a_start_that_is_interrupted_at_last, queue_setup,
                                        queue_teardown),
        cmocka_unit_test_setup_teardown(test_upgrade, queue_setup, queue_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
