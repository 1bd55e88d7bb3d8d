#include "exact_json.h"

#include "../core/value.h"

#define SAFE "9007199254740991"
#define DIGITS_MAX 64 /* of an id; more are no less a number than before */

const char *
ms_json_skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        p++;
    }
    return p;
}

const char *
ms_json_skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++) {
        p += *p == '\\';
    }
    return p < end ? p + 1 : end;
}

static bool
is_of_number(char byte)
{
    return ms_is_digit(byte) || byte == '-' || byte == '+' || byte == '.' || byte == 'e' ||
           byte == 'E';
}

static bool
is_unsafe(ms_slice number)
{
    const size_t safe = sizeof SAFE - 1;
    size_t sign = number.ptr[0] == '-' ? 1 : 0;
    const char *digits = number.ptr + sign;
    size_t count = number.len - sign;
    if (count < safe || count > DIGITS_MAX ||
        digits[0] == '0') { /* a zero in front of others is no JSON, and stays so */
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!ms_is_digit(digits[i])) {
            return false;
        }
    }
    return count > safe || memcmp(digits, SAFE, safe) > 0;
}

/* Is it where a name belongs? That is no JSON, and stays so. */
static bool
is_name(const char *behind, const char *end)
{
    const char *next = ms_json_skip_space(behind, end);
    return next < end && *next == ':';
}

/* The next number that is to be read as text, from `*p` on, which is moved behind it. False if
 * there is none. */
static bool
next_unsafe(const char **p, const char *end, ms_slice *number)
{
    while (*p < end) {
        const char *start = *p;
        if (*start == '"') {
            *p = ms_json_skip_string(start, end);
            continue;
        }
        while (*p < end && is_of_number(**p)) {
            ++*p;
        }
        *number = (ms_slice){start, (size_t)(*p - start)};
        if (number->len == 0) {
            ++*p;
        } else if (is_unsafe(*number) && !is_name(*p, end)) {
            return true;
        }
    }
    return false;
}

ms_status
ms_json_parse_exact(ms_arena *arena, ms_slice text, cJSON **object)
{
    const char *end = text.ptr + text.len;
    const char *p = text.ptr;
    const char *copied = p;
    const char *start = NULL;
    ms_slice number;
    while (next_unsafe(&p, end, &number)) {
        if (start == NULL) { /* most texts have none, and are read where they are */
            start = ms_text_begin(arena);
        }
        ms_text_append(arena, (ms_slice){copied, (size_t)(number.ptr - copied)});
        ms_text_byte(arena, '"');
        ms_text_append(arena, number);
        ms_text_byte(arena, '"');
        copied = p;
    }
    if (start == NULL) {
        return ms_json_parse(arena, text, object);
    }
    ms_text_append(arena, (ms_slice){copied, (size_t)(end - copied)});
    return ms_json_parse(arena, ms_text_end(arena, start), object);
}

ms_slice
ms_id_text(const cJSON *id, char number[MS_NUMBER_TEXT])
{
    return cJSON_IsBool(id) ? MS_SLICE("") : ms_value_text(id, number);
}
