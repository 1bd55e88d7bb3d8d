/*
 * Reading JSON through cJSON, and writing it.
 *
 * cJSON takes its memory from the arena (cjson_config.h), so nothing is ever
 * freed one by one. Writing needs no tree: results are written straight into
 * the arena.
 */
#ifndef MS_JSON_H
#define MS_JSON_H

#include "arena.h"
#include "status.h"

#include <cJSON.h>

/*
 * Reads a JSON object. `text` is left as it is; the tree lives in the arena.
 *
 * Text that is not UTF-8, or not one JSON object, gives MS_JSON_INVALID. Half a
 * surrogate pair becomes U+FFFD, as the web's APIs do it; U+0000 becomes the
 * pair described in slice.h.
 */
ms_status ms_json_parse(ms_arena *arena, ms_slice text, cJSON **object);

/* The member's value if it is a string that is not empty, else the empty slice. Case-sensitive. */
ms_slice ms_json_string(const cJSON *object, const char *name);

/* The member's value, NULL if missing. Case-sensitive. */
const cJSON *ms_json_member(const cJSON *object, const char *name);

/* Writes `value` at the free end of `out` as a JSON string, escaped as JSON.stringify does. */
void ms_json_write_string(ms_arena *out, ms_slice value);

#endif
