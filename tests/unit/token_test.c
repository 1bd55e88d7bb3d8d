/*
 * Tokens, as the vectors state them; and what the vectors cannot: tokens at the limit of memory,
 * and every way to damage a good one.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/status_text.h"
#include "../../src/server/token.h"
#include "vectors.h"

#include <stdlib.h>

#define ROOM ((size_t)1 << 20)

static vector_file file;
static int64_t now;
static unsigned char memory[ROOM];

/* The rules that a vector is under. */
static ms_token_rules
rules_of(const cJSON *source)
{
    const cJSON *secrets = ms_json_member(file.root, "secrets");
    return (ms_token_rules){
        .secrets = {ms_slice_from(secrets->child->valuestring),
                    ms_slice_from(secrets->child->next->valuestring)},
        .audience = ms_json_string(source, "audience"),
    };
}

/* The code of what is made of a token, "ok" if it is good; its bearer lives in `memory`. */
static const char *
read_in(size_t room, const ms_token_rules *rules, ms_slice token, ms_token_bearer *bearer)
{
    ms_arena arena;
    ms_arena_init(&arena, memory, room);
    ms_status status = ms_token_read(&arena, rules, token, now, bearer);
    return status == MS_OK ? "ok" : ms_code_of(status);
}

static void
test_vectors(void **state)
{
    (void)state;
    int failures = 0;
    for (const cJSON *source = file.vectors; source != NULL; source = source->next) {
        ms_token_rules rules = rules_of(source);
        ms_token_bearer bearer;
        const char *code = read_in(ROOM, &rules, vector_text(&file, source, "token"), &bearer);
        const char *error = cJSON_GetStringValue(ms_json_member(source, "error"));
        if (strcmp(code, error == NULL ? "ok" : error) != 0 ||
            !ms_slice_equal(bearer.email, ms_json_string(source, "email")) ||
            !ms_slice_equal(bearer.user_id, ms_json_string(source, "userId"))) {
            print_error("%s: expected %s, got %s %.*s\n",
                        cJSON_GetStringValue(ms_json_member(source, "name")),
                        error == NULL ? "an e-mail" : error, code, (int)bearer.email.len,
                        bearer.email.ptr);
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

/* Nobody who has no secret gets to know more than that. */
static void
test_strangers_learn_nothing(void **state)
{
    (void)state;
    const ms_token_rules others = {
        .secrets = {MS_SLICE("nobody here knows this one, I hope"), {"", 0}}, .audience = {"", 0}};
    const ms_token_rules none = {.secrets = {{"", 0}, {"", 0}}, .audience = {"", 0}};
    assert_true(ms_token_is_needed(&others));
    assert_false(ms_token_is_needed(&none));
    for (const cJSON *source = file.vectors; source != NULL; source = source->next) {
        ms_slice token = vector_text(&file, source, "token");
        ms_token_bearer bearer;
        assert_string_equal(read_in(ROOM, &others, token, &bearer), "token_invalid");
        assert_string_equal(read_in(ROOM, &none, token, &bearer), "token_invalid");
    }
}

static void
test_either_secret_alone(void **state)
{
    (void)state;
    ms_token_bearer bearer;
    for (int i = 0; i < 2; i++) {
        ms_token_rules rules = rules_of(file.vectors);
        rules.secrets[1 - i] = MS_SLICE("");
        assert_true(ms_token_is_needed(&rules));
        ms_slice token = vector_text(&file, file.vectors, "token");
        assert_string_equal(read_in(ROOM, &rules, token, &bearer), i == 0 ? "ok" : "token_invalid");
    }
}

static void
test_every_byte_counts(void **state)
{
    (void)state;
    char copy[MS_TOKEN_MAX];
    ms_token_rules rules = rules_of(file.vectors);
    ms_slice token = vector_text(&file, file.vectors, "token");
    ms_token_bearer bearer;
    assert_true(token.len < sizeof copy);
    for (size_t i = 0; i < token.len; i++) {
        assert_string_equal(read_in(ROOM, &rules, (ms_slice){token.ptr, i}, &bearer),
                            "token_invalid");
        for (int byte = 0; byte < 256; byte++) {
            memcpy(copy, token.ptr, token.len);
            copy[i] = (char)(unsigned char)byte;
            bool same = copy[i] == token.ptr[i];
            assert_string_equal(read_in(ROOM, &rules, (ms_slice){copy, token.len}, &bearer),
                                same ? "ok" : "token_invalid");
        }
    }
}

/* With however little memory, a good token is good or there is no memory, and a bad one is bad. */
static void
test_little_memory(void **state)
{
    (void)state;
    ms_token_rules rules = rules_of(file.vectors);
    ms_slice token = vector_text(&file, file.vectors, "token");
    ms_token_bearer bearer;
    bool enough = false;
    for (size_t room = 0; room < 4096; room++) {
        const char *code = read_in(room, &rules, token, &bearer);
        assert_string_equal(code, enough || strcmp(code, "ok") == 0 ? "ok" : "out_of_memory");
        enough = strcmp(code, "ok") == 0;
    }
    assert_true(enough);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_strangers_learn_nothing),
        cmocka_unit_test(test_either_secret_alone),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_little_memory),
    };
    if (argc < 2) {
        return 2;
    }
    file = vector_file_read(argv[1], "token");
    now = (int64_t)ms_json_member(file.root, "now")->valuedouble * 1000;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    vector_file_free(&file);
    return failed;
}
