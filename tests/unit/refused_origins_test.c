/* What the log says of pages that were refused: how often, and what of an Origin header. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/refused_origins.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND INT64_C(1000000)

static ms_refused_origins refused;

/* What was said on stderr since the last call of this, from the event on; stderr goes to a file. */
static const char *
said(void)
{
    static char text[4096];
    static off_t read_to;
    ssize_t len = pread(STDERR_FILENO, text, sizeof text - 1, read_to);
    assert_true(len >= 0);
    read_to += len;
    text[len] = '\0';
    const char *event = strstr(text, "\"level\"");
    return event == NULL ? text : event;
}

static int
begin(void **state)
{
    (void)state;
    ms_refused_origins_init(&refused);
    return 0;
}

static void
test_once_a_minute(void **state)
{
    (void)state;
    ms_refused_origins_tell(&refused, 5 * SECOND);
    assert_string_equal(said(), "");
    for (int i = 0; i < 3; i++) {
        ms_refused_origins_note(&refused, "https://shop.example.com");
    }
    ms_refused_origins_tell(&refused, 6 * SECOND);
    assert_string_equal(said(), "\"level\":\"warning\",\"event\":\"origin_not_allowed\",\"count\":"
                                "\"3\",\"origin\":\"https://shop.example.com\"}\n");
    ms_refused_origins_tell(&refused, 600 * SECOND);
    assert_string_equal(said(), ""); /* nothing new */

    ms_refused_origins_note(&refused, "HTTP://Other.example:8080");
    ms_refused_origins_tell(&refused, 600 * SECOND);
    assert_non_null(strstr(said(), "\"count\":\"1\",\"origin\":\"http://other.example:8080\""));
    for (int64_t second = 600; second < 660; second++) {
        ms_refused_origins_note(&refused, "https://third.example");
        ms_refused_origins_tell(&refused, second * SECOND);
    }
    assert_string_equal(said(), "");
    ms_refused_origins_tell(&refused, 660 * SECOND);
    assert_non_null(strstr(said(), "\"count\":\"60\",\"origin\":\"https://third.example\""));
}

/* What is no origin, which it could be allowed, is counted alone. */
static void
test_not_shown(void **state)
{
    (void)state;
    static char longest[MS_ORIGIN_SHOWN + 1];
    const char *const hostile[] = {
        NULL,
        "",
        "null",
        "https://ada@example.com",
        "https://evil.example/\"}\n{\"event\":\"forged\"}",
        "https://evil.example\x1b[2J",
        "https://b\xc3\xbc\x63her.example",
        "ftp://evil.example",
        longest,
    };
    memset(longest, 'a', MS_ORIGIN_SHOWN);
    memcpy(longest, "https://", 8);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        ms_refused_origins_note(&refused, hostile[i]);
    }
    ms_refused_origins_tell(&refused, 0);
    assert_string_equal(
        said(), "\"level\":\"warning\",\"event\":\"origin_not_allowed\",\"count\":\"9\"}\n");

    longest[MS_ORIGIN_SHOWN - 1] = '\0';
    ms_refused_origins_note(&refused, "null");
    ms_refused_origins_note(&refused, longest); /* the first that can be shown is */
    ms_refused_origins_tell(&refused, 60 * SECOND);
    assert_non_null(strstr(said(), longest));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_once_a_minute, begin),
        cmocka_unit_test_setup(test_not_shown, begin),
    };
    char text[16384];
    FILE *file = tmpfile();
    int terminal = dup(STDERR_FILENO);
    if (file == NULL || terminal < 0 || dup2(fileno(file), STDERR_FILENO) < 0) {
        return 2;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ssize_t len = pread(STDERR_FILENO, text, sizeof text, 0); /* cmocka writes there as well */
    (void)dup2(terminal, STDERR_FILENO);
    (void)fwrite(text, 1, len > 0 ? (size_t)len : 0, stderr);
    (void)close(terminal);
    (void)fclose(file);
    return failed;
}
