/*
 * A visit as Munchkin's web event writes it: the query string of /webevents/visitWebPage.
 */
#ifndef MS_VISIT_QUERY_H
#define MS_VISIT_QUERY_H

#include "../../core/visit.h"

/* Characters; whatever a server sends, Marketo's collector takes a URL of some length only. */
#define MS_REFERRER_LIMIT 2000
#define MS_VISIT_NAME_LIMIT 255

typedef struct {
    ms_slice munchkin_id;
    ms_slice token; /* the visitor's */
    ms_slice host;  /* with its port, if that is not the protocol's own; may be empty */
    bool secure;
    ms_slice referrer;
} ms_visitor_page;

/*
 * All parameters but _mchNc. As in the browser, texts are decoded once and then encoded whole, and
 * each "&" between parameters is "__-__". Referrer and name are cut to their limits. The text lives
 * in the arena, which is exhausted if it does not fit.
 */
ms_slice ms_visit_query(ms_arena *arena, const ms_visitor_page *page, const ms_visit *visit);

#endif
