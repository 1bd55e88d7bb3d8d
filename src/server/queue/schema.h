/*
 * The tables of the queue's two files, and how an older database becomes one of today.
 */
#ifndef MS_SCHEMA_H
#define MS_SCHEMA_H

#include <sqlite3.h>

typedef struct {
    int application; /* PRAGMA application_id */
    /* Step i brings a database of version i to version i + 1; an empty one has version 0. Steps are
     * added, never changed. */
    const char *const *steps;
    int version;
} ms_schema;

extern const ms_schema ms_queue_schema;
extern const ms_schema ms_accepted_schema;

typedef enum {
    MS_SCHEMA_CURRENT,
    MS_SCHEMA_OLDER,
    MS_SCHEMA_NEWER,
    MS_SCHEMA_FOREIGN, /* a database of something else */
    MS_SCHEMA_FAILED   /* it cannot be read or written */
} ms_schema_state;

/* What the database is, seen from the schema. An empty one is older. Changes nothing. */
ms_schema_state ms_schema_examine(sqlite3 *db, const ms_schema *schema);

/*
 * Carries out the steps that the database lacks in one transaction: if one fails it stays as it
 * was. MS_SCHEMA_CURRENT if all went well.
 */
ms_schema_state ms_schema_update(sqlite3 *db, const ms_schema *schema);

#endif
