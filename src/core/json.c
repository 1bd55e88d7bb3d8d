#include "json.h"

#include "cjson_config.h"

/* WebAssembly has one thread, and its linker no thread-local storage without atomics. */
#ifdef __wasm__
#define THREAD_LOCAL
#else
#define THREAD_LOCAL _Thread_local
#endif

/* Where cJSON allocates while ms_json_parse runs. cJSON's allocator takes no argument. */
static THREAD_LOCAL ms_arena *parsing_into;

void *
ms_cjson_malloc(size_t size) {
    return ms_arena_alloc(parsing_into, size);
}

void
ms_cjson_free(void *memory) {
    (void)memory; /* the arena forgets everything at once */
}

void *
ms_cjson_realloc(void *memory, size_t size) {
    (void)memory;
    (void)size;
    return NULL; /* only cJSON's printing grows memory, and nothing here prints with it */
}

/* The length of the UTF-8 sequence at `p`, which is not ASCII; 0 if it is not valid. */
static size_t
utf8_sequence(const unsigned char *p, const unsigned char *end) {
    size_t len = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : 2;
    if (*p < 0xC2 || *p > 0xF4 || (size_t)(end - p) < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (*p == 0xE0 && p[1] < 0xA0) || (*p == 0xF0 && p[1] < 0x90);
    bool surrogate = *p == 0xED && p[1] > 0x9F;
    bool beyond_unicode = *p == 0xF4 && p[1] > 0x8F;
    return overlong || surrogate || beyond_unicode ? 0 : len;
}

/* The UTF-16 unit of the \uXXXX escape at `p`; -1 if there is none. */
static int
escaped_unit(const unsigned char *p, const unsigned char *end) {
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return -1;
    }
    int unit = 0;
    for (int i = 2; i < 6; i++) {
        char c = ms_to_lower((char)p[i]);
        if (!ms_is_digit(c) && !(c >= 'a' && c <= 'f')) {
            return -1;
        }
        unit = unit * 16 + (ms_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return unit;
}

static bool
is_high_surrogate(int unit) {
    return (unit & ~0x3FF) == 0xD800;
}

static bool
is_low_surrogate(int unit) {
    return (unit & ~0x3FF) == 0xDC00;
}

/*
 * Copies `text` into the arena in a form that cJSON reads faithfully: its
 * strings end at U+0000, it fails on half a surrogate pair, and it does not
 * check UTF-8. Returns a NULL ptr for text that is not JSON.
 */
static ms_slice
prepared(ms_arena *arena, ms_slice text) {
    static const char nul_pair[] = "\xC0\x80";
    static const char replacement[] = "\xEF\xBF\xBD";
    const ms_slice refused = {NULL, 0};
    char *copy = ms_arena_alloc(arena, text.len);
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
        if (*p >= 0x80) {
            len = utf8_sequence(p, end);
            if (len == 0) {
                return refused;
            }
        } else if (*p == '\\' && end - p >= 2 && p[1] != 'u') {
            len = 2;
        } else if (*p == '\\') {
            int unit = escaped_unit(p, end);
            if (unit < 0) {
                return refused;
            }
            len = taken = 6;
            if (unit == 0) {
                piece = nul_pair;
                len = 2;
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
    return (ms_slice){copy, written};
}

ms_status
ms_json_parse(ms_arena *arena, ms_slice text, cJSON **object) {
    const char *end = NULL;
    ms_slice json = prepared(arena, text);
    cJSON *tree = NULL;
    if (json.ptr != NULL) {
        parsing_into = arena;
        tree = cJSON_ParseWithLengthOpts(json.ptr, json.len, &end, false);
        parsing_into = NULL;
    }
    if (arena->exhausted) {
        return MS_OUT_OF_MEMORY;
    }
    if (!cJSON_IsObject(tree)) {
        return MS_JSON_INVALID;
    }
    for (; end < json.ptr + json.len; end++) {
        if (*end != ' ' && *end != '\t' && *end != '\n' && *end != '\r') {
            return MS_JSON_INVALID;
        }
    }
    *object = tree;
    return MS_OK;
}

const cJSON *
ms_json_member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

ms_slice
ms_json_string(const cJSON *object, const char *name) {
    return ms_slice_from(cJSON_GetStringValue(ms_json_member(object, name)));
}

/* The letter of a two-character escape, 0 if the byte has none. */
static char
short_escape(char byte) {
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
ms_json_write_string(ms_arena *out, ms_slice value) {
    static const char digits[] = "0123456789abcdef";
    const char *end = value.ptr + value.len;
    ms_text_byte(out, '"');
    for (const char *p = value.ptr; p < end; p++) {
        bool nul = ms_is_nul_pair(p, end);
        unsigned char byte = nul ? 0 : (unsigned char)*p;
        char letter = short_escape((char)byte);
        if (letter != 0) {
            ms_text_byte(out, '\\');
            ms_text_byte(out, letter);
        } else if (byte < 0x20) {
            ms_text_append(out, MS_SLICE("\\u00"));
            ms_text_byte(out, digits[byte >> 4]);
            ms_text_byte(out, digits[byte & 15]);
        } else {
            ms_text_byte(out, (char)byte);
        }
        p += nul ? 1 : 0;
    }
    ms_text_byte(out, '"');
}
