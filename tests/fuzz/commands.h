/*
 * What must hold of commands for the queue (src/server/command.h), whatever messages they came
 * from.
 */
#ifndef TESTS_COMMANDS_H
#define TESTS_COMMANDS_H

#include "../../src/server/command.h"

#define COMMANDS_MUNCHKIN_ID "561-HYG-937"

/* Checks each; returns how many there are. None may be of a time later than `received`. */
size_t check_commands(const ms_command *first, int64_t received);

#endif
