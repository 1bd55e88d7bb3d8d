/*
 * A request's body as it comes in. It grows on demand up to its limit; what comes beyond that is
 * counted, not kept.
 */
#ifndef MS_BODY_H
#define MS_BODY_H

#include "../core/slice.h"

#include <stdatomic.h>

/* What all bodies of a kind together may take beyond their first MS_BODY_FREE bytes each: so those
 * who send large ones cannot keep out the small ones of the others. A request for which nothing is
 * left is told to come again. */
#define MS_BODIES_MAX ((size_t)32 << 20)
#define MS_BODY_FREE ((size_t)16384)

typedef struct {
    char *bytes;          /* NULL while there are none */
    size_t len;           /* of all that came */
    size_t limit;         /* up to which it is kept */
    size_t room;          /* of `bytes` */
    bool lacking;         /* there was no room for it */
    atomic_size_t *taken; /* by all bodies of its kind, of MS_BODIES_MAX */
} ms_body;

/* An empty body. `taken` is the same for all of a kind, and outlives them. */
void ms_body_init(ms_body *body, size_t limit, atomic_size_t *taken);

void ms_body_add(ms_body *body, const char *bytes, size_t len);

/* What was kept: all, if `len` is no more than `limit` and it is not lacking. */
ms_slice ms_body_text(const ms_body *body);

/*
 * Memory, in bytes, in which `len` bytes of JSON can be read, and fields be made of them: a tree
 * takes up to 32 times its text, its fields as much again. What is not touched costs nothing.
 */
static inline size_t
ms_body_scratch(size_t len)
{
    return ((size_t)64 << 10) + 64 * len;
}

/*
 * Replaces a body in gzip by what it holds, all its members, of which no more than `limit` is kept;
 * `len` says that it is more. False if it is no whole gzip: then the body is empty.
 */
bool ms_body_gunzip(ms_body *body);

/* Gives its memory back; it is empty then. */
void ms_body_free(ms_body *body);

#endif
