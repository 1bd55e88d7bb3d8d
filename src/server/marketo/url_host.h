/*
 * Of a URL that was configured, what may be shown: its host and port. Who calls a gateway may have
 * written a password before them.
 */
#ifndef MS_URL_HOST_H
#define MS_URL_HOST_H

#include "../../core/slice.h"

#define MS_URL_HOST_MAX 200

/* A piece of `url`, which is http or https, of MS_URL_HOST_MAX bytes at most. */
ms_slice ms_url_host(ms_slice url);

#endif
