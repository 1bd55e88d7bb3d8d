/*
 * Splitting a URL as Munchkin's visitWebPage wants it.
 *
 * The rule is the WHATWG URL Standard's parser (https://url.spec.whatwg.org/)
 * for http and https: `path` is the standard's pathname, `query` its search
 * without the question mark. Hosts are not validated, since Marketo puts the
 * page's own host there; everything after the host is.
 */
#ifndef MS_URL_H
#define MS_URL_H

#include "arena.h"
#include "status.h"

typedef struct {
    ms_slice path;  /* begins with '/'; printable ASCII */
    ms_slice query; /* printable ASCII */
    ms_slice host;  /* host and port as written, without user */
    bool secure;    /* https */
} ms_url;

/*
 * Parses `input`, resolved against `base` (the page's URL; empty for none; one
 * that is no http or https URL counts as none). All slices live in the arena.
 *
 * With `hash_routing`, a fragment that begins with "/" is the path; its own query
 * follows that of the URL.
 *
 * MS_URL_INVALID, MS_URL_UNSUPPORTED_SCHEME, MS_OUT_OF_MEMORY.
 */
ms_status ms_url_parse(ms_arena *arena, ms_slice input, ms_slice base, bool hash_routing,
                       ms_url *url);

/*
 * The longest beginning of `path` with at most `limit` characters that does not
 * end inside a percent triplet or a UTF-8 sequence, percent-encoded or not.
 */
ms_slice ms_url_truncate(ms_slice path, size_t limit);

#endif
