/*
 * Write keys out of files, and who has one (src/server/intake/write_keys.c).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/intake/write_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64];
static ms_write_keys *keys;
static char problem[MS_WRITE_KEYS_PROBLEM];

static int
open_keys(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/write-keys-test.%ld", (long)getpid());
    keys = ms_write_keys_open();
    problem[0] = '\0';
    return keys == NULL;
}

static int
close_keys(void **state)
{
    (void)state;
    (void)unlink(path);
    ms_write_keys_close(keys);
    return 0;
}

static bool
load(const char *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    return ms_write_keys_load(keys, path, problem);
}

static bool
holds(const char *key)
{
    return ms_write_keys_hold(keys, ms_slice_from(key));
}

static void
test_file(void **state)
{
    (void)state;
    static const char text[] = "# ours\n\n  \t\nfirst  # of the shop\r\nsecond\t \r\n#\nthird";
    assert_true(load(text, sizeof text - 1));
    assert_int_equal(keys->count, 3);
    assert_true(holds("first"));
    assert_true(holds("second"));
    assert_true(holds("third"));
    assert_false(holds("# ours"));
    assert_false(holds("of"));
    assert_true(load("", 0));
    assert_true(load("\n\n", 2));
    assert_int_equal(keys->count, 3);
}

/* However long they are, the end of a line is no line of its own. */
static void
test_long_lines(void **state)
{
    (void)state;
    static char text[20000];
    for (size_t len = 500; len < 530; len++) {
        keys->count = 0;
        int end = snprintf(text, sizeof text, "#%0*d\nkey\n", (int)len, 7);
        assert_true(load(text, (size_t)end));
        assert_int_equal(keys->count, 1);
        assert_true(holds("key"));
        end = snprintf(text, sizeof text, "key%*s# 7\n", (int)len, "");
        keys->count = 0;
        assert_true(load(text, (size_t)end));
        assert_int_equal(keys->count, 1);
    }
    keys->count = 0;
    int end = snprintf(text, sizeof text, "# %0*d\nlast", 19000, 7);
    assert_true(load(text, (size_t)end));
    assert_int_equal(keys->count, 1);
    assert_true(holds("last"));
}

static void
test_longest(void **state)
{
    (void)state;
    char text[MS_WRITE_KEY_MAX + 2];
    memset(text, 'k', sizeof text);
    text[MS_WRITE_KEY_MAX] = '\n';
    assert_true(load(text, MS_WRITE_KEY_MAX + 1));
    assert_true(ms_write_keys_hold(keys, (ms_slice){text, MS_WRITE_KEY_MAX}));
    text[MS_WRITE_KEY_MAX] = 'k';
    assert_false(load(text, MS_WRITE_KEY_MAX + 1));
    assert_non_null(strstr(problem, "line 1 is no write key"));
}

/* 126 times "k" and what that ends with, as base64 has it. */
static bool
authorizes(const char *end)
{
    char header[256];
    size_t len = (size_t)snprintf(header, sizeof header, "Basic ");
    for (int i = 0; i < MS_WRITE_KEY_MAX / 3; i++) {
        len += (size_t)snprintf(header + len, sizeof header - len, "a2tr");
    }
    (void)snprintf(header + len, sizeof header - len, "%s", end);
    return ms_write_keys_authorize(keys, header);
}

/* The start of a longer one is not taken for the key. */
static void
test_longer_than_a_key(void **state)
{
    (void)state;
    char text[MS_WRITE_KEY_MAX + 1];
    memset(text, 'k', sizeof text);
    assert_true(ms_write_keys_add(keys, (ms_slice){text, MS_WRITE_KEY_MAX}));
    assert_false(ms_write_keys_add(keys, (ms_slice){text, sizeof text}));
    assert_true(ms_write_keys_hold(keys, (ms_slice){text, MS_WRITE_KEY_MAX}));
    assert_false(ms_write_keys_hold(keys, (ms_slice){text, sizeof text}));
    assert_true(authorizes("a2s6"));          /* kk: */
    assert_false(authorizes("a2trOg=="));     /* kkk: */
    assert_false(authorizes("a2tra2tra2tr")); /* kkkkkkkkk */
}

static void
assert_refused(const char *bytes, size_t len, const char *words)
{
    keys->count = 0;
    problem[0] = '\0';
    assert_false(load(bytes, len));
    if (strstr(problem, words) == NULL || strstr(problem, "s3cret") != NULL) {
        fail_msg("%s", problem);
    }
}

/* What is wrong is told with the line, and without the key. */
static void
test_refused(void **state)
{
    (void)state;
#define REFUSED(text, words) assert_refused(text, sizeof(text) - 1, words)
    REFUSED("good\ns3cret not\n", "line 2 is no write key");
    REFUSED("\n\ns3cret:\n", "line 3 is no write key");
    REFUSED(" s3cret", "line 1 is no write key");
    REFUSED("s3cret\rother\n", "line 1 is no write key");
    REFUSED("s3cret\xC3\xA4\n", "line 1 is no write key");
    REFUSED("\xFF\n", "line 1 is no write key");
    REFUSED("good\ns3cret\0other\n", "line 2 has a NUL byte");
    REFUSED("# \0\n", "line 1 has a NUL byte");
    assert_false(ms_write_keys_load(keys, "/nowhere/s3cret", problem));
    assert_string_equal(problem, "it cannot be opened: No such file or directory");
    assert_false(ms_write_keys_load(keys, "/", problem));
    assert_string_equal(problem, "it cannot be read: Is a directory");
}

static void
test_too_many(void **state)
{
    (void)state;
    char text[16 * (MS_WRITE_KEYS_MAX + 1)];
    size_t len = 0;
    for (int i = 0; i <= MS_WRITE_KEYS_MAX; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "s3cret-%d\n", i);
    }
    assert_refused(text, len, "line 65 is a key too many: 64 are allowed");
    assert_int_equal(keys->count, MS_WRITE_KEYS_MAX);
    assert_true(load("# none", 6));
}

static void
test_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof *keys; i++) {
        assert_int_equal(((const unsigned char *)keys)[i], 0);
    }
    ms_write_keys_close(NULL);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_keys, close_keys)
    const struct CMUnitTest tests[] = {
        TEST(test_file),    TEST(test_long_lines), TEST(test_longest), TEST(test_longer_than_a_key),
        TEST(test_refused), TEST(test_too_many),   TEST(test_memory),
    };
    return cmocka_run_group_tests_name("write_keys", tests, NULL, NULL);
}
