/*
 * A request for the hash that signs associateLead: {"email": "…"}, or a lead as pages send it,
 * {"userId": "…", "traits": {…}}, the e-mail of which is identify's (lead.h).
 */
#ifndef MS_HASH_REQUEST_H
#define MS_HASH_REQUEST_H

#include "arena.h"
#include "status.h"

/*
 * The e-mail that `body` asks about, without spaces around it; it lives in the arena. MS_OK,
 * MS_JSON_INVALID, MS_OUT_OF_MEMORY, MS_EMAIL_MISSING or MS_EMAIL_INVALID.
 */
ms_status ms_hash_request_email(ms_arena *arena, ms_slice body, ms_slice *email);

#endif
