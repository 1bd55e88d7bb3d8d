/*
 * Signatures, by BearSSL. Pure: keys come in as arguments and no copy of them is
 * left behind.
 */
#ifndef MS_SIGN_H
#define MS_SIGN_H

#include "slice.h"

#define MS_SHA1_HEX 40
#define MS_HS256 32

/*
 * The hash that Munchkin's associateLead takes: SHA-1 over the account's
 * Munchkin API private key followed directly by the e-mail address, as it is
 * sent. Lower-case hexadecimal, no NUL byte.
 */
void ms_sign_associate_lead(ms_slice private_key, ms_slice email, char hash[MS_SHA1_HEX]);

/*
 * The requestSignature of Marketo's SOAP API: HMAC-SHA1, keyed with the
 * account's encryption key, over the request's timestamp followed directly by
 * the SOAP user id. Lower-case hexadecimal, no NUL byte.
 */
void ms_sign_soap(ms_slice encryption_key, ms_slice timestamp, ms_slice user_id,
                  char signature[MS_SHA1_HEX]);

/* The signature of a JWT by HS256: HMAC-SHA256 over its first two parts with the dot between. */
void ms_sign_hs256(ms_slice secret, ms_slice text, unsigned char signature[MS_HS256]);

#endif
