/*
 * The worker: the one thread that owns the queue (queue/store.h) and the connections to Marketo
 * (marketo/backend.h). Beside it is the acceptor (acceptor.h).
 *
 * It goes round: carries out what was accepted, takes up answers of Marketo's and starts the calls
 * that are due, and commits all of that at once.
 */
#ifndef MS_WORKER_H
#define MS_WORKER_H

#include "acceptor.h"
#include "marketo/backend.h"
#include "queue/store.h"

typedef struct ms_worker ms_worker;

/*
 * Starts both threads. The store and the backends, a list by `beside`, NULL for none, are the
 * worker's from now on. NULL without memory or thread; then they are still the caller's.
 */
ms_worker *ms_worker_start(ms_store *store, ms_backend *backends);

/* As ms_acceptor_submit. */
bool ms_worker_submit(ms_worker *worker, ms_job *job);

/* What waits and what was done, for /metrics; a copy of what the worker last knew. From any thread.
 */
void ms_worker_counts(ms_worker *worker, ms_store_counts *counts);

/* Ends: gives calls under way `drain_ms` to end, writes down the jobs that have come, closes the
 * store. What was not carried out waits for the next start. */
void ms_worker_stop(ms_worker *worker, int64_t drain_ms);

#endif
