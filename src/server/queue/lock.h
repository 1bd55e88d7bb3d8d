/*
 * Who may serve a database. The lock is on a file beside it, so that others can still read and
 * write the database itself, which SQLite guards in the small.
 */
#ifndef MS_LOCK_H
#define MS_LOCK_H

#include <stdbool.h>

/*
 * Locks "<path>.lock", made if need be; the path is the database's one path
 * (ms_database_resolve). A descriptor that holds the lock until it is closed, or the
 * process ends in whatever way; MS_LOCK_HELD if another holds it; MS_LOCK_FAILED, with errno, if
 * the file cannot be made or locked.
 */
int ms_lock_take(const char *path);

/* Can its file be made, or opened where it is there? It is not, and who holds the lock does not
 * matter. */
bool ms_lock_can_be_taken(const char *path);

#define MS_LOCK_FAILED (-1)
#define MS_LOCK_HELD (-2)

#endif
