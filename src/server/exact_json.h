/*
 * Reading JSON whose whole numbers may be ids. Those of 64 bits, which databases give out, are more
 * than a double tells apart: read as one, two people who signed up together would be one.
 */
#ifndef MS_EXACT_JSON_H
#define MS_EXACT_JSON_H

#include "../core/json.h"
#include "../core/number.h"

/*
 * As ms_json_parse, but a whole number written without point and exponent that is beyond 2^53 - 1
 * either way, JavaScript's Number.MAX_SAFE_INTEGER, is read as the text of its digits (if these are
 * 64 at most).
 */
ms_status ms_json_parse_exact(ms_arena *arena, ms_slice text, cJSON **object);

/* An id's text: a string's, or a number's, which is written into `number`. All else is none. */
ms_slice ms_id_text(const cJSON *id, char number[MS_NUMBER_TEXT]);

/* Behind the white space of JSON at `p`, if there is any. */
const char *ms_json_skip_space(const char *p, const char *end);

/* Behind the string of JSON that begins at `p`; `end` if it does not end. */
const char *ms_json_skip_string(const char *p, const char *end);

#endif
