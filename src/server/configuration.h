/*
 * What the server is to do, out of the command line, the environment and the files that these name.
 */
#ifndef MS_CONFIGURATION_H
#define MS_CONFIGURATION_H

#include "intake/activities.h"
#include "marketo/backend.h"
#include "options.h"

#define MS_URL_TEXT 512

typedef struct {
    ms_way way; /* never MS_WAY_AUTO */
    ms_slice private_key;
    ms_token_rules tokens;
    ms_marketo_settings marketo;
    ms_activities *activities;
    ms_store_rules rules;
    char munchkin_id[16];
    char rest_url[MS_URL_TEXT];
    char soap_url[MS_URL_TEXT];
    char web_events_url[MS_URL_TEXT];
} ms_configuration;

/*
 * False if it does not hold together: then what is wrong, and what to do, has been written to
 * stderr. Call it before any thread, since secrets are taken out of the environment; end with
 * ms_configuration_wipe either way.
 */
bool ms_configuration_load(ms_configuration *configuration, const ms_options *options);

/* Overwrites the secrets. */
void ms_configuration_wipe(ms_configuration *configuration);

/* "REST", "SOAP" or "hash". */
const char *ms_way_name(ms_way way);

/* The backends of REST or SOAP, and the web events beside; NULL without memory. */
ms_backend *ms_configuration_open_backends(const ms_configuration *configuration);

#endif
