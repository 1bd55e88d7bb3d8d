/*
 * Core's calls, natively, for tests/fuzz/differential.mjs. From stdin: the number of the call in a
 * byte, the request's length in four (the lowest first), the request. To stdout: the result's
 * length, likewise, and the result.
 */

#include "../../src/core/call.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Twice what WebAssembly may have: a pointer takes twice the room here. */
#define ARENA_BYTES ((size_t)12 << 20)

static bool
read_exactly(void *to, size_t len)
{
    return fread(to, 1, len, stdin) == len;
}

static bool
answer(unsigned char *memory, ms_call_kind kind, ms_slice request)
{
    ms_arena arena;
    ms_slice result;
    ms_arena_init(&arena, memory, ARENA_BYTES);
    (void)ms_call(&arena, kind, request, &result);
    unsigned char length[4];
    for (size_t i = 0; i < sizeof length; i++) {
        length[i] = (unsigned char)(result.len >> (8 * i));
    }
    return fwrite(length, 1, sizeof length, stdout) == sizeof length &&
           fwrite(result.ptr, 1, result.len, stdout) == result.len && fflush(stdout) == 0;
}

int
main(void)
{
    unsigned char head[5];
    unsigned char *memory = malloc(ARENA_BYTES);
    bool well = memory != NULL;
    while (well && fread(head, 1, sizeof head, stdin) == sizeof head) {
        size_t len =
            (size_t)head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
        /* Of exactly its size, so that reading beyond it is noticed. */
        char *request = malloc(len == 0 ? 1 : len);
        well = request != NULL && read_exactly(request, len) &&
               answer(memory, (ms_call_kind)head[0], (ms_slice){request, len});
        free(request);
    }
    free(memory);
    return well ? EXIT_SUCCESS : EXIT_FAILURE;
}
