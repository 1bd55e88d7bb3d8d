/* Apart from sign.c, so that a module that only takes fingerprints holds no signing code. */

#include "hex.h"
#include "sign.h"

#include <bearssl_hash.h>

void
ms_fingerprint(ms_slice text, char fingerprint[MS_SHA256_HEX])
{
    unsigned char digest[br_sha256_SIZE];
    br_sha256_context sha256;
    br_sha256_init(&sha256);
    br_sha256_update(&sha256, text.ptr, text.len);
    br_sha256_out(&sha256, digest);
    ms_hex(digest, sizeof digest, fingerprint);
}
