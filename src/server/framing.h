/*
 * Where a request ends: for requests whose headers leave no doubt of that, as RFC 9112, section 6,
 * asks. A proxy that reads it otherwise would take the rest for another request, or a stranger's.
 */
#ifndef MS_FRAMING_H
#define MS_FRAMING_H

#include "../core/status.h"

#include <microhttpd.h>
#include <stddef.h>

/* A body that goes on for longer than this is cut off, not read to its end. */
#define MS_DISCARD_MAX 1048576U

/*
 * MS_OK; MS_FRAMING_INVALID for two hosts, two lengths, a length beside a transfer encoding, an
 * encoding other than chunked, or a header's name with a space; MS_BODY_TOO_LARGE for a length
 * beyond MS_DISCARD_MAX. After an error the connection must be closed.
 */
ms_status ms_framing_check(struct MHD_Connection *connection);

#endif
