#include "body.h"

#include <stdlib.h>
#include <zlib.h>

#define ROOM_LEAST 1024
#define INFLATE_STEP 16384
#define GZIP_WINDOW (15 + 16) /* zlib's way of asking for gzip, and nothing else */

void
ms_body_init(ms_body *body, size_t limit, atomic_size_t *taken)
{
    *body = (ms_body){.limit = limit, .taken = taken};
}

/* How much of MS_BODIES_MAX a body with this room takes. */
static size_t
counted(size_t room)
{
    return room > MS_BODY_FREE ? room - MS_BODY_FREE : 0;
}

static bool
grow(ms_body *body, size_t least)
{
    size_t room = body->room == 0 ? ROOM_LEAST : body->room;
    while (room < least) {
        room *= 2;
    }
    room = room > body->limit ? body->limit : room;
    size_t more = counted(room) - counted(body->room);
    size_t taken = atomic_fetch_add(body->taken, more);
    bool is_left = more == 0 || taken + more <= MS_BODIES_MAX;
    char *bytes = is_left ? realloc(body->bytes, room) : NULL;
    if (bytes == NULL) {
        atomic_fetch_sub(body->taken, more);
        return false;
    }
    body->bytes = bytes;
    body->room = room;
    return true;
}

void
ms_body_add(ms_body *body, const char *bytes, size_t len)
{
    size_t before = body->len;
    body->len += len;
    if (len == 0 || body->len > body->limit || body->lacking) {
        return;
    }
    if (body->len > body->room && !grow(body, body->len)) {
        body->lacking = true;
        return;
    }
    memcpy(body->bytes + before, bytes, len);
}

ms_slice
ms_body_text(const ms_body *body)
{
    return body->bytes == NULL || body->len > body->limit || body->lacking
               ? MS_SLICE("")
               : (ms_slice){body->bytes, body->len};
}

static bool
inflate_into(ms_body *plain, z_stream *stream)
{
    unsigned char step[INFLATE_STEP];
    int result = Z_OK;
    while (result == Z_OK && plain->len <= plain->limit && !plain->lacking) {
        stream->next_out = step;
        stream->avail_out = sizeof step;
        result = inflate(stream, Z_NO_FLUSH);
        ms_body_add(plain, (const char *)step, sizeof step - stream->avail_out);
        if (result == Z_STREAM_END && stream->avail_in > 0) {
            result = inflateReset(stream); /* RFC 1952: there may be several, one after the other */
        }
    }
    plain->lacking = plain->lacking || result == Z_MEM_ERROR;
    /* One that is too large need not be read to its end, which may be far away. */
    return plain->len > plain->limit || plain->lacking ||
           (result == Z_STREAM_END && stream->avail_in == 0);
}

bool
ms_body_gunzip(ms_body *body)
{
    ms_slice packed = ms_body_text(body);
    ms_body plain;
    z_stream stream = {.next_in = (unsigned char *)body->bytes, .avail_in = (uInt)packed.len};
    ms_body_init(&plain, body->limit, body->taken);
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK) {
        body->lacking = true;
        return true;
    }
    bool whole = inflate_into(&plain, &stream);
    (void)inflateEnd(&stream);
    ms_body_free(body);
    if (whole) {
        *body = plain;
    } else {
        ms_body_free(&plain);
    }
    return whole;
}

void
ms_body_free(ms_body *body)
{
    atomic_fetch_sub(body->taken, counted(body->room));
    free(body->bytes);
    ms_body_init(body, body->limit, body->taken);
}
