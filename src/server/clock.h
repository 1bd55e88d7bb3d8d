/*
 * What time it is, in milliseconds since 1970, UTC. All that the queue and the Marketo clients
 * decide by time is decided by this clock, so that tests can move it: the file that
 * MUNCHKIN_TEST_CLOCK names, eight bytes, is how many milliseconds it is ahead of the machine's
 * (int64, this machine's byte order).
 */
#ifndef MS_CLOCK_H
#define MS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Reads MUNCHKIN_TEST_CLOCK; call it once, before any thread. False if it is set and cannot be
 * used. */
bool ms_clock_start(void);

/* Cheap, and safe in any thread. */
int64_t ms_clock_now(void);

/* How long something takes: since some time in the past. Nobody moves this one. */
int64_t ms_clock_steady_us(void);
int64_t ms_clock_steady_ms(void);

/* Whether a test moves the clock: then nobody may sleep for long on the word of an earlier reading.
 */
bool ms_clock_is_moved(void);

#endif
