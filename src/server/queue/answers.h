/*
 * What Marketo's answers say of whose a lead is: the rules of identity.h, once more is known.
 */
#ifndef MS_ANSWERS_H
#define MS_ANSWERS_H

#include "lead_row.h"

/*
 * No cookie of the lead's waits for Marketo's answer any more, and none belongs to a lead known
 * there: it is whose its e-mail address is, or its user id, if that lead has no other address.
 * Returns that lead, saved.
 */
ms_lead_row *ms_lead_without_cookie(ms_store *store, ms_lead_row *lead, int64_t now);

/* Marketo says whose the lead's cookie is. So is the user id that came with it: with an address, as
 * where the cookie is known, and without one from a lead of which nothing else is known. `lead` is
 * yet to be saved. */
void ms_lead_add_user(ms_store *store, ms_lead_row *lead, int64_t now);

/* Marketo says that the e-mail address is the lead's: it is, unless one with another Marketo id has
 * it. One without brings its lead along, at once or when Marketo has said that none of its cookies
 * is somebody's. `lead` is yet to be saved. */
void ms_lead_add_email(ms_store *store, ms_lead_row *lead, ms_slice email, int64_t now);

#endif
