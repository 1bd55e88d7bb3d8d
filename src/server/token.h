/*
 * Tokens: with one a site's own back end vouches for the e-mail address of the person who is signed
 * in there. They are JWTs (RFC 7519) in their compact form, by HS256 (RFC 7515, RFC 7518):
 *
 * - Its header says that "alg" is "HS256"; "typ" may be "JWT". There is no "crit", since nothing
 *   that it could ask for is known here.
 * - Its claims are "email", the address that the request is about; "exp", when it ends, at most a
 *   day ahead; "nbf" and "iat", when it begins and was made, which may be missing; "sub", the user
 *   id, text or a number, which may be missing, too; and "aud", text or a list of texts, if the
 *   server was given an audience, and only then.
 *
 * All other members count for nothing. What could be read in two ways is refused: a member that is
 * there twice, base64url that is not the one way to write its bytes, text that is not UTF-8.
 *
 * The signature is looked at first, always as HS256, and in a time that does not tell where it is
 * wrong. So the token has no say in how it is checked (no "none", no other algorithm with the same
 * secret, no public key taken for a secret), and nothing of one that a stranger made is ever
 * parsed.
 *
 * That is why this is BearSSL's HMAC and not libjwt: libjwt (1.10, which Debian has) parses first,
 * checks by the algorithm that the token names, keeps the last of two claims of one name, passes
 * over "crit", takes several ways to write one part, and leaves times and audience to the caller.
 * tests/unit/token_libjwt_test.c shows each. And it has a JSON reader of its own, so a
 * token would be read by other rules than the body that it comes in.
 */
#ifndef MS_TOKEN_H
#define MS_TOKEN_H

#include "../core/arena.h"
#include "../core/status.h"

#include <stdint.h>

/* The longest token. One that says no more than it must has some 200 bytes. */
#define MS_TOKEN_MAX 4096

/* Of a secret, in bytes: as many as the hash function has (RFC 7518, section 3.2). */
#define MS_TOKEN_SECRET_MIN 32

/* How far the clock of who made a token may be from this one's, in seconds. */
#define MS_TOKEN_SKEW 60

/* The furthest that `exp` may lie ahead, in seconds: so that one that leaks does not open for ever,
 * though nothing here can withdraw it. */
#define MS_TOKEN_LIFETIME_MAX 86400

/* Two of them, so that a new one can take an old one's place without a gap. */
#define MS_TOKEN_SECRETS 2

typedef struct {
    ms_slice secrets[MS_TOKEN_SECRETS]; /* each may be empty: none */
    ms_slice audience;                  /* empty: tokens have none */
} ms_token_rules;

/* Whom a token is for. */
typedef struct {
    ms_slice email;   /* valid */
    ms_slice user_id; /* as text; empty: it says none */
} ms_token_bearer;

/* Is there a secret? Then who sends something needs a token. */
bool ms_token_is_needed(const ms_token_rules *rules);

/*
 * Whose token it is, at `now` (ms since 1970); what is known of them lives in the arena.
 * MS_TOKEN_INVALID, MS_TOKEN_EXPIRED, MS_TOKEN_NOT_YET_VALID, MS_TOKEN_LIFETIME, MS_TOKEN_AUDIENCE,
 * MS_OUT_OF_MEMORY; other than the first only for tokens that were signed with one of the secrets.
 */
ms_status ms_token_read(ms_arena *arena, const ms_token_rules *rules, ms_slice token, int64_t now,
                        ms_token_bearer *bearer);

#endif
