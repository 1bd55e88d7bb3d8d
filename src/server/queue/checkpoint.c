#include "checkpoint.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * How long the log gets before it is copied: 16 MB. It is not cut afterwards (unless it has got
 * longer than 64 MB), since a file that keeps its size is synced faster than one that grows. The
 * longer it gets, the more often a page that changed twice is copied once.
 */
#define LOG_PAGES 4000

typedef enum {
    NOTHING_DUE,
    COPYING,
    TRIED /* the writer has the rest to copy: what it wrote meanwhile, or more if this failed */
} state;

struct ms_checkpoint {
    sqlite3 *writer;
    int log_pages; /* as of its last commit; 0: all of it is copied. The writer's thread's */

    pthread_t thread;
    sqlite3 *db; /* the thread's own */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    state state;
    int copied_pages; /* from the log's start, by the thread */
    bool ending;
};

/*
 * How many pages of the log, from its start, are copied now. What is not, because another process
 * reads, or the disk is full, is copied another time.
 *
 * Never on a log of which all is copied: the next commit writes such a log from its start, and
 * SQLite before 3.51.3 may then note of new pages that they are copied
 * (https://sqlite.org/wal.html#walresetbug). As long as some are not copied, no commit does that.
 */
static int
copy(sqlite3 *db)
{
    int copied = 0;
    int result = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &copied);
    return result == SQLITE_OK ? copied : 0;
}

static void *
run(void *argument)
{
    ms_checkpoint *checkpoint = argument;
    (void)pthread_mutex_lock(&checkpoint->lock);
    while (!checkpoint->ending) {
        if (checkpoint->state != COPYING) {
            (void)pthread_cond_wait(&checkpoint->changed, &checkpoint->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&checkpoint->lock);
        int copied = copy(checkpoint->db);
        (void)pthread_mutex_lock(&checkpoint->lock);
        checkpoint->copied_pages = copied;
        checkpoint->state = TRIED;
    }
    (void)pthread_mutex_unlock(&checkpoint->lock);
    return NULL;
}

static int
note_length(void *argument, sqlite3 *db, const char *name, int pages)
{
    ms_checkpoint *checkpoint = argument;
    (void)db;
    (void)name;
    checkpoint->log_pages = pages;
    return SQLITE_OK;
}

/* A connection knows of the log once it has read something. */
static bool
connect(ms_checkpoint *checkpoint)
{
    return sqlite3_open_v2(sqlite3_db_filename(checkpoint->writer, "main"), &checkpoint->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
           sqlite3_exec(checkpoint->db, "PRAGMA synchronous = FULL; PRAGMA user_version", NULL,
                        NULL, NULL) == SQLITE_OK;
}

static void
release(ms_checkpoint *checkpoint)
{
    (void)sqlite3_close(checkpoint->db);
    (void)pthread_cond_destroy(&checkpoint->changed);
    (void)pthread_mutex_destroy(&checkpoint->lock);
    free(checkpoint);
}

ms_checkpoint *
ms_checkpoint_start(sqlite3 *writer)
{
    ms_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    if (checkpoint == NULL) {
        return NULL;
    }
    checkpoint->writer = writer;
    (void)pthread_mutex_init(&checkpoint->lock, NULL);
    (void)pthread_cond_init(&checkpoint->changed, NULL);
    if (!connect(checkpoint) || pthread_create(&checkpoint->thread, NULL, run, checkpoint) != 0) {
        release(checkpoint);
        return NULL;
    }
    (void)sqlite3_wal_hook(writer, note_length, checkpoint);
    return checkpoint;
}

void
ms_checkpoint_see_to(ms_checkpoint *checkpoint)
{
    if (checkpoint == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&checkpoint->lock);
    bool tried = checkpoint->state == TRIED;
    int copied = checkpoint->copied_pages;
    if (tried) {
        checkpoint->state = NOTHING_DUE;
    } else if (checkpoint->state == NOTHING_DUE && checkpoint->log_pages >= LOG_PAGES) {
        checkpoint->state = COPYING;
        (void)pthread_cond_signal(&checkpoint->changed);
    }
    (void)pthread_mutex_unlock(&checkpoint->lock);
    if (tried && checkpoint->log_pages > copied) {
        copied = copy(checkpoint->writer);
    }
    /* If it is shorter than that, it has been begun from its start again already. */
    if (tried && checkpoint->log_pages == copied) {
        checkpoint->log_pages = 0;
    }
}

void
ms_checkpoint_end(ms_checkpoint *checkpoint)
{
    if (checkpoint == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&checkpoint->lock);
    checkpoint->ending = true;
    (void)pthread_cond_signal(&checkpoint->changed);
    (void)pthread_mutex_unlock(&checkpoint->lock);
    (void)pthread_join(checkpoint->thread, NULL);
    (void)sqlite3_wal_hook(checkpoint->writer, NULL, NULL);
    release(checkpoint);
}
