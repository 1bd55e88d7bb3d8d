/*
 * The rules that a server goes by, kept in the database for those who change the queue beside it:
 * a person's `dead retry` holds a lead back as long as the server would.
 */
#ifndef MS_RULES_H
#define MS_RULES_H

#include "statements.h"

/* Keeps the store's rules. */
void ms_rules_keep(ms_store *store);

/* Takes the rules that were kept; without any the store's stay. */
void ms_rules_recall(ms_store *store);

#endif
