/* Who copies the log, when, and what of it: SQLite is asked for no checkpoint of a log of which all
 * is copied, since its next commit may then go wrong (queue/checkpoint.c). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/queue/checkpoint.h"

#include <dlfcn.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static sqlite3 *writer;
static char path[64];
static sem_t begun;
static sem_t may_end;
static atomic_int by_thread;
static atomic_int by_writer;
static atomic_int copied_before;
static atomic_bool in_vain; /* of a log of which all was copied */
static atomic_int syncs_by_thread;
static _Thread_local int syncs;

/* In place of the C library's, which it calls. */
int
fdatasync(int file)
{
    static int (*real)(int);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    }
    syncs++;
    return real(file);
}

/* In place of SQLite's, which it calls. The thread's waits until it may end. */
int
sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *log, int *copied)
{
    static int (*real)(sqlite3 *, const char *, int, int *, int *);
    int pages = 0;
    int pages_copied = 0;
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "sqlite3_wal_checkpoint_v2");
    }
    int synced = syncs;
    int result = real(db, name, mode, &pages, &pages_copied);
    atomic_fetch_add(&syncs_by_thread, db == writer ? 0 : syncs - synced);
    atomic_fetch_add(db == writer ? &by_writer : &by_thread, 1);
    if (pages == atomic_exchange(&copied_before, pages_copied)) {
        atomic_store(&in_vain, true);
    }
    if (db != writer) {
        (void)sem_post(&begun);
        (void)sem_wait(&may_end);
    }
    if (log != NULL) {
        *log = pages;
    }
    if (copied != NULL) {
        *copied = pages_copied;
    }
    return result;
}

static void
run(const char *sql)
{
    assert_int_equal(sqlite3_exec(writer, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* So many pages of the log. */
static void
write_pages(int count)
{
    char sql[128];
    (void)snprintf(sql, sizeof sql, "INSERT INTO t VALUES (zeroblob(4000 * %d))", count);
    run(sql);
}

static int
set_up(void **state)
{
    static int number;
    (void)snprintf(path, sizeof path, "/tmp/munchkin-checkpoint-%d-%d", (int)getpid(), number++);
    assert_int_equal(sqlite3_open(path, &writer), SQLITE_OK);
    run("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (b)");
    assert_int_equal(sem_init(&begun, 0, 0), 0);
    assert_int_equal(sem_init(&may_end, 0, 0), 0);
    atomic_store(&by_thread, 0);
    atomic_store(&syncs_by_thread, 0);
    atomic_store(&by_writer, 0);
    atomic_store(&copied_before, -1);
    *state = ms_checkpoint_start(writer);
    assert_non_null(*state);
    return 0;
}

static int
tear_down(void **state)
{
    for (int i = 0; i < 10; i++) {
        (void)sem_post(&may_end); /* also if there are more than there should be */
    }
    ms_checkpoint_end(*state);
    assert_int_equal(sqlite3_close(writer), SQLITE_OK);
    (void)unlink(path);
    assert_false(atomic_load(&in_vain));
    return 0;
}

/* Lets the thread end, and sees to what it leaves. */
static void
let_end(ms_checkpoint *checkpoint)
{
    int before = atomic_load(&by_thread);
    (void)sem_post(&may_end);
    /* Nothing tells that it has ended: looking on is what the worker does. */
    for (int i = 0; i < 200; i++) {
        ms_checkpoint_see_to(checkpoint);
        (void)usleep(1000);
    }
    assert_int_equal(atomic_load(&by_thread), before);
}

static void
test_a_short_log_stays(void **state)
{
    write_pages(3000);
    ms_checkpoint_see_to(*state);
    (void)usleep(20000);
    assert_int_equal(atomic_load(&by_thread), 0);
}

static void
test_all_was_copied_by_the_thread(void **state)
{
    write_pages(5000);
    ms_checkpoint_see_to(*state);
    (void)sem_wait(&begun);
    let_end(*state);
    assert_int_equal(atomic_load(&by_writer), 0);
    /* The log before it is copied, and the database after that: what is copied may then be written
     * over in the log, and is on disk. */
    assert_in_range(atomic_load(&syncs_by_thread), 2, 3); /* a new file's folder, too */
    write_pages(1);                                       /* from the log's start again */
    ms_checkpoint_see_to(*state);
    (void)usleep(20000);
    assert_int_equal(atomic_load(&by_thread), 1);
}

/* A reader keeps the thread from copying what was written after it began to read. */
static void
test_the_writer_copies_the_rest(void **state)
{
    sqlite3 *reader = NULL;
    write_pages(5000);
    assert_int_equal(sqlite3_open(path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM t", NULL, NULL, NULL),
                     SQLITE_OK);
    write_pages(10);
    ms_checkpoint_see_to(*state);
    (void)sem_wait(&begun);
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    let_end(*state);
    assert_int_equal(atomic_load(&by_writer), 1);
    write_pages(1);
    ms_checkpoint_see_to(*state);
    (void)usleep(20000);
    assert_int_equal(atomic_load(&by_thread), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_short_log_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_was_copied_by_the_thread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_writer_copies_the_rest, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
