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

/* The first line's parts, as libmicrohttpd hands them over: where they were received. */
typedef struct {
    const char *method;
    const char *path;
    const char *version;
} ms_framing_line;

/*
 * MS_OK; MS_FRAMING_INVALID for two hosts or an impossible one, two lengths, a length beside a
 * transfer encoding, an encoding other than chunked or in HTTP/1.0, a name that is no token,
 * control characters (zeros, too), folded lines, and lines that end without a carriage return;
 * MS_BODY_TOO_LARGE for a length beyond MS_DISCARD_MAX. After an error the connection must be
 * closed. Call it before anything else of the request was read.
 */
ms_status ms_framing_check(struct MHD_Connection *connection, const ms_framing_line *line);

#endif
