/*
 * Leads that Marketo knows by a user id alone, and whose user turns out to be another one there, of
 * an e-mail address: from then on nobody but that is to be found by the user id, so the lead that
 * was left is told that it has none. Whatever else it was sent it keeps. Should it be gone there,
 * nobody is told.
 */
#ifndef MS_LEFT_LEAD_H
#define MS_LEFT_LEAD_H

#include "lead_row.h"

/* The user, who was sent to the lead of this Marketo id, is another; its last sync, by another row,
 * `ended` then. One of an address, or of another user id by now, is told nothing. */
void ms_left(ms_store *store, int64_t marketo_id, ms_slice user_id, int64_t ended, int64_t now);

/*
 * The user of `left`, which has a Marketo id and no address, is `lead`: what waits for them goes
 * over. If Marketo has yet to say who that is, they are one, and the address is asked about. Saves
 * `left`; `lead` is yet to be.
 */
void ms_left_for(ms_store *store, ms_lead_row *left, ms_lead_row *lead, int64_t now);

/* Takes out of the fields what is for a lead alone that was left, since they go to another. */
void ms_left_told(ms_field_set *fields);

#endif
