/*
 * The tables of the queue, and how an older database becomes one of today.
 */
#ifndef MS_SCHEMA_H
#define MS_SCHEMA_H

#include <sqlite3.h>

/* Step i brings a database of version i to version i + 1; an empty one has version 0. Steps are
 * added, never changed. */
extern const char *const ms_schema_steps[];
extern const int ms_schema_version;

typedef enum {
    MS_SCHEMA_CURRENT,
    MS_SCHEMA_OLDER,
    MS_SCHEMA_NEWER,
    MS_SCHEMA_FOREIGN, /* a database of something else */
    MS_SCHEMA_FAILED   /* it cannot be read or written */
} ms_schema_state;

/* What the database is, seen from `version`. An empty one is older. Changes nothing. */
ms_schema_state ms_schema_examine(sqlite3 *db, int version);

/*
 * Carries out the steps that the database lacks, up to `version`, in one transaction: if one fails
 * it stays as it was. MS_SCHEMA_CURRENT if all went well.
 */
ms_schema_state ms_schema_update(sqlite3 *db, const char *const *steps, int version);

#endif
