/*
 * The log: one JSON object a line, on stderr. E-mail addresses and bodies of requests are never
 * written to it.
 */
#ifndef MS_LOG_H
#define MS_LOG_H

#include <stdint.h>

/* Writes an event with one more member, `name`: `value`; no member if `name` is NULL. */
void ms_log(const char *level, const char *event, const char *name, const char *value);

/* The same of what happened several times: with "count" before. */
void ms_log_counted(const char *level, const char *event, uint64_t count, const char *name,
                    const char *value);

#endif
