/*
 * When the database's log (SQLite's WAL) is copied into the database: SQLite's checkpoint, which
 * by itself is within whichever commit makes the log long enough, and all who wait for that commit
 * wait for the copying and its syncs, too. Here a thread of its own copies, beside the transactions
 * of the thread that writes. That one has only to copy what it wrote meanwhile: it begins the log
 * from its start again once all is copied.
 */
#ifndef MS_CHECKPOINT_H
#define MS_CHECKPOINT_H

#include <sqlite3.h>

typedef struct ms_checkpoint ms_checkpoint;

/*
 * For a log that `writer` writes, which stays the caller's and commits in one thread; nobody else
 * checkpoints. NULL if there is no memory, file or thread for it.
 */
ms_checkpoint *ms_checkpoint_start(sqlite3 *writer);

/*
 * Between two transactions of the writer, by its thread: has the copying done that is due. Nothing
 * to tell if that fails: the log stays, and the next call sees to it again. NULL is nothing to see
 * to.
 */
void ms_checkpoint_see_to(ms_checkpoint *checkpoint);

/* Before the writer is closed. NULL is nothing to end. */
void ms_checkpoint_end(ms_checkpoint *checkpoint);

#endif
