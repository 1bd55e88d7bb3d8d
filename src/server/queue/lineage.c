#include "lineage.h"

#include "statements.h"

#include "../../core/hex.h"
#include "../clock.h"
#include "../log.h"

#define RANDOM 16
#define ID ((size_t)2 * RANDOM)

static const char name[] = "lineage";

/* Copies an id, or two, out of the store's reach. */
static ms_slice
read(ms_sql *sql, char *to, size_t room)
{
    ms_slice text = ms_sql_row(sql) ? ms_sql_get_text(sql, 0) : MS_SLICE("");
    ms_slice copy = {to, text.len <= room ? text.len : 0};
    memcpy(to, text.len == 0 ? "" : text.ptr, copy.len);
    ms_sql_end(sql);
    return copy;
}

/* The database names the id that the file had before, too: a start may end before that has the new
 * one. Where neither has any, both are new, or from before there were ids. */
static bool
belong_together(ms_slice ids, ms_slice id)
{
    if (ids.len < ID || id.len < ID) {
        return ids.len == 0 && id.len == 0;
    }
    const ms_slice newest = {ids.ptr + ids.len - ID, ID};
    const ms_slice before = {ids.ptr, ID};
    return ms_slice_equal(id, newest) || ms_slice_equal(id, before);
}

static bool
note_in_database(ms_store *store, ms_slice ids, int64_t change)
{
    if (ms_store_begin(store) == MS_STORE_OK) {
        ms_count_change(store, MS_COUNT_CARRIED_OUT, change);
        if (ms_store_remember(store, name, ids, ms_clock_now()) == MS_STORE_OK &&
            ms_store_commit(store) == MS_STORE_OK) {
            return true;
        }
    }
    ms_store_rollback(store);
    return false;
}

static bool
note_beside(ms_store *accepting, ms_slice id)
{
    if (ms_store_begin(accepting) == MS_STORE_OK) {
        ms_sql *sql = ms_sql_begin(accepting, MS_LINEAGE_SET);
        ms_sql_text(sql, id);
        (void)ms_sql_run(sql);
        if (ms_store_commit(accepting) == MS_STORE_OK) {
            return true;
        }
    }
    ms_store_rollback(accepting);
    return false;
}

/* A new id for both, behind the one that the file beside the database has had. The number goes with
 * it in one commit: after that the two belong together, whether the next commits come or not. The
 * last takes that one away, since a copy of the file that has it may have gone another way. */
static bool
renew(ms_store *store, ms_slice id, int64_t change)
{
    unsigned char random[RANDOM];
    char ids[2 * ID];
    memcpy(ids, id.ptr, id.len);
    sqlite3_randomness(sizeof random, random);
    ms_hex(random, sizeof random, ids + id.len);
    const ms_slice newest = {ids + id.len, ID};
    if (!note_in_database(store, (ms_slice){ids, id.len + ID}, change) ||
        !note_beside(store->accepting, newest)) {
        return false;
    }
    (void)note_in_database(store, newest, 0);
    return true;
}

bool
ms_lineage_go_on(ms_store *store)
{
    char of_both[2][2 * ID];
    ms_store *accepting = store->accepting;
    ms_sql *kept = ms_sql_begin(store, MS_KEPT);
    ms_sql_text(kept, ms_slice_from(name));
    ms_slice ids = read(kept, of_both[0], 2 * ID);
    ms_slice id = read(ms_sql_begin(accepting, MS_LINEAGE), of_both[1], ID);
    int64_t carried_out = ms_store_carried_out(store);
    int64_t last = ms_sql_number(ms_sql_begin(accepting, MS_REQUEST_LAST));
    int64_t first = ms_sql_number_1(accepting, MS_REQUEST_AFTER, 0);
    if (accepting->failed || store->failed) {
        return false;
    }
    bool together = belong_together(ids, id);
    int64_t change = !together && first > 0 && first <= carried_out ? first - 1 - carried_out : 0;
    /* On a full disk those that belong together will do as they are. */
    if (!renew(store, id, change) && !together) {
        return false;
    }
    if (!together && first > 0) {
        ms_log("warning", "files_of_two_databases", "message",
               "The file of accepted requests was not beside this database at its last start. "
               "All that it holds is sent, though some of it may have been sent before.");
    }
    carried_out += change;
    /* Of those that are carried out, none need be left. */
    accepting->last = accepting->last_for_good = last > carried_out ? last : carried_out;
    accepting->forgotten = accepting->forgotten_for_good = first > 0 ? first - 1 : accepting->last;
    return true;
}
