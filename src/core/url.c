#include "url.h"

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
is_slash(char c) {
    return c == '/' || c == '\\';
}

static bool
at_slash(cursor in) {
    return in.p < in.end && is_slash(*in.p);
}

static bool
ends_path(char c) {
    return c == '?' || c == '#';
}

/* The input without C0 controls and spaces around it, and without tabs and newlines. */
static cursor
stripped(ms_arena *arena, ms_slice input) {
    const char *p = input.ptr;
    const char *end = p + input.len;
    for (;;) {
        if (p < end && (unsigned char)*p <= ' ') {
            p++;
        } else if (ms_is_nul_pair(p, end)) {
            p += 2;
        } else {
            break;
        }
    }
    for (;;) {
        if (p < end && (unsigned char)end[-1] <= ' ') {
            end--;
        } else if (end - p >= 2 && ms_is_nul_pair(end - 2, end)) {
            end -= 2;
        } else {
            break;
        }
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
take_scheme(cursor *in) {
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
take_authority(cursor *in, ms_url *url) {
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
    ms_slice port = url->secure ? MS_SLICE(":443") : MS_SLICE(":80");
    if (url->host.len > port.len) {
        size_t len = url->host.len - port.len;
        if (ms_slice_equal((ms_slice){host + len, port.len}, port)) {
            url->host.len = len;
        }
    }
    return true;
}

/* Appends text with controls, space, non-ASCII and the characters of `set` percent-encoded. */
static void
append_encoded(ms_arena *out, const char *p, const char *end, const char *set) {
    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p;
        if (ms_is_nul_pair(p, end)) {
            ms_text_percent(out, 0);
            p++;
        } else if (c <= ' ' || c > '~' || strchr(set, c) != NULL) {
            ms_text_percent(out, c);
        } else {
            ms_text_byte(out, *p);
        }
    }
}

/* How many dots the segment is, a dot being "." or "%2e"; 0 if it is something else. */
static int
dots(const char *p, const char *end) {
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
shorten(ms_arena *out, const char *path) {
    while (ms_text_begin(out) > path && out->memory[--out->used] != '/') {
    }
}

/* Takes a path off the input and appends it, segment by segment, to the one begun at `path`. */
static void
take_path(cursor *in, ms_arena *out, const char *path) {
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
            append_encoded(out, segment, in->p, path_set);
        }
        if (last) {
            return;
        }
        in->p++;
    }
}

/* Takes "?query" off the input, if it is there, up to the fragment, and appends it. */
static void
take_query(cursor *in, ms_arena *out) {
    if (in->p < in->end && *in->p == '?') {
        const char *start = ++in->p;
        while (in->p < in->end && *in->p != '#') {
            in->p++;
        }
        append_encoded(out, start, in->p, query_set);
    }
}

static void
take_path_and_query(ms_arena *arena, cursor *in, ms_slice from, ms_url *url) {
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
resolve(ms_arena *arena, cursor *in, const ms_url *base, ms_url *url) {
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
route_by_hash(ms_arena *arena, cursor in, ms_url *url) {
    in.p++;
    if (in.p < in.end && *in.p == '!') {
        in.p++;
    }
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
ms_url_parse(ms_arena *arena, ms_slice input, ms_slice base, bool hash_routing, ms_url *url) {
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

/* The byte that the percent triplet ending at `end` stands for; -1 if none ends there. */
static int
triplet_before(const char *start, const char *end) {
    if (end - start < 3 || end[-3] != '%') {
        return -1;
    }
    int byte = 0;
    for (int i = -2; i < 0; i++) {
        char c = ms_to_lower(end[i]);
        if (!ms_is_digit(c) && !(c >= 'a' && c <= 'f')) {
            return -1;
        }
        byte = byte * 16 + (ms_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return byte;
}

static bool
is_continuation(int byte) {
    return byte >= 0x80 && byte < 0xC0;
}

ms_slice
ms_url_truncate(ms_slice path, size_t limit) {
    const char *end = path.ptr + path.len;
    const char *cut = path.ptr;
    for (; cut < end; cut++) {
        if (!is_continuation((unsigned char)*cut) && limit-- == 0) {
            break;
        }
    }
    if (cut == end) {
        return path;
    }
    for (int i = 1; i <= 2; i++) {
        if (end - cut >= i && triplet_before(path.ptr, cut + i) >= 0) {
            cut = cut + i - 3;
            break;
        }
    }
    /* Between the triplets of one character: back to its first, at most three away. */
    const char *first = cut;
    int next = end - cut >= 3 ? triplet_before(path.ptr, cut + 3) : -1;
    for (int i = 0; i < 3 && is_continuation(next); i++) {
        next = triplet_before(path.ptr, first);
        if (next >= 0xC2 && next <= 0xF4) {
            cut = first - 3;
        }
        first -= next < 0 ? 0 : 3;
    }
    return (ms_slice){path.ptr, (size_t)(cut - path.ptr)};
}
