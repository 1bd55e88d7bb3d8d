/*
 * Who is asking: the other end of the connection, or, behind a proxy that is trusted to tell, the
 * last address in X-Forwarded-For that is no such proxy's. What stands before that the client can
 * have written itself.
 */
#ifndef MS_CLIENT_ADDRESS_H
#define MS_CLIENT_ADDRESS_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define MS_PROXIES_MAX 16

typedef struct {
    struct in6_addr list[MS_PROXIES_MAX]; /* IPv4 as ::ffff:a.b.c.d */
    size_t count;
} ms_proxies;

/* Adds an IPv4 or IPv6 address. False if it is none, or there is no room. */
bool ms_proxies_add(ms_proxies *proxies, const char *address);

/* The client's address, without a port. False if the connection has none. */
bool ms_client_address(struct MHD_Connection *connection, const ms_proxies *trusted,
                       struct sockaddr_in6 *client);

#endif
