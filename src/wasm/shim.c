/*
 * The WebAssembly face of core, for browsers.
 *
 *   ms_input(len)     the address to write a request of `len` bytes to, 0 if it is too large
 *   ms_page(len)      carries the request out; the address of the result:
 *   ms_track(len)     its length as a little-endian u32, then the JSON (see call.h)
 *   ms_identify(len)
 *
 * The request stays until ms_input is used again, the result until the next
 * call. Nothing here traps, whatever the bytes of the request are.
 */

#include "../core/call.h"

#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name))) name

#define PAGE_BYTES 65536
/* Enough for the worst request: 64 KB of the shortest members, each a cJSON node. */
#define PAGES_MAX 96

/* Where the linker's data and stack end: the result's place, and behind its length the arena. */
extern unsigned char __heap_base[];

static char input[MS_REQUEST_MAX];

char *
EXPORT(ms_input)(size_t len)
{
    return len > sizeof input ? NULL : input;
}

/* Carries out the request; again with more memory if what is there was too little. */
static const void *
answer(ms_call_kind kind, size_t len)
{
    unsigned char *json = __heap_base + sizeof(uint32_t);
    for (;;) {
        ms_arena arena;
        ms_slice result;
        size_t pages = __builtin_wasm_memory_size(0);
        ms_arena_init(&arena, json, pages * PAGE_BYTES - (size_t)json);
        ms_status status = ms_call(&arena, kind, (ms_slice){input, len}, &result);
        size_t more = pages < PAGES_MAX - pages ? pages : PAGES_MAX - pages;
        if (status != MS_OUT_OF_MEMORY || more == 0 ||
            __builtin_wasm_memory_grow(0, more) == SIZE_MAX) {
            uint32_t length = (uint32_t)result.len;
            memcpy(__heap_base, &length, sizeof length);
            memmove(json, result.ptr, result.len);
            return __heap_base;
        }
    }
}

const void *
EXPORT(ms_page)(size_t len)
{
    return answer(MS_PAGE, len);
}

const void *
EXPORT(ms_track)(size_t len)
{
    return answer(MS_TRACK, len);
}

const void *
EXPORT(ms_identify)(size_t len)
{
    return answer(MS_IDENTIFY, len);
}
