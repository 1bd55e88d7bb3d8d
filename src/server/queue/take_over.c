#include "take_over.h"

#include "schema.h"
#include "statements.h"

static bool
attach(sqlite3 *db, const char *path)
{
    char *sql = sqlite3_mprintf("ATTACH %Q AS queue", path);
    bool attached = sql != NULL && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_free(sql);
    return attached;
}

/* All that the journal holds, unless it was taken over already: its last request is the last one
 * here. */
static bool
copy_journal(ms_store *accepting)
{
    ms_store_starts(accepting);
    int64_t last = ms_sql_number(ms_sql_begin(accepting, MS_REQUEST_LAST));
    if (ms_sql_number_1(accepting, MS_JOURNAL_IS_COPIED, last) == 0) {
        (void)ms_sql_run_1(accepting, MS_JOURNAL_COPY, last);
    }
    return ms_store_ended(accepting) == MS_STORE_OK;
}

bool
ms_store_take_over(ms_store *store)
{
    const ms_schema version_2 = {.application = ms_queue_schema.application, .version = 2};
    ms_schema_state state = ms_schema_examine(store->db, &version_2);
    if (state != MS_SCHEMA_CURRENT) {
        return state != MS_SCHEMA_FAILED;
    }
    sqlite3 *db = store->accepting->db;
    if (!attach(db, sqlite3_db_filename(store->db, "main"))) {
        return false;
    }
    bool copied = copy_journal(store->accepting);
    return sqlite3_exec(db, "DETACH queue", NULL, NULL, NULL) == SQLITE_OK && copied;
}
