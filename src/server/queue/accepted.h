/*
 * The file of what was accepted, as the queue reads it.
 */
#ifndef MS_ACCEPTED_H
#define MS_ACCEPTED_H

#include "statements.h"

/* When the first request that waits came, and the number of the last of all; 0 if there is none. */
int64_t ms_accepted_oldest(ms_store *store);
int64_t ms_accepted_last(ms_store *store);

/* The queue's transaction ends. */
void ms_accepted_end_view(ms_store *store);

#endif
