#include "connection.h"

#include "standards.h"

#include <strings.h>

/* The one response there is at a time. */
struct MHD_Response {
    bool made;
};

static struct MHD_Response response;

void
connection_add(struct MHD_Connection *connection, const char *name, ms_slice value)
{
    if (connection->count < HEADERS_MAX) {
        connection->names[connection->count] = name;
        connection->values[connection->count++] = fuzz_string(value);
    }
}

void
connection_from(struct MHD_Connection *connection, const struct in6_addr *address)
{
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&connection->peer;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&connection->peer;
    memset(&connection->peer, 0, sizeof connection->peer);
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        v4->sin_family = AF_INET;
        memcpy(&v4->sin_addr, address->s6_addr + 12, sizeof v4->sin_addr);
    } else {
        v6->sin6_family = AF_INET6;
        v6->sin6_addr = *address;
    }
    connection->info.client_addr = (struct sockaddr *)&connection->peer;
}

const char *
MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                            const char *key)
{
    EXPECT(kind == MHD_HEADER_KIND);
    for (size_t i = 0; i < connection->count; i++) {
        if (strcasecmp(connection->names[i], key) == 0) {
            return connection->values[i];
        }
    }
    return NULL;
}

int
MHD_get_connection_values(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                          MHD_KeyValueIterator iterator, void *argument)
{
    if (kind == MHD_GET_ARGUMENT_KIND) {
        return 0;
    }
    EXPECT(kind == MHD_HEADER_KIND);
    size_t i = 0;
    while (i < connection->count &&
           iterator(argument, kind, connection->names[i], connection->values[i]) == MHD_YES) {
        i++;
    }
    return (int)i;
}

const union MHD_ConnectionInfo *
MHD_get_connection_info(struct MHD_Connection *connection, enum MHD_ConnectionInfoType type, ...)
{
    EXPECT(type == MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return &connection->info;
}

void
MHD_suspend_connection(struct MHD_Connection *connection)
{
    EXPECT(!connection->suspended);
    connection->suspended = true;
}

void
MHD_resume_connection(struct MHD_Connection *connection)
{
    EXPECT(connection->suspended);
    connection->suspended = false;
}

/* All answers of the API are JSON. */
struct MHD_Response *
MHD_create_response_from_buffer(size_t size, void *buffer, enum MHD_ResponseMemoryMode mode)
{
    EXPECT(!response.made && mode == MHD_RESPMEM_MUST_COPY);
    EXPECT(json_shape_of((ms_slice){buffer, size}).object);
    response.made = true;
    return &response;
}

enum MHD_Result
MHD_add_response_header(struct MHD_Response *to, const char *header, const char *content)
{
    EXPECT(to == &response && header[0] != '\0');
    EXPECT(strpbrk(header, "\r\n") == NULL && strpbrk(content, "\r\n") == NULL);
    return MHD_YES;
}

enum MHD_Result
MHD_queue_response(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *one)
{
    EXPECT(one == &response && connection->answered == 0 && !connection->suspended);
    connection->answered = status;
    return MHD_YES;
}

void
MHD_destroy_response(struct MHD_Response *one)
{
    EXPECT(one == &response && response.made);
    response.made = false;
}
