#include "json.h"

#include "cjson_config.h"
#include "hex.h"
#include "utf8.h"

/* WebAssembly has one thread, and its linker no thread-local storage without atomics. */
#ifdef __wasm__
#define THREAD_LOCAL
#else
#define THREAD_LOCAL _Thread_local
#endif

/* Where cJSON allocates while ms_json_parse runs. cJSON's allocator takes no argument. */
static THREAD_LOCAL ms_arena *parsing_into;

void *
ms_cjson_malloc(size_t size)
{
    return ms_arena_alloc(parsing_into, size);
}

void
ms_cjson_free(void *memory)
{
    (void)memory; /* the arena forgets everything at once */
}

void *
ms_cjson_realloc(void *memory, size_t size)
{
    (void)memory;
    (void)size;
    return NULL; /* only cJSON's printing grows memory, and nothing here prints with it */
}

/* The UTF-16 unit of the \uXXXX escape at `p`; -1 if there is none. */
static int
escaped_unit(const unsigned char *p, const unsigned char *end)
{
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return -1;
    }
    return ms_hex_value((const char *)p + 2, (const char *)end, 4);
}

static bool
is_high_surrogate(int unit)
{
    return (unit & ~0x3FF) == 0xD800;
}

static bool
is_low_surrogate(int unit)
{
    return (unit & ~0x3FF) == 0xDC00;
}

/*
 * Copies `text` into the arena in a form that cJSON reads faithfully: its
 * strings end at U+0000, it fails on half a surrogate pair, and it does not
 * check UTF-8. The copy's last byte is a NUL, which tells cJSON that nothing may
 * follow. Returns a NULL ptr for text that is not JSON.
 */
static ms_slice
prepared(ms_arena *arena, ms_slice text)
{
    static const char nul = MS_NUL;
    static const char replacement[] = "\xEF\xBF\xBD";
    const ms_slice refused = {NULL, 0};
    char *copy = ms_arena_alloc(arena, text.len + 1);
    if (copy == NULL) {
        return refused;
    }
    const unsigned char *p = (const unsigned char *)text.ptr;
    const unsigned char *end = p + text.len;
    size_t written = 0;
    while (p < end) {
        const char *piece = (const char *)p;
        size_t len = 1;
        size_t taken = 0;
        if (*p == '\0') {
            return refused;
        }
        if (*p < 0x80 && *p != '\\') { /* the most by far; copying one byte is slow in wasm */
            copy[written++] = (char)*p++;
            continue;
        }
        if (*p >= 0x80) {
            len = ms_utf8_sequence(p, end);
            if (len == 0) {
                return refused;
            }
        } else if (end - p >= 2 && p[1] != 'u') {
            len = 2;
        } else {
            int unit = escaped_unit(p, end);
            if (unit < 0) {
                return refused;
            }
            len = taken = 6;
            if (unit == 0) {
                piece = &nul;
                len = 1;
            } else if (is_high_surrogate(unit) && is_low_surrogate(escaped_unit(p + 6, end))) {
                len = taken = 12;
            } else if (is_high_surrogate(unit) || is_low_surrogate(unit)) {
                piece = replacement;
                len = 3;
            }
        }
        memcpy(copy + written, piece, len);
        written += len;
        p += taken > 0 ? taken : len;
    }
    copy[written] = '\0';
    return (ms_slice){copy, written + 1};
}

ms_status
ms_json_parse(ms_arena *arena, ms_slice text, cJSON **object)
{
    ms_slice json = prepared(arena, text);
    *object = NULL;
    if (json.ptr != NULL) {
        parsing_into = arena;
        *object = cJSON_ParseWithLengthOpts(json.ptr, json.len, NULL, true);
        parsing_into = NULL;
    }
    if (arena->exhausted) {
        return MS_OUT_OF_MEMORY;
    }
    return cJSON_IsObject(*object) ? MS_OK : MS_JSON_INVALID;
}

const cJSON *
ms_json_member(const cJSON *object, const char *name)
{
    const cJSON *member = object == NULL ? NULL : object->child;
    while (member != NULL && (member->string == NULL || strcmp(member->string, name) != 0)) {
        member = member->next;
    }
    return member;
}

ms_slice
ms_json_string(const cJSON *object, const char *name)
{
    return ms_slice_from(cJSON_GetStringValue(ms_json_member(object, name)));
}

/* The letter of a two-character escape, 0 if the byte has none. */
static char
short_escape(char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

void
ms_json_write_string(ms_arena *out, ms_slice value)
{
    const char *end = value.ptr + value.len;
    const char *plain = value.ptr; /* where the bytes begin that go as they are */
    ms_text_byte(out, '"');
    for (const char *p = plain; p < end; p++) {
        unsigned char byte = *p == MS_NUL ? 0 : (unsigned char)*p;
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        ms_text_append(out, (ms_slice){plain, (size_t)(p - plain)});
        plain = p + 1;
        char letter = short_escape((char)byte);
        ms_text_byte(out, '\\');
        if (letter != 0) {
            ms_text_byte(out, letter);
        } else {
            char digits[2];
            ms_hex(&byte, 1, digits);
            ms_text_append(out, MS_SLICE("u00"));
            ms_text_append(out, (ms_slice){digits, sizeof digits});
        }
    }
    ms_text_append(out, (ms_slice){plain, (size_t)(end - plain)});
    ms_text_byte(out, '"');
}
