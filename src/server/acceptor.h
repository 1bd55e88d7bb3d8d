/*
 * The acceptor: the one thread that writes down what requests ask for (ms_store_accepting), so that
 * they wait for nothing else that is done with the queue.
 *
 * It takes all jobs that have come and commits them at once. So one fdatasync serves every request
 * that came meanwhile, and a job is done only when it is on disk. What is carried out it deletes
 * again.
 */
#ifndef MS_ACCEPTOR_H
#define MS_ACCEPTOR_H

#include "command.h"
#include "queue/store.h"

typedef struct ms_acceptor ms_acceptor;

/* A request's commands; its owner is whoever submits it, until `done` is called. */
typedef struct ms_job {
    const ms_command *commands; /* linked by `next` */
    /* Called in the acceptor's thread, once. `stored` is false if nothing of it is on disk: then
     * try later. */
    void (*done)(struct ms_job *job, bool stored);
    struct ms_job *next; /* the acceptor's */
} ms_job;

/*
 * Starts the thread. `accepting` stays the caller's, as does `argument`, with which `accepted` is
 * called, in the thread, after each commit of jobs and before they are done. `carried_out` is the
 * number of the last message that is. NULL without memory or thread.
 */
ms_acceptor *ms_acceptor_start(ms_store *accepting, int64_t carried_out,
                               void (*accepted)(void *argument), void *argument);

/* From any thread. False if so much waits already that the job is not taken (MS_JOBS_MAX), and
 * `done` not called. */
bool ms_acceptor_submit(ms_acceptor *acceptor, ms_job *job);

/* All messages up to this number are carried out for good. From any thread. */
void ms_acceptor_carried_out(ms_acceptor *acceptor, int64_t number);

/* Messages that are accepted, and not yet known to be carried out. From any thread. */
int64_t ms_acceptor_waiting(ms_acceptor *acceptor);

/* Ends, once the jobs that have come are done. */
void ms_acceptor_stop(ms_acceptor *acceptor);

#define MS_JOBS_MAX 65536

/*
 * Those who send without end come to send as fast as it is carried out: so many messages may wait
 * for that before a commit is followed by a pause, which grows with what waits.
 */
#define MS_BACKLOG_LARGE 200000

#endif
