/*
 * page and track as the arguments of Munchkin's visitWebPage.
 */
#ifndef MS_VISIT_H
#define MS_VISIT_H

#include "url.h"
#include "warnings.h"

#include <cJSON.h>

/* What every visit is made with. */
typedef struct {
    ms_slice base;       /* the page's own URL; empty if there is none */
    bool hash_routing;   /* "#/…" is the path */
    size_t url_limit;    /* characters; MS_URL_LIMIT if the site does not choose */
    size_t params_limit; /* characters; MS_PARAMS_LIMIT likewise */
} ms_visit_options;

#define MS_URL_LIMIT 255
#define MS_PARAMS_LIMIT 2000

typedef struct {
    ms_slice url;    /* the path */
    ms_slice params; /* the query without "?" */
    ms_slice name;   /* the event, when the path is not made from it; else empty */
    ms_warnings warnings;
} ms_visit;

/*
 * A visit of `url`, which may be relative to the page's; empty means the page itself.
 *
 * MS_URL_INVALID, MS_URL_UNSUPPORTED_SCHEME, MS_OUT_OF_MEMORY.
 */
ms_status ms_visit_page(ms_arena *arena, ms_slice url, const ms_visit_options *options,
                        ms_visit *visit);

/*
 * A visit of "/event/<event>" with the properties as parameters; of
 * properties.url, if given, with the event as its name. Smart Campaigns match
 * on these paths, so they are kept byte for byte as Segment made them, except
 * that a "%" is encoded, since Munchkin decodes the path once.
 *
 * `properties` may be NULL or no object, and then counts as empty.
 *
 * MS_EVENT_MISSING, and those of ms_visit_page for properties.url.
 */
ms_status ms_visit_track(ms_arena *arena, ms_slice event, const cJSON *properties,
                         const ms_visit_options *options, ms_visit *visit);

#endif
