/*
 * Secrets: where they come from, what is left behind, and how their memory is kept.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VARIABLE "MARKETO_SOAP_ENCRYPTION_KEY"

static const ms_secret_source *const source = &ms_secret_soap_encryption_key;
static char path[64];

/* Writes the file at `path`, which only its owner can read. */
static void
write_file(const char *text, size_t len)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, len), len);
    (void)close(file);
}

/* What was said on stderr since the last call of this; stderr goes to a file. */
static const char *
said(void)
{
    static char text[4096];
    static off_t read_to;
    ssize_t len = pread(STDERR_FILENO, text, sizeof text - 1, read_to);
    assert_true(len >= 0);
    read_to += len;
    text[len] = '\0';
    return text;
}

static void
assert_secret(ms_slice secret, const char *expected)
{
    assert_int_equal(secret.len, strlen(expected));
    assert_memory_equal(secret.ptr, expected, secret.len);
}

static void
test_variable(void **state)
{
    (void)state;
    ms_slice secret;
    assert_int_equal(setenv(VARIABLE, "s3cret\r\n", 1), 0);
    const char *was = getenv(VARIABLE);
    assert_true(ms_secret_load(source, NULL, &secret));
    assert_secret(secret, "s3cret");
    assert_null(getenv(VARIABLE));
    assert_string_equal(was, ""); /* nor is it where the environment was */
    ms_secret_wipe(&secret);
    assert_int_equal(secret.len, 0);
    ms_secret_wipe(&secret);
    assert_string_equal(said(), "");
}

static void
test_file(void **state)
{
    (void)state;
    ms_slice secret;
    write_file("from a file\n", 12);
    assert_true(ms_secret_load(source, path, &secret));
    assert_secret(secret, "from a file");
    ms_secret_wipe(&secret);
    assert_string_equal(said(), "");

    assert_int_equal(chmod(path, 0644), 0);
    assert_true(ms_secret_load(source, path, &secret));
    ms_secret_wipe(&secret);
    assert_non_null(strstr(said(), "key_file_readable_by_others"));
}

static void
test_absent(void **state)
{
    (void)state;
    ms_slice secret;
    assert_true(ms_secret_load(source, NULL, &secret));
    assert_int_equal(secret.len, 0);
    assert_string_equal(said(), "");
    ms_secret_missing(source);
    const char *text = said();
    assert_non_null(strstr(text, "there is no SOAP encryption key; set " VARIABLE " or give "
                                 "--soap-encryption-key-file"));
    assert_non_null(strstr(text, "Web Services"));
}

static void
assert_refused(const char *file, const char *problem)
{
    ms_slice secret = MS_SLICE("x");
    assert_false(ms_secret_load(source, file, &secret));
    assert_int_equal(secret.len, 0);
    const char *text = said();
    assert_non_null(strstr(text, problem));
    assert_null(strstr(text, "s3cret"));
}

static void
test_refused(void **state)
{
    (void)state;
    char long_one[1026];
    memset(long_one, 'k', sizeof long_one);
    memcpy(long_one, "s3cret", 6);
    write_file(long_one, 1025);
    assert_refused(path, "longer than 1024 bytes");
    write_file("\n\r\n", 3);
    assert_refused(path, "the SOAP encryption key is empty");
    assert_refused("/nowhere/key", "/nowhere/key cannot be read: No such file or directory.");
    assert_refused("/", "file / cannot be read: Is a directory.");

    long_one[1025] = '\0';
    assert_int_equal(setenv(VARIABLE, long_one, 1), 0);
    assert_refused(NULL, VARIABLE " is longer than 1024 bytes");
    assert_null(getenv(VARIABLE));
    assert_int_equal(setenv(VARIABLE, "s3cret", 1), 0);
    assert_refused(path, "give one");
    assert_int_equal(unsetenv(VARIABLE), 0);
}

/* Its page is in no core dump (dd), as the kernel tells it. That it is locked as well cannot be
 * seen here: AddressSanitizer makes mlock do nothing. */
static void
test_memory(void **state)
{
    (void)state;
    ms_slice secret;
    char line[512];
    bool found = false;
    bool kept = false;
    assert_int_equal(setenv(VARIABLE, "s3cret", 1), 0);
    assert_true(ms_secret_load(source, NULL, &secret));
    FILE *map = fopen("/proc/self/smaps", "r");
    assert_non_null(map);
    while (fgets(line, sizeof line, map) != NULL) {
        char *end = NULL;
        unsigned long from = strtoul(line, &end, 16);
        unsigned long to = end != line && *end == '-' ? strtoul(end + 1, NULL, 16) : 0;
        found = to == 0 ? found : from <= (uintptr_t)secret.ptr && (uintptr_t)secret.ptr < to;
        if (found && strncmp(line, "VmFlags:", 8) == 0) {
            kept = strstr(line, " dd") != NULL;
            break;
        }
    }
    (void)fclose(map);
    assert_true(kept);
    ms_secret_wipe(&secret);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variable), cmocka_unit_test(test_file),
        cmocka_unit_test(test_absent),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory),
    };
    char log[] = "/tmp/secret-test-log.XXXXXX";
    int file = mkstemp(log);
    int terminal = dup(STDERR_FILENO);
    (void)snprintf(path, sizeof path, "/tmp/secret-test.%ld", (long)getpid());
    if (file < 0 || terminal < 0 || dup2(file, STDERR_FILENO) < 0) {
        return 2;
    }
    (void)unlink(log);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char text[16384];
    ssize_t len = pread(STDERR_FILENO, text, sizeof text - 1, 0);
    (void)dup2(terminal, STDERR_FILENO);
    (void)fwrite(text, 1, len > 0 ? (size_t)len : 0, stderr);
    (void)close(terminal);
    (void)close(file);
    (void)unlink(path);
    return failed;
}
