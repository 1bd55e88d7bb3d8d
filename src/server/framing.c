#include "framing.h"

#include "../core/slice.h"

#include <stdint.h>
#include <stdlib.h>

/* RFC 9110, section 5.6.2. */
#define TOKEN "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* What a host and a port are made of; "" is what a client sends that knows none. */
#define HOST "[]:%-._~!$&'()*+,;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#define LINE_END 2 /* marks */

typedef struct {
    size_t lengths;
    size_t encodings;
    size_t hosts;
    bool wrong;
    const char *length;
    const char *encoding;
    const char *end; /* of what was looked at */
} framing;

/*
 * libmicrohttpd takes the head apart where it was received: the marks between its texts become
 * zeros, and a text ends at the first of them. So a zero that was sent hides what stands behind it,
 * and a line that begins with one ends the head: a proxy would have read on. Whether there is
 * nothing but marks and blanks between one text and the next, and room for `least` marks (a line
 * feed alone is one too few).
 */
static bool
is_gap(const char *end, const char *next, size_t least)
{
    if ((uintptr_t)next < (uintptr_t)end || (uintptr_t)next - (uintptr_t)end < least) {
        return false;
    }
    for (const char *p = end; p != next; p++) {
        if (*p != '\0' && *p != ' ' && *p != '\t') {
            return false;
        }
    }
    return true;
}

/* Whether behind the last text there are the end of its line, and an empty line. */
static bool
is_head_end(const char *end)
{
    return memcmp(end, "\0\0\0", 4) == 0;
}

/* No other control characters than tabs, so no carriage return either. */
static bool
is_value(const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < ' ' && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return true;
}

static bool
consists_of(const char *text, const char *characters)
{
    return text[strspn(text, characters)] == '\0';
}

static enum MHD_Result
look_at(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    framing *found = cls;
    if (value == NULL || *name == '\0' || !consists_of(name, TOKEN) || !is_value(value) ||
        !is_gap(found->end, name, LINE_END)) {
        found->wrong = true;
        return MHD_NO;
    }
    found->end = value + strlen(value);
    if (ms_slice_equal_fold(ms_slice_from(name), MS_SLICE("Content-Length"))) {
        found->lengths++;
        found->length = value;
    } else if (ms_slice_equal_fold(ms_slice_from(name), MS_SLICE("Transfer-Encoding"))) {
        found->encodings++;
        found->encoding = value;
    } else if (ms_slice_equal_fold(ms_slice_from(name), MS_SLICE("Host"))) {
        found->hosts++;
        found->wrong = found->wrong || !consists_of(value, HOST);
    }
    return MHD_YES;
}

/* The first line. Between path and version is a query, which is taken apart too; without one there
 * are a space, and a question mark at most. */
static bool
is_line(struct MHD_Connection *connection, const ms_framing_line *line)
{
    uintptr_t end = (uintptr_t)(line->path + strlen(line->path));
    uintptr_t version = (uintptr_t)line->version;
    return *line->method != '\0' && consists_of(line->method, TOKEN) &&
           is_gap(line->method + strlen(line->method), line->path, 1) && is_value(line->path) &&
           end < version &&
           (version - end <= 2 ||
            MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, NULL, NULL) > 0);
}

ms_status
ms_framing_check(struct MHD_Connection *connection, const ms_framing_line *line)
{
    bool http_1_0 = strcmp(line->version, "HTTP/1.0") == 0;
    framing found = {.length = "0",
                     .encoding = "chunked",
                     .end = line->version + strlen(line->version),
                     .wrong = !is_line(connection, line)};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at, &found);
    if (found.wrong || !is_head_end(found.end) || found.hosts > 1 ||
        found.lengths + found.encodings > 1 || (found.encodings > 0 && http_1_0) ||
        !ms_slice_equal_fold(ms_slice_from(found.encoding), MS_SLICE("chunked")) ||
        !consists_of(found.length, "0123456789")) {
        return MS_FRAMING_INVALID;
    }
    return strtoull(found.length, NULL, 10) > MS_DISCARD_MAX ? MS_BODY_TOO_LARGE : MS_OK;
}
