/*
 * What an older database holds that has a file of its own since.
 */
#ifndef MS_TAKE_OVER_H
#define MS_TAKE_OVER_H

#include "store.h"

/*
 * What a database of version 2 has accepted and not carried out goes into the file of accepted
 * requests; then it can be brought up to date. Of another version nothing is taken. False if it
 * failed; done again, it takes nothing twice.
 */
bool ms_store_take_over(ms_store *store);

#endif
