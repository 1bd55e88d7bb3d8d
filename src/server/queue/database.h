/*
 * One file of the queue's: an SQLite database in WAL mode, readable for its owner alone.
 */
#ifndef MS_DATABASE_H
#define MS_DATABASE_H

#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>

/*
 * The one path of the file that `path` leads to, by whatever links, as SQLite will follow them: the
 * files beside it are named by that. It need not be there, its folder must. False with errno;
 * ENOLINK: a link leads to a file that is not there.
 */
bool ms_database_resolve(const char *path, char resolved[static PATH_MAX]);

/* Has the file another name: is `path` a symbolic link, or has it hard links? Each name has a log
 * of its own beside it, and none sees what is in the others'. */
bool ms_database_is_linked(const char *path);

/* Makes an empty file, for its owner alone, if there is none. False with errno if there is none in
 * the end. */
bool ms_database_make(const char *path);

/* Is there a folder, a device or the like in its place? */
bool ms_database_is_no_file(const char *path);

/* Is there a file of no bytes? */
bool ms_database_is_empty(const char *path);

/* Is there a log without the database that it is of? SQLite would take the empty file for a new
 * database, and delete the log. */
bool ms_database_is_log_alone(const char *path);

/* May this user write it, and its log? Asked before it is opened, since SQLite makes files beside
 * it even to read it. */
bool ms_database_may_be_written(const char *path);

/* Opens the file as it is; nothing of it is read yet, and whatever is found to be wrong with it, it
 * is left as it is. If it fails, `*db` is to be closed all the same. */
bool ms_database_connect(const char *path, sqlite3 **db);

/* What SQLite could not open for writing, if only at that moment, it opens for reading alone,
 * without a word. */
bool ms_database_is_read_only(sqlite3 *db);

/* Reads all of it. SQLITE_OK if it is sound, SQLITE_CORRUPT or SQLITE_NOTADB if it is not;
 * SQLITE_NOMEM, SQLITE_IOERR and such if it could not be read. */
int ms_database_check(sqlite3 *db);

/* Makes it ready to be written: what is committed is on disk. */
bool ms_database_settle(sqlite3 *db);

#endif
