#include "visit_query.h"

#include "../../core/hex.h"
#include "../../core/utf8.h"

/* The newest version of Munchkin whose requests these are like. */
#define MUNCHKIN_VERSION "165"

static bool
is_utf8(ms_slice text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    const unsigned char *end = p + text.len;
    while (p < end) {
        size_t len = *p < 0x80 ? 1 : ms_utf8_sequence(p, end);
        if (len == 0) {
            return false;
        }
        p += len;
    }
    return true;
}

/* What decodeURIComponent makes of it; where that would throw, the text itself. */
static ms_slice
decoded(ms_arena *arena, ms_slice text)
{
    const char *end = text.ptr + text.len;
    const char *start = ms_text_begin(arena);
    for (const char *p = text.ptr; p < end; p++) {
        int byte = *p == '%' ? ms_hex_value(p + 1, end, 2) : (unsigned char)*p;
        if (byte < 0) {
            return text;
        }
        p += *p == '%' ? 2 : 0;
        ms_text_byte(arena, (char)(unsigned char)byte);
    }
    ms_slice plain = ms_text_end(arena, start);
    return !arena->exhausted && is_utf8(plain) ? plain : text;
}

static ms_slice
with_separators(ms_arena *arena, ms_slice params)
{
    const char *start = ms_text_begin(arena);
    for (size_t i = 0; i < params.len; i++) {
        if (params.ptr[i] == '&') {
            ms_text_append(arena, MS_SLICE("__-__"));
        } else {
            ms_text_byte(arena, params.ptr[i]);
        }
    }
    return ms_text_end(arena, start);
}

static ms_slice
lower(ms_arena *arena, ms_slice text)
{
    const char *start = ms_text_begin(arena);
    for (size_t i = 0; i < text.len; i++) {
        ms_text_byte(arena, ms_to_lower(text.ptr[i]));
    }
    return ms_text_end(arena, start);
}

/* What location.hostname and location.port tell of a host. */
static void
split_host(const ms_visitor_page *page, ms_slice *name, ms_slice *port)
{
    size_t digits = 0;
    *name = page->host;
    *port = MS_SLICE("");
    while (digits < page->host.len && ms_is_digit(page->host.ptr[page->host.len - 1 - digits])) {
        digits++;
    }
    if (digits == page->host.len || page->host.ptr[page->host.len - 1 - digits] != ':') {
        return;
    }
    name->len = page->host.len - 1 - digits;
    *port = (ms_slice){name->ptr + name->len + 1, digits};
    if (ms_slice_equal(*port, page->secure ? MS_SLICE("443") : MS_SLICE("80"))) {
        *port = MS_SLICE("");
    }
}

ms_slice
ms_visit_query(ms_arena *arena, const ms_visitor_page *page, const ms_visit *visit)
{
    ms_slice host;
    ms_slice port;
    split_host(page, &host, &port);
    const struct {
        ms_slice name;
        ms_slice value;
    } parameters[] = {
        {MS_SLICE("_mchCn="), ms_url_truncate(visit->name, MS_VISIT_NAME_LIMIT)},
        {MS_SLICE("&_mchId="), page->munchkin_id},
        {MS_SLICE("&_mchTk="), page->token},
        {MS_SLICE("&_mchHo="), lower(arena, host)},
        {MS_SLICE("&_mchPo="), port},
        {MS_SLICE("&_mchRu="), decoded(arena, visit->url)},
        {MS_SLICE("&_mchPc="), page->secure ? MS_SLICE("https:") : MS_SLICE("http:")},
        {MS_SLICE("&_mchVr="), MS_SLICE(MUNCHKIN_VERSION)},
        {MS_SLICE("&_mchHa="), MS_SLICE("")},
        {MS_SLICE("&_mchRe="), decoded(arena, ms_url_truncate(page->referrer, MS_REFERRER_LIMIT))},
        {MS_SLICE("&_mchQp="), decoded(arena, with_separators(arena, visit->params))},
    };
    const char *query = ms_text_begin(arena);
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        ms_text_append(arena, parameters[i].name);
        ms_text_encoded(arena, parameters[i].value, ms_component_set);
    }
    return ms_text_end(arena, query);
}
