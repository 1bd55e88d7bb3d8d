#include "cookie.h"

#include "../../core/hex.h"

#define ID_LEN 11 /* 561-HYG-937 */
#define BEFORE_ID "id:"
#define BEFORE_TOKEN "&token:"
#define TOKEN_START "_mch-"

static bool
begins_with(ms_slice text, ms_slice start)
{
    return text.len >= start.len && memcmp(text.ptr, start.ptr, start.len) == 0;
}

static ms_slice
without(ms_slice text, size_t count)
{
    return (ms_slice){text.ptr + count, text.len - count};
}

bool
ms_munchkin_id_is_valid(ms_slice text)
{
    static const char shape[] = "000-AAA-000";
    if (text.len != ID_LEN) {
        return false;
    }
    for (size_t i = 0; i < ID_LEN; i++) {
        char c = text.ptr[i];
        if (shape[i] == '0' ? !ms_is_digit(c) : shape[i] == 'A' ? !ms_is_alpha(c) : c != '-') {
            return false;
        }
    }
    return true;
}

/* Percent triplets as their bytes; what is none stays as it is. */
static ms_slice
decoded(ms_slice text, char room[3 * MS_COOKIE_MAX])
{
    size_t len = 0;
    const char *end = text.ptr + text.len;
    for (const char *p = text.ptr; p < end; p++) {
        int byte = *p == '%' ? ms_hex_value(p + 1, end, 2) : -1;
        if (byte < 0) {
            room[len++] = *p;
        } else {
            room[len++] = (char)(unsigned char)byte;
            p += 2;
        }
    }
    return (ms_slice){room, len};
}

static bool
is_token(ms_slice text)
{
    if (!begins_with(text, MS_SLICE(TOKEN_START)) || text.len == sizeof TOKEN_START - 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!ms_is_alpha(c) && !ms_is_digit(c) && c != '-' && c != '.' && c != '_') {
            return false;
        }
    }
    return true;
}

ms_status
ms_cookie_read(ms_arena *arena, ms_slice text, ms_slice munchkin_id, ms_slice *cookie)
{
    char room[3 * MS_COOKIE_MAX];
    *cookie = MS_SLICE("");
    text = ms_slice_trim(text);
    if (text.len > sizeof room) {
        return MS_COOKIE_INVALID;
    }
    ms_slice plain = decoded(text, room);
    if (plain.len > MS_COOKIE_MAX || !begins_with(plain, MS_SLICE(BEFORE_ID))) {
        return MS_COOKIE_INVALID;
    }
    ms_slice id = without(plain, sizeof BEFORE_ID - 1);
    id.len = id.len < ID_LEN ? id.len : ID_LEN;
    ms_slice rest = without(plain, sizeof BEFORE_ID - 1 + id.len);
    if (!ms_munchkin_id_is_valid(id) || !begins_with(rest, MS_SLICE(BEFORE_TOKEN)) ||
        !is_token(without(rest, sizeof BEFORE_TOKEN - 1))) {
        return MS_COOKIE_INVALID;
    }
    if (!ms_slice_equal_fold(id, munchkin_id)) {
        return MS_COOKIE_FOREIGN;
    }
    const char *start = ms_text_begin(arena);
    ms_text_append(arena, MS_SLICE(BEFORE_ID));
    ms_text_append(arena, munchkin_id);
    ms_text_append(arena, rest);
    ms_slice written = ms_text_end(arena, start);
    if (arena->exhausted) {
        return MS_OUT_OF_MEMORY;
    }
    *cookie = written;
    return MS_OK;
}

ms_slice
ms_cookie_token(ms_slice cookie)
{
    return without(cookie, sizeof BEFORE_ID - 1 + ID_LEN + sizeof BEFORE_TOKEN - 1);
}

/* The text before its last hyphen, if behind that are `at_least` digits of base `base` or more. */
static ms_slice
before_digits(ms_slice text, size_t at_least, bool hexadecimal)
{
    size_t digits = 0;
    while (text.len > 0 && (ms_is_digit(text.ptr[text.len - 1]) ||
                            (hexadecimal && ms_is_alpha(text.ptr[text.len - 1])))) {
        text.len--;
        digits++;
    }
    bool found = text.len > 0 && text.ptr[text.len - 1] == '-' && digits >= at_least;
    return found ? (ms_slice){text.ptr, text.len - 1} : MS_SLICE("");
}

ms_slice
ms_cookie_domain(ms_slice cookie)
{
    ms_slice token = ms_cookie_token(cookie);
    ms_slice named = without(token, sizeof TOKEN_START - 1);
    ms_slice domain = before_digits(before_digits(named, 1, false), 1, false);
    return domain.len > 0 ? domain : before_digits(named, 32, true);
}
