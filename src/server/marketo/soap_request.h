/*
 * What is said to Marketo's SOAP API: envelopes with their signed header, as XML 1.0 in UTF-8.
 */
#ifndef MS_SOAP_REQUEST_H
#define MS_SOAP_REQUEST_H

#include "../../core/status.h"
#include "../queue/store.h"

/* Whose calls they are, as Marketo shows it under Admin > Integration > Web Services. */
typedef struct {
    ms_slice user_id;
    ms_slice encryption_key; /* signs; no copy of it is left behind */
} ms_soap_account;

/* "2026-11-24T06:43:10+00:00": W3C's form, with an offset, as Marketo wants it. */
#define MS_SOAP_TIMESTAMP 25

/* `now` is in ms since 1970. False if its year does not have four digits. */
bool ms_soap_timestamp(int64_t now, char text[MS_SOAP_TIMESTAMP]);

/*
 * syncLead of a lead: by its Marketo id; else by its e-mail; else by its cookie alone; else by its
 * user id, as a foreign person's. A cookie goes along in any case, and Marketo ties it to the lead;
 * where there is no Marketo id, the cookie counts for more than the e-mail does. Fields stay in
 * their order.
 *
 * `*envelope` lives in the arena. MS_JSON_INVALID if `fields` are no JSON object; MS_EMAIL_MISSING
 * for a lead with nothing to know it by; MS_OUT_OF_MEMORY, for which ms_soap_room is never too
 * little.
 */
ms_status ms_soap_write_sync(ms_arena *arena, const ms_soap_account *account, int64_t now,
                             const ms_due_lead *lead, ms_slice *envelope);

/* The bytes of arena that ms_soap_write_sync needs at most. */
size_t ms_soap_room(const ms_soap_account *account, const ms_due_lead *lead);

/* getLead by e-mail, which changes nothing. MS_OUT_OF_MEMORY. */
ms_status ms_soap_write_get(ms_arena *arena, const ms_soap_account *account, int64_t now,
                            ms_slice email, ms_slice *envelope);

/*
 * Writes `text` as the content of an element. Characters that XML 1.0 has no form for, such as
 * U+0000 (slice.h) and U+FFFE, become U+FFFD.
 */
void ms_soap_write_text(ms_arena *out, ms_slice text);

#endif
