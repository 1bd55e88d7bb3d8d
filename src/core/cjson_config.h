/*
 * How cJSON is built here; included ahead of cJSON.c on the compiler's command
 * line. The allocator is fixed when cJSON is compiled, and not with
 * cJSON_InitHooks at run time, which threads would share.
 */
#ifndef MS_CJSON_CONFIG_H
#define MS_CJSON_CONFIG_H

#include "number.h"

#include <stdio.h>
#include <stdlib.h>

void *ms_cjson_malloc(size_t size);
void ms_cjson_free(void *memory);
void *ms_cjson_realloc(void *memory, size_t size);

#ifdef MS_COMPILING_CJSON
/* Deeper nesting is refused, so that hostile input cannot use up the stack. */
#define CJSON_NESTING_LIMIT 64

#define malloc ms_cjson_malloc
#define free ms_cjson_free
#define realloc ms_cjson_realloc
#define strtod ms_number_parse
#endif

#endif
