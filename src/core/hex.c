#include "hex.h"

void
ms_hex(const unsigned char *bytes, size_t len, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
}

int
ms_hex_value(const char *p, const char *end, int digits)
{
    int value = 0;
    for (; digits > 0; digits--, p++) {
        if (p >= end) {
            return -1;
        }
        char c = ms_to_lower(*p);
        if (!ms_is_digit(c) && !(c >= 'a' && c <= 'f')) {
            return -1;
        }
        value = value * 16 + (ms_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return value;
}
