/*
 * Splitting URLs (src/core/url.c): options, a limit, the page's URL, a NUL byte, and the URL.
 */

#include "../../../src/core/url.h"
#include "../fuzz.h"
#include "../standards.h"

static bool
holds_any(ms_slice text, const char *characters)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\0' && strchr(characters, text.ptr[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Is a segment of the path "." or "..", however that is written? */
static bool
has_dots(ms_slice path)
{
    for (size_t start = 1, end = 1; start <= path.len; start = end + 1) {
        char plain[8];
        size_t len = 0;
        for (end = start; end < path.len && path.ptr[end] != '/'; end++) {
        }
        ms_slice segment = {path.ptr + start, end - start};
        if (segment.len > 0 && segment.len < sizeof plain &&
            decode_component(segment, plain, &len) &&
            ((len == 1 && plain[0] == '.') || (len == 2 && memcmp(plain, "..", 2) == 0))) {
            return true;
        }
    }
    return false;
}

static void
check_parts(const ms_url *url)
{
    EXPECT(url->path.len > 0 && url->path.ptr[0] == '/');
    EXPECT(is_graphic(url->path) && !holds_any(url->path, "\"#<>?\\^`{}"));
    EXPECT(is_graphic(url->query) && !holds_any(url->query, "\"#<>'"));
    EXPECT(url->host.len > 0 && url->host.ptr[0] != ':');
    EXPECT(!holds_any(url->host, "/\\?#@\t\r\n"));
    EXPECT(!has_dots(url->path));
}

static bool
same(const ms_url *a, const ms_url *b)
{
    return ms_slice_equal(a->path, b->path) && ms_slice_equal(a->query, b->query) &&
           ms_slice_equal(a->host, b->host) && a->secure == b->secure;
}

/* The URL put together again is the same URL, wherever it stands; and so is none beside it. */
static void
check_again(const ms_url *url, ms_slice base)
{
    ms_url again;
    ms_arena arena =
        fuzz_arena(4 * (url->path.len + url->query.len + url->host.len) + 4 * base.len + 256);
    const char *start = ms_text_begin(&arena);
    ms_text_append(&arena, url->secure ? MS_SLICE("https://") : MS_SLICE("http://"));
    ms_text_append(&arena, url->host);
    ms_text_append(&arena, url->path);
    ms_text_append(&arena, url->query.len > 0 ? MS_SLICE("?") : MS_SLICE(""));
    ms_text_append(&arena, url->query);
    ms_slice whole = fuzz_copy(ms_text_end(&arena, start));
    EXPECT(ms_url_parse(&arena, whole, base, false, &again) == MS_OK);
    EXPECT(same(url, &again));
    arena.used = 0;
    EXPECT(ms_url_parse(&arena, MS_SLICE(""), whole, false, &again) == MS_OK);
    EXPECT(same(url, &again));
}

/* Where is the end of the valid, percent-encoded UTF-8 sequence at `p`? NULL if there is none. */
static const char *
encoded_character(const char *p, const char *end)
{
    char plain[4];
    size_t len = 0;
    for (size_t triplets = 2; triplets <= 4 && end - p >= (long)(3 * triplets); triplets++) {
        ms_slice text = {p, 3 * triplets};
        bool all = true;
        for (size_t i = 0; i < triplets; i++) {
            all = all && p[3 * i] == '%';
        }
        if (all && decode_component(text, plain, &len) && (unsigned char)plain[0] >= 0xC2 &&
            (len == 4 || (unsigned char)plain[0] < (len == 2 ? 0xE0 : 0xF0))) {
            return p + text.len;
        }
    }
    return NULL;
}

static bool
is_triplet(const char *p, const char *end)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    return end - p >= 3 && p[0] == '%' && p[1] != '\0' && p[2] != '\0' &&
           strchr(digits, p[1]) != NULL && strchr(digits, p[2]) != NULL;
}

static void
check_cut(ms_slice text, size_t limit)
{
    ms_slice cut = ms_url_truncate(text, limit);
    const char *end = text.ptr + text.len;
    const char *at = cut.ptr + cut.len;
    size_t characters = 0;
    EXPECT(cut.ptr == text.ptr && cut.len <= text.len);
    for (size_t i = 0; i < cut.len; i++) {
        characters += (cut.ptr[i] & 0xC0) != 0x80 || i == 0;
    }
    EXPECT(characters <= limit);
    for (const char *p = text.ptr; p < at; p++) {
        const char *behind = encoded_character(p, end);
        EXPECT(behind == NULL || behind <= at);
        EXPECT(!is_triplet(p, end) || p + 3 <= at);
    }
    EXPECT(!is_utf8(text) || is_utf8(cut));
    ms_slice more = ms_url_truncate(text, limit + 1);
    EXPECT(more.len >= cut.len && ms_slice_equal(ms_url_truncate(more, limit), cut));
    EXPECT(ms_slice_equal(ms_url_truncate(text, text.len), text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    bool hash_routing = (fuzz_byte(&in) & 1) != 0;
    size_t limit = fuzz_byte(&in);
    size_t little = fuzz_short(&in);
    ms_slice base = fuzz_text(&in, '\0');
    ms_slice input = fuzz_rest(&in);
    ms_arena arena = fuzz_large_arena();
    ms_url url;
    ms_url again;
    ms_status status = ms_url_parse(&arena, input, base, hash_routing, &url);
    EXPECT(status == MS_OK || status == MS_URL_INVALID || status == MS_URL_UNSUPPORTED_SCHEME);
    ms_arena small = fuzz_arena(little % (arena.used + 1));
    ms_status then = ms_url_parse(&small, input, base, hash_routing, &again);
    EXPECT(then == status || small.exhausted);
    if (status == MS_OK) {
        EXPECT(small.exhausted || same(&url, &again));
        check_parts(&url);
        check_again(&url, base);
        check_cut(url.path, limit);
    }
    check_cut(input, limit);
    fuzz_forget();
    return 0;
}
