/*
 * ms_arena: bump allocation in memory that the caller gives.
 *
 * Nothing is freed on its own; the caller forgets everything at once by
 * initialising the arena again. Running out is not a crash: the allocation
 * gives NULL, `exhausted` stays set, and the call that needed the memory ends
 * with MS_OUT_OF_MEMORY.
 */
#ifndef MS_ARENA_H
#define MS_ARENA_H

#include "slice.h"

typedef struct {
    unsigned char *memory; /* the caller's; must outlive every result */
    size_t size;           /* bytes in all */
    size_t used;           /* bytes given out */
    bool exhausted;        /* an allocation has failed since ms_arena_init */
} ms_arena;

void ms_arena_init(ms_arena *arena, void *memory, size_t size);

/* `size` bytes aligned for any type, not cleared; NULL when they are not there. */
void *ms_arena_alloc(ms_arena *arena, size_t size);

/*
 * Text of unknown length is written at the arena's free end:
 *
 *     char *start = ms_text_begin(arena);
 *     ms_text_append(arena, MS_SLICE("/event/"));
 *     ms_slice path = ms_text_end(arena, start);
 *
 * In between nothing else may be allocated. A write that does not fit sets
 * arena->exhausted and is dropped.
 */
char *ms_text_begin(const ms_arena *arena);

void ms_text_byte(ms_arena *arena, char byte);
void ms_text_append(ms_arena *arena, ms_slice piece);

/*
 * `piece` percent-encoded, with upper-case digits: controls, the space, all that
 * is not ASCII, and the characters of `set`.
 */
void ms_text_encoded(ms_arena *arena, ms_slice piece, const char *set);

/* The set with which ms_text_encoded does what encodeURIComponent does. */
extern const char ms_component_set[];

/* What was written since `start`. */
ms_slice ms_text_since(const ms_arena *arena, const char *start);

/* The same, kept: a NUL byte follows it (not counted), and it lives as long as the arena. */
ms_slice ms_text_end(ms_arena *arena, const char *start);

#endif
