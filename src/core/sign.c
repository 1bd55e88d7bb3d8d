#include "sign.h"

#include "hex.h"

#include <bearssl_hash.h>
#include <bearssl_hmac.h>

/*
 * Overwrites memory that held a key or what was derived from one. The empty
 * assembly keeps the compiler from seeing that nobody reads it again.
 */
static void
forget(void *memory, size_t size)
{
    memset(memory, 0, size);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

/* The same for the stack below the caller, where BearSSL's functions had their last blocks. */
static __attribute__((noinline)) void
forget_stack(void)
{
    unsigned char below[1024];
    forget(below, sizeof below);
}

void
ms_sign_associate_lead(ms_slice private_key, ms_slice email, char hash[MS_SHA1_HEX])
{
    unsigned char digest[br_sha1_SIZE];
    br_sha1_context sha1;
    br_sha1_init(&sha1);
    br_sha1_update(&sha1, private_key.ptr, private_key.len);
    br_sha1_update(&sha1, email.ptr, email.len);
    br_sha1_out(&sha1, digest);
    ms_hex(digest, sizeof digest, hash);
    forget(&sha1, sizeof sha1);
    forget_stack();
}

void
ms_sign_soap(ms_slice encryption_key, ms_slice timestamp, ms_slice user_id,
             char signature[MS_SHA1_HEX])
{
    unsigned char digest[br_sha1_SIZE];
    br_hmac_key_context key;
    br_hmac_context hmac;
    br_hmac_key_init(&key, &br_sha1_vtable, encryption_key.ptr, encryption_key.len);
    br_hmac_init(&hmac, &key, 0);
    br_hmac_update(&hmac, timestamp.ptr, timestamp.len);
    br_hmac_update(&hmac, user_id.ptr, user_id.len);
    br_hmac_out(&hmac, digest);
    ms_hex(digest, sizeof digest, signature);
    forget(&key, sizeof key);
    forget(&hmac, sizeof hmac);
    forget_stack();
}

void
ms_sign_hs256(ms_slice secret, ms_slice text, unsigned char signature[MS_HS256])
{
    br_hmac_key_context key;
    br_hmac_context hmac;
    br_hmac_key_init(&key, &br_sha256_vtable, secret.ptr, secret.len);
    br_hmac_init(&hmac, &key, 0);
    br_hmac_update(&hmac, text.ptr, text.len);
    br_hmac_out(&hmac, signature);
    forget(&key, sizeof key);
    forget(&hmac, sizeof hmac);
    forget_stack();
}
