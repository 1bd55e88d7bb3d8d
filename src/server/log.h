/*
 * The log: one JSON object a line, on stderr. E-mail addresses and bodies of requests are never
 * written to it.
 */
#ifndef MS_LOG_H
#define MS_LOG_H

/* Writes an event with one more member, `name`: `value`; no member if `name` is NULL. */
void ms_log(const char *level, const char *event, const char *name, const char *value);

#endif
