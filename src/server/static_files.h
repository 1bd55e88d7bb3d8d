/*
 * The built files, under their plain paths and, to be cached for ever, under the release's.
 */
#ifndef MS_STATIC_FILES_H
#define MS_STATIC_FILES_H

#include <microhttpd.h>
#include <stdbool.h>

/* Makes the responses. False if there is no memory for them. */
bool ms_static_start(void);
void ms_static_stop(void);

/*
 * The response for a GET of `path`, and its HTTP status; NULL if nothing is there. It belongs to
 * this file, and is used by any number of connections at once.
 */
struct MHD_Response *ms_static_find(struct MHD_Connection *connection, const char *path,
                                    unsigned int *http_status);

#endif
