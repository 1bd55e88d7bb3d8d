/*
 * Of a URL that was configured, what may be shown: its host and port. Who calls a gateway may have
 * written a password before them.
 */
#ifndef MS_URL_HOST_H
#define MS_URL_HOST_H

#include "../../core/slice.h"

/* A piece of `url`, which is http or https. */
ms_slice ms_url_host(ms_slice url);

#endif
