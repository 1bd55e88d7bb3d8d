/* munchkin-server --check */

#include "cli.h"
#include "print.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is wrong with the queue's database; NULL if nothing is. `state` tells what was found. */
static const char *
check_database(const char *path, const char **state)
{
    struct stat status;
    char copy[PATH_MAX];
    const char *problem = NULL;
    if (lstat(path, &status) == 0) {
        bool is_older = false;
        bool usable = ms_store_examine(path, &is_older, &problem);
        *state = is_older ? "will be brought up to date at the start" : "can be used";
        return usable ? NULL : problem;
    }
    *state = "will be made at the first start";
    if (errno != ENOENT || strlen(path) >= sizeof copy) {
        return strerror(errno);
    }
    (void)snprintf(copy, sizeof copy, "%s", path);
    return access(dirname(copy), W_OK | X_OK) == 0
               ? NULL
               : "Its folder must exist and be writable for this user.";
}

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
    const char *state = "";
    char text[96];
    (void)snprintf(text, sizeof text, "leads go %s%s",
                   configuration->way == MS_WAY_HASH ? "through the browser, signed with a "
                                                     : "to Marketo by ",
                   ms_way_name(configuration->way));
    int wrong = tell("configuration", text, NULL);
    wrong += tell("authorization", authorization(options, configuration), NULL);
    if (configuration->way == MS_WAY_HASH) {
        return ms_print_end(wrong > 0);
    }
    const char *problem = check_database(options->db, &state);
    wrong += tell("database", state, problem);
    problem = configuration->way == MS_WAY_REST ? ms_rest_check(&configuration->marketo)
                                                : ms_soap_check(&configuration->marketo);
    wrong += tell("credentials", "Marketo takes them", problem);
    return ms_print_end(wrong > 0);
}
