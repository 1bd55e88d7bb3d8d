/*
 * What a command changes in the queue's rows.
 */
#ifndef MS_CHANGES_H
#define MS_CHANGES_H

#include "field_set.h"
#include "statements.h"

/* All of a command, unless its message was seen before; as store.h tells it. */
ms_store_result ms_change(ms_store *store, const ms_command *command, int64_t now);

/* For those that carry one out anew. `due_now`: without waiting for others to share its call. */
void ms_change_lead(ms_store *store, const ms_command *command, int64_t now, bool due_now);
/* With fields that were read, each with the time at which it was said. */
void ms_change_lead_fields(ms_store *store, const ms_command *command, const ms_field_set *fields,
                           int64_t now, bool due_now);
void ms_change_visit(ms_store *store, const ms_command *command, int64_t now);
void ms_change_activity(ms_store *store, const ms_command *command, int64_t now, bool due_now);

/* Messages are remembered by half weeks; this is the number of that of `now`. */
static inline int64_t
ms_message_period(int64_t now)
{
    return now / (INT64_C(84) * 3600 * 1000);
}

#endif
