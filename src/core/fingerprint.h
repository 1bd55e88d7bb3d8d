/*
 * Fingerprints, by which a lead is known to be unchanged without being kept.
 */
#ifndef MS_FINGERPRINT_H
#define MS_FINGERPRINT_H

#include "lead.h"

#define MS_SHA256_HEX 64

/*
 * The SHA-256 of the lead's fields, as a JSON object with its names in byte order:
 * the same lead has the same one, however its traits were ordered. Lower-case
 * hexadecimal, no NUL byte. MS_OUT_OF_MEMORY if the arena has no room for the object.
 */
ms_status ms_lead_fingerprint(ms_arena *arena, const ms_lead *lead,
                              char fingerprint[MS_SHA256_HEX]);

#endif
