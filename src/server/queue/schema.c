#include "schema.h"

#include <stdbool.h>
#include <stdio.h>

/* clang-format off: a table */
/*
 * The queue itself:
 *
 * lead      What is known and what waits of each lead. `fields` waits: {"Email":[time,"a@b.c"],…};
 *           `sent` are hashes of what was sent (sent_fields.h). `since` is when the first waiting
 *           change came, 0 if nothing is to be synced; it may be synced from `earliest` on and is
 *           due at `due`, 0 while in flight. `class` is ms_lead_class (lead_row.h).
 *           `email_unasked` is 1 if Marketo is to be asked whose its e-mail address is.
 * alias     By which e-mails and user ids a lead is known; its cookies are in their own table.
 * flight    Syncs under way, and questions (flight.h). Their id is the lead's at its start; `lead`
 *           is whose it is now, after two leads turned out to be one. `marketo_id` is
 *           the lead's at its start, to which it goes; 0: to whom Marketo finds or makes.
 * cookie    `state` is ms_cookie_state (cookie_row.h). `tied_to` is the Marketo id with which
 *           Marketo has associated it, `flying_to` that of the association under way.
 * visit,
 * activity  `due` is 0 while in flight; an activity's also while it has nobody to go to
 *           (ms_lead_target). `attempts` are three numbers in one (taking.h).
 * message   Ids of messages, as hashes, by the half week they came in: whole ranges can be
 *           forgotten.
 * dead      Dead letters.
 * call      Calls to Marketo, by the quota's day.
 * kept      Texts by name.
 * counter   How many there are of what; ms_counter (statements.h).
 * journal   Until version 2: requests as they were accepted. Now they have a file of their own.
 */
/* clang-format on */
static const char version_1[] =
    "CREATE TABLE lead (id INTEGER PRIMARY KEY, class INTEGER NOT NULL,"
    " marketo_id INTEGER NOT NULL, since INTEGER NOT NULL, earliest INTEGER NOT NULL,"
    " due INTEGER NOT NULL, ended INTEGER NOT NULL, retry INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, flying INTEGER NOT NULL, lookups INTEGER NOT NULL,"
    " heard INTEGER NOT NULL, email TEXT NOT NULL, user_id TEXT NOT NULL,"
    " fields TEXT NOT NULL, sent BLOB NOT NULL);"
    "CREATE INDEX lead_due ON lead (class, due, earliest) WHERE due > 0;"
    "CREATE INDEX lead_since ON lead (class, since) WHERE since > 0;"
    "CREATE UNIQUE INDEX lead_marketo_id ON lead (marketo_id) WHERE marketo_id > 0;"

    "CREATE TABLE alias (kind INTEGER NOT NULL, name TEXT NOT NULL, lead INTEGER NOT NULL,"
    " PRIMARY KEY (kind, name)) WITHOUT ROWID;"
    "CREATE INDEX alias_lead ON alias (lead);"

    "CREATE TABLE flight (id INTEGER PRIMARY KEY, lead INTEGER NOT NULL, since INTEGER NOT NULL,"
    " cookie INTEGER NOT NULL, email TEXT NOT NULL, fields TEXT NOT NULL);"
    "CREATE INDEX flight_lead ON flight (lead);"
    "CREATE INDEX flight_email ON flight (email) WHERE email <> '';"

    "CREATE TABLE cookie (id INTEGER PRIMARY KEY AUTOINCREMENT, cookie TEXT NOT NULL UNIQUE,"
    " lead INTEGER NOT NULL, state INTEGER NOT NULL, due INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, tied_to INTEGER NOT NULL, flying_to INTEGER NOT NULL);"
    "CREATE INDEX cookie_lead ON cookie (lead);"
    "CREATE INDEX cookie_due ON cookie (state, due) WHERE state > 0;"

    "CREATE TABLE visit (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
    " due INTEGER NOT NULL, time INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " query TEXT NOT NULL, user_agent TEXT NOT NULL);"
    "CREATE INDEX visit_due ON visit (due);"

    "CREATE TABLE activity (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
    " lead INTEGER NOT NULL, due INTEGER NOT NULL, flying INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, time INTEGER NOT NULL, type INTEGER NOT NULL,"
    " primary_value TEXT NOT NULL, attributes TEXT NOT NULL);"
    "CREATE INDEX activity_due ON activity (due) WHERE due > 0;"
    "CREATE INDEX activity_lead ON activity (lead);"
    "CREATE INDEX activity_flying ON activity (flying) WHERE flying > 0;"

    "CREATE TABLE message (period INTEGER NOT NULL, hash BLOB NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (period, hash)) WITHOUT ROWID;"

    "CREATE TABLE dead (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
    " kind TEXT NOT NULL, who TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,"
    " payload TEXT NOT NULL);"

    "CREATE TABLE call (day TEXT PRIMARY KEY, calls INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL, at INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE counter (id INTEGER PRIMARY KEY, count INTEGER NOT NULL);";

static const char version_2[] = "CREATE TABLE journal (id INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
                                " messages INTEGER NOT NULL, commands BLOB NOT NULL);";

/* 11 was the number of messages in the journal and is MS_COUNT_CARRIED_OUT, until version 6
 * (statements.h). */
static const char version_3[] = "DROP TABLE journal; UPDATE counter SET count = 0 WHERE id = 11;";

/* The records of what was sent got longer (sent_fields.h), then names in any case became one,
 * and they stand in order. Without them a field is sent once more than it need be. */
static const char version_4_and_5[] = "UPDATE lead SET sent = x'' WHERE length(sent) > 0;";

/* One more class of leads, and its counter among the others: those between are counted anew as the
 * server starts. */
static const char version_6[] =
    "ALTER TABLE lead ADD COLUMN email_unasked INTEGER NOT NULL DEFAULT 0;"
    "DELETE FROM counter WHERE id BETWEEN 5 AND 9;"
    "UPDATE counter SET id = 12 WHERE id = 11; UPDATE counter SET id = 11 WHERE id = 10;";

/* What was under way ends before anything is started again (ms_store_recover). */
static const char version_7[] =
    "ALTER TABLE flight ADD COLUMN marketo_id INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX flight_marketo_id ON flight (marketo_id) WHERE marketo_id > 0;";

static const char *const queue_steps[] = {version_1,       version_2, version_3, version_4_and_5,
                                          version_4_and_5, version_6, version_7};
const ms_schema ms_queue_schema = {.application = 0x6d6e6368, /* "mnch" */
                                   .steps = queue_steps,
                                   .version = sizeof queue_steps / sizeof *queue_steps};

/*
 * What was accepted, beside the queue:
 *
 * request  Requests in the order in which they were accepted. `number` is how many messages were
 *          accepted with it since ever, `commands` are its own (journal.h). Those up to
 *          MS_COUNT_CARRIED_OUT (statements.h) are carried out and may go.
 * lineage  One row, with an id that the database has as well, in `kept` (lineage.h).
 */
static const char accepted_1[] = "CREATE TABLE request (number INTEGER PRIMARY KEY,"
                                 " at INTEGER NOT NULL, commands BLOB NOT NULL);";

static const char accepted_2[] =
    "CREATE TABLE lineage (row INTEGER PRIMARY KEY, id TEXT NOT NULL);";

static const char *const accepted_steps[] = {accepted_1, accepted_2};
const ms_schema ms_accepted_schema = {.application = 0x6d6e6361, /* "mnca" */
                                      .steps = accepted_steps,
                                      .version = sizeof accepted_steps / sizeof *accepted_steps};

/* The number that the query gives; -1 if it fails. */
static int
number(sqlite3 *db, const char *query)
{
    sqlite3_stmt *statement = NULL;
    int value = -1;
    if (sqlite3_prepare_v2(db, query, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int(statement, 0);
    }
    return sqlite3_finalize(statement) == SQLITE_OK ? value : -1;
}

ms_schema_state
ms_schema_examine(sqlite3 *db, const ms_schema *schema)
{
    int tables = number(db, "SELECT count(*) FROM sqlite_schema");
    int application = number(db, "PRAGMA application_id");
    int found = number(db, "PRAGMA user_version");
    if (tables < 0 || application < 0 || found < 0) {
        return MS_SCHEMA_FAILED;
    }
    if (tables > 0 && application != schema->application) {
        return MS_SCHEMA_FOREIGN;
    }
    if (found == schema->version) {
        return MS_SCHEMA_CURRENT;
    }
    return found < schema->version ? MS_SCHEMA_OLDER : MS_SCHEMA_NEWER;
}

static bool
run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool
climb(sqlite3 *db, const ms_schema *schema)
{
    char sql[96];
    int from = number(db, "PRAGMA user_version");
    if (from < 0) {
        return false;
    }
    for (int step = from; step < schema->version; step++) {
        if (!run(db, schema->steps[step])) {
            return false;
        }
    }
    (void)snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                   schema->application, schema->version);
    return run(db, sql);
}

ms_schema_state
ms_schema_update(sqlite3 *db, const ms_schema *schema)
{
    ms_schema_state state = ms_schema_examine(db, schema);
    if (state != MS_SCHEMA_OLDER) {
        return state;
    }
    if (!run(db, "BEGIN IMMEDIATE")) {
        return MS_SCHEMA_FAILED;
    }
    if (!climb(db, schema) || !run(db, "COMMIT")) {
        (void)run(db, "ROLLBACK");
        return MS_SCHEMA_FAILED;
    }
    return MS_SCHEMA_CURRENT;
}
