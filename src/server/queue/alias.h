/*
 * The names of leads: e-mail addresses and user ids, each of which leads to one lead at most.
 */
#ifndef MS_ALIAS_H
#define MS_ALIAS_H

#include "lead_row.h"

/* On disk. */
typedef enum { MS_NAME_EMAIL, MS_NAME_USER_ID } ms_name;

/* An e-mail address as it is compared, and kept as a name. */
ms_slice ms_email_key(ms_store *store, ms_slice email);

/* The id of the lead that has the name; 0 if nobody has it, or it is empty. */
int64_t ms_alias_find(ms_store *store, ms_name kind, ms_slice name);

/* The name is the lead's from now on, or, if it was, nobody's. */
void ms_alias_put(ms_store *store, ms_name kind, ms_slice name, const ms_lead_row *lead);
void ms_alias_take(ms_store *store, ms_name kind, ms_slice name, const ms_lead_row *lead);

#endif
