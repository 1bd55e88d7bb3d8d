/*
 * Core's rules, as the vectors state them.
 *
 *     vectors_test DIRECTORY           checks every vector
 *     vectors_test DIRECTORY --print   prints every result, one a line, for comparing with the
 *                                      other runtimes
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/core/fingerprint.h"
#include "../../src/core/sign.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

/* Enough for the worst request: 64 KB of the shortest members, each a node of 64 bytes. */
#define CALL_ARENA ((size_t)16 << 20)

static const char *directory;

/* Is `warning` what `expected` says, a code or {"code": …, "name": …}? */
static bool
same_warning(ms_arena *arena, const cJSON *warning, const cJSON *expected)
{
    if (cJSON_IsString(expected)) {
        return ms_json_member(warning, "name") == NULL &&
               ms_slice_equal(ms_json_string(warning, "code"),
                              ms_slice_from(expected->valuestring));
    }
    return ms_slice_equal(json_text(arena, warning), json_text(arena, expected));
}

/* No `expected` means none. */
static bool
same_warnings(ms_arena *arena, const cJSON *warnings, const cJSON *expected)
{
    const cJSON *left = warnings->child;
    const cJSON *right = expected == NULL ? NULL : expected->child;
    while (left != NULL && right != NULL && same_warning(arena, left, right)) {
        left = left->next;
        right = right->next;
    }
    return left == NULL && right == NULL;
}

static bool
same_member(ms_arena *arena, const cJSON *member, const cJSON *expected)
{
    if (strcmp(member->string, "warnings") == 0) {
        return same_warnings(arena, member, expected);
    }
    return expected != NULL && ms_slice_equal(json_text(arena, member), json_text(arena, expected));
}

static bool
same_result(ms_arena *arena, const cJSON *result, const cJSON *expected)
{
    for (const cJSON *member = result->child; member != NULL; member = member->next) {
        if (!same_member(arena, member, ms_json_member(expected, member->string))) {
            return false;
        }
    }
    for (const cJSON *member = expected->child; member != NULL; member = member->next) {
        if (ms_json_member(result, member->string) == NULL) {
            return false;
        }
    }
    return true;
}

static bool
is_error(const cJSON *result, const char *code)
{
    return cJSON_IsFalse(ms_json_member(result, "ok")) &&
           ms_slice_equal(ms_json_string(result, "error"), ms_slice_from(code));
}

static bool
passes(vector_file *file, const vector *vector, ms_slice actual)
{
    cJSON *result = NULL;
    bool same = ms_json_parse(&file->arena, actual, &result) == MS_OK &&
                (vector->error != NULL ? is_error(result, vector->error)
                                       : same_result(&file->arena, result, vector->result));
    if (!same) {
        print_error("%s\n  expected %s\n  actual   %.*s\n", vector->name,
                    vector->error != NULL ? vector->error
                                          : json_text(&file->arena, vector->result).ptr,
                    (int)actual.len, actual.ptr);
    }
    return same;
}

/* Is the lead's fingerprint the one stated, if one is? */
static bool
has_fingerprint(vector_file *file, const vector *vector)
{
    char fingerprint[MS_SHA256_HEX];
    cJSON *request = NULL;
    ms_lead lead;
    if (vector->fingerprint == NULL) {
        return true;
    }
    assert_int_equal(ms_json_parse(&file->arena, vector->request, &request), MS_OK);
    assert_int_equal(ms_lead_from_identify(&file->arena, ms_json_member(request, "userId"),
                                           ms_json_member(request, "traits"), &lead),
                     MS_OK);
    assert_int_equal(ms_lead_fingerprint(&file->arena, &lead, fingerprint), MS_OK);
    if (ms_slice_equal((ms_slice){fingerprint, sizeof fingerprint},
                       ms_slice_from(vector->fingerprint))) {
        return true;
    }
    print_error("%s: expected %s, got %.64s\n", vector->name, vector->fingerprint, fingerprint);
    return false;
}

/* The result, in memory that the caller frees. */
static void *
call(const vector *vector, ms_slice *result)
{
    ms_arena arena;
    void *memory = malloc(CALL_ARENA);
    ms_arena_init(&arena, memory, memory == NULL ? 0 : CALL_ARENA);
    (void)ms_call(&arena, vector->kind, vector->request, result);
    return memory;
}

static void
test_file(void **state)
{
    const char *name = *state;
    vector_file file = vector_file_read(directory, name);
    int count = 0;
    int failures = 0;
    for (const cJSON *source = file.vectors; source != NULL; source = source->next) {
        vector vector = vector_read(&file, source);
        ms_slice result;
        void *memory = call(&vector, &result);
        failures += passes(&file, &vector, result) && has_fingerprint(&file, &vector) ? 0 : 1;
        count++;
        free(memory);
    }
    print_message("%s: %d vectors\n", name, count);
    vector_file_free(&file);
    assert_int_equal(failures, 0);
}

/* A list of objects of strings that is not made of calls. */
static void
test_signatures(const char *name, const char *const members[4],
                void (*sign)(const ms_slice arguments[3], char hash[MS_SHA1_HEX]))
{
    vector_file file = vector_file_read(directory, name);
    for (const cJSON *source = file.vectors; source != NULL; source = source->next) {
        ms_slice values[4];
        char hash[MS_SHA1_HEX];
        for (int i = 0; i < 4; i++) {
            values[i] = members[i] == NULL ? MS_SLICE("") : ms_json_string(source, members[i]);
        }
        sign(values, hash);
        if (!ms_slice_equal(values[3], (ms_slice){hash, sizeof hash})) {
            fail_msg("%s: %s: expected %.*s, got %.40s", name,
                     cJSON_GetStringValue(ms_json_member(source, "name")), (int)values[3].len,
                     values[3].ptr, hash);
        }
    }
    vector_file_free(&file);
}

static void
sign_associate_lead(const ms_slice arguments[3], char hash[MS_SHA1_HEX])
{
    ms_sign_associate_lead(arguments[0], arguments[1], hash);
}

static void
sign_soap(const ms_slice arguments[3], char hash[MS_SHA1_HEX])
{
    ms_sign_soap(arguments[0], arguments[1], arguments[2], hash);
}

static void
test_hash(void **state)
{
    (void)state;
    test_signatures("hash", (const char *const[]){"privateKey", "email", NULL, "hash"},
                    sign_associate_lead);
}

static void
test_soap(void **state)
{
    (void)state;
    test_signatures("soap",
                    (const char *const[]){"encryptionKey", "timestamp", "userId", "signature"},
                    sign_soap);
}

static void
print_results(void)
{
    for (const char *const *name = vector_files; *name != NULL; name++) {
        vector_file file = vector_file_read(directory, *name);
        for (const cJSON *source = file.vectors; source != NULL; source = source->next) {
            vector vector = vector_read(&file, source);
            ms_slice result;
            void *memory = call(&vector, &result);
            (void)fwrite(result.ptr, 1, result.len, stdout);
            (void)fputc('\n', stdout);
            free(memory);
        }
        vector_file_free(&file);
    }
}

/* A test of cmocka's that bears the file's name and not the function's. */
#define FILE_TEST(file)                                                                            \
    {                                                                                              \
        file, test_file, NULL, NULL, file                                                          \
    }

int
main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s DIRECTORY [--print]\n", argv[0]);
        return 2;
    }
    directory = argv[1];
    if (argc > 2 && strcmp(argv[2], "--print") == 0) {
        print_results();
        return 0;
    }
    const struct CMUnitTest tests[] = {
        FILE_TEST("page"),           FILE_TEST("url"),
        FILE_TEST("track"),          FILE_TEST("traits"),
        FILE_TEST("identify"),       FILE_TEST("hostile"),
        cmocka_unit_test(test_hash), cmocka_unit_test(test_soap),
    };
    return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
