/*
 * ms_params: the `params` of a visit, key=value pairs joined by "&" and kept to
 * a limit.
 *
 * What does not fit is left out by whole pairs, from the end, and attribution
 * (utm_*, mkt_tok, gclid, msclkid, fbclid) last; the pairs that stay keep their
 * order. The text never grows much past twice the limit, however long the input.
 */
#ifndef MS_PARAMS_H
#define MS_PARAMS_H

#include "arena.h"

#include <cJSON.h>

typedef struct {
    ms_arena *arena;        /* its free end holds the pairs that may stay, each with "&" behind */
    char *start;            /* the first of them */
    size_t limit;           /* characters in the result */
    size_t attribution_len; /* with the "&" behind each pair */
    size_t other_len;       /* likewise */
    bool attribution_complete; /* false once an attribution pair did not fit */
    bool other_complete;
} ms_params;

/* Begins; nothing else may be allocated from the arena before ms_params_end. */
ms_params ms_params_begin(ms_arena *arena, size_t limit);

/* Adds the pairs of a query string as they are. */
void ms_params_add_query(ms_params *params, ms_slice query);

/*
 * Adds the members of `properties`, in order, through encodeURIComponent:
 * nested objects with dots between the keys, arrays of plain values joined by
 * commas, other arrays by index; null is left out. The member called `except`
 * (NULL for none) is left out too.
 */
void ms_params_add_properties(ms_params *params, const cJSON *properties, const char *except);

/* The result, in the arena. `truncated` tells whether a pair was left out. */
ms_slice ms_params_end(ms_params *params, bool *truncated);

#endif
