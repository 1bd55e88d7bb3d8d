/*
 * ms_list: texts that stand one behind the other, each ended by a NUL byte and
 * the whole by an empty one: the literal "one\0two\0". A list of addresses is
 * twice its size in the WebAssembly module.
 */
#ifndef MS_LIST_H
#define MS_LIST_H

#include "slice.h"

typedef const char *ms_list;

/* The list behind its first text. */
static inline ms_list
ms_list_next(ms_list list)
{
    return list + strlen(list) + 1;
}

/* Is one of the list's texts `text`, byte for byte? */
bool ms_list_holds(ms_list list, ms_slice text);

#endif
