#include "slice.h"

bool
ms_slice_equal(ms_slice a, ms_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool
ms_slice_equal_fold(ms_slice a, ms_slice b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (ms_to_lower(a.ptr[i]) != ms_to_lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

int
ms_slice_compare_fold(ms_slice a, ms_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < len; i++) {
        int difference =
            (unsigned char)ms_to_lower(a.ptr[i]) - (unsigned char)ms_to_lower(b.ptr[i]);
        if (difference != 0) {
            return difference;
        }
    }
    return (a.len > b.len) - (a.len < b.len);
}

ms_slice
ms_slice_trim(ms_slice text)
{
    while (text.len > 0 && text.ptr[0] == ' ') {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && text.ptr[text.len - 1] == ' ') {
        text.len--;
    }
    return text;
}
