#include "negotiation.h"

#include <stdlib.h>

/* Takes the next element of a comma-separated list, without spaces around it; empty at the end. */
static ms_slice
take_element(const char **list)
{
    const char *start = *list + strspn(*list, " \t,");
    const char *end = start + strcspn(start, ",");
    *list = end;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return (ms_slice){start, (size_t)(end - start)};
}

/* The weight of "coding;q=0.5"; 1 if it has none. `name` becomes what stands before it. */
static double
weight_of(ms_slice element, ms_slice *name)
{
    const char *semicolon = memchr(element.ptr, ';', element.len);
    size_t len = semicolon == NULL ? element.len : (size_t)(semicolon - element.ptr);
    *name = ms_slice_trim((ms_slice){element.ptr, len});
    const char *end = element.ptr + element.len;
    for (const char *p = semicolon; p != NULL && p + 2 < end; p++) {
        if (ms_to_lower(p[0]) == 'q' && p[1] == '=') {
            return strtod(p + 2, NULL);
        }
    }
    return 1;
}

ms_encoding
ms_negotiate_encoding(const char *accept_encoding)
{
    /* Not mentioned: identity is always good enough, the others are not taken. */
    double weights[MS_ENCODINGS] = {[MS_IDENTITY] = -1, [MS_BROTLI] = -1, [MS_GZIP] = -1};
    double others = -1;
    const char *list = accept_encoding == NULL ? "" : accept_encoding;
    for (ms_slice element = take_element(&list); element.len > 0; element = take_element(&list)) {
        ms_slice name;
        double weight = weight_of(element, &name);
        if (ms_slice_equal_fold(name, MS_SLICE("br"))) {
            weights[MS_BROTLI] = weight;
        } else if (ms_slice_equal_fold(name, MS_SLICE("gzip"))) {
            weights[MS_GZIP] = weight;
        } else if (ms_slice_equal_fold(name, MS_SLICE("identity"))) {
            weights[MS_IDENTITY] = weight;
        } else if (ms_slice_equal(name, MS_SLICE("*"))) {
            others = weight;
        }
    }
    static const ms_encoding by_size[] = {MS_BROTLI, MS_GZIP, MS_IDENTITY};
    ms_encoding best = MS_IDENTITY;
    double best_weight = 0;
    for (size_t i = 0; i < MS_ENCODINGS; i++) {
        ms_encoding encoding = by_size[i];
        double weight = weights[encoding] < 0 ? others : weights[encoding];
        if (weight > best_weight) {
            best = encoding;
            best_weight = weight;
        }
    }
    return best;
}

bool
ms_negotiate_unchanged(const char *if_none_match, const char *etag)
{
    const char *list = if_none_match == NULL ? "" : if_none_match;
    for (ms_slice element = take_element(&list); element.len > 0; element = take_element(&list)) {
        if (element.len > 2 && element.ptr[0] == 'W' && element.ptr[1] == '/') {
            element.ptr += 2;
            element.len -= 2;
        }
        if (ms_slice_equal(element, ms_slice_from(etag)) ||
            ms_slice_equal(element, MS_SLICE("*"))) {
            return true;
        }
    }
    return false;
}
