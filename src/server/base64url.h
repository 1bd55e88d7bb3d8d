/*
 * base64url without padding, as in the parts of a JWT (RFC 7515, appendix C; RFC 4648, section 5).
 */
#ifndef MS_BASE64URL_H
#define MS_BASE64URL_H

#include "../core/arena.h"

/*
 * The bytes that `text` stands for; they live in the arena. False if it is not the one way to write
 * them (padding, "+", "/", spaces, a bit set that no byte holds), or if there is no memory.
 */
bool ms_base64url_decode(ms_arena *arena, ms_slice text, ms_slice *bytes);

#endif
