/* Opening the queue: its two files, what may be wrong with them, and what to do then. */

#include "database.h"
#include "lineage.h"
#include "lock.h"
#include "problems.h"
#include "schema.h"
#include "statements.h"
#include "take_over.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for a lead's fields, waiting, in flight and new, taken apart. Untouched memory costs
 * nothing. */
#define SCRATCH ((size_t)32 << 20)

/* One of the two files. */
typedef struct {
    const ms_schema *schema;
    const char *ending; /* behind the path */
    const char *damaged;
    const char *foreign;
    const char *no_file;
    const char *cache_size; /* NULL: as it is */
} part;

static const part queue = {
    .schema = &ms_queue_schema,
    .ending = "",
    .damaged = "The database is damaged, or no database at all; it was left as it is. Move it "
               "away, with the files of its name that end in -wal and -shm, and the next start "
               "makes a new one. What waits in the old one can often be saved before that with "
               "the sqlite3 program's .recover.",
    .foreign = "The file is a database of another program; give another path by --db.",
    .no_file = "This is no file, so it can be no database; give another path by --db.",
};

static const part accepted = {
    .schema = &ms_accepted_schema,
    .ending = "-accepted",
    .damaged = "The file of accepted requests, which has the database's name and -accepted behind "
               "it, is damaged; it was left as it is. Move it away, with the files of its name "
               "that end in -wal and -shm, and the next start makes a new one. What waits in the "
               "old one can often be saved before that with the sqlite3 program's .recover.",
    .foreign = "The file of the database's name with -accepted behind it is another program's; "
               "give another path by --db.",
    .no_file = "What has the database's name with -accepted behind it is no file; move it away, or "
               "give another path by --db.",
    .cache_size = "PRAGMA cache_size = -2000", /* it is written and read from end to end */
};

/* What an error of SQLite's means. */
static const char *
meaning(const part *part, int result)
{
    switch (result) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return part->damaged;
    case SQLITE_NOMEM:
        return no_memory;
    case SQLITE_IOERR:
        return unreadable;
    default:
        return no_access;
    }
}

/* Why SQLite's last call failed. */
static const char *
failure(const part *part, sqlite3 *db)
{
    return meaning(part, db == NULL ? SQLITE_CANTOPEN : sqlite3_errcode(db) & 0xFF);
}

static const char *
read_all(const part *part, ms_store *store)
{
    if (ms_database_is_read_only(store->db)) {
        return no_access;
    }
    int result = ms_database_check(store->db);
    return result == SQLITE_OK ? NULL : meaning(part, result);
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
    store->lead_ids = -1;
    store->rules = *rules;
    store->scratch_memory = scratch;
    ms_arena_init(&store->scratch, scratch, SCRATCH);
    return store;
}

/* What is wrong with a file's names, before anything is made or opened. */
static const char *
look(const part *part, const char *path)
{
    if (ms_database_is_linked(path)) {
        return linked;
    }
    if (ms_database_is_no_file(path)) {
        return part->no_file;
    }
    return ms_database_is_log_alone(path) ? part->damaged : NULL;
}

/* Opens a file that is there, for who reads it. NULL if it can be used, unless it is older. */
static const char *
connect(const part *part, const char *path, ms_store *store)
{
    if (!ms_database_connect(path, &store->db) ||
        (part->cache_size != NULL &&
         sqlite3_exec(store->db, part->cache_size, NULL, NULL, NULL) != SQLITE_OK)) {
        return failure(part, store->db);
    }
    switch (ms_schema_examine(store->db, part->schema)) {
    case MS_SCHEMA_FOREIGN:
        return part->foreign;
    case MS_SCHEMA_NEWER:
        return newer;
    case MS_SCHEMA_FAILED:
        return failure(part, store->db);
    default:
        return NULL;
    }
}

/* As connect, for who writes it. */
static const char *
connect_to_write(const part *part, const char *path, ms_store *store)
{
    return ms_database_may_be_written(path) ? connect(part, path, store) : no_access;
}

static const char *
connect_to_serve(const part *part, const char *path, ms_store *store)
{
    const char *problem = look(part, path);
    if (problem != NULL) {
        return problem;
    }
    if (!ms_database_make(path)) {
        return errno == ENAMETOOLONG ? too_long : no_access;
    }
    problem = connect_to_write(part, path, store);
    return problem != NULL ? problem : read_all(part, store);
}

static bool
name(char path[static PATH_MAX], const char *database, const part *part)
{
    int len = snprintf(path, PATH_MAX, "%s%s", database, part->ending);
    return len >= 0 && len < PATH_MAX;
}

static const char *
settle(const part *part, ms_store *store)
{
    return ms_database_settle(store->db) ? NULL : failure(part, store->db);
}

static const char *
open_to_serve(ms_store *store, const char *path)
{
    char beside[PATH_MAX];
    if (!name(beside, path, &accepted)) {
        return too_long;
    }
    store->lock = ms_lock_take(path);
    if (store->lock == MS_LOCK_HELD) {
        return in_use;
    }
    if (store->lock == MS_LOCK_FAILED) {
        return errno == ENAMETOOLONG ? too_long : no_access;
    }
    const char *problem = connect_to_serve(&queue, path, store);
    if (problem == NULL) {
        problem = connect_to_serve(&accepted, beside, store->accepting);
    }
    if (problem == NULL) {
        problem = connect(&accepted, beside, store->accepted);
    }
    problem = problem != NULL ? problem : settle(&queue, store);
    problem = problem != NULL ? problem : settle(&accepted, store->accepting);
    problem = problem != NULL ? problem : settle(&accepted, store->accepted);
    if (problem != NULL) {
        return problem;
    }
    if (ms_schema_update(store->accepting->db, &ms_accepted_schema) != MS_SCHEMA_CURRENT ||
        !ms_store_take_over(store) ||
        ms_schema_update(store->db, &ms_queue_schema) != MS_SCHEMA_CURRENT ||
        !ms_lineage_go_on(store)) {
        return not_made;
    }
    store->checkpoint = ms_checkpoint_start(store->db);
    store->accepting->checkpoint = ms_checkpoint_start(store->accepting->db);
    return store->checkpoint == NULL || store->accepting->checkpoint == NULL ? no_thread : NULL;
}

typedef const char *connecting(const part *part, const char *path, ms_store *store);

/* A file that is there. `older` if it is not as new as this program. */
static const char *
connect_there(const part *part, const char *path, ms_store *store, connecting *way)
{
    struct stat status;
    const char *problem = look(part, path);
    if (problem != NULL) {
        return problem;
    }
    if (stat(path, &status) != 0) {
        return errno == ENOENT ? missing : no_access;
    }
    problem = way(part, path, store);
    if (problem != NULL) {
        return problem;
    }
    return ms_schema_examine(store->db, part->schema) == MS_SCHEMA_OLDER ? older : NULL;
}

static const char *
connect_beside(const part *part, const char *path, ms_store *store)
{
    const char *problem = connect_there(part, path, store, connect);
    return problem != NULL ? problem : settle(part, store);
}

static const char *
open_beside(ms_store *store, const char *path)
{
    char beside[PATH_MAX];
    if (!name(beside, path, &accepted)) {
        return too_long;
    }
    const char *problem = connect_beside(&queue, path, store);
    if (problem == older && ms_database_is_empty(path)) {
        return empty; /* nobody made it, a server's start may */
    }
    if (problem != NULL && problem != older) {
        return problem;
    }
    const char *second = connect_beside(&accepted, beside, store->accepted);
    if (second == missing) { /* a copy of the database alone: nothing waits to be carried out */
        ms_store_close(store->accepted);
        store->accepted = NULL;
        second = NULL;
    }
    return second != NULL ? second : problem;
}

/* As connect_to_serve, but nothing is made. */
static const char *
connect_to_examine(const part *part, const char *path, ms_store *store)
{
    const char *problem = connect_there(part, path, store, connect_to_write);
    if (problem != NULL && problem != older) {
        return problem;
    }
    const char *second = read_all(part, store);
    if (second != NULL) {
        return second;
    }
    return problem != NULL ? problem : settle(part, store);
}

static const char *
open_to_examine(ms_store *store, const char *path)
{
    char beside[PATH_MAX];
    if (!name(beside, path, &accepted)) {
        return too_long;
    }
    if (!ms_lock_can_be_taken(path)) {
        return no_access;
    }
    const char *problem = connect_to_examine(&queue, path, store);
    if (problem != NULL && problem != older && problem != missing) {
        return problem;
    }
    const char *second = connect_to_examine(&accepted, beside, store->accepted);
    bool is_mended = second == missing || (second == older && problem != NULL);
    return second == NULL || is_mended ? problem : second;
}

/* What cannot be resolved cannot be opened. */
static const char *
resolve(const char *path, char resolved[static PATH_MAX], bool is_made)
{
    if (*path == '\0') {
        return no_path;
    }
    if (ms_database_resolve(path, resolved)) {
        return NULL;
    }
    switch (errno) {
    case ENOLINK:
        return dangling;
    case ENAMETOOLONG:
        return too_long;
    default:
        return errno == ENOENT && !is_made ? missing : no_access;
    }
}

static ms_store *
open_by(const char *(*way)(ms_store *store, const char *path), const char *path,
        const ms_store_rules *rules, const char **problem)
{
    char resolved[PATH_MAX];
    *problem = resolve(path, resolved, way != open_beside);
    if (*problem != NULL) {
        return NULL;
    }
    ms_store *store = allocate(rules);
    if (store == NULL) {
        *problem = no_memory;
        return NULL;
    }
    store->accepted = allocate(rules);
    store->accepting = way == open_to_serve ? allocate(rules) : NULL;
    bool allocated = store->accepted != NULL && (way != open_to_serve || store->accepting != NULL);
    *problem = allocated ? way(store, resolved) : no_memory;
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

ms_store_state
ms_store_examine(const char *path, const char **problem)
{
    ms_store *store = open_by(open_to_examine, path, &(ms_store_rules){0}, problem);
    ms_store_close(store);
    return *problem == NULL      ? MS_STORE_CURRENT
           : *problem == older   ? MS_STORE_OLDER
           : *problem == missing ? MS_STORE_NEW
                                 : MS_STORE_REFUSED;
}

void
ms_store_close(ms_store *store)
{
    if (store == NULL) {
        return;
    }
    ms_store_close(store->accepted);
    ms_store_close(store->accepting);
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

ms_store *
ms_store_accepting(ms_store *store)
{
    return store->accepting;
}
