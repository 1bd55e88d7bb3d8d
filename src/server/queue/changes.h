/*
 * What a command changes (ms_store_execute), for those that carry one out anew.
 */
#ifndef MS_CHANGES_H
#define MS_CHANGES_H

#include "statements.h"

/* `due_now`: without waiting for others to share its call. */
void ms_change_lead(ms_store *store, const ms_command *command, int64_t now, bool due_now);
void ms_change_visit(ms_store *store, const ms_command *command, int64_t now);
void ms_change_activity(ms_store *store, const ms_command *command, int64_t now, bool due_now);

/* Messages are remembered by half weeks; this is the number of that of `now`. */
static inline int64_t
ms_message_period(int64_t now)
{
    return now / (INT64_C(84) * 3600 * 1000);
}

#endif
