#include "database.h"

#include "../../core/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long a person's command and the server wait for each other's transaction. */
#define BUSY_MS 5000

/* Of a file that is not there: its folder's path, and its name behind that. */
static bool
resolve_new(const char *path, char resolved[static PATH_MAX])
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    int len = snprintf(folder, sizeof folder, "%.*s", (int)(name - path), path);
    if (len < 0 || (size_t)len >= sizeof folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (realpath(len == 0 ? "." : folder, resolved) == NULL) {
        return false;
    }
    size_t end = strlen(resolved);
    len = snprintf(resolved + end, PATH_MAX - end, "%s%s", end > 1 ? "/" : "", name);
    errno = ENAMETOOLONG;
    return len >= 0 && (size_t)len < PATH_MAX - end;
}

bool
ms_database_resolve(const char *path, char resolved[static PATH_MAX])
{
    struct stat status;
    if (realpath(path, resolved) != NULL) {
        return true;
    }
    if (errno != ENOENT) {
        return false;
    }
    if (lstat(path, &status) == 0) {
        errno = ENOLINK;
        return false;
    }
    return resolve_new(path, resolved);
}

bool
ms_database_is_linked(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 &&
           (S_ISLNK(status.st_mode) || (S_ISREG(status.st_mode) && status.st_nlink > 1));
}

bool
ms_database_make(const char *path)
{
    /* SQLite would make the file for everyone to read. */
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file >= 0) {
        return close(file) == 0;
    }
    return errno == EEXIST;
}

bool
ms_database_is_no_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

bool
ms_database_is_empty(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_size == 0;
}

bool
ms_database_is_log_alone(const char *path)
{
    char log[PATH_MAX];
    struct stat status;
    int len = snprintf(log, sizeof log, "%s-wal", path);
    if (len < 0 || (size_t)len >= sizeof log || (stat(path, &status) == 0 && status.st_size > 0)) {
        return false;
    }
    return stat(log, &status) == 0 && status.st_size > 0;
}

bool
ms_database_may_be_written(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char name[PATH_MAX];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int len = snprintf(name, sizeof name, "%s%s", path, endings[i]);
        if (len < 0 || (size_t)len >= sizeof name || (access(name, W_OK) != 0 && errno != ENOENT)) {
            return false;
        }
    }
    return true;
}

static bool
run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

bool
ms_database_connect(const char *path, sqlite3 **db)
{
    char file[PATH_MAX];
    /* "file:x" and ":memory:" are paths here, not what SQLite takes them for. */
    int len = snprintf(file, sizeof file, "%s%s", *path == '/' ? "" : "./", path);
    if (len < 0 || (size_t)len >= sizeof file) {
        return false;
    }
    if (sqlite3_open_v2(file, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        return false;
    }
    /* A damaged file is left as it is: its log stays beside it, too, until it is known to be sound.
     */
    return sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
           sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
           sqlite3_busy_timeout(*db, BUSY_MS) == SQLITE_OK &&
           run(*db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                    "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                    "PRAGMA cache_size = -16000;");
}

bool
ms_database_is_read_only(sqlite3 *db)
{
    if (sqlite3_db_readonly(db, "main") != 0) {
        return true;
    }
    /* Of its log only an attempt tells it. */
    int result = sqlite3_exec(db, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL);
    return (result & 0xFF) == SQLITE_READONLY;
}

static bool
has_failed(sqlite3 *db, int which)
{
    sqlite3_file *file = NULL;
    int error = 0;
    return sqlite3_file_control(db, "main", which, &file) == SQLITE_OK && file != NULL &&
           file->pMethods != NULL &&
           file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error) == SQLITE_OK &&
           error != 0;
}

/* What is wrong with it, by the check's text, which has what could not be read beside what is
 * damaged. */
static int
fault(sqlite3 *db, const char *text)
{
    if (strcmp(text, "ok") == 0) {
        return SQLITE_OK;
    }
    if (has_failed(db, SQLITE_FCNTL_FILE_POINTER) || has_failed(db, SQLITE_FCNTL_JOURNAL_POINTER)) {
        return SQLITE_IOERR;
    }
    const char *code = strstr(text, "error code=7");
    bool no_memory = code != NULL && !ms_is_digit(code[strlen("error code=7")]);
    return no_memory || strstr(text, "failed to get page") != NULL ? SQLITE_NOMEM : SQLITE_CORRUPT;
}

int
ms_database_check(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    result = result == SQLITE_OK ? sqlite3_step(statement) : result;
    if (result == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        result = text == NULL ? SQLITE_NOMEM : fault(db, text);
    }
    int end = sqlite3_finalize(statement);
    return (result == SQLITE_OK ? end : result) & 0xFF;
}

/* What is deleted is overwritten as far as that costs nothing. The log is copied by the server
 * alone (checkpoint.h), and by whoever closes the database last. */
bool
ms_database_settle(sqlite3 *db)
{
    return run(db, "PRAGMA journal_mode = WAL") &&
           run(db, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                   "PRAGMA journal_size_limit = 67108864; PRAGMA secure_delete = FAST;") &&
           sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL) == SQLITE_OK;
}
