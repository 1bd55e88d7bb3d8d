#include "standards.h"

#include <math.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>

#define EMAIL_MAX 254
#define EMAIL_LABEL "[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
#define EMAIL_RULE "^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@" EMAIL_LABEL "(\\." EMAIL_LABEL ")*$"
#define NUMBER_MAX 4096

/* Far more than anything here reads; the reader below calls itself. */
#define DEPTH_MAX 500

/* The character at `*p`, which is moved behind it; -1 if it is not UTF-8. */
static int32_t
next_character(const unsigned char **p, const unsigned char *end)
{
    static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
    int32_t character = *(*p)++;
    if (character < 0x80) {
        return character;
    }
    int more = (character & 0xE0) == 0xC0 ? 1 : (character & 0xF0) == 0xE0 ? 2 : 3;
    if (character < 0xC0 || character > 0xF7) {
        return -1;
    }
    character &= 0x3F >> more;
    for (int i = 0; i < more; i++) {
        if (*p == end || (**p & 0xC0) != 0x80) {
            return -1;
        }
        character = character << 6 | (*(*p)++ & 0x3F);
    }
    bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    return character < least[more] || character > 0x10FFFF || surrogate ? -1 : character;
}

static bool
is_text(ms_slice text, bool may_have_nul)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    const unsigned char *end = p + text.len;
    while (p < end) {
        if (may_have_nul && *p == (unsigned char)MS_NUL) {
            p++;
        } else if (next_character(&p, end) < 0) {
            return false;
        }
    }
    return true;
}

bool
is_utf8(ms_slice text)
{
    return is_text(text, false);
}

bool
is_core_text(ms_slice text)
{
    return is_text(text, true);
}

/* ---- JSON ---- */

typedef struct {
    const char *p;
    const char *end;
    json_shape shape;
} reader;

static bool
at(const reader *in, char c)
{
    return in->p < in->end && *in->p == c;
}

static bool
take(reader *in, char c)
{
    bool there = at(in, c);
    in->p += there;
    return there;
}

static void
take_space(reader *in)
{
    while (at(in, ' ') || at(in, '\t') || at(in, '\n') || at(in, '\r')) {
        in->p++;
    }
}

static size_t
take_digits(reader *in)
{
    const char *start = in->p;
    while (in->p < in->end && *in->p >= '0' && *in->p <= '9') {
        in->p++;
    }
    return (size_t)(in->p - start);
}

static bool
take_number(reader *in)
{
    char copy[NUMBER_MAX];
    const char *start = in->p;
    (void)take(in, '-');
    if (!take(in, '0') && take_digits(in) == 0) {
        return false;
    }
    if (take(in, '.') && take_digits(in) == 0) {
        return false;
    }
    if (take(in, 'e') || take(in, 'E')) {
        (void)(take(in, '+') || take(in, '-'));
        if (take_digits(in) == 0) {
            return false;
        }
    }
    size_t len = (size_t)(in->p - start);
    if (len < sizeof copy) {
        memcpy(copy, start, len);
        copy[len] = '\0';
        in->shape.too_large = in->shape.too_large || !isfinite(strtod(copy, NULL));
    } else {
        in->shape.too_large = true;
    }
    return true;
}

static bool
take_escape(reader *in)
{
    if (in->p == in->end) {
        return false;
    }
    char letter = *in->p++;
    if (letter != 'u') {
        return letter != '\0' && strchr("\"\\/bfnrt", letter) != NULL;
    }
    bool zero = true;
    for (int i = 0; i < 4; i++, in->p++) {
        if (in->p == in->end || *in->p == '\0' || !strchr("0123456789abcdefABCDEF", *in->p)) {
            return false;
        }
        zero = zero && *in->p == '0';
    }
    in->shape.has_nul = in->shape.has_nul || zero;
    return true;
}

static bool
take_string(reader *in)
{
    if (!take(in, '"')) {
        return false;
    }
    while (in->p < in->end && *in->p != '"') {
        char c = *in->p++;
        if ((unsigned char)c < ' ' || (c == '\\' && !take_escape(in))) {
            return false;
        }
    }
    return take(in, '"');
}

static bool
take_word(reader *in, const char *word)
{
    size_t len = strlen(word);
    bool there = (size_t)(in->end - in->p) >= len && memcmp(in->p, word, len) == 0;
    in->p += there ? len : 0;
    return there;
}

static bool take_value(reader *in, size_t depth);

/* What is between brackets. */
static bool
take_members(reader *in, bool object, size_t depth) /* NOLINT(misc-no-recursion) */
{
    char closing = object ? '}' : ']';
    in->shape.depth = depth > in->shape.depth ? depth : in->shape.depth;
    take_space(in);
    if (take(in, closing)) {
        return true;
    }
    do {
        take_space(in);
        if (object && (!take_string(in) || (take_space(in), !take(in, ':')))) {
            return false;
        }
        take_space(in);
        if (!take_value(in, depth)) {
            return false;
        }
        take_space(in);
    } while (take(in, ','));
    return take(in, closing);
}

static bool
take_value(reader *in, size_t depth) /* NOLINT(misc-no-recursion) */
{
    if (depth > DEPTH_MAX) {
        return false;
    }
    if (take(in, '{')) {
        return take_members(in, true, depth + 1);
    }
    if (take(in, '[')) {
        return take_members(in, false, depth + 1);
    }
    return at(in, '"') ? take_string(in)
                       : take_word(in, "true") || take_word(in, "false") || take_word(in, "null") ||
                             take_number(in);
}

json_shape
json_shape_of(ms_slice text)
{
    reader in = {text.ptr, text.ptr + text.len, {.valid = false}};
    take_space(&in);
    in.shape.object = at(&in, '{');
    bool value = take_value(&in, 0);
    take_space(&in);
    in.shape.valid = value && in.p == in.end && is_utf8(text);
    in.shape.object = in.shape.object && in.shape.valid;
    return in.shape;
}

bool
is_json(ms_slice text)
{
    return json_shape_of(text).valid;
}

/* ---- e-mail ---- */

bool
is_html_email(ms_slice text)
{
    static regex_t rule;
    static bool compiled;
    char copy[EMAIL_MAX + 1];
    if (!compiled) {
        compiled = regcomp(&rule, EMAIL_RULE, REG_EXTENDED | REG_NOSUB) == 0;
        if (!compiled) {
            abort();
        }
    }
    if (text.len > EMAIL_MAX || memchr(text.ptr, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return regexec(&rule, copy, 0, NULL, 0) == 0;
}

bool
is_graphic(ms_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') {
            return false;
        }
    }
    return true;
}

bool
decode_component(ms_slice text, char *out, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '%') {
            char digits[3] = {0};
            if (text.len - i < 3) {
                return false;
            }
            memcpy(digits, text.ptr + i + 1, 2);
            if (strspn(digits, "0123456789abcdefABCDEF") != 2) {
                return false;
            }
            byte = (char)strtol(digits, NULL, 16);
            i += 2;
        }
        out[(*len)++] = byte;
    }
    return is_utf8((ms_slice){out, *len});
}

size_t
count_characters(ms_slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += (text.ptr[i] & 0xC0) != 0x80;
    }
    return count;
}
