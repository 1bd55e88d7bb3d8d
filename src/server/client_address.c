#include "client_address.h"

#include "../core/slice.h"

#include <arpa/inet.h>

/* "a.b.c.d", "a.b.c.d:port", "x::y" or "[x::y]:port". */
static bool
parse(ms_slice text, struct in6_addr *address)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;
    const char *start = text.ptr;
    size_t len = text.len;
    const char *colon = len == 0 ? NULL : memchr(start, ':', len);
    if (len > 0 && start[0] == '[') {
        const char *end = memchr(start, ']', len);
        start++;
        len = end == NULL ? 0 : (size_t)(end - start);
    } else if (colon != NULL && memchr(start, '.', (size_t)(colon - start)) != NULL) {
        len = (size_t)(colon - start);
    }
    if (len == 0 || len >= sizeof copy) {
        return false;
    }
    memcpy(copy, start, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        memset(address, 0, sizeof *address);
        memset(address->s6_addr + 10, 0xFF, 2);
        memcpy(address->s6_addr + 12, &v4, sizeof v4);
        return true;
    }
    return inet_pton(AF_INET6, copy, address) == 1;
}

static bool
is_trusted(const ms_proxies *trusted, const struct in6_addr *address)
{
    for (size_t i = 0; i < trusted->count; i++) {
        if (IN6_ARE_ADDR_EQUAL(&trusted->list[i], address)) {
            return true;
        }
    }
    return false;
}

bool
ms_proxies_add(ms_proxies *proxies, const char *address)
{
    return proxies->count < MS_PROXIES_MAX &&
           parse(ms_slice_from(address), &proxies->list[proxies->count]) && ++proxies->count > 0;
}

typedef struct {
    const ms_proxies *trusted;
    struct in6_addr *client;
    bool at_proxy; /* is `client` a trusted proxy, so that what it tells counts? */
} search;

/* Goes through one X-Forwarded-For header from its end. */
static void
follow(search *found, ms_slice list)
{
    size_t end = list.len;
    while (found->at_proxy && end > 0) {
        size_t start = end;
        while (start > 0 && list.ptr[start - 1] != ',') {
            start--;
        }
        struct in6_addr address;
        if (!parse(ms_slice_trim((ms_slice){list.ptr + start, end - start}), &address)) {
            found->at_proxy = false;
            return;
        }
        *found->client = address;
        found->at_proxy = is_trusted(found->trusted, &address);
        end = start > 0 ? start - 1 : 0;
    }
}

typedef struct {
    const char *values[MS_PROXIES_MAX]; /* the last ones */
    size_t count;
} forwarded;

static enum MHD_Result
keep_forwarded(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    forwarded *headers = cls;
    if (value != NULL && ms_slice_equal_fold(ms_slice_from(name), MS_SLICE("X-Forwarded-For"))) {
        headers->values[headers->count++ % MS_PROXIES_MAX] = value;
    }
    return MHD_YES;
}

bool
ms_client_address(struct MHD_Connection *connection, const ms_proxies *trusted,
                  struct sockaddr_in6 *client)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL) {
        return false;
    }
    *client = (struct sockaddr_in6){.sin6_family = AF_INET6};
    if (info->client_addr->sa_family == AF_INET6) {
        client->sin6_addr = ((const struct sockaddr_in6 *)info->client_addr)->sin6_addr;
    } else {
        memset(client->sin6_addr.s6_addr + 10, 0xFF, 2);
        memcpy(client->sin6_addr.s6_addr + 12,
               &((const struct sockaddr_in *)info->client_addr)->sin_addr, 4);
    }
    search found = {trusted, &client->sin6_addr, is_trusted(trusted, &client->sin6_addr)};
    if (!found.at_proxy) {
        return true;
    }
    forwarded headers = {.count = 0};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, keep_forwarded, &headers);
    /* Several headers are one list; more than this many are not followed to their beginning. */
    for (size_t i = 0; i < headers.count && i < MS_PROXIES_MAX && found.at_proxy; i++) {
        follow(&found, ms_slice_from(headers.values[(headers.count - 1 - i) % MS_PROXIES_MAX]));
    }
    return true;
}
