/*
 * The three calls of the analytics API, from a JSON request to a JSON result:
 * core's face towards everything that is not C.
 *
 * Requests (members left out are empty; unknown members are ignored):
 *
 *   page      {"url": "…", "base": "…", "hashRouting": false, "urlLimit": 255, "paramsLimit": 2000}
 *   track     {"event": "…", "properties": {…}, "base": …, and the others of page but url}
 *   identify  {"userId": "…", "traits": {…}}
 *
 * Results:
 *
 *   {"ok":true,"call":["visitWebPage",{"url":"…","params":"…"}],"warnings":[]}
 *   {"ok":true,"call":["associateLead",{"Email":"…",…}],"email":"…","warnings":[]}
 *   {"ok":false,"error":"email_missing"}
 *
 * A warning is {"code":"…"}, with "name" if it is about one trait. The sentence for an
 * error (status.h) is added where people read it, by js-glue/core.js.
 */
#ifndef MS_CALL_H
#define MS_CALL_H

#include "arena.h"
#include "status.h"

/* The longest request. */
#define MS_REQUEST_MAX 65536

typedef enum { MS_PAGE, MS_TRACK, MS_IDENTIFY } ms_call_kind;

/*
 * Carries out one call. Any bytes are a request: what cannot be done becomes a
 * result with an error. `*result` lives in the arena, or in static storage if
 * the arena is exhausted.
 *
 * Returns the status that the result tells of, so that a caller with more
 * memory can try again on MS_OUT_OF_MEMORY.
 */
ms_status ms_call(ms_arena *arena, ms_call_kind kind, ms_slice request, ms_slice *result);

#endif
