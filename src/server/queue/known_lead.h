/*
 * Which lead of Marketo's a row is: what follows when that becomes known, changes or is in doubt,
 * and how two rows become one.
 */
#ifndef MS_KNOWN_LEAD_H
#define MS_KNOWN_LEAD_H

#include "lead_row.h"

/* `lead` has become known to be `other` too: what that has goes over, newest values win, and its
 * row ends. `lead` is yet to be saved. */
void ms_lead_merge(ms_store *store, ms_lead_row *lead, ms_lead_row *other, int64_t now);

/* What waits for `other` waits for `lead` from now on, its fields, cookies and activities, and what
 * is under way, if it does not arrive there: the rows stay two. Either has a Marketo id, and no
 * cookie of `other` is being looked up. Both are yet to be saved, the fields of `other` to be set.
 */
void ms_lead_take_along(ms_store *store, ms_lead_row *lead, ms_lead_row *other, int64_t now);

/* Its id in Marketo is known: another row of that id is merged into it, and what waited for an id
 * can go. If it had another id, none of what was sent to that counts as sent. `lead` is yet to be
 * saved. */
void ms_lead_identified(ms_store *store, ms_lead_row *lead, int64_t marketo_id, int64_t now);

/* The lead of this Marketo id, made if there is none; yet to be saved. NULL if that failed. */
ms_lead_row *ms_lead_of_marketo_id(ms_store *store, int64_t marketo_id, int64_t now);

/*
 * A lead that Marketo knows has got its first e-mail address, which another lead may have there.
 * Until Marketo has said whose it is nothing goes to it, neither its fields nor what hangs on its
 * id: cookies and activities wait as if it had none. `lead` is yet to be saved.
 */
void ms_lead_ask_for_email(ms_store *store, ms_lead_row *lead, int64_t now);

/* That has been said, or nobody asks. */
void ms_lead_email_is_asked(ms_store *store, ms_lead_row *lead, int64_t now);

/* There is nobody to whom its cookies and activities could go: they wait, and a sync is to change
 * that. `lead` is yet to be saved. */
void ms_lead_hold(ms_store *store, ms_lead_row *lead, int64_t now);

/* The Marketo id to which cookies and activities go; 0: they wait. */
int64_t ms_lead_target(const ms_lead_row *lead);

#endif
