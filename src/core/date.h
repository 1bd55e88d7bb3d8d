#ifndef MS_DATE_H
#define MS_DATE_H

#include "slice.h"

/* "YYYY-MM-DDTHH:MM:SS.mmmZ" */
#define MS_DATE_TEXT 24

/*
 * Writes a Unix time as JavaScript's Date.prototype.toISOString does. Like
 * Segment's libraries it takes a number below 31,557,600,000 for seconds, else
 * for milliseconds. False, with nothing written, if the year does not have four
 * digits.
 */
bool ms_date_format(double unix_time, char text[MS_DATE_TEXT]);

#endif
