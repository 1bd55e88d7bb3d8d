#include "arena.h"

#include <stdalign.h>
#include <stdint.h>

void
ms_arena_init(ms_arena *arena, void *memory, size_t size)
{
    *arena = (ms_arena){.memory = memory, .size = size};
}

void *
ms_arena_alloc(ms_arena *arena, size_t size)
{
    const size_t alignment = alignof(max_align_t);
    size_t padding = -((uintptr_t)arena->memory + arena->used) & (alignment - 1);
    size_t left = arena->size - arena->used;
    if (padding > left || size > left - padding) {
        arena->exhausted = true;
        return NULL;
    }
    void *place = arena->memory + arena->used + padding;
    arena->used += padding + size;
    return place;
}

char *
ms_text_begin(const ms_arena *arena)
{
    return (char *)arena->memory + arena->used;
}

void
ms_text_append(ms_arena *arena, ms_slice piece)
{
    if (piece.len > arena->size - arena->used) {
        arena->exhausted = true;
    } else if (piece.len > 0) {
        memcpy(ms_text_begin(arena), piece.ptr, piece.len);
        arena->used += piece.len;
    }
}

void
ms_text_byte(ms_arena *arena, char byte)
{
    if (arena->used == arena->size) {
        arena->exhausted = true;
    } else {
        arena->memory[arena->used++] = (unsigned char)byte;
    }
}

const char ms_component_set[] = "\"#$%&+,/:;<=>?@[\\]^`{|}";

void
ms_text_encoded(ms_arena *arena, ms_slice piece, const char *set)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < piece.len; i++) {
        unsigned char c = (unsigned char)piece.ptr[i];
        if (c > ' ' && c <= '~' && strchr(set, c) == NULL) {
            ms_text_byte(arena, (char)c);
        } else {
            c = piece.ptr[i] == MS_NUL ? 0 : c;
            ms_text_byte(arena, '%');
            ms_text_byte(arena, digits[c >> 4]);
            ms_text_byte(arena, digits[c & 15]);
        }
    }
}

ms_slice
ms_text_since(const ms_arena *arena, const char *start)
{
    return (ms_slice){start, (size_t)(ms_text_begin(arena) - start)};
}

ms_slice
ms_text_end(ms_arena *arena, const char *start)
{
    ms_slice text = ms_text_since(arena, start);
    ms_text_byte(arena, '\0');
    return text;
}
