/*
 * A request for the hash that signs associateLead: {"email": "…"}, or a lead as pages send it,
 * {"userId": "…", "traits": {…}}, the e-mail of which is identify's (lead.h).
 */
#ifndef MS_HASH_REQUEST_H
#define MS_HASH_REQUEST_H

#include "json.h"

/*
 * The e-mail that `request` asks about, without spaces around it; it lives in the arena, which is
 * the request's own. MS_OK, MS_OUT_OF_MEMORY, MS_EMAIL_MISSING or MS_EMAIL_INVALID.
 */
ms_status ms_hash_request_email(ms_arena *arena, const cJSON *request, ms_slice *email);

#endif
