/* Which path leads where, and how much may be sent there. */

#include "request.h"

#include "hash_endpoint.h"
#include "intake/lead_endpoint.h"
#include "intake/segment_endpoint.h"

#define SEGMENT(name, letter, type)                                                                \
    {"/v1/" name, MS_ROUTE_SEGMENT, MS_SEGMENT_BODY_MAX, false, type},                             \
    {                                                                                              \
        "/v1/" letter, MS_ROUTE_SEGMENT, MS_SEGMENT_BODY_MAX, false, type                          \
    }
#define BATCH(path)                                                                                \
    {                                                                                              \
        path, MS_ROUTE_SEGMENT, MS_SEGMENT_BODY_MAX, true, MS_TYPE_OTHER                           \
    }

/* The short paths are those of Segment's library for browsers. */
static const ms_endpoint endpoints[] = {
    {"/v1/hash", MS_ROUTE_HASH, MS_HASH_BODY_MAX, false, MS_TYPE_OTHER},
    {"/v1/lead", MS_ROUTE_LEAD, MS_LEAD_BODY_MAX, false, MS_TYPE_OTHER},
    {"/healthz", MS_ROUTE_HEALTH, 0, false, MS_TYPE_OTHER},
    {"/metrics", MS_ROUTE_METRICS, 0, false, MS_TYPE_OTHER},
    BATCH("/v1/batch"),
    BATCH("/v1/b"),
    BATCH("/v1/import"),
    SEGMENT("identify", "i", MS_TYPE_IDENTIFY),
    SEGMENT("track", "t", MS_TYPE_TRACK),
    SEGMENT("page", "p", MS_TYPE_PAGE),
    SEGMENT("screen", "s", MS_TYPE_SCREEN),
    SEGMENT("group", "g", MS_TYPE_GROUP),
    SEGMENT("alias", "a", MS_TYPE_ALIAS),
};

/* Some libraries end a path with a slash: analytics-java sends to /v1/import/. */
static ms_slice
without_slash(const char *path)
{
    ms_slice name = ms_slice_from(path);
    bool ends_in_slash = strncmp(path, "/v1/", 4) == 0 && path[name.len - 1] == '/';
    return (ms_slice){path, name.len - ends_in_slash};
}

const ms_endpoint *
ms_endpoint_of(const char *path)
{
    static const ms_endpoint files = {"", MS_ROUTE_OTHER, 0, false, MS_TYPE_OTHER};
    ms_slice name = without_slash(path);
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        if (ms_slice_equal(name, ms_slice_from(endpoints[i].path))) {
            return &endpoints[i];
        }
    }
    return &files;
}

ms_status
ms_request_check_body(const ms_request *request)
{
    if (request->body.len > request->body.limit) {
        return MS_BODY_TOO_LARGE;
    }
    return request->body.lacking ? MS_QUEUE_FULL : MS_OK;
}
