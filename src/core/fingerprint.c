#include "fingerprint.h"

#include "hex.h"

#include <bearssl_hash.h>

ms_status
ms_lead_fingerprint(ms_arena *arena, const ms_lead *lead, char fingerprint[MS_SHA256_HEX])
{
    const char *start = ms_text_begin(arena);
    ms_fields_write(&lead->fields, true, arena);
    ms_slice canonical = ms_text_end(arena, start);
    if (arena->exhausted) {
        return MS_OUT_OF_MEMORY;
    }
    unsigned char digest[br_sha256_SIZE];
    br_sha256_context sha256;
    br_sha256_init(&sha256);
    br_sha256_update(&sha256, canonical.ptr, canonical.len);
    br_sha256_out(&sha256, digest);
    ms_hex(digest, sizeof digest, fingerprint);
    return MS_OK;
}
