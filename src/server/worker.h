/*
 * The worker: the one thread that owns the queue (queue/store.h) and the connections to Marketo
 * (marketo/backend.h).
 *
 * It goes round: takes all jobs that have come, carries out their commands, takes up answers of
 * Marketo's and starts the calls that are due, and commits all of that at once. So one fdatasync
 * serves every request that came meanwhile, and a job is done only when it is on disk.
 */
#ifndef MS_WORKER_H
#define MS_WORKER_H

#include "command.h"
#include "marketo/backend.h"
#include "queue/store.h"

typedef struct ms_worker ms_worker;

/* A request's commands; its owner is whoever submits it, until `done` is called. */
typedef struct ms_job {
    const ms_command *commands; /* linked by `next` */
    /* Called in the worker's thread, once. `stored` is false if nothing of it is on disk: then try
     * later. */
    void (*done)(struct ms_job *job, bool stored);
    struct ms_job *next; /* the worker's */
} ms_job;

/*
 * Starts the thread. The store and the backends, a list by `beside`, NULL for none, are the
 * worker's from now on. NULL without memory or thread; then they are still the caller's.
 */
ms_worker *ms_worker_start(ms_store *store, ms_backend *backends);

/* From any thread. False if so much waits already that the job is not taken (MS_JOBS_MAX), and
 * `done` not called. */
bool ms_worker_submit(ms_worker *worker, ms_job *job);

/* What waits and what was done, for /metrics; a copy of what the worker last knew. From any thread.
 */
void ms_worker_counts(ms_worker *worker, ms_store_counts *counts);

/* Ends: carries out the jobs that have come, gives calls under way `drain_ms` to end, closes the
 * store. */
void ms_worker_stop(ms_worker *worker, int64_t drain_ms);

#define MS_JOBS_MAX 65536

#endif
