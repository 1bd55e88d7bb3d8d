/*
 * Batches taken apart (src/server/intake/batch.c), from texts in memory of exactly their size.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/intake/batch.h"

#include <stdlib.h>

typedef struct {
    char *text;
    char *memory;
    ms_status status;
    ms_batch batch;
} opened;

static opened
open_text(const char *text)
{
    size_t len = strlen(text);
    opened one = {.text = malloc(len == 0 ? 1 : len), .memory = malloc(len + 1)};
    ms_arena arena;
    assert_non_null(one.text);
    assert_non_null(one.memory);
    memcpy(one.text, text, len);
    ms_arena_init(&arena, one.memory, len + 1);
    one.status = ms_batch_open(&arena, (ms_slice){one.text, len}, &one.batch);
    return one;
}

static void
close_text(opened *one)
{
    free(one->text);
    free(one->memory);
}

static void
assert_slice(ms_slice actual, const char *expected)
{
    if (!ms_slice_equal(actual, ms_slice_from(expected))) {
        fail_msg("expected %s, got %.*s", expected, (int)actual.len, actual.ptr);
    }
}

static void
test_messages(void **state)
{
    (void)state;
    ms_slice message;
    opened one =
        open_text("{\"a\":[1,\"]\"],\"batch\" : [ {\"x\":\"},{\"} , 2,[3,4]\n], \"b\":{}}");
    assert_int_equal(one.status, MS_OK);
    assert_int_equal(one.batch.count, 3);
    assert_slice(one.batch.envelope, "{\"a\":[1,\"]\"],\"batch\" : [], \"b\":{}}");
    assert_true(ms_batch_next(&one.batch.messages, &message));
    assert_slice(message, "{\"x\":\"},{\"}");
    assert_true(ms_batch_next(&one.batch.messages, &message));
    assert_slice(message, "2");
    assert_true(ms_batch_next(&one.batch.messages, &message));
    assert_slice(message, "[3,4]");
    assert_false(ms_batch_next(&one.batch.messages, &message));
    close_text(&one);
}

static void
test_none(void **state)
{
    (void)state;
    static const char *const missing[] = {
        "", "[]", "{}", "{\"batch\" 7}", "{7:[]}", "{\"batch\":7}", "{\"b\":{\"batch\":[]}}"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        opened one = open_text(missing[i]);
        if (one.status != MS_BATCH_MISSING) {
            fail_msg("%s: %d", missing[i], (int)one.status);
        }
        close_text(&one);
    }
}

static void
test_uncertain(void **state)
{
    (void)state;
    static const char *const wrong[] = {"{\"batch\":[,]}", "{\"batch\":[1,]}", "{\"batch\":[,1]}",
                                        "{\"batch\":[1,,2]}", "{\"batch\":[1}]}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        opened one = open_text(wrong[i]);
        if (one.status != MS_JSON_INVALID) {
            fail_msg("%s: %d", wrong[i], (int)one.status);
        }
        close_text(&one);
    }
}

/* Wherever they are cut off before the list ends. */
static void
test_cut_off(void **state)
{
    (void)state;
    char text[] = "{ \"a\" : [{}] , \"batch\" : [ {\"type\":\"\\\"]\"} , {\"b";
    for (size_t len = sizeof text - 1; len > 0; len--) {
        text[len] = '\0';
        opened one = open_text(text);
        bool in_string = strchr(text, ']') != strrchr(text, ']');
        if (one.status != MS_JSON_INVALID && !in_string) {
            fail_msg("%s: %d", text, (int)one.status);
        }
        close_text(&one);
    }
}

static ms_status
envelope_status(const char *text)
{
    unsigned char memory[4096];
    ms_arena arena;
    cJSON *envelope = NULL;
    opened one = open_text(text);
    assert_int_equal(one.status, MS_OK);
    ms_arena_init(&arena, memory, sizeof memory);
    ms_status status = ms_batch_envelope(&arena, &one.batch, &envelope);
    assert_true(status != MS_OK || ms_json_member(envelope, "batch") != NULL);
    close_text(&one);
    return status;
}

/* Whichever was taken, the other one's messages would be lost. */
static void
test_twice(void **state)
{
    (void)state;
    static const char *const twice[] = {
        "{\"batch\":[1],\"batch\":[2]}", "{\"batch\":[],\"batch\":[2]}",
        "{\"batch\":7,\"batch\":[2]}", "{\"batch\":[1],\"a\":{},\"b\\u0061tch\":[2]}",
        "{\"\\u0062atch\":[1],\"batch\":[2]}"};
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) {
        if (envelope_status(twice[i]) != MS_JSON_INVALID) {
            fail_msg("%s", twice[i]);
        }
    }
    assert_int_equal(envelope_status("{\"batch\":[1],\"Batch\":[2],\"c\":{\"batch\":[3]}}"), MS_OK);
    assert_int_equal(envelope_status("{\"batch\":[1],}"), MS_JSON_INVALID);
}

/* One bracket too many, and the list goes on to the end of the body, or ends before. */
static void
test_unbalanced(void **state)
{
    (void)state;
    opened one = open_text("{\"batch\":[{\"a\":1},{{\"b\":2}],\"sentAt\":\"x\"}");
    assert_int_equal(one.status, MS_OK);
    assert_int_equal(one.batch.count, 2);
    close_text(&one);
}

static void
test_size(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        size_t around;
        ms_status status;
    } batches[] = {{0, 512000, MS_OK},
                   {4, 512000, MS_OK},
                   {5, 512000, MS_BATCH_SHARED_TOO_LARGE},
                   {1024, 2048, MS_OK},
                   {1024, 2049, MS_BATCH_SHARED_TOO_LARGE},
                   {1025, 2048, MS_BATCH_SHARED_TOO_LARGE},
                   {5000, 419, MS_OK},
                   {5000, 420, MS_BATCH_SHARED_TOO_LARGE},
                   {5001, 12, MS_BATCH_TOO_LONG}};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        const ms_batch batch = {.count = batches[i].count, .envelope = {"", batches[i].around}};
        if (ms_batch_check_size(&batch) != batches[i].status) {
            fail_msg("%zu messages in %zu bytes", batches[i].count, batches[i].around);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),  cmocka_unit_test(test_none),
        cmocka_unit_test(test_uncertain), cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_twice),     cmocka_unit_test(test_unbalanced),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
