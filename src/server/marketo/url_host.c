#include "url_host.h"

ms_slice
ms_url_host(ms_slice url)
{
    const char *end = url.ptr + url.len;
    const char *p = url.ptr;
    while (p < end && *p != '/') {
        p++;
    }
    while (p < end && *p == '/') {
        p++;
    }
    const char *start = p;
    for (; p < end && *p != '/'; p++) {
        if (*p == '@') {
            start = p + 1;
        }
    }
    size_t len = (size_t)(p - start);
    return (ms_slice){start, len < MS_URL_HOST_MAX ? len : MS_URL_HOST_MAX};
}
