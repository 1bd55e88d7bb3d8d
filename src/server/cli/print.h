/*
 * What commands print, for people and for programs: also text that came from strangers.
 */
#ifndef MS_PRINT_H
#define MS_PRINT_H

#include "../../core/slice.h"

#include <stdint.h>

/*
 * Writes to stdout what a terminal can show in `width` columns of the text, filled up with spaces;
 * 0: all of it. Nothing in it can steer the terminal.
 */
void ms_print_text(ms_slice text, size_t width);

/* Writes to stdout as a JSON string. */
void ms_print_json(ms_slice text);

/* Writes to stdout `ms` since 1970 as "2026-11-24T12:00:00Z". */
void ms_print_time(int64_t ms);

/* "1 lead", "2 leads". */
void ms_print_count(uint64_t count, const char *what);

/*
 * Writes what is left to be written. The exit code: `code`, or 1 in place of 0 if not all that was
 * printed has got there, which is then said on stderr.
 */
int ms_print_end(int code);

#endif
