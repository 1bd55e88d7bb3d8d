/*
 * What dead letters keep of a message (src/server/intake/payload.c): JSON, whatever came.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/intake/message.h"
#include "../../src/server/intake/payload.h"

#include <stdio.h>
#include <stdlib.h>

/* In memory of exactly its size. */
static bool
is_object(ms_slice text)
{
    char *copy = malloc(text.len == 0 ? 1 : text.len);
    assert_non_null(copy);
    memcpy(copy, text.ptr, text.len);
    bool json = ms_payload_is_object((ms_slice){copy, text.len});
    free(copy);
    return json;
}

static void
test_json(void **state)
{
    (void)state;
    static const char *const right[] = {
        "{}", " {\"a\" : [ ] , \"b\":[1,-0,0.5,1e5,-12.25E-3] }\n", "{\"a\":{},\"b\":{\"c\":[{}]}}",
        "{\"a\":[null,false,true,\"x\",{\"y\":{\"z\":[]}},[],[[]]]}",
        "{\"\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00fC \xC3\xBC \xF0\x9F\x98\x80\"}"};
    static const char *const wrong[] = {"",
                                        " ",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        "[]",
                                        "\"a\"",
                                        "1",
                                        "true",
                                        "[{}]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{,}",
                                        "{1:2}",
                                        "{\"a\":1 \"b\":2}",
                                        "{}]",
                                        "{}{}",
                                        "{} 1",
                                        "{\"a\":[}",
                                        "\xEF\xBB\xBF{}",
                                        "\v{}",
                                        "{\"a\nb\":1}"};
    static const char *const wrong_values[] = {
        "{]",       "[}",       "[1,]",     "[,1]",     "[1 2]",     "[]]",
        "01",       "1.",       ".5",       "-",        "+1",        "1e",
        "1e+",      "--1",      "tru",      "nul",      "True",      "NaN",
        "'a'",      "\"a",      "\"\\x\"",  "\"\\",     "\"\\u12\"", "\"\\u12g4\"",
        "\"a\nb\"", "\"\x01\"", "\"\xFF\"", "\"\xC3\"", "[[[]]"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        if (!is_object(ms_slice_from(right[i]))) {
            fail_msg("%s", right[i]);
        }
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (is_object(ms_slice_from(wrong[i]))) {
            fail_msg("%s", wrong[i]);
        }
    }
    for (size_t i = 0; i < sizeof wrong_values / sizeof *wrong_values; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "{\"a\":%s}", wrong_values[i]);
        if (is_object(ms_slice_from(text))) {
            fail_msg("%s", text);
        }
    }
    assert_false(is_object((ms_slice){"{}\0", 3}));
    assert_false(is_object((ms_slice){"{\"\\\0\":1}", 8}));
}

static void
test_depth(void **state)
{
    (void)state;
    for (size_t depth = MS_PAYLOAD_DEPTH; depth <= MS_PAYLOAD_DEPTH + 1; depth++) {
        char text[256] = "{\"a\":";
        size_t len = strlen(text);
        memset(text + len, '[', depth - 1);
        memset(text + len + depth - 1, ']', depth - 1);
        text[len + 2 * (depth - 1)] = '}';
        assert_int_equal(is_object(ms_slice_from(text)), depth == MS_PAYLOAD_DEPTH);
    }
}

static void
assert_payload(ms_slice text, const char *expected)
{
    char memory[1024];
    ms_arena arena;
    ms_commands commands = {NULL, NULL};
    ms_arena_init(&arena, memory, sizeof memory);
    ms_message_dead(MS_TYPE_UNKNOWN, MS_SLICE(""), text, 0, &arena, &commands);
    assert_false(arena.exhausted);
    if (!ms_slice_equal(commands.first->payload, ms_slice_from(expected))) {
        fail_msg("%s is %.*s", expected, (int)commands.first->payload.len,
                 commands.first->payload.ptr);
    }
}

static void
test_payload(void **state)
{
    (void)state;
    assert_payload(MS_SLICE("{\"type\":\"x\"}"), "{\"type\":\"x\"}");
    assert_payload(MS_SLICE("{\"type\":\"a\nb\"}"), "\"{\\\"type\\\":\\\"a\\nb\\\"}\"");
    assert_payload(MS_SLICE("{\"n\":01}"), "\"{\\\"n\\\":01}\"");
    assert_payload(MS_SLICE("\xFF\xC3"), "\"??\"");
    assert_payload(MS_SLICE("\"text\""), "\"\\\"text\\\"\"");
    assert_payload(MS_SLICE(""), "\"\"");
}

static void
test_write_key(void **state)
{
    (void)state;
    assert_payload(MS_SLICE("{\"writeKey\":\"secret\",\"type\":\"x\"}"),
                   "{\"writeKey\":\"******\",\"type\":\"x\"}");
    assert_payload(
        MS_SLICE("{\"a\":{\"writeKey\" : \"s\\\"t\"},\"writeKey\":\"\",\"b\":\"writeKey\"}"),
        "{\"a\":{\"writeKey\" : \"****\"},\"writeKey\":\"\",\"b\":\"writeKey\"}");
    /* However the name is written. */
    assert_payload(MS_SLICE("{\"write\\u004bey\":\"secret\"}"), "{\"write\\u004bey\":\"******\"}");
    assert_payload(
        MS_SLICE("{\"\\u0077\\u0072\\u0069\\u0074\\u0065\\u004B\\u0065\\u0079\" : \"s\"}"),
        "{\"\\u0077\\u0072\\u0069\\u0074\\u0065\\u004B\\u0065\\u0079\" : \"*\"}");
    assert_payload(MS_SLICE("{\"write\\u006bey\":\"b\",\"\\writeKey\":\"b\"}"),
                   "\"{\\\"write\\\\u006bey\\\":\\\"b\\\",\\\"\\\\writeKey\\\":\\\"b\\\"}\"");
    assert_payload(MS_SLICE("{\"write\\u004bey\":\"secret"),
                   "\"{\\\"write\\\\u004bey\\\":\\\"******\"");
    assert_payload(MS_SLICE("{\"write\\u004"), "\"{\\\"write\\\\u004\"");
    assert_payload(MS_SLICE("{\"writeKey"), "\"{\\\"writeKey\"");
    /* Also where it is no JSON. */
    assert_payload(MS_SLICE("{\"writeKey\":\"secret\\"), "\"{\\\"writeKey\\\":\\\"*******\"");
    assert_payload(MS_SLICE("{\"writeKey\":\"s\\\""), "\"{\\\"writeKey\\\":\\\"***\"");
    assert_payload(MS_SLICE("\"writeKey\":"), "\"\\\"writeKey\\\":\"");
    assert_payload(MS_SLICE("{\"writeKey\":1,\"writeKey\":\"b\"}"),
                   "{\"writeKey\":1,\"writeKey\":\"*\"}");
}

static void
test_no_memory(void **state)
{
    (void)state;
    char memory[8];
    ms_arena arena;
    ms_arena_init(&arena, memory, sizeof memory);
    assert_int_equal(ms_payload_of(&arena, MS_SLICE("not JSON, and long")).len, 0);
    assert_true(arena.exhausted);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),      cmocka_unit_test(test_depth),
        cmocka_unit_test(test_payload),   cmocka_unit_test(test_write_key),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
