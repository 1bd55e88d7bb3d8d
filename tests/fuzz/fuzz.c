#include "fuzz.h"

#include <stdio.h>

#define LARGE ((size_t)8 << 20)
#define MEMORIES_MAX 4096

static void *memories[MEMORIES_MAX];
static size_t memory_count;

void
fuzz_failed(const char *condition, const char *function, const char *file, int line)
{
    (void)fprintf(stderr, "\n%s:%d: %s: this does not hold: %s\n", file, line, function, condition);
    abort();
}

uint8_t
fuzz_byte(fuzz_input *in)
{
    if (in->len == 0) {
        return 0;
    }
    in->len--;
    return *in->p++;
}

uint16_t
fuzz_short(fuzz_input *in)
{
    unsigned int high = fuzz_byte(in);
    return (uint16_t)(high << 8 | fuzz_byte(in));
}

void *
fuzz_memory(size_t size)
{
    void *memory = malloc(size == 0 ? 1 : size);
    EXPECT(memory != NULL && memory_count < MEMORIES_MAX);
    memories[memory_count++] = memory;
    return memory;
}

ms_arena
fuzz_arena(size_t size)
{
    ms_arena arena;
    ms_arena_init(&arena, fuzz_memory(size), size);
    return arena;
}

ms_slice
fuzz_copy(ms_slice text)
{
    char *copy = fuzz_memory(text.len);
    memcpy(copy, text.ptr, text.len);
    return (ms_slice){copy, text.len};
}

char *
fuzz_string(ms_slice text)
{
    const char *nul = text.len == 0 ? NULL : memchr(text.ptr, '\0', text.len);
    size_t len = nul == NULL ? text.len : (size_t)(nul - text.ptr);
    char *copy = fuzz_memory(len + 1);
    memcpy(copy, text.ptr, len);
    copy[len] = '\0';
    return copy;
}

ms_slice
fuzz_text(fuzz_input *in, char separator)
{
    const uint8_t *end = in->len == 0 ? NULL : memchr(in->p, separator, in->len);
    size_t len = end == NULL ? in->len : (size_t)(end - in->p);
    ms_slice text = fuzz_copy((ms_slice){in->len == 0 ? "" : (const char *)in->p, len});
    size_t taken = len + (end != NULL);
    in->len -= taken;
    in->p += taken;
    return text;
}

ms_slice
fuzz_rest(fuzz_input *in)
{
    ms_slice text = fuzz_copy((ms_slice){in->len == 0 ? "" : (const char *)in->p, in->len});
    in->len = 0;
    return text;
}

void
fuzz_forget(void)
{
    while (memory_count > 0) {
        free(memories[--memory_count]);
    }
}

ms_arena
fuzz_large_arena(void)
{
    static max_align_t memory[LARGE / sizeof(max_align_t)];
    ms_arena arena;
    ms_arena_init(&arena, memory, sizeof memory);
    return arena;
}
