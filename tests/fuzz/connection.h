/*
 * A connection of libmicrohttpd's that has its headers from an input. The functions of that
 * library which the server asks for them are defined in connection.c and stand in its place.
 */
#ifndef TESTS_CONNECTION_H
#define TESTS_CONNECTION_H

#include "fuzz.h"

#include <microhttpd.h>
#include <netinet/in.h>

#define HEADERS_MAX 32

struct MHD_Connection {
    const char *names[HEADERS_MAX];
    const char *values[HEADERS_MAX];
    size_t count;
    struct sockaddr_storage peer;
    union MHD_ConnectionInfo info;
    unsigned int answered; /* the status of the answer; 0: there is none yet */
    bool suspended;
};

/* Adds a header; what does not fit is left out. Both live until fuzz_forget. */
void connection_add(struct MHD_Connection *connection, const char *name, ms_slice value);

/* Where it comes from. */
void connection_from(struct MHD_Connection *connection, const struct in6_addr *address);

#endif
