#include "acceptor.h"

#include "clock.h"
#include "log.h"
#include "metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* How long to pause at most, for whatever it is. */
#define WAIT_MAX_US 100000

/* How long those who were answered are waited for: a part of what the commit took, if that was as
 * long as on a disk that syncs slowly. */
#define GATHER 2
#define GATHER_IF_US 1000

/* After a commit has failed, nothing that need not be is put to the disk, at least so long. */
#define NO_FORGETTING_MS 10000

/* And while nobody sends anything, so often it is tried whether one goes well again. */
#define TRY_US 5000000

struct ms_acceptor {
    pthread_t thread;
    ms_store *store;
    void (*accepted)(void *argument);
    void *argument;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    ms_job *jobs;
    ms_job **jobs_end;
    size_t job_count;
    size_t wanted;         /* the thread waits for so many */
    int64_t accepted_last; /* a message's number */
    int64_t carried_out;
    bool stopping;

    /* The thread's own. */
    bool trouble;        /* its last commit failed */
    int64_t forget_from; /* milliseconds, monotonic: what is carried out is not deleted before */
};

static void
end_jobs(ms_job *jobs, bool stored)
{
    while (jobs != NULL) {
        ms_job *next = jobs->next; /* it may be gone afterwards */
        jobs->done(jobs, stored);
        jobs = next;
    }
}

static bool
may_forget(const ms_acceptor *acceptor)
{
    return ms_clock_steady_ms() >= acceptor->forget_from;
}

/* All of a turn that is within its transaction. */
static ms_store_result
write_down(ms_acceptor *acceptor, const ms_job *jobs, int64_t carried_out)
{
    int64_t now = ms_clock_now();
    for (const ms_job *job = jobs; job != NULL; job = job->next) {
        if (ms_store_accept(acceptor->store, job->commands, now) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
    }
    if (acceptor->trouble && jobs == NULL) {
        return ms_store_try(acceptor->store);
    }
    return may_forget(acceptor) ? ms_store_forget_carried_out(acceptor->store, carried_out)
                                : MS_STORE_OK;
}

static bool
commit(ms_acceptor *acceptor, const ms_job *jobs, int64_t carried_out)
{
    bool begun = ms_store_begin(acceptor->store) == MS_STORE_OK;
    bool stored = begun && write_down(acceptor, jobs, carried_out) == MS_STORE_OK &&
                  ms_store_commit(acceptor->store) == MS_STORE_OK;
    if (!stored && !acceptor->trouble) {
        ms_log("error", "queue_failed", "message", ms_store_problem(acceptor->store));
        ms_metrics_queue_failed();
    }
    if (begun && !stored) {
        ms_store_rollback(acceptor->store);
    }
    if (stored && acceptor->trouble) {
        ms_log("info", "queue_recovered", NULL, NULL);
        ms_metrics_queue_recovered();
    }
    acceptor->trouble = !stored;
    if (!stored) {
        acceptor->forget_from = ms_clock_steady_ms() + NO_FORGETTING_MS;
    }
    return stored;
}

/* Holding the lock, until there are so many jobs, or the time is over. */
static void
wait_for_jobs(ms_acceptor *acceptor, size_t jobs, int64_t us)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t ns = end.tv_nsec + us * 1000;
    end.tv_sec += ns / 1000000000;
    end.tv_nsec = ns % 1000000000;
    acceptor->wanted = jobs;
    while (!acceptor->stopping && acceptor->job_count < jobs &&
           pthread_cond_timedwait(&acceptor->changed, &acceptor->lock, &end) == 0) {
    }
    acceptor->wanted = 0;
}

/*
 * After a commit: those who were answered come again, if they are as busy as that. They are waited
 * for a little, so that they share a commit with those who came meanwhile. Else there would be two
 * groups by turns, each waiting for the other's commit.
 */
static void
gather(ms_acceptor *acceptor, size_t answered, int64_t took_us)
{
    int64_t wait = took_us / GATHER;
    if (took_us >= GATHER_IF_US) {
        wait_for_jobs(acceptor, acceptor->job_count + answered,
                      wait < WAIT_MAX_US ? wait : WAIT_MAX_US);
    }
}

/* As long as the commit took for each MS_BACKLOG_LARGE that waits. More jobs than this there never
 * are. */
static void
let_catch_up(ms_acceptor *acceptor, int64_t took_us)
{
    int64_t backlog = acceptor->accepted_last - acceptor->carried_out;
    int64_t wait = backlog / MS_BACKLOG_LARGE * took_us;
    wait_for_jobs(acceptor, MS_JOBS_MAX, wait < WAIT_MAX_US ? wait : WAIT_MAX_US);
}

/* How long it took; microseconds. */
static int64_t
run_turn(ms_acceptor *acceptor, ms_job *jobs, int64_t carried_out)
{
    int64_t start = ms_clock_steady_us();
    bool stored = commit(acceptor, jobs, carried_out);
    if (stored && jobs != NULL) {
        (void)pthread_mutex_lock(&acceptor->lock);
        acceptor->accepted_last = ms_store_last_accepted(acceptor->store);
        (void)pthread_mutex_unlock(&acceptor->lock);
        acceptor->accepted(acceptor->argument);
    }
    end_jobs(jobs, stored);
    ms_store_checkpoint(acceptor->store);
    return ms_clock_steady_us() - start;
}

static bool
has_work(const ms_acceptor *acceptor)
{
    return acceptor->jobs != NULL ||
           (may_forget(acceptor) &&
            ms_store_holds_carried_out(acceptor->store, acceptor->carried_out));
}

static void *
run(void *argument)
{
    ms_acceptor *acceptor = argument;
    (void)pthread_mutex_lock(&acceptor->lock);
    while (acceptor->jobs != NULL || !acceptor->stopping) {
        if (acceptor->trouble && acceptor->jobs == NULL) {
            wait_for_jobs(acceptor, 1, TRY_US);
        } else if (!has_work(acceptor)) {
            (void)pthread_cond_wait(&acceptor->changed, &acceptor->lock);
            continue;
        }
        ms_job *jobs = acceptor->jobs;
        size_t count = acceptor->job_count;
        int64_t carried_out = acceptor->carried_out;
        acceptor->jobs = NULL;
        acceptor->jobs_end = &acceptor->jobs;
        acceptor->job_count = 0;
        (void)pthread_mutex_unlock(&acceptor->lock);
        int64_t took = run_turn(acceptor, jobs, carried_out);
        (void)pthread_mutex_lock(&acceptor->lock);
        if (count > 0) {
            gather(acceptor, count, took);
            let_catch_up(acceptor, took);
        }
    }
    (void)pthread_mutex_unlock(&acceptor->lock);
    return NULL;
}

static void
release(ms_acceptor *acceptor)
{
    (void)pthread_cond_destroy(&acceptor->changed);
    (void)pthread_mutex_destroy(&acceptor->lock);
    free(acceptor);
}

ms_acceptor *
ms_acceptor_start(ms_store *accepting, int64_t carried_out, void (*accepted)(void *argument),
                  void *argument)
{
    pthread_condattr_t clock;
    ms_acceptor *acceptor = calloc(1, sizeof *acceptor);
    if (acceptor == NULL) {
        return NULL;
    }
    acceptor->store = accepting;
    acceptor->accepted = accepted;
    acceptor->argument = argument;
    acceptor->jobs_end = &acceptor->jobs;
    acceptor->accepted_last = ms_store_last_accepted(accepting);
    acceptor->carried_out = carried_out;
    (void)pthread_mutex_init(&acceptor->lock, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&acceptor->changed, &clock);
    (void)pthread_condattr_destroy(&clock);
    if (pthread_create(&acceptor->thread, NULL, run, acceptor) != 0) {
        release(acceptor);
        return NULL;
    }
    return acceptor;
}

bool
ms_acceptor_submit(ms_acceptor *acceptor, ms_job *job)
{
    (void)pthread_mutex_lock(&acceptor->lock);
    bool taken = acceptor->job_count < MS_JOBS_MAX && !acceptor->stopping;
    bool first = acceptor->jobs == NULL; /* else the thread has been woken already */
    if (taken) {
        job->next = NULL;
        *acceptor->jobs_end = job;
        acceptor->jobs_end = &job->next;
        acceptor->job_count++;
    }
    if (taken && (first || acceptor->job_count == acceptor->wanted)) {
        (void)pthread_cond_signal(&acceptor->changed);
    }
    (void)pthread_mutex_unlock(&acceptor->lock);
    return taken;
}

void
ms_acceptor_carried_out(ms_acceptor *acceptor, int64_t number)
{
    (void)pthread_mutex_lock(&acceptor->lock);
    if (number > acceptor->carried_out) { /* 0 if it could not be read */
        acceptor->carried_out = number;
    }
    (void)pthread_cond_signal(&acceptor->changed);
    (void)pthread_mutex_unlock(&acceptor->lock);
}

int64_t
ms_acceptor_waiting(ms_acceptor *acceptor)
{
    (void)pthread_mutex_lock(&acceptor->lock);
    int64_t waiting = acceptor->accepted_last - acceptor->carried_out;
    (void)pthread_mutex_unlock(&acceptor->lock);
    return waiting > 0 ? waiting : 0;
}

void
ms_acceptor_stop(ms_acceptor *acceptor)
{
    (void)pthread_mutex_lock(&acceptor->lock);
    acceptor->stopping = true;
    (void)pthread_cond_signal(&acceptor->changed);
    (void)pthread_mutex_unlock(&acceptor->lock);
    (void)pthread_join(acceptor->thread, NULL);
    release(acceptor);
}
