#include "origin.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>

static bool
begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Is it what a browser writes for the address? It has one text of the many that there may be. */
static bool
is_address(int family, ms_slice host)
{
    unsigned char address[sizeof(struct in6_addr)];
    char text[INET6_ADDRSTRLEN];
    if (host.len >= sizeof text) {
        return false;
    }
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return inet_pton(family, text, address) == 1 &&
           inet_ntop(family, address, text, sizeof text) != NULL &&
           ms_slice_equal(host, ms_slice_from(text));
}

/* No label of a name is empty, but for the root's, behind a last dot. What ends in a number is an
 * IPv4 address to browsers, or nothing. */
static bool
is_name(ms_slice host)
{
    size_t label = 0; /* where the last one begins */
    bool is_number = true;
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] != '.') {
            is_number = is_number && ms_is_digit(host.ptr[i]);
            continue;
        }
        if (i == label) {
            return false;
        }
        if (i + 1 < host.len) {
            label = i + 1;
            is_number = true;
        }
    }
    return host.len > 0 && (!is_number || is_address(AF_INET, host));
}

/* The end of the host at `p`: a name, an IPv4 address, or an IPv6 address in brackets. `p` if there
 * is none. */
static char *
end_of_host(char *p)
{
    if (*p == '[') {
        char *end = p + strcspn(p, "]");
        bool is_host =
            *end == ']' && is_address(AF_INET6, (ms_slice){p + 1, (size_t)(end - p - 1)});
        return is_host ? end + 1 : p;
    }
    size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
    return is_name((ms_slice){p, len}) ? p + len : p;
}

/* Is it a port, as browsers write it, up to its end? */
static bool
is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return text[0] != '0' && digits > 0 && digits <= 5 && text[digits] == '\0' &&
           strtoul(text, NULL, 10) <= UINT16_MAX;
}

bool
ms_origin_normalize(char *text)
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
    if (end == host || (*end == ':' ? !is_port(end + 1) : *end != '\0')) {
        return false;
    }
    if (strcmp(end, secure ? ":443" : ":80") == 0) {
        *end = '\0';
    }
    return true;
}

bool
ms_origins_add(ms_origins *origins, char *text)
{
    if (!ms_origin_normalize(text) || origins->count == MS_ORIGINS_MAX) {
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
