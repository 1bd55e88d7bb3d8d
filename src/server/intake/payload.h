/*
 * A message that can never be sent, as dead letters keep it: in JSON, for people and programs.
 */
#ifndef MS_PAYLOAD_H
#define MS_PAYLOAD_H

#include "../../core/arena.h"

/*
 * Is it one JSON object by RFC 8259, in UTF-8 and no deeper than MS_PAYLOAD_DEPTH? Core's reader
 * lets more pass, such as a line break in a string.
 */
bool ms_payload_is_object(ms_slice text);

#define MS_PAYLOAD_DEPTH 64

/* The text if it is a JSON object, else as a JSON string, with "?" for bytes that are no UTF-8, and
 * with asterisks for write keys. It lives in `out`, which is exhausted if it does not fit. */
ms_slice ms_payload_of(ms_arena *out, ms_slice text);

#endif
