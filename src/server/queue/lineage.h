/*
 * Do the queue's two files belong together? The database says by one number up to where the
 * requests of the file beside it are carried out. If one of the two was moved away and is put back,
 * or comes from a backup, that number may be about other requests, and would have those that wait
 * deleted. So each start gives both a new random id, and the next one looks whether they have it.
 */
#ifndef MS_LINEAGE_H
#define MS_LINEAGE_H

#include "store.h"

#include <stdbool.h>

/*
 * Finds out where the numbers of requests go on, before anything is accepted or carried out. Where
 * the files do not belong together, all requests that are there are carried out, though some may
 * have been before, and the log is told. False if it failed; it is safe to be interrupted.
 */
bool ms_lineage_go_on(ms_store *store);

#endif
