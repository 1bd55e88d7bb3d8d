#ifndef MS_HEX_H
#define MS_HEX_H

#include <stddef.h>

/* Writes `len` bytes as 2 * len lower-case hexadecimal digits, no NUL byte. */
static inline void
ms_hex(const unsigned char *bytes, size_t len, char *hex) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
}

#endif
