#include "token.h"

#include "../core/email.h"
#include "../core/sign.h"
#include "base64url.h"
#include "exact_json.h"

#define MS_PER_SECOND 1000.0

/* The end of the year 9999; later dates than any that is meant. */
#define LATEST 253402300799.0

/* A token in its parts, as they came. */
typedef struct {
    ms_slice header;
    ms_slice claims;
    ms_slice signature;
    ms_slice is_signed; /* header and claims, with the dot between */
} token_parts;

bool
ms_token_is_needed(const ms_token_rules *rules)
{
    for (size_t i = 0; i < MS_TOKEN_SECRETS; i++) {
        if (rules->secrets[i].len > 0) {
            return true;
        }
    }
    return false;
}

/* Takes what is before the next dot off the text; false if there is none. */
static bool
take_part(ms_slice *text, ms_slice *part)
{
    const char *dot = text->len == 0 ? NULL : memchr(text->ptr, '.', text->len);
    if (dot == NULL) {
        return false;
    }
    *part = (ms_slice){text->ptr, (size_t)(dot - text->ptr)};
    *text = (ms_slice){dot + 1, text->len - part->len - 1};
    return true;
}

/* False if there are fewer than three parts; if there are more, the signature is none. */
static bool
split(ms_slice token, token_parts *parts)
{
    parts->signature = token;
    if (!take_part(&parts->signature, &parts->header) ||
        !take_part(&parts->signature, &parts->claims)) {
        return false;
    }
    parts->is_signed = (ms_slice){token.ptr, token.len - parts->signature.len - 1};
    return true;
}

/* Is it signed with one of the secrets? Takes as long wherever it is not. */
static bool
is_signed(ms_arena *arena, const ms_token_rules *rules, const token_parts *parts)
{
    ms_slice signature;
    bool found = false;
    if (!ms_base64url_decode(arena, parts->signature, &signature) || signature.len != MS_HS256) {
        return false;
    }
    for (size_t i = 0; i < MS_TOKEN_SECRETS; i++) {
        unsigned char expected[MS_HS256];
        unsigned int differs = 0;
        if (rules->secrets[i].len == 0) {
            continue;
        }
        ms_sign_hs256(rules->secrets[i], parts->is_signed, expected);
        for (size_t j = 0; j < MS_HS256; j++) {
            differs |= (unsigned int)(expected[j] ^ (unsigned char)signature.ptr[j]);
        }
        found |= differs == 0;
    }
    return found;
}

/* Does the object have two members of one name? Escapes are names too: "\u0065mail" is "email". */
static bool
is_ambiguous(const cJSON *object)
{
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        if (ms_json_member(object, member->string) != member) {
            return true;
        }
    }
    return false;
}

/* The object that a part is; NULL if it is none. */
static const cJSON *
read_part(ms_arena *arena, ms_slice part)
{
    ms_slice text;
    cJSON *object = NULL;
    if (!ms_base64url_decode(arena, part, &text) ||
        ms_json_parse_exact(arena, text, &object) != MS_OK || is_ambiguous(object)) {
        return NULL;
    }
    return object;
}

static bool
is_header_of_ours(const cJSON *header)
{
    const cJSON *type = ms_json_member(header, "typ");
    return ms_slice_equal(ms_json_string(header, "alg"), MS_SLICE("HS256")) &&
           ms_json_member(header, "crit") == NULL &&
           (type == NULL || ms_slice_equal_fold(ms_json_string(header, "typ"), MS_SLICE("JWT")));
}

/* Reads a NumericDate, in seconds, which may have a fraction. False if the claim is there and is
 * none; if it is not there, the time stays what it is. */
static bool
read_time(const cJSON *claims, const char *name, double *time)
{
    const cJSON *claim = ms_json_member(claims, name);
    if (claim == NULL) {
        return true;
    }
    if (!cJSON_IsNumber(claim) || !(claim->valuedouble >= 0 && claim->valuedouble <= LATEST)) {
        return false;
    }
    *time = claim->valuedouble;
    return true;
}

static ms_status
check_times(const cJSON *claims, double now)
{
    double end = -1;
    double begin = 0;
    double made = 0;
    if (!read_time(claims, "exp", &end) || !read_time(claims, "nbf", &begin) ||
        !read_time(claims, "iat", &made) || end < 0) {
        return MS_TOKEN_INVALID;
    }
    if (now >= end + MS_TOKEN_SKEW) {
        return MS_TOKEN_EXPIRED;
    }
    if (begin > now + MS_TOKEN_SKEW || made > now + MS_TOKEN_SKEW) {
        return MS_TOKEN_NOT_YET_VALID;
    }
    return end > now + MS_TOKEN_LIFETIME_MAX + MS_TOKEN_SKEW ? MS_TOKEN_LIFETIME : MS_OK;
}

static bool
is_text(const cJSON *value, ms_slice text)
{
    return cJSON_IsString(value) && ms_slice_equal(ms_slice_from(value->valuestring), text);
}

/* Is the token meant for this server? One that names an audience is not for who has none (RFC 7519,
 * section 4.1.3). */
static bool
is_for(ms_slice audience, const cJSON *aud)
{
    if (aud == NULL || audience.len == 0) {
        return aud == NULL && audience.len == 0;
    }
    if (cJSON_IsArray(aud)) {
        const cJSON *one = aud->child;
        while (one != NULL && !is_text(one, audience)) {
            one = one->next;
        }
        return one != NULL;
    }
    return is_text(aud, audience);
}

/* The user id, in the arena. */
static ms_slice
subject_of(ms_arena *arena, const cJSON *claims)
{
    char number[MS_NUMBER_TEXT];
    const char *copy = ms_text_begin(arena);
    ms_text_append(arena, ms_id_text(ms_json_member(claims, "sub"), number));
    return ms_text_end(arena, copy);
}

static ms_status
check_claims(const cJSON *claims, const ms_token_rules *rules, double now)
{
    if (!ms_email_is_valid(ms_json_string(claims, "email"))) {
        return MS_TOKEN_INVALID;
    }
    ms_status status = check_times(claims, now);
    if (status != MS_OK) {
        return status;
    }
    return is_for(rules->audience, ms_json_member(claims, "aud")) ? MS_OK : MS_TOKEN_AUDIENCE;
}

ms_status
ms_token_read(ms_arena *arena, const ms_token_rules *rules, ms_slice token, int64_t now,
              ms_token_bearer *bearer)
{
    token_parts parts;
    *bearer = (ms_token_bearer){{"", 0}, {"", 0}};
    if (token.len > MS_TOKEN_MAX || !split(token, &parts)) {
        return MS_TOKEN_INVALID;
    }
    if (!is_signed(arena, rules, &parts)) {
        return arena->exhausted ? MS_OUT_OF_MEMORY : MS_TOKEN_INVALID;
    }
    const cJSON *header = read_part(arena, parts.header);
    const cJSON *claims = header == NULL ? NULL : read_part(arena, parts.claims);
    if (arena->exhausted) {
        return MS_OUT_OF_MEMORY;
    }
    if (claims == NULL || !is_header_of_ours(header)) {
        return MS_TOKEN_INVALID;
    }
    ms_status status = check_claims(claims, rules, (double)now / MS_PER_SECOND);
    if (status == MS_OK) {
        bearer->email = ms_json_string(claims, "email");
        bearer->user_id = subject_of(arena, claims);
    }
    return arena->exhausted ? MS_OUT_OF_MEMORY : status;
}
