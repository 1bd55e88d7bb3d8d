/*
 * The days of Marketo's quota: US Central time, by the rule that holds since 2007 (daylight saving
 * from 2:00 on the second Sunday of March to 2:00 on the first of November), so that no time zone
 * database is needed.
 */
#ifndef MS_CENTRAL_TIME_H
#define MS_CENTRAL_TIME_H

#include <stdint.h>

/* "2026-11-24" and a NUL byte. */
#define MS_CENTRAL_DAY 11

/* The name of the day that `ms`, since 1970, UTC, is in. */
void ms_central_day(int64_t ms, char day[MS_CENTRAL_DAY]);

/* When the next day begins: later than `ms`. */
int64_t ms_central_next_midnight(int64_t ms);

#endif
