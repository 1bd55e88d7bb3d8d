/*
 * Why tokens are read by token.c and not by libjwt: the same tokens given to both. What token.c
 * takes, libjwt takes for the same person's; what libjwt takes beside that is why.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/token.h"
#include "vectors.h"

#include <jwt.h>
#include <stdio.h>
#include <string.h>

static vector_file file;

/* Whose the token is to libjwt, under this secret; in `email`, false if it refuses. */
static bool
libjwt_takes_by(const char *secret, ms_slice token, char email[512])
{
    jwt_t *jwt = NULL;
    if (strlen(token.ptr) != token.len ||
        jwt_decode(&jwt, token.ptr, (const unsigned char *)secret, (int)strlen(secret)) != 0) {
        return false;
    }
    const char *claim = jwt_get_grant(jwt, "email");
    (void)snprintf(email, 512, "%s", claim == NULL ? "" : claim);
    jwt_free(jwt);
    return true;
}

static bool
libjwt_takes(ms_slice token, char email[512])
{
    const cJSON *secrets = ms_json_member(file.root, "secrets");
    return libjwt_takes_by(secrets->child->valuestring, token, email) ||
           libjwt_takes_by(secrets->child->next->valuestring, token, email);
}

static const char *
name_of(const cJSON *vector)
{
    return cJSON_GetStringValue(ms_json_member(vector, "name"));
}

static void
test_what_is_good_is_good_to_both(void **state)
{
    (void)state;
    int good = 0;
    for (const cJSON *vector = file.vectors; vector != NULL; vector = vector->next) {
        char email[512];
        ms_slice expected = ms_json_string(vector, "email");
        /* Jansson, which it reads JSON with, knows neither. */
        if (expected.len == 0 || strstr(name_of(vector), "\\u0000") != NULL ||
            strstr(name_of(vector), "byte order mark") != NULL) {
            continue;
        }
        if (!libjwt_takes(vector_text(&file, vector, "token"), email) ||
            !ms_slice_equal(ms_slice_from(email), expected)) {
            fail_msg("libjwt refuses: %s", name_of(vector));
        }
        good++;
    }
    assert_true(good >= 20);
}

/* Vectors that token.c refuses, as token_test.c has seen to, and whose they are to libjwt. */
static const char *const taken[][2] = {
    /* The token says by which algorithm it is checked, with whatever secret there is. */
    {"alg HS384, by that", "ada@example.com"},
    {"alg HS512, by that", "ada@example.com"},
    {"alg hs256, by HMAC-SHA256", "ada@example.com"},
    /* What other software may read as another's. */
    {"email twice, the right one first", "eve@example.com"},
    {"email twice, once with an escape", "eve@example.com"},
    {"exp twice", "ada@example.com"},
    {"alg twice, the right one last", "ada@example.com"},
    /* Conditions that it does not know, and must not pass over (RFC 7515, section 4.1.11). */
    {"crit", "ada@example.com"},
    {"claims that are not encoded", "ada@example.com"},
    /* One token in several forms. */
    {"padding behind the claims, signed", "ada@example.com"},
    {"base64 with + and /, signed", "ada@example.com"},
    {"a NUL byte behind the claims", "ada@example.com"},
    /* Times and audiences are left to the caller. */
    {"expired", "ada@example.com"},
    {"not yet valid", "ada@example.com"},
    {"another audience", "ada@example.com"},
};

static void
test_what_libjwt_takes_beside(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        char email[512];
        const cJSON *vector = file.vectors;
        while (vector != NULL && strcmp(name_of(vector), taken[i][0]) != 0) {
            vector = vector->next;
        }
        if (vector == NULL || ms_json_member(vector, "error") == NULL) {
            fail_msg("no refused vector is called: %s", taken[i][0]);
        }
        if (!libjwt_takes(vector_text(&file, vector, "token"), email) ||
            strcmp(email, taken[i][1]) != 0) {
            fail_msg("libjwt refuses it, too, by now: %s", taken[i][0]);
        }
    }
}

/* What both refuse, so that the above is no fault of this test. */
static void
test_what_both_refuse(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "alg none, without a signature",
        "alg none, signed",
        "a wrong secret",
        "alg RS256, by HMAC-SHA256",
        "alg RS256, by an RSA key",
        "one bit of the signature changed",
        "other claims under a signature",
        "two parts",
    };
    size_t seen = 0;
    for (const cJSON *vector = file.vectors; vector != NULL; vector = vector->next) {
        for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
            char email[512];
            if (strcmp(name_of(vector), refused[i]) == 0) {
                assert_false(libjwt_takes(vector_text(&file, vector, "token"), email));
                seen++;
            }
        }
    }
    assert_int_equal(seen, sizeof refused / sizeof *refused);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_good_is_good_to_both),
        cmocka_unit_test(test_what_libjwt_takes_beside),
        cmocka_unit_test(test_what_both_refuse),
    };
    if (argc < 2) {
        return 2;
    }
    file = vector_file_read(argv[1], "token");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    vector_file_free(&file);
    return failed;
}
