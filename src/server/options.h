/*
 * The command line. Secrets never come from it: other users can read it.
 */
#ifndef MS_OPTIONS_H
#define MS_OPTIONS_H

#include "client_address.h"
#include "origin.h"

#include <netinet/in.h>

typedef struct {
    struct sockaddr_storage address; /* where to listen; port 0 takes any that is free */
    ms_origins allowed;              /* whose pages may ask for a hash */
    const char *private_key_file;    /* NULL: the key is in MARKETO_API_PRIVATE_KEY */
    unsigned int rate_limit;         /* hashes a minute for each client address; 0 for no limit */
    ms_proxies proxies;              /* which may tell the client's address */
    unsigned int threads;
} ms_options;

typedef enum {
    MS_OPTIONS_RUN,
    MS_OPTIONS_DONE, /* --help or --version has been answered */
    MS_OPTIONS_WRONG /* what is wrong, and what to do, has been written to stderr */
} ms_options_outcome;

ms_options_outcome ms_options_parse(ms_options *options, int argc, char **argv);

#endif
