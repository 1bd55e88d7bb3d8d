#include "origin.h"

static bool
begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The end of the host at `p`: a name, an IPv4 address, or an IPv6 address in brackets. */
static char *
end_of_host(char *p)
{
    if (*p == '[') {
        char *end = strchr(p, ']');
        return end == NULL || strspn(p + 1, "0123456789abcdef:.") != (size_t)(end - p - 1)
                   ? p
                   : end + 1;
    }
    return p + strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
}

bool
ms_origins_add(ms_origins *origins, char *text)
{
    for (char *p = text; *p != '\0'; p++) {
        *p = ms_to_lower(*p);
    }
    bool secure = begins_with(text, "https://");
    if (!secure && !begins_with(text, "http://")) {
        return false;
    }
    char *host = strstr(text, "://") + 3;
    char *end = end_of_host(host);
    if (end == host) {
        return false;
    }
    if (*end == ':') {
        size_t digits = strspn(end + 1, "0123456789");
        if (digits == 0 || digits > 5 || end[1 + digits] != '\0') {
            return false;
        }
        if (strcmp(end, secure ? ":443" : ":80") == 0) {
            *end = '\0';
        }
    } else if (*end != '\0') {
        return false;
    }
    if (origins->count == MS_ORIGINS_MAX) {
        return false;
    }
    origins->list[origins->count++] = text;
    return true;
}

bool
ms_origins_allow(const ms_origins *origins, const char *origin)
{
    for (size_t i = 0; i < origins->count; i++) {
        if (ms_slice_equal_fold(ms_slice_from(origins->list[i]), ms_slice_from(origin))) {
            return true;
        }
    }
    return false;
}
