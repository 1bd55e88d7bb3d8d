/*
 * Tokens (src/server/token.c, base64url.c). Of an input, two bytes say when it is and how little
 * memory there is the second time, two which character of the token is changed and how, one which
 * secret signs it; the header, a NUL byte, and the claims follow. The same bytes are a token too.
 */

#include "../../../src/server/token.h"
#include "../../../src/core/sign.h"
#include "../../../src/server/base64url.h"
#include "../../../src/server/exact_json.h"
#include "../fuzz.h"
#include "../standards.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define OLD_SECRET "another secret, that still counts"
#define OTHER_SECRET "the secret of somebody else, which does not"
#define AUDIENCE "https://events.example.com"
#define NOW 1795521600 /* s */
#define ENCODED 43     /* how long a signature is */

/* Of base64url. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Appends `bytes` in base64url. */
static void
append_encoded(ms_arena *out, ms_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        unsigned long bits = 0;
        for (size_t j = i; j < i + 3; j++) {
            bits = bits << 8 | (j < bytes.len ? (unsigned char)bytes.ptr[j] : 0);
        }
        for (size_t j = 0; j < 4 && j <= bytes.len - i; j++) {
            ms_text_byte(out, alphabet[bits >> (18 - 6 * j) & 63]);
        }
    }
}

static ms_slice
token_of(ms_slice header, ms_slice claims, ms_slice secret)
{
    unsigned char signature[MS_HS256];
    ms_arena arena = fuzz_arena(2 * (header.len + claims.len) + 256);
    const char *start = ms_text_begin(&arena);
    append_encoded(&arena, header);
    ms_text_byte(&arena, '.');
    append_encoded(&arena, claims);
    ms_sign_hs256(secret, ms_text_since(&arena, start), signature);
    ms_text_byte(&arena, '.');
    append_encoded(&arena, (ms_slice){(const char *)signature, sizeof signature});
    return fuzz_copy(ms_text_end(&arena, start));
}

static ms_status
read_token(ms_slice token, const ms_token_rules *rules, int64_t now, ms_token_bearer *bearer)
{
    ms_arena arena = fuzz_large_arena();
    ms_status status = ms_token_read(&arena, rules, token, 1000 * now, bearer);
    EXPECT(!arena.exhausted && status != MS_OUT_OF_MEMORY);
    EXPECT((status == MS_OK) == (bearer->email.len > 0));
    bearer->email = fuzz_copy(bearer->email);
    bearer->user_id = fuzz_copy(bearer->user_id);
    return status;
}

static bool
has_two_of_one_name(const cJSON *object)
{
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        for (const cJSON *other = member->next; other != NULL; other = other->next) {
            if (strcmp(member->string, other->string) == 0) {
                return true;
            }
        }
    }
    return false;
}

static double
seconds_of(const cJSON *claims, const char *name, double otherwise)
{
    const cJSON *claim = ms_json_member(claims, name);
    EXPECT(claim == NULL || cJSON_IsNumber(claim));
    return claim == NULL ? otherwise : claim->valuedouble;
}

static bool
names_audience(const cJSON *aud)
{
    for (const cJSON *one = cJSON_IsArray(aud) ? aud->child : aud; one != NULL; one = one->next) {
        if (cJSON_IsString(one) && strcmp(one->valuestring, AUDIENCE) == 0) {
            return true;
        }
        if (one == aud) {
            break;
        }
    }
    return false;
}

/* One that was taken says what it must. */
static void
check_taken(ms_slice header_text, ms_slice claims_text, const ms_token_rules *rules, int64_t now,
            const ms_token_bearer *bearer)
{
    cJSON *header = NULL;
    cJSON *claims = NULL;
    ms_arena arena = fuzz_large_arena();
    EXPECT(ms_json_parse_exact(&arena, header_text, &header) == MS_OK);
    EXPECT(ms_json_parse_exact(&arena, claims_text, &claims) == MS_OK);
    EXPECT(!has_two_of_one_name(header) && !has_two_of_one_name(claims));
    EXPECT(strcmp(ms_json_string(header, "alg").ptr, "HS256") == 0);
    EXPECT(ms_json_member(header, "crit") == NULL);
    EXPECT(is_html_email(bearer->email) && is_core_text(bearer->user_id));
    EXPECT(ms_slice_equal(ms_json_string(claims, "email"), bearer->email));
    double end = seconds_of(claims, "exp", -1);
    EXPECT((double)now < end + MS_TOKEN_SKEW);
    EXPECT(end <= (double)now + MS_TOKEN_LIFETIME_MAX + MS_TOKEN_SKEW);
    EXPECT(seconds_of(claims, "nbf", 0) <= (double)now + MS_TOKEN_SKEW);
    EXPECT(seconds_of(claims, "iat", 0) <= (double)now + MS_TOKEN_SKEW);
    const cJSON *aud = ms_json_member(claims, "aud");
    EXPECT(rules->audience.len > 0 ? names_audience(aud) : aud == NULL);
}

static void
check_base64url(ms_slice text)
{
    ms_slice bytes;
    ms_arena arena = fuzz_arena(text.len + 64);
    ms_arena out = fuzz_arena(2 * text.len + 64);
    const char *start = ms_text_begin(&out);
    if (ms_base64url_decode(&arena, text, &bytes)) {
        append_encoded(&out, bytes);
        EXPECT(ms_slice_equal(ms_text_end(&out, start), text)); /* there is one way to write it */
    }
    out.used = 0;
    append_encoded(&out, text);
    ms_slice encoded = fuzz_copy(ms_text_end(&out, start));
    arena.used = 0;
    EXPECT(ms_base64url_decode(&arena, encoded, &bytes) && ms_slice_equal(bytes, text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const ms_slice secrets[] = {{SECRET, sizeof SECRET - 1},
                                       {OLD_SECRET, sizeof OLD_SECRET - 1},
                                       {OTHER_SECRET, sizeof OTHER_SECRET - 1}};
    fuzz_input in = {bytes, size};
    int64_t now = NOW + 2 * ((int64_t)fuzz_byte(&in) - 128) * MS_TOKEN_SKEW;
    size_t little = fuzz_byte(&in);
    size_t place = fuzz_short(&in);
    unsigned int by = fuzz_byte(&in);
    ms_token_rules rules = {.secrets = {secrets[0], secrets[1]},
                            .audience = (by & 4) != 0 ? MS_SLICE(AUDIENCE) : MS_SLICE("")};
    ms_slice raw = fuzz_copy((ms_slice){in.len == 0 ? "" : (const char *)in.p, in.len});
    ms_slice header = fuzz_text(&in, '\0');
    ms_slice claims = fuzz_rest(&in);
    ms_token_bearer bearer;

    check_base64url(raw);
    EXPECT(read_token(raw, &rules, now, &bearer) == MS_TOKEN_INVALID);

    ms_slice token = token_of(header, claims, secrets[by % 3]);
    ms_status status = read_token(token, &rules, now, &bearer);
    if (by % 3 == 2 || token.len > MS_TOKEN_MAX) {
        EXPECT(status == MS_TOKEN_INVALID);
    } else if (status == MS_OK) {
        check_taken(header, claims, &rules, now, &bearer);
    }

    /* Whatever is changed, left out or added, it is none. Half of the time it is the signature. */
    char *changed = fuzz_memory(token.len + 2);
    size_t at = place % 2 == 0 ? place % token.len : token.len - 1 - place / 2 % ENCODED;
    const char *digit = strchr(alphabet, token.ptr[at]);
    memcpy(changed, token.ptr, token.len);
    changed[at] = '!';
    if (digit != NULL) {
        changed[at] = alphabet[((size_t)(digit - alphabet) + 1 + by / 8) % 64];
    }
    ms_token_bearer nobody;
    EXPECT(read_token((ms_slice){changed, token.len}, &rules, now, &nobody) == MS_TOKEN_INVALID);
    ms_slice part = {token.ptr, place % token.len};
    EXPECT(read_token(fuzz_copy(part), &rules, now, &nobody) == MS_TOKEN_INVALID);
    memcpy(changed, token.ptr, token.len);
    changed[token.len] = (char)place;
    EXPECT(read_token((ms_slice){changed, token.len + 1}, &rules, now, &nobody) ==
           MS_TOKEN_INVALID);

    ms_arena small = fuzz_arena(little);
    ms_status then = ms_token_read(&small, &rules, token, 1000 * now, &nobody);
    EXPECT(then == status || then == MS_OUT_OF_MEMORY || small.exhausted);
    fuzz_forget();
    return 0;
}
