/*
 * Whose a message is. Of one person messages may say an e-mail address, a user id and a cookie, or
 * any of them; each of these leads to one lead at most.
 *
 * - From a server library a cookie that is known tells the lead, before the e-mail address does,
 *   as it did in Marketo's SOAP API: if that address is another lead's, the cookie's lead still
 *   gets all fields, the address too. A cookie that is new may be known to Marketo; until that is
 *   asked, what came with it stays a lead of its own, and it says nothing of somebody else: of
 *   another user id, as long as there is no address, or of another address, if it is known whose
 *   one of the two is.
 * - From a browser the e-mail address tells it, then the cookie, then the user id; the cookie
 *   belongs to whoever was identified last, and moves.
 * - The user id tells it where there is no e-mail address. One that comes with another e-mail
 *   address than before goes over to that.
 * - A lead of which neither an e-mail address nor a Marketo id is known becomes part of the one
 *   that its cookie or user id turns out to belong to; not while Marketo makes a lead of it and is
 *   asked whose the cookie is, since these may be two.
 */
#ifndef MS_IDENTITY_H
#define MS_IDENTITY_H

#include "lead_row.h"

/* The lead, made if there is none, with all that the identity says tied to it, but for an e-mail
 * address if it has another one; yet to be saved. NULL if that failed. */
ms_lead_row *ms_identity_lead(ms_store *store, const ms_identity *who, int64_t now);

/* Of a letter that has an e-mail address: a user id that is known stays whose it is by now. */
void ms_identity_leave_user_id(ms_store *store, ms_identity *who);

/* Does it say nothing? */
bool ms_identity_is_nobody(const ms_identity *who);

/* From now on it is looked up by this address, unless that is empty. One that it had before stays
 * its own, but for one whose answer it has not waited for. */
void ms_identity_set_email(ms_store *store, ms_lead_row *lead, ms_slice email);

#endif
