#include "base64url.h"

/* 64 of what is no digit. */
static unsigned int
digit_of(char c)
{
    unsigned int letter = (unsigned int)(unsigned char)c;
    if (c >= 'A' && c <= 'Z') {
        return letter - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return letter - 'a' + 26;
    }
    if (ms_is_digit(c)) {
        return letter - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : 64;
}

bool
ms_base64url_decode(ms_arena *arena, ms_slice text, ms_slice *bytes)
{
    const char *start = ms_text_begin(arena);
    unsigned int bits = 0;
    unsigned int count = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned int digit = digit_of(text.ptr[i]);
        if (digit > 63) {
            return false;
        }
        bits = (bits << 6 | digit) & 0xFFF;
        count += 6;
        if (count >= 8) {
            count -= 8;
            ms_text_byte(arena, (char)(unsigned char)(bits >> count));
        }
    }
    *bytes = ms_text_end(arena, start);
    /* Six bits left are a digit that is part of no byte. */
    return !arena->exhausted && count < 6 && (bits & ((1U << count) - 1)) == 0;
}
