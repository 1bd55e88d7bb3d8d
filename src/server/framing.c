#include "framing.h"

#include "../core/slice.h"

#include <stdlib.h>

typedef struct {
    size_t lengths;
    size_t encodings;
    size_t hosts;
    bool spaced; /* a name with a space, which some readers trim */
    const char *length;
    const char *encoding;
} framing;

static enum MHD_Result
find_framing(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    framing *found = cls;
    found->spaced = found->spaced || strpbrk(name, " \t") != NULL;
    if (ms_slice_equal_fold(ms_slice_from(name), MS_SLICE("Content-Length"))) {
        found->lengths++;
        found->length = value;
    } else if (ms_slice_equal_fold(ms_slice_from(name), MS_SLICE("Transfer-Encoding"))) {
        found->encodings++;
        found->encoding = value;
    } else if (ms_slice_equal_fold(ms_slice_from(name), MS_SLICE("Host"))) {
        found->hosts++;
    }
    return MHD_YES;
}

ms_status
ms_framing_check(struct MHD_Connection *connection)
{
    framing found = {0, 0, 0, false, "0", "chunked"};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, find_framing, &found);
    if (found.spaced || found.hosts > 1 || found.lengths + found.encodings > 1 ||
        !ms_slice_equal_fold(ms_slice_from(found.encoding), MS_SLICE("chunked")) ||
        found.length[strspn(found.length, "0123456789")] != '\0') {
        return MS_FRAMING_INVALID;
    }
    return strtoull(found.length, NULL, 10) > MS_DISCARD_MAX ? MS_BODY_TOO_LARGE : MS_OK;
}
