/* The transactions of the queue. */

#include "accepted.h"
#include "statements.h"

const char *
ms_store_problem(const ms_store *store)
{
    return store->problem;
}

static void
forget_changes(ms_store *store)
{
    memset(store->change, 0, sizeof store->change);
    store->lead_ids = -1;
}

/* What is written to a file that was moved away or deleted, nobody finds again. */
static bool
is_gone(const ms_store *store)
{
    int gone = 0;
    return sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &gone) == SQLITE_OK &&
           gone != 0;
}

ms_store_result
ms_store_begin(ms_store *store)
{
    if (sqlite3_get_autocommit(store->db) == 0) { /* the last one could not even be rolled back */
        ms_store_rollback(store);
    }
    ms_store_starts(store);
    store->failed = false;
    store->lead_ids = -1;
    if (is_gone(store)) {
        ms_store_fail(store, "its file was moved away or deleted while the server runs; put it "
                             "back, or restart the server");
    }
    (void)ms_sql_run(ms_sql_begin(store, MS_BEGIN));
    return ms_store_ended(store);
}

ms_store_result
ms_store_commit(ms_store *store)
{
    for (int counter = 0; counter < MS_COUNTERS; counter++) {
        if (store->change[counter] != 0) {
            (void)ms_sql_run_2(store, MS_COUNTER_ADD, counter, store->change[counter]);
        }
    }
    ms_accepted_end_view(store);
    (void)ms_sql_run(ms_sql_begin(store, MS_COMMIT));
    if (!store->failed) {
        forget_changes(store);
        store->seen_for_good = store->seen;
        store->last_for_good = store->last;
        store->forgotten_for_good = store->forgotten;
    }
    return ms_store_ended(store);
}

void
ms_store_checkpoint(ms_store *store)
{
    ms_checkpoint_see_to(store->checkpoint);
}

void
ms_store_rollback(ms_store *store)
{
    ms_accepted_end_view(store);
    forget_changes(store);
    store->seen = store->seen_for_good;
    store->last = store->last_for_good;
    store->forgotten = store->forgotten_for_good;
    /* After some errors, such as a full disk, SQLite has rolled back by itself. */
    if (sqlite3_get_autocommit(store->db) == 0) {
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    store->failed = false;
}
