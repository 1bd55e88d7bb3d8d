/*
 * Whether a lead of the queue may be whom a message, or an answer of Marketo's, tells: what the
 * rules of identity.h have in common.
 */
#ifndef MS_SAME_LEAD_H
#define MS_SAME_LEAD_H

#include "lead_row.h"

/* Has the lead a user id, and they another? */
bool ms_is_other_user(const ms_lead_row *lead, const ms_identity *who);

/* Has it neither an address nor a Marketo id, nor may an answer of Marketo's give it one? */
bool ms_is_unnamed(const ms_lead_row *lead);

/* May the lead be somebody else's, of whom more is known, who says this of themselves? */
bool ms_is_anonymous(const ms_lead_row *lead, const ms_identity *who);

/* A lead that may be given this e-mail address: it has none, and Marketo is not being asked whose
 * it is. NULL if it has one, or is none. */
ms_lead_row *ms_lead_without_email(ms_store *store, int64_t id, const ms_identity *who);

/* Whose the lead's e-mail address is, or, if it has none, its user id; 0 if nobody's. */
int64_t ms_lead_owner(ms_store *store, const ms_lead_row *lead);

/* Merges the lead `id` into `lead`, yet to be saved, if it has turned out to be the same. */
void ms_lead_absorb(ms_store *store, ms_lead_row *lead, int64_t id, const ms_identity *who,
                    int64_t now);

/* The user id goes over from the lead `id`, if Marketo knows that by it alone: so does all that
 * waits. `lead` is yet to be saved. */
void ms_lead_take_user_from(ms_store *store, ms_lead_row *lead, int64_t id, const ms_identity *who,
                            int64_t now);

#endif
