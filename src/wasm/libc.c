/*
 * The few C library functions that core and cJSON need, in their shortest form:
 * the usual ones read whole words at a time, which is eight times the code for
 * texts of a dozen bytes. memcpy, memmove and memset are WebAssembly
 * instructions here.
 */

#include <string.h>

size_t
strlen(const char *text)
{
    const char *end = text;
    while (*end != '\0') {
        end++;
    }
    return (size_t)(end - text);
}

int
memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *left = a;
    const unsigned char *right = b;
    for (; size > 0 && *left == *right; size--) {
        left++;
        right++;
    }
    return size == 0 ? 0 : *left - *right;
}

int
strncmp(const char *a, const char *b, size_t size)
{
    for (; size > 0 && *a == *b && *a != '\0'; size--) {
        a++;
        b++;
    }
    return size == 0 ? 0 : (unsigned char)*a - (unsigned char)*b;
}

int
strcmp(const char *a, const char *b)
{
    return strncmp(a, b, (size_t)-1);
}

void *
memchr(const void *memory, int byte, size_t size)
{
    const unsigned char *p = memory;
    for (; size > 0; size--, p++) {
        if (*p == (unsigned char)byte) {
            return (void *)p;
        }
    }
    return NULL;
}

char *
strchr(const char *text, int byte)
{
    return memchr(text, byte, strlen(text) + 1);
}
