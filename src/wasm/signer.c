/*
 * The WebAssembly face of what only a server does. A module of its own, so that
 * nothing a browser loads can sign.
 *
 *   ms_input(len)               the address to write `len` bytes to, 0 if they are too many
 *   ms_hash(key_len, email_len) of the private key and, right behind it, the e-mail: the address
 *                               of MS_SHA1_HEX characters, 0 if they are too many. Wipes both.
 *   ms_email(len)               what a request for a hash (hash_request.h) asks about: the address
 * of a space and the e-mail, or of the code of an error; NUL-terminated ms_fingerprint(len) of the
 * lead that a request of identify makes (call.h): the address of MS_SHA256_HEX characters, 0 if it
 * makes none
 */

#include "../core/call.h"
#include "../core/fingerprint.h"
#include "../core/hash_request.h"
#include "../core/json.h"
#include "../core/sign.h"

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

#define PAGE_BYTES 65536
/* Enough for the worst request: 64 KB of the shortest members, each a cJSON node. */
#define PAGES 96

/* Where the linker's data and stack end, and the arena begins. */
extern unsigned char __heap_base[];

static char input[MS_REQUEST_MAX];
static char output[MS_SHA256_HEX];

char *
EXPORT(ms_input)(size_t len)
{
    return len > sizeof input ? NULL : input;
}

const char *
EXPORT(ms_hash)(size_t key_len, size_t email_len)
{
    if (key_len > sizeof input || email_len > sizeof input - key_len) {
        return NULL;
    }
    ms_sign_associate_lead((ms_slice){input, key_len}, (ms_slice){input + key_len, email_len},
                           output);
    memset(input, 0, key_len + email_len);
    return output;
}

/* All the memory there may be, for one call. */
static bool
begin(ms_arena *arena)
{
    size_t pages = __builtin_wasm_memory_size(0);
    if (pages < PAGES && __builtin_wasm_memory_grow(0, PAGES - pages) == SIZE_MAX) {
        return false;
    }
    ms_arena_init(arena, __heap_base, PAGES * PAGE_BYTES - (size_t)__heap_base);
    return true;
}

const char *
EXPORT(ms_email)(size_t len)
{
    ms_arena arena;
    cJSON *request = NULL;
    ms_slice email = MS_SLICE("");
    ms_status status = len > sizeof input ? MS_TOO_LARGE : MS_OUT_OF_MEMORY;
    if (len <= sizeof input && begin(&arena)) {
        status = ms_json_parse(&arena, (ms_slice){input, len}, &request);
    }
    if (status == MS_OK) {
        status = ms_hash_request_email(&arena, request, &email);
    }
    if (status != MS_OK) {
        return ms_status_code(status);
    }
    const char *text = ms_text_begin(&arena);
    ms_text_byte(&arena, ' ');
    ms_text_append(&arena, email);
    (void)ms_text_end(&arena, text);
    return text;
}

const char *
EXPORT(ms_fingerprint)(size_t len)
{
    ms_arena arena;
    cJSON *request = NULL;
    ms_lead lead;
    if (len > sizeof input || !begin(&arena) ||
        ms_json_parse(&arena, (ms_slice){input, len}, &request) != MS_OK ||
        ms_lead_from_identify(&arena, ms_json_member(request, "userId"),
                              ms_json_member(request, "traits"), &lead) != MS_OK ||
        ms_lead_fingerprint(&arena, &lead, output) != MS_OK) {
        return NULL;
    }
    return output;
}
