/*
 * A visit as Munchkin's web event writes it (src/server/intake/visit_query.c): the pieces of a
 * visit, with line breaks between them.
 */

#include "../../../src/server/intake/visit_query.h"
#include "../../../src/core/hex.h"
#include "../fuzz.h"
#include "../standards.h"

static const char *const names[] = {"_mchCn", "_mchId", "_mchTk", "_mchHo", "_mchPo", "_mchRu",
                                    "_mchPc", "_mchVr", "_mchHa", "_mchRe", "_mchQp"};
#define NAMES (sizeof names / sizeof *names)

/* Core's U+0000 as the byte that it is written as. */
static ms_slice
with_nuls(ms_slice text)
{
    char *copy = fuzz_memory(text.len);
    for (size_t i = 0; i < text.len; i++) {
        copy[i] = (char)(text.ptr[i] == MS_NUL ? 0 : text.ptr[i]);
    }
    return (ms_slice){copy, text.len};
}

/* As a browser does before it writes it: decodes it once, if that can be done. */
static ms_slice
decoded(ms_slice text)
{
    char *plain = fuzz_memory(text.len);
    size_t len = 0;
    return decode_component(text, plain, &len) ? (ms_slice){plain, len} : text;
}

static ms_slice
with_separators(ms_slice text)
{
    ms_arena arena = fuzz_arena(5 * text.len + 1);
    const char *start = ms_text_begin(&arena);
    for (size_t i = 0; i < text.len; i++) {
        ms_text_append(&arena,
                       text.ptr[i] == '&' ? MS_SLICE("__-__") : (ms_slice){text.ptr + i, 1});
    }
    return ms_text_end(&arena, start);
}

/* The bytes of a value, without asking whether they are UTF-8. */
static ms_slice
value_bytes(ms_slice text)
{
    char *plain = fuzz_memory(text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int byte = (unsigned char)text.ptr[i];
        if (byte == '%') {
            byte = ms_hex_value(text.ptr + i + 1, text.ptr + text.len, 2);
            EXPECT(byte >= 0);
            i += 2;
        }
        plain[len++] = (char)(unsigned char)byte;
    }
    return (ms_slice){plain, len};
}

static void
check_query(fuzz_input query, const ms_visitor_page *page, const ms_visit *visit)
{
    ms_slice values[NAMES];
    for (size_t i = 0; i < NAMES; i++) {
        ms_slice name = fuzz_text(&query, '=');
        EXPECT(ms_slice_equal(name, ms_slice_from(names[i])));
        ms_slice value = fuzz_text(&query, '&');
        EXPECT(is_graphic(value) && memchr(value.ptr, '=', value.len) == NULL);
        values[i] = value_bytes(value);
    }
    EXPECT(query.len == 0);
    EXPECT(ms_slice_equal(values[0], with_nuls(ms_url_truncate(visit->name, MS_VISIT_NAME_LIMIT))));
    EXPECT(ms_slice_equal(values[1], with_nuls(page->munchkin_id)));
    EXPECT(ms_slice_equal(values[2], with_nuls(page->token)));
    EXPECT(values[3].len + (values[4].len > 0 ? values[4].len + 1 : 0) <= page->host.len);
    EXPECT(ms_slice_equal_fold(values[3], with_nuls((ms_slice){page->host.ptr, values[3].len})));
    EXPECT(
        values[4].len == 0 ||
        ms_slice_equal((ms_slice){page->host.ptr + values[3].len + 1, values[4].len}, values[4]));
    EXPECT(ms_slice_equal(values[5], with_nuls(decoded(visit->url))));
    EXPECT(ms_slice_equal(values[6], page->secure ? MS_SLICE("https:") : MS_SLICE("http:")));
    EXPECT(ms_slice_equal(values[9],
                          with_nuls(decoded(ms_url_truncate(page->referrer, MS_REFERRER_LIMIT)))));
    EXPECT(ms_slice_equal(values[10], with_nuls(decoded(with_separators(visit->params)))));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    ms_visitor_page page = {.secure = (fuzz_byte(&in) & 1) != 0};
    size_t little = fuzz_short(&in);
    page.munchkin_id = fuzz_text(&in, '\n');
    page.token = fuzz_text(&in, '\n');
    page.host = fuzz_text(&in, '\n');
    page.referrer = fuzz_text(&in, '\n');
    ms_visit visit = {.name = fuzz_text(&in, '\n'), .params = fuzz_text(&in, '\n')};
    visit.url = fuzz_rest(&in);
    ms_arena arena = fuzz_arena(size * 32 + 1024);
    ms_slice query = ms_visit_query(&arena, &page, &visit);
    EXPECT(!arena.exhausted);
    check_query((fuzz_input){(const uint8_t *)query.ptr, query.len}, &page, &visit);
    ms_arena small = fuzz_arena(little % arena.used);
    ms_slice less = ms_visit_query(&small, &page, &visit);
    EXPECT(small.exhausted && less.len <= query.len);
    fuzz_forget();
    return 0;
}
