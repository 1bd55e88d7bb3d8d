/*
 * What people ask of munchkin-server beside serving: munchkin-server status, munchkin-server dead …
 */
#ifndef MS_CLI_H
#define MS_CLI_H

#include "../configuration.h"
#include "../queue/store.h"

#include <stdbool.h>

/* Is the command line one of these? Then its first argument, behind --db and --json if they are
 * there, is no option. */
bool ms_cli_is_asked(int argc, char **argv);

/* Carries it out; the process's exit code: 0, 1 if it did not work or could not be told, 2 if it
 * was asked wrongly. */
int ms_cli_run(int argc, char **argv);

/* --check: looks whether the queue can be used and the credentials are good. Likewise. */
int ms_cli_check(const ms_options *options, const ms_configuration *configuration);

/* The parts, with the queue open. */
int ms_cli_status(ms_store *store, bool as_json);
int ms_cli_dead(ms_store *store, char **words, bool as_json);

#endif
