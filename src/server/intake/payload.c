#include "payload.h"

#include "../../core/hex.h"
#include "../../core/json.h"
#include "../../core/utf8.h"

#include <stdint.h>

typedef struct {
    const char *p;
    const char *end;
    uint64_t objects; /* which of the brackets that are open are braces; the innermost is bit 0 */
    size_t depth;
} reader;

static bool
is_next(const reader *in, char c)
{
    return in->p < in->end && *in->p == c;
}

static bool
skip(reader *in, char c)
{
    bool there = is_next(in, c);
    in->p += there;
    return there;
}

static void
skip_space(reader *in)
{
    while (is_next(in, ' ') || is_next(in, '\t') || is_next(in, '\n') || is_next(in, '\r')) {
        in->p++;
    }
}

/* What is behind a backslash. */
static bool
skip_escape(reader *in)
{
    if (skip(in, 'u')) {
        bool hexadecimal = ms_hex_value(in->p, in->end, 4) >= 0;
        in->p += hexadecimal ? 4 : 0;
        return hexadecimal;
    }
    return in->p < in->end && *in->p != '\0' && strchr("\"\\/bfnrt", *in->p++) != NULL;
}

static bool
skip_string(reader *in)
{
    if (!skip(in, '"')) {
        return false;
    }
    while (in->p < in->end && *in->p != '"') {
        const unsigned char *p = (const unsigned char *)in->p;
        size_t len = *p < 0x80 ? 1 : ms_utf8_sequence(p, (const unsigned char *)in->end);
        in->p += len;
        if (*p < ' ' || len == 0 || (*p == '\\' && !skip_escape(in))) {
            return false;
        }
    }
    return skip(in, '"');
}

static bool
skip_digits(reader *in)
{
    const char *start = in->p;
    while (in->p < in->end && ms_is_digit(*in->p)) {
        in->p++;
    }
    return in->p > start;
}

static bool
skip_number(reader *in)
{
    (void)skip(in, '-');
    if (!skip(in, '0') && !skip_digits(in)) {
        return false;
    }
    if (skip(in, '.') && !skip_digits(in)) {
        return false;
    }
    if (skip(in, 'e') || skip(in, 'E')) {
        (void)(skip(in, '+') || skip(in, '-'));
        return skip_digits(in);
    }
    return true;
}

static bool
skip_word(reader *in, ms_slice word)
{
    bool there = (size_t)(in->end - in->p) >= word.len && memcmp(in->p, word.ptr, word.len) == 0;
    in->p += there ? word.len : 0;
    return there;
}

/* A value that holds no others. */
static bool
skip_plain_value(reader *in)
{
    return is_next(in, '"') ? skip_string(in)
                            : skip_word(in, MS_SLICE("true")) || skip_word(in, MS_SLICE("false")) ||
                                  skip_word(in, MS_SLICE("null")) || skip_number(in);
}

static bool
in_object(const reader *in)
{
    return (in->objects & 1) != 0;
}

static bool
skip_key(reader *in)
{
    skip_space(in);
    if (!skip_string(in)) {
        return false;
    }
    skip_space(in);
    return skip(in, ':');
}

/* Opens the bracket that is next. */
static bool
open_bracket(reader *in)
{
    if (in->depth == MS_PAYLOAD_DEPTH) {
        return false;
    }
    in->objects = in->objects << 1 | (*in->p++ == '{');
    in->depth++;
    skip_space(in);
    return true;
}

static bool
close_bracket(reader *in)
{
    if (in->depth == 0 || !skip(in, in_object(in) ? '}' : ']')) {
        return false;
    }
    in->objects >>= 1;
    in->depth--;
    return true;
}

/* The brackets that end here, and the comma behind them. False if there is none. */
static bool
skip_to_next(reader *in)
{
    do {
        skip_space(in);
    } while (close_bracket(in));
    return in->depth > 0 && skip(in, ',');
}

bool
ms_payload_is_object(ms_slice text)
{
    reader in = {.p = text.ptr, .end = text.ptr + text.len};
    skip_space(&in);
    if (!is_next(&in, '{')) {
        return false;
    }
    do {
        bool empty = false;
        if (in_object(&in) && !skip_key(&in)) {
            return false;
        }
        skip_space(&in);
        while (!empty && (is_next(&in, '{') || is_next(&in, '['))) {
            if (!open_bracket(&in)) {
                return false;
            }
            empty = is_next(&in, in_object(&in) ? '}' : ']');
            if (!empty && in_object(&in) && !skip_key(&in)) {
                return false;
            }
            skip_space(&in);
        }
        if (!empty && !skip_plain_value(&in)) {
            return false;
        }
    } while (skip_to_next(&in));
    return in.depth == 0 && in.p == in.end;
}

/* Moves behind the text and the quote that ends it, with any of its letters as \u and digits, which
 * is the one escape that a letter may have. False if something else stands there. */
static bool
skip_name(reader *in, const char *name)
{
    for (; *name != '\0'; name++) {
        bool is_escaped = in->end - in->p >= 6 && in->p[0] == '\\' && in->p[1] == 'u' &&
                          ms_hex_value(in->p + 2, in->end, 4) == *name;
        if (!is_escaped && !is_next(in, *name)) {
            return false;
        }
        in->p += is_escaped ? 6 : 1;
    }
    return skip(in, '"');
}

/* Where the value begins, behind its quote, of the next member called writeKey from `p` on; NULL if
 * there is none. The text may be anything. */
static char *
next_value(char *p, const char *end)
{
    while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
        reader in = {.p = ++p, .end = end};
        if (!skip_name(&in, "writeKey")) {
            continue;
        }
        skip_space(&in);
        bool is_name = skip(&in, ':');
        skip_space(&in);
        p += in.p - p;
        if (is_name && skip(&in, '"')) {
            return p + 1;
        }
    }
    return NULL;
}

/* A letter is read by more people than a key is for. */
static void
mask_write_keys(char *text, const char *end)
{
    for (char *p = text; (p = next_value(p, end)) != NULL;) {
        for (; p < end && *p != '"'; p++) {
            bool escape = *p == '\\' && p + 1 < end;
            *p = '*';
            if (escape) {
                *++p = '*';
            }
        }
    }
}

/* Puts "?" for bytes that are no UTF-8. */
static void
mend_utf8(char *text, const char *end)
{
    for (char *p = text; p < end;) {
        const unsigned char *byte = (const unsigned char *)p;
        size_t len = *byte < 0x80 ? 1 : ms_utf8_sequence(byte, (const unsigned char *)end);
        if (len == 0) {
            *p = '?';
        }
        p += len == 0 ? 1 : len;
    }
}

ms_slice
ms_payload_of(ms_arena *out, ms_slice text)
{
    char *copy = ms_arena_alloc(out, text.len);
    if (copy == NULL) {
        return MS_SLICE("");
    }
    const ms_slice copied = {copy, text.len};
    memcpy(copy, text.ptr, text.len);
    mask_write_keys(copy, copy + text.len);
    if (ms_payload_is_object(copied)) {
        return copied;
    }
    mend_utf8(copy, copy + text.len);
    const char *start = ms_text_begin(out);
    ms_json_write_string(out, copied);
    return ms_text_end(out, start);
}
