/*
 * ms_warnings: what a call sends anyway but wants known, such as a cut URL.
 */
#ifndef MS_WARNINGS_H
#define MS_WARNINGS_H

#include "slice.h"
#include "status.h"

/* More than these in one call are not listed: the first ones show what is wrong. */
#define MS_WARNINGS_MAX 8

typedef struct {
    ms_status status;
    ms_slice name; /* the trait it is about, or the empty slice; the arena's or the request's */
} ms_warning;

/* An ms_warnings filled with zeros is empty and ready for use. */
typedef struct {
    ms_warning list[MS_WARNINGS_MAX];
    size_t count;
} ms_warnings;

/* Adds a warning; `name` is the trait it is about, or empty. */
void ms_warn(ms_warnings *warnings, ms_status status, ms_slice name);

#endif
