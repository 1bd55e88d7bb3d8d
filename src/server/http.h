/*
 * The HTTP server: routes, methods, sizes, and shutting down without dropping anybody.
 */
#ifndef MS_HTTP_H
#define MS_HTTP_H

#include "options.h"
#include "service.h"

#include <stdint.h>

/* Connections at a time; fewer where fewer files may be open. */
#define MS_CONNECTIONS_MAX 4096

typedef struct ms_http ms_http;

/*
 * Starts to answer, on threads of its own; clients that let others wait for too long
 * (connections.h) are cut off, and the log says now and then how many. `service` must outlive it.
 * NULL on failure, with errno saying why if the address is to blame.
 */
ms_http *ms_http_start(const ms_options *options, ms_service *service);

/* The port it listens on, whatever was asked for. */
uint16_t ms_http_port(const ms_http *http);

/*
 * Takes no new connections, lets the requests under way end, for five seconds at most, and stops.
 * What is on its way to disk is waited for: if the disk does not answer for 30 seconds, the process
 * ends here.
 */
void ms_http_stop(ms_http *http);

#endif
