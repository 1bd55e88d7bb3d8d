/*
 * ms_slice: a piece of text, as an address and a length.
 *
 * Text in core is always UTF-8 and never assumed to end with a NUL byte. A
 * slice does not own its bytes: they live in the caller's request, in an
 * ms_arena, or in static storage, and the function that returns a slice says
 * which. Its address is never NULL, so that arithmetic on it is always defined.
 *
 * JSON can say U+0000, which neither cJSON's strings nor C's can hold. Inside
 * core it is the byte MS_NUL, which UTF-8 never uses: json.c puts it in, and
 * whoever writes text out gives U+0000 its proper form.
 */
#ifndef MS_SLICE_H
#define MS_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define MS_NUL ((char)0xFF)

typedef struct {
    const char *ptr;
    size_t len;
} ms_slice;

/* A slice of a string literal. */
#define MS_SLICE(literal) ((ms_slice){(literal), sizeof(literal) - 1})

/* The slice of a NUL-terminated string; NULL gives the empty slice. */
static inline ms_slice
ms_slice_from(const char *text)
{
    return text == NULL ? MS_SLICE("") : (ms_slice){text, strlen(text)};
}

static inline bool
ms_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ms_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ASCII only, whatever the locale: every other byte comes back unchanged. */
static inline char
ms_to_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static inline char
ms_to_upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c & ~0x20 : c);
}

/* Byte for byte. */
bool ms_slice_equal(ms_slice a, ms_slice b);

/* As ms_slice_equal, but ASCII letters match in either case. */
bool ms_slice_equal_fold(ms_slice a, ms_slice b);

/* An order in which those are equal that ms_slice_equal_fold takes for equal: below 0, 0 or above.
 */
int ms_slice_compare_fold(ms_slice a, ms_slice b);

/* The slice without spaces (U+0020) at either end. */
ms_slice ms_slice_trim(ms_slice text);

#endif
