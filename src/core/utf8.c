#include "utf8.h"

#include <stdbool.h>

size_t
ms_utf8_sequence(const unsigned char *p, const unsigned char *end)
{
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
