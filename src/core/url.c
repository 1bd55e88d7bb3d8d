#include "url.h"

#include "hex.h"

/* What is left to read. */
typedef struct {
    const char *p;
    const char *end;
} cursor;

/* The standard's percent-encode sets differ in these ASCII characters only. */
static const char path_set[] = "\"<>^`{}";
static const char query_set[] = "\"<>'";

/* For http and https the standard takes a backslash for a slash. */
static bool
is_slash(char c)
{
    return c == '/' || c == '\\';
}

static bool
at_slash(cursor in)
{
    return in.p < in.end && is_slash(*in.p);
}

static bool
ends_path(char c)
{
    return c == '?' || c == '#';
}

/* A C0 control or a space. */
static bool
is_stripped(char c)
{
    return (unsigned char)c <= ' ' || c == MS_NUL;
}

/* The input without C0 controls and spaces around it, and without tabs and newlines. */
static cursor
stripped(ms_arena *arena, ms_slice input)
{
    const char *p = input.ptr;
    const char *end = p + input.len;
    while (p < end && is_stripped(*p)) {
        p++;
    }
    while (p < end && is_stripped(end[-1])) {
        end--;
    }
    const char *start = ms_text_begin(arena);
    for (; p < end; p++) {
        if (*p != '\t' && *p != '\n' && *p != '\r') {
            ms_text_byte(arena, *p);
        }
    }
    ms_slice text = ms_text_end(arena, start);
    return (cursor){text.ptr, text.ptr + text.len};
}

/* Takes "scheme:" off the input; the empty slice if it has none. */
static ms_slice
take_scheme(cursor *in)
{
    const char *p = in->p;
    if (p < in->end && ms_is_alpha(*p)) {
        while (p < in->end &&
               (ms_is_alpha(*p) || ms_is_digit(*p) || *p == '+' || *p == '-' || *p == '.')) {
            p++;
        }
        if (p < in->end && *p == ':') {
            ms_slice scheme = {in->p, (size_t)(p - in->p)};
            in->p = p + 1;
            return scheme;
        }
    }
    return MS_SLICE("");
}

/* Takes "user:password@host:port" off the input. False if there is no host. */
static bool
take_authority(cursor *in, ms_url *url)
{
    const char *host = in->p;
    const char *p = in->p;
    for (; p < in->end && !is_slash(*p) && !ends_path(*p); p++) {
        if (*p == '@') {
            host = p + 1;
        }
    }
    in->p = p;
    url->host = (ms_slice){host, (size_t)(p - host)};
    if (url->host.len == 0 || *host == ':') {
        return false;
    }
    return true;
}

/* How many dots the segment is, a dot being "." or "%2e"; 0 if it is something else. */
static int
dots(const char *p, const char *end)
{
    int count = 0;
    while (p < end) {
        if (*p == '.') {
            p++;
        } else if (end - p >= 3 && p[0] == '%' && p[1] == '2' && ms_to_lower(p[2]) == 'e') {
            p += 3;
        } else {
            return 0;
        }
        if (++count > 2) {
            return 0;
        }
    }
    return count;
}

/* Takes the last segment off. */
static void
shorten(ms_arena *out, const char *path)
{
    while (ms_text_begin(out) > path && out->memory[--out->used] != '/') {
    }
}

/* Takes a path off the input and appends it, segment by segment, to the one begun at `path`. */
static void
take_path(cursor *in, ms_arena *out, const char *path)
{
    if (at_slash(*in)) {
        in->p++;
    }
    for (;;) {
        const char *segment = in->p;
        while (in->p < in->end && !is_slash(*in->p) && !ends_path(*in->p)) {
            in->p++;
        }
        bool last = !at_slash(*in);
        int dot_count = dots(segment, in->p);
        if (dot_count == 2) {
            shorten(out, path);
        }
        if (dot_count == 0 || last) {
            ms_text_byte(out, '/');
        }
        if (dot_count == 0) {
            ms_text_encoded(out, (ms_slice){segment, (size_t)(in->p - segment)}, path_set);
        }
        if (last) {
            return;
        }
        in->p++;
    }
}

/* Takes "?query" off the input, if it is there, up to the fragment, and appends it. */
static void
take_query(cursor *in, ms_arena *out)
{
    if (in->p < in->end && *in->p == '?') {
        const char *start = ++in->p;
        while (in->p < in->end && *in->p != '#') {
            in->p++;
        }
        ms_text_encoded(out, (ms_slice){start, (size_t)(in->p - start)}, query_set);
    }
}

static void
take_path_and_query(ms_arena *arena, cursor *in, ms_slice from, ms_url *url)
{
    const char *path = ms_text_begin(arena);
    ms_text_append(arena, from);
    take_path(in, arena, path);
    url->path = ms_text_end(arena, path);
    const char *query = ms_text_begin(arena);
    take_query(in, arena);
    url->query = ms_text_end(arena, query);
}

/* The input has no authority of its own: it takes that of the page, and parts of its path. */
static void
resolve(ms_arena *arena, cursor *in, const ms_url *base, ms_url *url)
{
    url->host = base->host;
    if (in->p < in->end && !ends_path(*in->p)) {
        ms_slice folder = at_slash(*in) ? MS_SLICE("") : base->path;
        while (folder.len > 0 && folder.ptr[--folder.len] != '/') {
        }
        take_path_and_query(arena, in, folder, url);
    } else {
        bool own_query = in->p < in->end && *in->p == '?';
        const char *query = ms_text_begin(arena);
        take_query(in, arena);
        url->path = base->path;
        url->query = own_query ? ms_text_end(arena, query) : base->query;
    }
}

/* Makes the fragment at `in` the path, if it looks like one; its query follows that of the URL. */
static void
route_by_hash(ms_arena *arena, cursor in, ms_url *url)
{
    in.p++;
    if (!at_slash(in)) {
        return;
    }
    ms_slice search = url->query;
    take_path_and_query(arena, &in, MS_SLICE(""), url);
    if (search.len > 0) {
        const char *both = ms_text_begin(arena);
        ms_text_append(arena, search);
        ms_text_append(arena, url->query.len > 0 ? MS_SLICE("&") : MS_SLICE(""));
        ms_text_append(arena, url->query);
        url->query = ms_text_end(arena, both);
    }
}

ms_status
ms_url_parse(ms_arena *arena, ms_slice input, ms_slice base, bool hash_routing, ms_url *url)
{
    ms_url page = {.host = {"", 0}};
    bool has_base = base.len > 0 && ms_url_parse(arena, base, MS_SLICE(""), false, &page) == MS_OK;
    cursor in = stripped(arena, input);
    ms_slice scheme = take_scheme(&in);

    *url = (ms_url){.secure = page.secure};
    bool same_scheme = scheme.len == 0;
    if (scheme.len > 0) {
        url->secure = ms_slice_equal_fold(scheme, MS_SLICE("https"));
        if (!url->secure && !ms_slice_equal_fold(scheme, MS_SLICE("http"))) {
            return MS_URL_UNSUPPORTED_SCHEME;
        }
        same_scheme = has_base && url->secure == page.secure;
    }
    bool two_slashes = at_slash(in) && at_slash((cursor){in.p + 1, in.end});
    if (same_scheme && !two_slashes) {
        if (!has_base) {
            return MS_URL_INVALID;
        }
        resolve(arena, &in, &page, url);
    } else {
        if (scheme.len == 0 && !has_base) {
            return MS_URL_INVALID;
        }
        while (at_slash(in)) {
            in.p++;
        }
        if (!take_authority(&in, url)) {
            return MS_URL_INVALID;
        }
        take_path_and_query(arena, &in, MS_SLICE(""), url);
    }
    if (hash_routing && in.p < in.end) {
        route_by_hash(arena, in, url);
    }
    return arena->exhausted ? MS_OUT_OF_MEMORY : MS_OK;
}

static bool
is_continuation(int byte)
{
    return byte >= 0x80 && byte < 0xC0;
}

/* The byte that the percent triplet at `p` stands for; -1 if there is none. */
static int
triplet(const char *p, const char *end)
{
    return p < end && *p == '%' ? ms_hex_value(p + 1, end, 2) : -1;
}

ms_slice
ms_url_truncate(ms_slice path, size_t limit)
{
    const char *end = path.ptr + path.len;
    const char *p = path.ptr;
    while (p < end) {
        /* One character, raw or encoded: its first byte or triplet and those that continue it. */
        const char *next = p + 1;
        size_t characters = 1;
        if (triplet(p, end) >= 0) {
            characters = 3;
            while (characters < 12 && is_continuation(triplet(p + characters, end))) {
                characters += 3;
            }
            next = p + characters;
        } else {
            while (next < end && is_continuation((unsigned char)*next)) {
                next++;
            }
        }
        if (characters > limit) {
            break;
        }
        limit -= characters;
        p = next;
    }
    return (ms_slice){path.ptr, (size_t)(p - path.ptr)};
}
