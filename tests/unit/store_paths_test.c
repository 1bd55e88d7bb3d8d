/*
 * The ways to the queue's file: links of either kind, and paths that lead nowhere.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RIPE (START + 5 * SECOND)

static void
assert_not_opened(ms_store *(*open_it)(const char *, const ms_store_rules *, const char **),
                  const char *path, const char *words)
{
    const char *problem = "It was opened.";
    ms_store *store = open_it(path, &queue_rules, &problem);
    ms_store_close(store);
    if (store != NULL || strstr(problem, words) == NULL) {
        fail_msg("%s: %s", path, problem);
    }
}

/* A file in the queue's folder. */
static const char *
beside_queue(const char *name)
{
    static char paths[4][160];
    static size_t next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof *paths, "%.*s%s", (int)(strrchr(queue_path, '/') + 1 - queue_path),
                   queue_path, name);
    return path;
}

/* By whatever symbolic links, it is the same database, and its files are beside it. */
static void
test_symbolic_links(void **state)
{
    const char *problem = NULL;
    struct stat status;
    (void)state;
    char *link = strdup(beside_queue("link.db"));
    char *folder = strdup(beside_queue("folder"));
    assert_non_null(link);
    assert_non_null(folder);
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    queue_commit();
    assert_int_equal(symlink(queue_path, link), 0);
    assert_int_equal(symlink(".", folder), 0);
    assert_not_opened(ms_store_open, link, "Another munchkin-server");
    char *within = strdup(beside_queue("folder/link.db"));
    assert_non_null(within);
    assert_not_opened(ms_store_open, within, "Another munchkin-server");
    queue_close();

    ms_store *store = ms_store_open(within, &queue_rules, &problem);
    assert_non_null(store);
    assert_not_opened(ms_store_open, queue_path, "Another munchkin-server");
    ms_store_close(store);
    assert_int_equal(stat(beside_queue("link.db-accepted"), &status), -1);
    assert_int_equal(stat(beside_queue("link.db.lock"), &status), -1);
    store = ms_store_attach(link, &queue_rules, &problem);
    assert_non_null(store);
    ms_store_close(store);

    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("nowhere.db", link), 0);
    assert_not_opened(ms_store_open, link, "a symbolic link to a file that is not there");
    assert_not_opened(ms_store_attach, link, "a symbolic link to a file that is not there");
    assert_int_equal(stat(beside_queue("nowhere.db"), &status), -1);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("link.db", link), 0);
    assert_not_opened(ms_store_open, link, "cannot be opened");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(unlink(folder), 0);
    free(link);
    free(folder);
    free(within);
    queue_open();
}

/* SQLite takes files of several names for several databases. */
static void
test_hard_links(void **state)
{
    static const char *const ends[] = {"", "-accepted"};
    char first[176];
    char second[176];
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1}", START);
    queue_close();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        (void)snprintf(first, sizeof first, "%s%s", queue_path, ends[i]);
        (void)snprintf(second, sizeof second, "%s%s", beside_queue("second.db"), ends[i]);
        assert_int_equal(link(first, second), 0);
        assert_not_opened(ms_store_open, queue_path, "several names");
        assert_not_opened(ms_store_attach, queue_path, "several names");
        assert_int_equal(unlink(second), 0);
    }
    queue_open();
    assert_string_equal(take(MS_BY_EMAIL, RIPE), "a@x.com {\"A\":1}\n");
}

static void
test_paths(void **state)
{
    static char longest[PATH_MAX + 8];
    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    assert_not_opened(ms_store_open, longest, "too long");
    for (size_t i = 1; i < sizeof longest - 1; i += 2) {
        longest[i] = '/';
    }
    assert_not_opened(ms_store_attach, longest, "too long");
    assert_not_opened(ms_store_open, "/nowhere/at/all.db", "cannot be opened");
    assert_not_opened(ms_store_attach, "/nowhere/at/all.db", "There is no database");
    assert_not_opened(ms_store_open, "/", "This is no file");
    assert_not_opened(ms_store_open, "", "No path");
    assert_not_opened(ms_store_attach, "", "No path");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_symbolic_links),
        TEST(test_hard_links),
        TEST(test_paths),
    };
    return cmocka_run_group_tests_name("store_paths", tests, NULL, NULL);
}
