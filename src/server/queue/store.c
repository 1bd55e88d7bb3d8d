#include "lock.h"
#include "schema.h"
#include "statements.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for a lead's fields, waiting, in flight and new, taken apart. Untouched memory costs
 * nothing. */
#define SCRATCH ((size_t)8 << 20)

/* How long a person's command and the server wait for each other's transaction. */
#define BUSY_MS 5000

static const char no_memory[] = "There is not enough memory to open the database.";
static const char no_thread[] =
    "There is not enough memory, or no file or thread left, for the database.";
static const char no_path[] = "No path to the database is given.";
static const char too_long[] = "The path to the database is too long.";
static const char missing[] =
    "There is no database at this path; the server makes it at its start. "
    "Is --db the same as the server's?";
static const char in_use[] = "Another munchkin-server uses this database; each needs a database of "
                             "its own, by --db.";
static const char no_access[] = "The database cannot be opened for reading and writing: its folder "
                                "must exist, and both must be writable for this user.";
static const char damaged[] =
    "The database is damaged, or no database at all; it was left as it is. Move it away, with the "
    "files of its name that end in -wal and -shm, and the next start makes a new one. What waits "
    "in "
    "the old one can often be saved with the sqlite3 program's .recover.";
static const char foreign[] = "The file is a database of another program; give another path by "
                              "--db.";
static const char newer[] = "The database was made by a newer munchkin-server; start that one, or "
                            "one newer still.";
static const char older[] = "The database was made by an older munchkin-server; start this one's "
                            "server once, which brings it up to date.";
static const char not_made[] = "The database could not be made or brought up to date: is the disk "
                               "full? It was left as it was.";

/* SQLite would make the file for everyone to read. False if it is not there in the end. */
static bool
make_private_file(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file >= 0) {
        return close(file) == 0;
    }
    return errno == EEXIST;
}

static bool
run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Opens the file as it is; nothing of it is read yet. */
static bool
connect(ms_store *store, const char *path)
{
    char file[PATH_MAX];
    /* "file:x" and ":memory:" are paths here, not what SQLite takes them for. */
    int len = snprintf(file, sizeof file, "%s%s", *path == '/' ? "" : "./", path);
    if (len < 0 || (size_t)len >= sizeof file) {
        return false;
    }
    if (sqlite3_open_v2(file, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        return false;
    }
    /* A damaged file is left as it is: its log stays beside it, too, until it is known to be sound.
     */
    return sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
           sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
           sqlite3_busy_timeout(store->db, BUSY_MS) == SQLITE_OK &&
           run(store->db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                          "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                          "PRAGMA cache_size = -16000;");
}

/* What is committed is on disk. What is deleted is overwritten as far as that costs nothing. The
 * log is copied by the server alone (checkpoint.h), and by whoever closes the database last. */
static bool
settle(ms_store *store)
{
    return run(store->db, "PRAGMA journal_mode = WAL") &&
           run(store->db, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                          "PRAGMA journal_size_limit = 67108864; PRAGMA secure_delete = FAST;") &&
           sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL) == SQLITE_OK;
}

static bool
is_sound(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    bool sound =
        sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW &&
        ms_slice_equal(ms_slice_from((const char *)sqlite3_column_text(statement, 0)),
                       MS_SLICE("ok"));
    return sqlite3_finalize(statement) == SQLITE_OK && sound;
}

/* Why SQLite's last call failed. */
static const char *
failure(sqlite3 *db)
{
    switch (db == NULL ? SQLITE_CANTOPEN : sqlite3_errcode(db) & 0xFF) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return damaged;
    case SQLITE_NOMEM:
        return no_memory;
    default:
        return no_access;
    }
}

/* What the file's state means to a server; NULL if it can go on. */
static const char *
obstacle(ms_store *store)
{
    switch (ms_schema_examine(store->db, ms_schema_version)) {
    case MS_SCHEMA_FOREIGN:
        return foreign;
    case MS_SCHEMA_NEWER:
        return newer;
    case MS_SCHEMA_FAILED:
        return failure(store->db);
    default:
        return NULL;
    }
}

/* A log without the database that it is of: SQLite would take the empty file for a new database,
 * and delete the log. */
static bool
is_log_alone(const char *path)
{
    char log[PATH_MAX];
    struct stat status;
    int len = snprintf(log, sizeof log, "%s-wal", path);
    if (len < 0 || (size_t)len >= sizeof log || (stat(path, &status) == 0 && status.st_size > 0)) {
        return false;
    }
    return stat(log, &status) == 0 && status.st_size > 0;
}

static ms_store *
allocate(const ms_store_rules *rules)
{
    ms_store *store = calloc(1, sizeof *store);
    void *scratch = malloc(SCRATCH);
    if (store == NULL || scratch == NULL) {
        free(store);
        free(scratch);
        return NULL;
    }
    store->lock = -1;
    store->rules = *rules;
    store->scratch_memory = scratch;
    ms_arena_init(&store->scratch, scratch, SCRATCH);
    return store;
}

static const char *
open_to_serve(ms_store *store, const char *path)
{
    store->lock = ms_lock_take(path);
    if (store->lock == MS_LOCK_HELD) {
        return in_use;
    }
    if (is_log_alone(path)) {
        return damaged;
    }
    if (store->lock == MS_LOCK_FAILED || !make_private_file(path)) {
        return errno == ENAMETOOLONG ? too_long : no_access;
    }
    if (!connect(store, path)) {
        return failure(store->db);
    }
    const char *problem = obstacle(store);
    if (problem != NULL) {
        return problem;
    }
    if (!is_sound(store->db)) {
        return damaged;
    }
    if (!settle(store)) {
        return failure(store->db);
    }
    if (ms_schema_update(store->db, ms_schema_steps, ms_schema_version) != MS_SCHEMA_CURRENT) {
        return not_made;
    }
    store->checkpoint = ms_checkpoint_start(store->db);
    return store->checkpoint == NULL ? no_thread : NULL;
}

static const char *
open_beside(ms_store *store, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return errno == ENOENT ? missing : no_access;
    }
    if (!connect(store, path)) {
        return failure(store->db);
    }
    const char *problem = obstacle(store);
    if (problem != NULL) {
        return problem;
    }
    if (ms_schema_examine(store->db, ms_schema_version) == MS_SCHEMA_OLDER) {
        return older;
    }
    return settle(store) ? NULL : failure(store->db);
}

static ms_store *
open_by(const char *(*way)(ms_store *store, const char *path), const char *path,
        const ms_store_rules *rules, const char **problem)
{
    if (*path == '\0') {
        *problem = no_path;
        return NULL;
    }
    ms_store *store = allocate(rules);
    if (store == NULL) {
        *problem = no_memory;
        return NULL;
    }
    *problem = way(store, path);
    if (*problem != NULL) {
        ms_store_close(store);
        return NULL;
    }
    return store;
}

ms_store *
ms_store_open(const char *path, const ms_store_rules *rules, const char **problem)
{
    return open_by(open_to_serve, path, rules, problem);
}

ms_store *
ms_store_attach(const char *path, const ms_store_rules *rules, const char **problem)
{
    return open_by(open_beside, path, rules, problem);
}

void
ms_store_close(ms_store *store)
{
    if (store == NULL) {
        return;
    }
    for (size_t i = 0; i < MS_QUERY_COUNT; i++) {
        (void)sqlite3_finalize(store->statements[i].statement);
    }
    ms_checkpoint_end(store->checkpoint);
    (void)sqlite3_close(store->db);
    if (store->lock >= 0) {
        (void)close(store->lock);
    }
    free(store->scratch_memory);
    free(store);
}

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

ms_store_result
ms_store_begin(ms_store *store)
{
    if (sqlite3_get_autocommit(store->db) == 0) { /* the last one could not even be rolled back */
        ms_store_rollback(store);
    }
    ms_store_starts(store);
    store->failed = false;
    store->lead_ids = -1;
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
    (void)ms_sql_run(ms_sql_begin(store, MS_COMMIT));
    if (!store->failed) {
        forget_changes(store);
        store->seen_for_good = store->seen;
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
    forget_changes(store);
    store->seen = store->seen_for_good;
    /* After some errors, such as a full disk, SQLite has rolled back by itself. */
    if (sqlite3_get_autocommit(store->db) == 0) {
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    store->failed = false;
}
