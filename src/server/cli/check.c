/* munchkin-server --check */

#include "cli.h"
#include "print.h"

#include <stdio.h>

static const char *const database_states[] = {
    [MS_STORE_REFUSED] = "",
    [MS_STORE_NEW] = "will be made at the first start",
    [MS_STORE_OLDER] = "will be brought up to date at the start",
    [MS_STORE_CURRENT] = "can be used",
};

static int
tell(const char *what, const char *state, const char *problem)
{
    if (problem == NULL) {
        (void)printf("ok      %-14s %s\n", what, state);
        return 0;
    }
    (void)printf("WRONG   %-14s %s\n", what, problem);
    return 1;
}

/* Named by its path, as at the start. */
static int
tell_database(const char *path)
{
    const char *problem = NULL;
    ms_store_state state = ms_store_examine(path, &problem);
    if (state != MS_STORE_REFUSED) {
        return tell("database", database_states[state], NULL);
    }
    (void)printf("WRONG   %-14s %s%s%s\n", "database", path, *path == '\0' ? "" : ": ", problem);
    return 1;
}

/* How it is decided who may have a hash, or send a lead. */
static const char *
authorization(const ms_options *options, const ms_configuration *configuration)
{
    if (options->allowed.count == 0) {
        return "by write key; pages may send nothing";
    }
    return ms_token_is_needed(&configuration->tokens)
               ? "pages of listed origins, with a token of who is signed in"
               : "pages of listed origins, which can be forged; --token-secret-file is stricter";
}

int
ms_cli_check(const ms_options *options, const ms_configuration *configuration)
{
    char text[256];
    /* By --backend somebody has chosen the hash, and knows. */
    bool is_hint = configuration->way == MS_WAY_HASH && options->way == MS_WAY_AUTO;
    (void)snprintf(text, sizeof text, "leads go %s%s%s",
                   configuration->way == MS_WAY_HASH ? "through the browser, signed with a "
                                                     : "to Marketo by ",
                   ms_way_name(configuration->way),
                   is_hint ? ", which current versions of Munchkin ignore; with MARKETO_CLIENT_ID "
                             "and MARKETO_CLIENT_SECRET they go to Marketo from here"
                           : "");
    int wrong = tell("configuration", text, NULL);
    wrong += tell("authorization", authorization(options, configuration), NULL);
    if (configuration->way == MS_WAY_HASH) {
        return ms_print_end(wrong > 0);
    }
    wrong += tell_database(options->db);
    const char *problem = configuration->way == MS_WAY_REST
                              ? ms_rest_check(&configuration->marketo)
                              : ms_soap_check(&configuration->marketo);
    wrong += tell("credentials", "Marketo takes them", problem);
    if (configuration->way == MS_WAY_SOAP && configuration->activities != NULL) {
        (void)printf("note    %-14s %s\n", "activities",
                     "SOAP sends none: each becomes a dead letter, activity_unsupported");
    }
    return ms_print_end(wrong > 0);
}
