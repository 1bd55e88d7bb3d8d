/*
 * Memory: the arena, and every vector, request for a hash and fingerprint with too little of it.
 *
 *     memory_test DIRECTORY    with the vectors of tests/vectors
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vectors.h"

#include "../../src/core/fingerprint.h"
#include "../../src/core/hash_request.h"

#include <stdio.h>
#include <stdlib.h>

static const char *directory;

static void
assert_slice(ms_slice actual, const char *expected)
{
    if (!ms_slice_equal(actual, ms_slice_from(expected))) {
        fail_msg("expected \"%s\", got \"%.*s\"", expected, (int)actual.len, actual.ptr);
    }
}

/* The status that `vector` ends with in `size` bytes; the sanitizers watch over what is behind
 * them. */
static ms_status
status_with(const vector *vector, size_t size)
{
    static const char out_of_memory[] = "{\"ok\":false,\"error\":\"out_of_memory\"}";
    ms_arena arena;
    ms_slice result;
    void *memory = malloc(size == 0 ? 1 : size);
    assert_non_null(memory);
    ms_arena_init(&arena, memory, size);
    ms_status status = ms_call(&arena, vector->kind, vector->request, &result);
    assert_true(result.len > 0);
    assert_int_equal(ms_slice_equal(result, MS_SLICE(out_of_memory)), status == MS_OUT_OF_MEMORY);
    free(memory);
    return status;
}

/* Finer where little memory decides, so that most allocations fail once. */
static size_t
next_size(size_t size)
{
    return size + 1 + size / 24;
}

static void
test_out_of_memory(void **state)
{
    (void)state;
    const size_t too_much = (size_t)64 << 20;
    size_t failures = 0;
    for (const char *const *name = vector_files; *name != NULL; name++) {
        vector_file file = vector_file_read(directory, *name);
        for (const cJSON *source = file.vectors; source != NULL; source = source->next) {
            vector vector = vector_read(&file, source);
            size_t size = 0;
            ms_status status;
            while ((status = status_with(&vector, size)) == MS_OUT_OF_MEMORY) {
                failures++;
                size = next_size(size);
                if (size > too_much) {
                    fail_msg("%s: needs more than %zu bytes", vector.name, too_much);
                }
            }
            /* The answer is that of plenty, and stays. */
            if (status_with(&vector, 2 * size) != status ||
                (status == MS_OK) != (vector.error == NULL)) {
                fail_msg("%s: another answer in %zu bytes", vector.name, size);
            }
            if (vector.error != NULL) {
                assert_string_equal(ms_status_code(status), vector.error);
            }
        }
        vector_file_free(&file);
    }
    assert_true(failures > 10000);
}

/* The status of a request for a hash in `size` bytes, and the e-mail that it is for. */
static ms_status
hash_status_with(const char *body, size_t size, char email[32])
{
    ms_arena arena;
    ms_slice found;
    void *memory = malloc(size == 0 ? 1 : size);
    assert_non_null(memory);
    ms_arena_init(&arena, memory, size);
    cJSON *request = NULL;
    ms_status status = ms_json_parse(&arena, ms_slice_from(body), &request);
    if (status == MS_OK) {
        status = ms_hash_request_email(&arena, request, &found);
    }
    if (status == MS_OK) {
        (void)snprintf(email, 32, "%.*s", (int)found.len, found.ptr);
    }
    free(memory);
    return status;
}

/* In as little memory as there may be, it is never about another e-mail. */
static void
test_hash_requests(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        ms_status status;
    } requests[] = {
        {"{\"email\":\" ada@example.com \"}", MS_OK},
        {"{\"traits\":{\"EMAIL\":\"ada@example.com\",\"plan\":\"pro\"}}", MS_OK},
        {"{\"userId\":\"ada@example.com\",\"traits\":{\"name\":\"Ada Lovelace\"}}", MS_OK},
        {"{\"traits\":{\"email\":\"no address\"}}", MS_EMAIL_INVALID},
        {"{\"userId\":\"1\",\"traits\":{}}", MS_EMAIL_MISSING},
        {"{\"email\":null,\"traits\":{\"email\":\"ada@example.com\"}}", MS_EMAIL_MISSING},
        {"{\"email\":[\"ada@example.com\"]}", MS_EMAIL_INVALID},
        {"{\"email\":\" \"}", MS_EMAIL_MISSING},
        {"{\"email\":\"no address\"}", MS_EMAIL_INVALID},
        {"{}", MS_EMAIL_MISSING},
        {"{\"email\":", MS_JSON_INVALID},
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char email[32] = "";
        size_t size = 0;
        ms_status status;
        while ((status = hash_status_with(requests[i].body, size, email)) == MS_OUT_OF_MEMORY) {
            assert_true(size < 65536);
            size++;
        }
        assert_true(size > 0);
        assert_int_equal(status, requests[i].status);
        assert_string_equal(email, status == MS_OK ? "ada@example.com" : "");
    }
}

static void
test_fingerprint(void **state)
{
    (void)state;
    static const char request[] = "{\"email\":\"ada@example.com\",\"plan\":\"pro\"}";
    unsigned char memory[16384];
    char plenty[MS_SHA256_HEX];
    char little[MS_SHA256_HEX];
    ms_arena arena;
    ms_lead lead;
    cJSON *traits = NULL;
    ms_arena_init(&arena, memory, sizeof memory);
    assert_int_equal(ms_json_parse(&arena, MS_SLICE(request), &traits), MS_OK);
    assert_int_equal(ms_lead_from_identify(&arena, NULL, traits, &lead), MS_OK);
    assert_int_equal(ms_lead_fingerprint(&arena, &lead, plenty), MS_OK);
    for (size_t size = 0; size < sizeof memory; size++) {
        char *room = malloc(size + 1);
        assert_non_null(room);
        ms_arena_init(&arena, room, size);
        ms_status status = ms_lead_fingerprint(&arena, &lead, little);
        free(room);
        if (status == MS_OK) {
            assert_true(size > 0);
            assert_memory_equal(little, plenty, sizeof plenty);
            return;
        }
        assert_int_equal(status, MS_OUT_OF_MEMORY);
    }
    fail();
}

static void
test_arena(void **state)
{
    (void)state;
    _Alignas(max_align_t) unsigned char memory[64];
    ms_arena arena;
    ms_arena_init(&arena, memory, sizeof memory);
    void *first = ms_arena_alloc(&arena, 1);
    void *second = ms_arena_alloc(&arena, 1);
    assert_ptr_equal(first, memory);
    assert_int_equal((uintptr_t)second % _Alignof(max_align_t), 0);
    assert_ptr_not_equal(first, second);
    assert_null(ms_arena_alloc(&arena, SIZE_MAX));
    assert_true(arena.exhausted);

    /* An arena that begins anywhere still gives aligned memory. */
    ms_arena_init(&arena, memory + 1, sizeof memory - 1);
    assert_int_equal((uintptr_t)ms_arena_alloc(&arena, 8) % _Alignof(max_align_t), 0);
    assert_false(arena.exhausted);

    ms_arena_init(&arena, memory, 8);
    assert_ptr_equal(ms_arena_alloc(&arena, 8), memory);
    assert_null(ms_arena_alloc(&arena, 1));

    ms_arena_init(&arena, NULL, 0);
    assert_null(ms_arena_alloc(&arena, 1));
    assert_true(arena.exhausted);
}

static void
test_text(void **state)
{
    (void)state;
    unsigned char memory[8];
    ms_arena arena;
    ms_arena_init(&arena, memory, sizeof memory);
    char *start = ms_text_begin(&arena);
    ms_text_append(&arena, MS_SLICE("abc"));
    ms_text_append(&arena, MS_SLICE(""));
    ms_text_byte(&arena, 'd');
    assert_slice(ms_text_since(&arena, start), "abcd");
    ms_slice text = ms_text_end(&arena, start);
    assert_slice(text, "abcd");
    assert_int_equal(text.ptr[4], '\0');

    /* What does not fit is dropped whole, and told of. */
    ms_text_append(&arena, MS_SLICE("wxyz"));
    assert_true(arena.exhausted);
    assert_int_equal(arena.used, 5);
    ms_arena_init(&arena, memory, 2);
    ms_text_encoded(&arena, MS_SLICE(" "), "");
    assert_true(arena.exhausted);
}

static void
test_encoded(void **state)
{
    (void)state;
    static const char bytes[] = {' ', '~', 0x7F, '\x80', MS_NUL, 'a', '\'', 0x1F};
    unsigned char memory[64];
    ms_arena arena;
    ms_arena_init(&arena, memory, sizeof memory);
    char *start = ms_text_begin(&arena);
    ms_text_encoded(&arena, (ms_slice){bytes, sizeof bytes}, "'a");
    assert_slice(ms_text_end(&arena, start), "%20~%7F%80%00%61%27%1F");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_hash_requests),
        cmocka_unit_test(test_fingerprint),   cmocka_unit_test(test_arena),
        cmocka_unit_test(test_text),          cmocka_unit_test(test_encoded),
    };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    directory = argv[1];
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
