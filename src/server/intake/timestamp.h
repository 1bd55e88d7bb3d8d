/*
 * Times as Segment's libraries write them: ISO 8601 with date and time, such as
 * 2026-11-24T06:42:07.123Z or 2026-11-24T07:42:07+01:00. Without an offset it is UTC.
 */
#ifndef MS_TIMESTAMP_H
#define MS_TIMESTAMP_H

#include "../../core/slice.h"

#include <stdint.h>

/* Milliseconds since 1970, what is finer is cut off. False if it is no such time. */
bool ms_timestamp_parse(ms_slice text, int64_t *ms);

/*
 * When something happened, by our clock: `received` less the time that the sender's clock counted
 * between `happened` and `sent`. Where one of the two is missing or no time, and where `sent` is up
 * to an hour ago, `happened` as it stands; without that, `received`. Never later than `received`.
 *
 * Some libraries send a batch again with the `sent` of the first time: that is no clock that is
 * behind, and what is old must not become newer than what came before it.
 */
int64_t ms_timestamp_corrected(ms_slice happened, ms_slice sent, int64_t received);

#endif
