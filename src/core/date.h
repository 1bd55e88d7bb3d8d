/*
 * Dates as text. As with numbers (number.h), core's host answers: the JavaScript
 * engine in WebAssembly, src/server/date.c elsewhere.
 */
#ifndef MS_DATE_H
#define MS_DATE_H

#include "slice.h"

/* "YYYY-MM-DDTHH:MM:SS.mmmZ" */
#define MS_DATE_TEXT 24

/*
 * Writes a time in milliseconds since 1970, UTC, as JavaScript's
 * Date.prototype.toISOString does. False, with nothing written, if the year does
 * not have four digits or `ms` is not a number.
 */
bool ms_date_format(double ms, char text[MS_DATE_TEXT]);

#endif
