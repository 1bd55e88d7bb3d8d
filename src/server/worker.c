#include "worker.h"

#include "clock.h"
#include "log.h"
#include "marketo/central_time.h"
#include "metrics.h"
#include "sorting.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TIDY_MS 5000       /* how often some of what is old is forgotten: 500 leads a time */
#define COUNTS_MS 1000     /* how often the counts are taken anew */
#define LOOK_AGAIN_MS 1000 /* for what is due but was not started */
#define BURST_MS 100       /* how often calls are started while requests are still to be sorted */
#define IDLE_MS 60000
#define MOVED_CLOCK_MS 20
#define NICENESS 5
#define TROUBLE_MIN_MS 100 /* how long to let a store be that has failed */
#define TROUBLE_MAX_MS 5000

struct ms_worker {
    pthread_t thread;
    ms_store *store;
    ms_backend *backends;
    ms_http_client *client;
    ms_acceptor *acceptor;
    atomic_bool told; /* something is accepted, of which the thread has yet to take note */

    pthread_mutex_t lock; /* of what follows */
    bool stopping;
    int64_t drain_end; /* monotonic */
    ms_store_counts counts;

    /* The thread's own. */
    int64_t next_start; /* when backends are to be called next */
    int64_t next_tidy;
    int64_t trouble_ms;  /* 0: the store is well */
    int64_t trouble_end; /* monotonic */
    int64_t counted;     /* monotonic */
    bool counts_stale;
    bool recovered;
    ms_sorting sorting;
};

static int64_t
sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What a turn has to do. */
typedef struct {
    bool sort;    /* carrying out what was accepted */
    bool network; /* answers and calls, even if there is more to carry out */
    bool start;
    int64_t now;
} turn;

/* Starts what is due, and notes when to look again. */
static ms_store_result
start_calls(ms_worker *worker, int64_t now)
{
    int64_t wake = INT64_MAX;
    int64_t due = INT64_MAX;
    for (ms_backend *backend = worker->backends; backend != NULL; backend = backend->beside) {
        if (backend->start_calls(backend, worker->store, worker->client, now, &wake) !=
            MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
    }
    if (ms_store_next_due(worker->store, &due) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    /* What is due and was not started waits for an answer, or for the time the backend said. */
    due = due <= now ? now + LOOK_AGAIN_MS : due;
    worker->next_start = wake < due ? wake : due;
    return MS_STORE_OK;
}

/* Also when the clock was set back. */
static bool
is_tidy_due(const ms_worker *worker, int64_t now)
{
    return now >= worker->next_tidy || worker->next_tidy - now > TIDY_MS;
}

/* As a rule only once all is carried out, so that calls are few and full. */
static bool
sees_to_calls(const ms_worker *worker, const turn *turn)
{
    return turn->network || !worker->sorting.waiting;
}

/* All of a turn that is within its transaction. */
static ms_store_result
do_all(ms_worker *worker, const turn *turn)
{
    ms_store *store = worker->store;
    /* Marketo may be at work on calls of the last process. */
    if (!worker->recovered && ms_store_recover(store, turn->now, MS_CALL_LONGEST) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    if (ms_store_follow_clock(store, turn->now) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    if (turn->sort && ms_sorting_run(&worker->sorting, store, turn->now) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    if (!sees_to_calls(worker, turn)) {
        worker->next_start = sooner(worker->next_start, turn->now + BURST_MS);
        return MS_STORE_OK;
    }
    if (ms_http_client_answer(worker->client, store, turn->now) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    if (is_tidy_due(worker, turn->now) && ms_store_tidy(store, turn->now) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    /* What is left of the answers comes first. */
    bool answered = !ms_http_client_has_answers(worker->client);
    return turn->start && answered ? start_calls(worker, turn->now) : MS_STORE_OK;
}

static void
turn_went_well(ms_worker *worker, const turn *turn)
{
    ms_http_client_committed(worker->client);
    if (worker->trouble_ms > 0) {
        ms_log("info", "queue_recovered", NULL, NULL);
        ms_metrics_queue_recovered();
        worker->trouble_ms = 0;
        worker->next_start = 0;
    }
    worker->recovered = true;
    if (turn->network && is_tidy_due(worker, turn->now)) {
        worker->next_tidy = turn->now + TIDY_MS;
    }
    worker->counts_stale = true;
}

static void
turn_failed(ms_worker *worker, const char *problem)
{
    if (worker->trouble_ms == 0) {
        ms_log("error", "queue_failed", "message", problem);
        ms_metrics_queue_failed();
    }
    ms_http_client_rolled_back(worker->client);
    worker->trouble_ms = worker->trouble_ms == 0 ? TROUBLE_MIN_MS : 2 * worker->trouble_ms;
    worker->trouble_ms = worker->trouble_ms > TROUBLE_MAX_MS ? TROUBLE_MAX_MS : worker->trouble_ms;
    worker->trouble_end = ms_clock_steady_ms() + worker->trouble_ms;
    worker->next_start = 0; /* what it was set to is not true any more */
}

static void
run_turn(ms_worker *worker, const turn *turn)
{
    char problem[256] = "";
    bool stored = ms_store_begin(worker->store) == MS_STORE_OK;
    bool begun = stored;
    stored = stored && do_all(worker, turn) == MS_STORE_OK;
    stored = stored && ms_store_commit(worker->store) == MS_STORE_OK;
    if (!stored) {
        /* The store's text goes with its next call. */
        (void)snprintf(problem, sizeof problem, "%s", ms_store_problem(worker->store));
        if (begun) {
            ms_store_rollback(worker->store);
        }
    }
    if (stored) {
        turn_went_well(worker, turn);
    } else {
        turn_failed(worker, problem);
    }
    if (turn->sort) {
        ms_sorting_ended(&worker->sorting, stored);
    }
    if (turn->sort && stored) {
        ms_acceptor_carried_out(worker->acceptor, ms_store_carried_out(worker->store));
    }
    ms_store_checkpoint(worker->store);
}

/* What there is to do now. */
static turn
next_turn(ms_worker *worker)
{
    turn next = {.now = ms_clock_now()};
    (void)pthread_mutex_lock(&worker->lock);
    next.start = !worker->stopping;
    (void)pthread_mutex_unlock(&worker->lock);
    bool due = ms_sorting_is_due(&worker->sorting);
    /* While it is known that something waits, the acceptor need not wake this thread again. */
    if ((due || !worker->sorting.waiting) && atomic_exchange(&worker->told, false)) {
        ms_sorting_accepts(&worker->sorting);
        due = ms_sorting_is_due(&worker->sorting);
    }

    /* A store in trouble is asked only for what cannot wait. */
    bool well = worker->trouble_ms == 0 || ms_clock_steady_ms() >= worker->trouble_end;
    bool answers = ms_http_client_has_answers(worker->client);
    bool timely = next.now >= worker->next_start && next.start;
    next.sort = well && due;
    next.network = well && (answers || timely || is_tidy_due(worker, next.now));
    return next;
}

/* Counting reads much of a large queue, so not after each turn. */
static void
take_counts(ms_worker *worker)
{
    char day[MS_CENTRAL_DAY];
    ms_store_counts counts;
    int64_t now = ms_clock_steady_ms();
    if (!worker->counts_stale || worker->trouble_ms > 0 || now - worker->counted < COUNTS_MS) {
        return;
    }
    ms_central_day(ms_clock_now(), day);
    worker->counted = now;
    worker->counts_stale = false;
    if (ms_store_count(worker->store, day, &counts) == MS_STORE_OK) {
        worker->sorting.backlog = (int64_t)counts.messages_waiting;
        (void)pthread_mutex_lock(&worker->lock);
        worker->counts = counts;
        (void)pthread_mutex_unlock(&worker->lock);
    }
}

/* How long there will be nothing to do, unless something is accepted or an answer comes. */
static long
time_to_wait(const ms_worker *worker, bool stopping, int64_t drain_end)
{
    int64_t now = ms_clock_now();
    int64_t steady = ms_clock_steady_ms();
    int64_t wait = IDLE_MS;
    if (worker->trouble_ms > 0 && steady < worker->trouble_end) {
        wait = worker->trouble_end - steady;
    } else {
        wait = ms_http_client_has_answers(worker->client) ? 0 : wait;
        wait = sooner(wait, worker->next_tidy - now);
        wait = stopping ? wait : sooner(wait, worker->next_start - now);
        wait = sooner(wait, ms_sorting_wait(&worker->sorting));
        if (worker->counts_stale && worker->trouble_ms == 0) {
            wait = sooner(wait, worker->counted + COUNTS_MS - steady);
        }
    }
    if (stopping) {
        wait = sooner(wait, drain_end - steady);
    }
    if (ms_clock_is_moved()) {
        wait = sooner(wait, MOVED_CLOCK_MS);
    }
    return wait < 0 ? 0 : (long)wait;
}

/* Waits; false when the worker is to end and has nothing left to do. */
static bool
rest(ms_worker *worker)
{
    (void)pthread_mutex_lock(&worker->lock);
    bool stopping = worker->stopping;
    int64_t drain_end = worker->drain_end;
    (void)pthread_mutex_unlock(&worker->lock);
    if (stopping &&
        (ms_http_client_under_way(worker->client) == 0 || ms_clock_steady_ms() >= drain_end)) {
        return false;
    }
    ms_http_client_wait(worker->client, time_to_wait(worker, stopping, drain_end));
    return true;
}

static void *
run(void *argument)
{
    ms_worker *worker = argument;
    /* Of this thread alone, on Linux: who sends events waits for the acceptor, nobody for this.
     * What is accepted and not sorted yet holds up those who send, once it is too much. */
    (void)nice(NICENESS);
    do {
        turn turn = next_turn(worker);
        if (turn.sort || turn.network) {
            run_turn(worker, &turn);
        }
        take_counts(worker);
    } while (rest(worker));
    return NULL;
}

/* In the acceptor's thread. */
static void
something_accepted(void *argument)
{
    ms_worker *worker = argument;
    if (!atomic_exchange(&worker->told, true)) {
        ms_http_client_wake(worker->client);
    }
}

static void
free_worker(ms_worker *worker)
{
    if (worker->acceptor != NULL) {
        ms_acceptor_stop(worker->acceptor);
    }
    if (worker->client != NULL) {
        ms_http_client_close(worker->client);
    }
    (void)pthread_mutex_destroy(&worker->lock);
    free(worker);
}

ms_worker *
ms_worker_start(ms_store *store, ms_backend *backends)
{
    ms_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        return NULL;
    }
    worker->store = store;
    worker->backends = backends;
    ms_sorting_init(&worker->sorting);
    worker->counts_stale = true;
    worker->counted = ms_clock_steady_ms() - COUNTS_MS;
    (void)pthread_mutex_init(&worker->lock, NULL);
    worker->client = ms_http_client_open();
    if (worker->client == NULL) {
        free_worker(worker);
        return NULL;
    }
    /* Of what the last process has carried out not all need be on disk yet, and would be lost with
     * the power: it is forgotten after the first commit, not before. */
    ms_store *accepting = ms_store_accepting(store);
    worker->acceptor =
        ms_acceptor_start(accepting, ms_store_forgotten(accepting), something_accepted, worker);
    if (worker->acceptor == NULL || pthread_create(&worker->thread, NULL, run, worker) != 0) {
        free_worker(worker);
        return NULL;
    }
    return worker;
}

bool
ms_worker_submit(ms_worker *worker, ms_job *job)
{
    return ms_acceptor_submit(worker->acceptor, job);
}

void
ms_worker_counts(ms_worker *worker, ms_store_counts *counts)
{
    (void)pthread_mutex_lock(&worker->lock);
    *counts = worker->counts;
    (void)pthread_mutex_unlock(&worker->lock);
    counts->messages_waiting = (uint64_t)ms_acceptor_waiting(worker->acceptor);
}

void
ms_worker_stop(ms_worker *worker, int64_t drain_ms)
{
    (void)pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    worker->drain_end = ms_clock_steady_ms() + drain_ms;
    (void)pthread_mutex_unlock(&worker->lock);
    ms_http_client_wake(worker->client);
    (void)pthread_join(worker->thread, NULL);

    /* First the acceptor and the client: what that discards belongs to the backends. */
    ms_backend *backends = worker->backends;
    ms_store *store = worker->store;
    free_worker(worker);
    while (backends != NULL) {
        ms_backend *next = backends->beside;
        backends->close(backends);
        backends = next;
    }
    ms_store_close(store);
}
