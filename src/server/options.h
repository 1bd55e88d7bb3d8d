/*
 * The command line. Secrets never come from it: other users can read it.
 */
#ifndef MS_OPTIONS_H
#define MS_OPTIONS_H

#include "client_address.h"
#include "intake/write_keys.h"
#include "origin.h"
#include "token.h"

#include <netinet/in.h>

typedef enum {
    MS_WAY_AUTO, /* by the credentials that are there */
    MS_WAY_REST,
    MS_WAY_SOAP,
    MS_WAY_HASH /* nothing is sent from here: pages get hashes */
} ms_way;

typedef struct {
    struct sockaddr_storage address; /* where to listen; port 0 takes any that is free */
    ms_origins allowed;              /* whose pages may ask for hashes and send leads */
    unsigned int rate_limit;         /* of those a minute for each client address; 0: no limit */
    unsigned int email_rate_limit;   /* the same for each e-mail address */
    const char *token_audience;      /* NULL: tokens have none */
    ms_proxies proxies;              /* which may tell the client's address */
    unsigned int threads;
    unsigned int request_timeout; /* seconds that a client may take to send a request */
    ms_write_keys *write_keys;

    /* Files with secrets; NULL: they are in the environment, or nowhere. */
    const char *private_key_file;
    const char *client_secret_file;
    const char *soap_encryption_key_file;
    const char *token_secret_files[MS_TOKEN_SECRETS];

    ms_way way;
    const char *munchkin_id; /* NULL: MARKETO_MUNCHKIN_ID */
    const char *rest_url;    /* NULL: Marketo's own; likewise the next two */
    const char *soap_url;
    const char *web_events_url;
    const char *activities_file; /* NULL: no custom activities */
    const char *db;
    unsigned int interval;    /* seconds between two syncs of a lead */
    unsigned int linger;      /* seconds that a lead waits for others to share its call */
    unsigned int daily_calls; /* 0: as many as Marketo allows */
    bool check;               /* look whether all of this works, and do no more */
} ms_options;

#define MS_DEFAULT_DB "./munchkin.db"

typedef enum {
    MS_OPTIONS_RUN,
    MS_OPTIONS_DONE, /* --help or --version has been answered */
    MS_OPTIONS_WRONG /* what is wrong, and what to do, has been written to stderr */
} ms_options_outcome;

/* What it points to are `argv`'s texts, but for the write keys: end with ms_options_wipe, whatever
 * the outcome. */
ms_options_outcome ms_options_parse(ms_options *options, int argc, char **argv);

struct option;

/* Are the arguments' options all of this list (getopt_long's), by their whole names? Else says on
 * stderr which is not, without its value, which may be a secret. */
bool ms_options_are_known(int argc, char **argv, const struct option *known);

/* Overwrites the secrets. */
void ms_options_wipe(ms_options *options);

#endif
