#include "static_files.h"

#include "negotiation.h"
#include "respond.h"

#include <stdlib.h>

#define FOR_AN_HOUR "public, max-age=3600"
#define FOR_EVER "public, max-age=31536000, immutable"

/* How long the path promises to stay what it is, and what the browser has of it. */
typedef enum { PLAIN, RELEASED } lifetime;
typedef enum { WHOLE, NOT_MODIFIED } freshness;
#define LIFETIMES ((size_t)2)
#define FRESHNESSES ((size_t)2)

typedef struct {
    struct MHD_Response *response[MS_ENCODINGS][LIFETIMES][FRESHNESSES];
} file;

static file *files; /* one for each of ms_assets */

static struct MHD_Response *
make_response(const ms_asset *asset, ms_encoding encoding, lifetime life, freshness fresh)
{
    static const char *const names[] = {
        [MS_IDENTITY] = NULL, [MS_BROTLI] = "br", [MS_GZIP] = "gzip"};
    ms_slice body = fresh == WHOLE ? asset->body[encoding] : MS_SLICE("");
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, (void *)body.ptr, MHD_RESPMEM_PERSISTENT);
    ms_respond_header(&response, "ETag", asset->etag[encoding]);
    ms_respond_header(&response, "Cache-Control", life == RELEASED ? FOR_EVER : FOR_AN_HOUR);
    ms_respond_header(&response, "Vary", "Accept-Encoding");
    ms_respond_header(&response, "Access-Control-Allow-Origin", "*");
    ms_respond_header(&response, "Cross-Origin-Resource-Policy", "cross-origin");
    ms_respond_header(&response, "Timing-Allow-Origin", "*");
    ms_respond_header(&response, "X-Content-Type-Options", "nosniff");
    if (fresh == WHOLE) {
        ms_respond_header(&response, "Content-Type", asset->content_type);
        if (names[encoding] != NULL) {
            ms_respond_header(&response, "Content-Encoding", names[encoding]);
        }
    }
    return response;
}

/* The responses of all files, one after another. */
static struct MHD_Response **
all_responses(size_t *count)
{
    *count = ms_asset_count * (sizeof(file) / sizeof(struct MHD_Response *));
    return (struct MHD_Response **)files;
}

bool
ms_static_start(void)
{
    size_t count = 0;
    files = calloc(ms_asset_count, sizeof *files);
    if (files == NULL) {
        return false;
    }
    struct MHD_Response **responses = all_responses(&count);
    for (size_t i = 0; i < count; i++) {
        size_t encoding = i / (LIFETIMES * FRESHNESSES) % MS_ENCODINGS;
        responses[i] = make_response(&ms_assets[i / (MS_ENCODINGS * LIFETIMES * FRESHNESSES)],
                                     (ms_encoding)encoding, (lifetime)(i / FRESHNESSES % LIFETIMES),
                                     (freshness)(i % FRESHNESSES));
        if (responses[i] == NULL) {
            return false;
        }
    }
    return true;
}

void
ms_static_stop(void)
{
    size_t count = 0;
    struct MHD_Response **responses = all_responses(&count);
    for (size_t i = 0; responses != NULL && i < count; i++) {
        if (responses[i] != NULL) {
            MHD_destroy_response(responses[i]);
        }
    }
    free(files);
    files = NULL;
}

/* Takes "/<release>" off the path if it begins with that. */
static lifetime
take_release(const char **path)
{
    size_t len = strlen(ms_release);
    if ((*path)[0] == '/' && strncmp(*path + 1, ms_release, len) == 0 && (*path)[1 + len] == '/') {
        *path += 1 + len;
        return RELEASED;
    }
    return PLAIN;
}

static const char *
header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

struct MHD_Response *
ms_static_find(struct MHD_Connection *connection, const char *path, unsigned int *http_status)
{
    lifetime life = take_release(&path);
    for (size_t i = 0; i < ms_asset_count; i++) {
        const ms_asset *asset = &ms_assets[i];
        if (strcmp(asset->path, path) == 0) {
            ms_encoding encoding = ms_negotiate_encoding(header(connection, "Accept-Encoding"));
            freshness fresh =
                ms_negotiate_unchanged(header(connection, "If-None-Match"), asset->etag[encoding])
                    ? NOT_MODIFIED
                    : WHOLE;
            *http_status = fresh == WHOLE ? MHD_HTTP_OK : MHD_HTTP_NOT_MODIFIED;
            return files[i].response[encoding][life][fresh];
        }
    }
    return NULL;
}
