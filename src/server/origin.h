/*
 * Web origins, as browsers tell them in the Origin header: scheme://host[:port].
 */
#ifndef MS_ORIGIN_H
#define MS_ORIGIN_H

#include "../core/slice.h"

#define MS_ORIGINS_MAX 64

typedef struct {
    const char *list[MS_ORIGINS_MAX];
    size_t count;
} ms_origins;

/*
 * Changes `text` in place to the form that browsers send (lower case, no default port). False if it
 * is no http or https origin, as "*", "null" and anything with a path are not, or if no browser
 * writes it so.
 */
bool ms_origin_normalize(char *text);

/* Adds an origin. `text` is normalized, and must outlive the list. False if it is none, or if there
 * is no room. */
bool ms_origins_add(ms_origins *origins, char *text);

/* Is `origin`, a header's value, one of the list? Scheme and host match in either case. */
bool ms_origins_allow(const ms_origins *origins, const char *origin);

#endif
