/*
 * The two headers by which a browser says what it takes and what it has (RFC 9110).
 */
#ifndef MS_NEGOTIATION_H
#define MS_NEGOTIATION_H

#include "assets.h"

/* What Accept-Encoding (NULL if there is none) likes best; of equals brotli, then gzip. */
ms_encoding ms_negotiate_encoding(const char *accept_encoding);

/* Does If-None-Match (NULL if there is none) list `etag`, which has its quotes, or "*"? */
bool ms_negotiate_unchanged(const char *if_none_match, const char *etag);

#endif
