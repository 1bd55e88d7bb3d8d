/*
 * identify as a lead: an e-mail address that Marketo can hold, and fields.
 */
#ifndef MS_LEAD_H
#define MS_LEAD_H

#include "fields.h"

#include <cJSON.h>

typedef struct {
    ms_slice email;   /* valid; the value of the field Email, so the one to sign */
    ms_fields fields; /* settled; Email is one of them, and so is UserId if it was given */
    ms_warnings warnings;
} ms_lead;

/*
 * The e-mail is that of the traits, else the user id if that is one; spaces
 * around it do not count. `user_id` may be text or a number, and becomes the
 * field UserId; it and `traits` may be NULL.
 *
 * All slices live in the arena. MS_EMAIL_MISSING, MS_EMAIL_INVALID, MS_OUT_OF_MEMORY.
 */
ms_status ms_lead_from_identify(ms_arena *arena, const cJSON *user_id, const cJSON *traits,
                                ms_lead *lead);

/*
 * The same where the lead may be known by something else: with MS_EMAIL_MISSING all the other
 * fields are there, and with MS_EMAIL_INVALID too, without that e-mail.
 *
 * `background` are traits that were known before (an object, or NULL): each counts only where the
 * call itself has nothing for its field.
 */
ms_status ms_lead_from_message(ms_arena *arena, const cJSON *user_id, const cJSON *traits,
                               const cJSON *background, ms_lead *lead);

#endif
