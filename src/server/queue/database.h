/*
 * One file of the queue's: an SQLite database in WAL mode, readable for its owner alone.
 */
#ifndef MS_DATABASE_H
#define MS_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>

/* Makes an empty file, for its owner alone, if there is none. False with errno if there is none in
 * the end. */
bool ms_database_make(const char *path);

/* Is there a log without the database that it is of? SQLite would take the empty file for a new
 * database, and delete the log. */
bool ms_database_is_log_alone(const char *path);

/* Opens the file as it is; nothing of it is read yet, and whatever is found to be wrong with it, it
 * is left as it is. If it fails, `*db` is to be closed all the same. */
bool ms_database_connect(const char *path, sqlite3 **db);

/* Reads all of it. */
bool ms_database_is_sound(sqlite3 *db);

/* Makes it ready to be written: what is committed is on disk. */
bool ms_database_settle(sqlite3 *db);

#endif
