/*
 * The worker, its acceptor and its calls, with stores that fail when they are told to: what is done
 * is on disk, what is not committed never left this machine, and no answer is lost.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/sorting.h"
#include "../../src/server/worker.h"

#include <limits.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---- two stores in memory -----------------------------------------------------------------------
 */

#define ROWS 16
#define ACCEPTED_MAX 1000

typedef enum { NONE, WAITING, IN_FLIGHT, SENT } row_state;

typedef struct {
    /* The queue's. */
    row_state rows[ROWS];
    size_t executed; /* requests, in their order */
    size_t buried;
    /* The acceptor's. */
    int64_t accepted[ACCEPTED_MAX]; /* rows of which something is to be carried out; 0: of none */
    size_t accepted_count;
    size_t forgotten;
} contents;

struct ms_store {
    contents now;
    contents committed;
    int64_t clock; /* what time the turn has told */
    bool in_transaction;
    bool failed;
    bool closed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ms_store the_store;
static struct ms_store the_accepting;
static atomic_int commits_to_fail;
static atomic_int accepts_to_fail; /* commits of the acceptor's */
static atomic_int answers_to_fail;
static atomic_int row_to_fail; /* cannot be carried out */
static atomic_int begun;       /* of the queue */
static atomic_int begun_accepting;
static atomic_int waiting_beside; /* messages, as if more had been accepted than were */
static atomic_int looked_at_log;  /* once for each that has begun */
static atomic_int recovered;

/* Calls that are made again once they are answered, and how long that takes. */
static atomic_int calls_to_repeat;
static atomic_int answer_ms;
static atomic_int carry_out_us; /* how long it takes */
static atomic_int stall_ms;     /* how long the acceptor's next commit takes, beside */

ms_store_result
ms_store_begin(ms_store *store)
{
    assert_false(store->in_transaction);
    store->in_transaction = true;
    atomic_fetch_add(store == &the_store ? &begun : &begun_accepting, 1);
    return MS_STORE_OK;
}

static bool
take_one(atomic_int *count)
{
    return atomic_load(count) > 0 && atomic_fetch_sub(count, 1) > 0;
}

ms_store_result
ms_store_commit(ms_store *store)
{
    assert_true(store->in_transaction && !store->failed);
    if (take_one(store == &the_store ? &commits_to_fail : &accepts_to_fail)) {
        store->failed = true;
        return MS_STORE_FAILED;
    }
    if (store == &the_accepting) {
        (void)usleep((useconds_t)atomic_exchange(&stall_ms, 0) * 1000);
    }
    (void)pthread_mutex_lock(&lock);
    store->committed = store->now;
    (void)pthread_mutex_unlock(&lock);
    store->in_transaction = false;
    return MS_STORE_OK;
}

void
ms_store_rollback(ms_store *store)
{
    assert_true(store->in_transaction);
    store->now = store->committed;
    store->in_transaction = store->failed = false;
}

void
ms_store_checkpoint(ms_store *store)
{
    assert_false(store->in_transaction);
    atomic_fetch_add(&looked_at_log, store == &the_store);
}

void
ms_store_close(ms_store *store)
{
    store->closed = true;
}

const char *
ms_store_problem(const ms_store *store)
{
    (void)store;
    return "database or disk is full";
}

ms_store *
ms_store_accepting(ms_store *store)
{
    assert_ptr_equal(store, &the_store);
    return &the_accepting;
}

ms_store_result
ms_store_accept(ms_store *accepting, const ms_command *command, int64_t now)
{
    assert_ptr_equal(accepting, &the_accepting);
    assert_true(accepting->in_transaction && !accepting->failed && now > 0);
    assert_true(accepting->now.accepted_count < ACCEPTED_MAX);
    accepting->now.accepted[accepting->now.accepted_count++] = command->activity_type;
    return MS_STORE_OK;
}

ms_store_result
ms_store_try(ms_store *accepting)
{
    assert_true(accepting->in_transaction && !accepting->failed);
    return MS_STORE_OK;
}

int64_t
ms_store_last_accepted(const ms_store *accepting)
{
    return (int64_t)accepting->committed.accepted_count + atomic_load(&waiting_beside);
}

int64_t
ms_store_carried_out(ms_store *store)
{
    assert_false(store->in_transaction);
    return (int64_t)store->committed.executed;
}

bool
ms_store_holds_carried_out(const ms_store *accepting, int64_t carried_out)
{
    return carried_out > (int64_t)accepting->now.forgotten;
}

int64_t
ms_store_forgotten(const ms_store *accepting)
{
    return (int64_t)accepting->committed.forgotten;
}

ms_store_result
ms_store_forget_carried_out(ms_store *accepting, int64_t carried_out)
{
    assert_true(accepting->in_transaction && !accepting->failed);
    assert_in_range(carried_out, 0, accepting->committed.accepted_count);
    accepting->now.forgotten += ms_store_holds_carried_out(accepting, carried_out);
    return MS_STORE_OK;
}

static contents committed_of(const ms_store *store);

ms_store_result
ms_store_carry_out(ms_store *store, int64_t now, bool *found)
{
    const contents accepted = committed_of(&the_accepting);
    assert_true(store->in_transaction && !store->failed && store->clock == now);
    *found = store->now.executed < accepted.accepted_count;
    if (!*found) {
        return MS_STORE_OK;
    }
    int64_t which = accepted.accepted[store->now.executed];
    if (which != 0 && which == atomic_load(&row_to_fail)) {
        store->failed = true;
        return MS_STORE_FAILED;
    }
    (void)usleep((useconds_t)atomic_load(&carry_out_us));
    if (which != 0) {
        row_state *row = &store->now.rows[which];
        *row = *row == IN_FLIGHT ? IN_FLIGHT : WAITING;
    }
    store->now.executed++;
    return MS_STORE_OK;
}

ms_store_result
ms_store_view_accepted(ms_store *store)
{
    assert_true(store->in_transaction && !store->failed);
    return MS_STORE_OK;
}

ms_store_result
ms_store_carry_out_or_bury(ms_store *store, int64_t now)
{
    bool found;
    if (ms_store_carry_out(store, now, &found) != MS_STORE_OK) {
        store->failed = false;
        store->now.buried++;
        store->now.executed++;
    }
    return MS_STORE_OK;
}

ms_store_result
ms_store_next_due(ms_store *store, int64_t *due)
{
    (void)store;
    *due = INT64_MAX;
    return MS_STORE_OK;
}

ms_store_result
ms_store_recover(ms_store *store, int64_t now, int64_t pause)
{
    (void)store;
    (void)now;
    assert_true(pause >= MS_CALL_LONGEST);
    atomic_fetch_add(&recovered, 1);
    return MS_STORE_OK;
}

ms_store_result
ms_store_follow_clock(ms_store *store, int64_t now)
{
    assert_true(store->in_transaction && !store->failed);
    store->clock = now;
    return MS_STORE_OK;
}

ms_store_result
ms_store_tidy(ms_store *store, int64_t now)
{
    assert_true(store->clock == now);
    return MS_STORE_OK;
}

ms_store_result
ms_store_count(ms_store *store, const char *day, ms_store_counts *counts)
{
    assert_int_equal(strlen(day), 10);
    *counts = (ms_store_counts){.leads_waiting = store->committed.executed};
    return MS_STORE_OK;
}

/* ---- a backend that calls for each row ----------------------------------------------------------
 */

static char url[128];
static atomic_int discarded;

typedef struct {
    size_t row;
} row_call;

static ms_store_result
answered(void *argument, const ms_http_answer *answer, ms_store *store, int64_t now)
{
    const row_call *call = argument;
    assert_true(store->in_transaction && !store->failed && store->clock == now);
    assert_int_equal(store->now.rows[call->row], IN_FLIGHT);
    assert_int_equal(answer->status, 200);
    (void)usleep((useconds_t)atomic_load(&answer_ms) * 1000);
    store->now.rows[call->row] = take_one(&calls_to_repeat) ? WAITING : SENT;
    if (take_one(&answers_to_fail)) {
        store->failed = true;
        return MS_STORE_FAILED;
    }
    return MS_STORE_OK;
}

static void
discard(void *argument)
{
    atomic_fetch_add(&discarded, 1);
    free(argument);
}

static ms_store_result
start_calls(ms_backend *backend, ms_store *store, ms_http_client *client, int64_t now,
            int64_t *wake)
{
    (void)backend;
    (void)now;
    (void)wake;
    for (size_t row = 0; row < ROWS; row++) {
        if (store->now.rows[row] != WAITING) {
            continue;
        }
        row_call *call = malloc(sizeof *call);
        assert_non_null(call);
        call->row = row;
        store->now.rows[row] = IN_FLIGHT;
        const ms_http_call http = {.method = "POST",
                                   .url = url,
                                   .body = MS_SLICE("hello"),
                                   .timeout_ms = 5000,
                                   .answered = answered,
                                   .discard = discard,
                                   .argument = call};
        assert_true(ms_http_client_start(client, &http));
    }
    return MS_STORE_OK;
}

static atomic_int backends_closed;

static void
close_backend(ms_backend *backend)
{
    (void)backend;
    atomic_fetch_add(&backends_closed, 1);
}

/* ---- the other side -----------------------------------------------------------------------------
 */

static struct MHD_Daemon *daemon_of_tests;
static atomic_int requests;
static atomic_int delay_ms;

static enum MHD_Result
serve(void *cls, struct MHD_Connection *connection, const char *path, const char *method,
      const char *version, const char *body, size_t *size, void **state)
{
    static int seen;
    (void)cls;
    (void)method;
    (void)version;
    (void)body;
    if (*state == NULL) {
        *state = &seen;
        return MHD_YES;
    }
    if (*size > 0) {
        *size = 0;
        return MHD_YES;
    }
    atomic_fetch_add(&requests, 1);
    (void)usleep((useconds_t)atomic_load(&delay_ms) * 1000);
    bool is_long = strcmp(path, "/long") == 0;
    bool is_elsewhere = strcmp(path, "/elsewhere") == 0;
    size_t len = is_long ? MS_ANSWER_MAX + 1 : 2;
    char *content = calloc(1, len);
    assert_non_null(content);
    memcpy(content, "ok", 2);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, content, MHD_RESPMEM_MUST_FREE);
    unsigned int status = 200;
    if (is_elsewhere) {
        (void)MHD_add_response_header(response, "Location", "/");
        status = 302;
    } else if (strcmp(path, "/later") == 0) {
        (void)MHD_add_response_header(response, "Retry-After", "7");
        status = 503;
    }
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static int
start_server(void **state)
{
    (void)state;
    daemon_of_tests =
        MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL,
                         NULL, serve, NULL, MHD_OPTION_END);
    if (daemon_of_tests == NULL) {
        return 1;
    }
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/",
                   MHD_get_daemon_info(daemon_of_tests, MHD_DAEMON_INFO_BIND_PORT)->port);
    return 0;
}

static int
stop_server(void **state)
{
    (void)state;
    MHD_stop_daemon(daemon_of_tests);
    return 0;
}

/* ---- jobs ---------------------------------------------------------------------------------------
 */

typedef struct {
    ms_job job; /* the first, so that one is the other */
    ms_command command;
    atomic_int stored; /* -1: not done */
} test_job;

static void
done(ms_job *job, bool stored)
{
    atomic_store(&((test_job *)job)->stored, stored ? 1 : 0);
}

static void
submit(ms_worker *worker, test_job *job, int row)
{
    *job = (test_job){.job = {.commands = &job->command, .done = done},
                      .command = {.kind = MS_COMMAND_ACTIVITY, .activity_type = row},
                      .stored = -1};
    assert_true(ms_worker_submit(worker, &job->job));
}

/* Waits for what another thread is about to do; fails if it does not. */
#define EVENTUALLY(condition)                                                                      \
    do {                                                                                           \
        int left = 5000;                                                                           \
        while (!(condition) && left-- > 0) {                                                       \
            (void)usleep(1000);                                                                    \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

static row_state
row(int index)
{
    (void)pthread_mutex_lock(&lock);
    row_state state = the_store.committed.rows[index];
    (void)pthread_mutex_unlock(&lock);
    return state;
}

static ms_backend backend;

/* On stores of which so many requests are carried out, and none is forgotten. */
static ms_worker *
start_after(size_t carried_out)
{
    const contents queue = {.executed = carried_out};
    const contents accepting = {.accepted_count = carried_out};
    the_store = (struct ms_store){.now = queue, .committed = queue};
    the_accepting = (struct ms_store){.now = accepting, .committed = accepting};
    backend = (ms_backend){.start_calls = start_calls, .close = close_backend};
    atomic_store(&requests, 0);
    atomic_store(&discarded, 0);
    atomic_store(&delay_ms, 0);
    atomic_store(&backends_closed, 0);
    atomic_store(&begun, 0);
    atomic_store(&looked_at_log, 0);
    atomic_store(&recovered, 0);
    ms_worker *worker = ms_worker_start(&the_store, &backend);
    assert_non_null(worker);
    return worker;
}

static ms_worker *
start(void)
{
    return start_after(0);
}

static void
test_jobs_are_done_once_committed(void **state)
{
    (void)state;
    static test_job jobs[100];
    ms_worker *worker = start();
    for (size_t i = 0; i < 100; i++) {
        submit(worker, &jobs[i], 0);
    }
    for (size_t i = 0; i < 100; i++) {
        EVENTUALLY(atomic_load(&jobs[i].stored) == 1);
    }
    ms_store_counts counts;
    EVENTUALLY((ms_worker_counts(worker, &counts), counts.leads_waiting == 100));
    ms_worker_stop(worker, 0);
    assert_true(the_store.closed);
    assert_int_equal(atomic_load(&backends_closed), 1);
    assert_int_equal(atomic_load(&recovered), 1);
    assert_int_equal(the_store.committed.executed, 100);
    assert_int_equal(the_accepting.committed.accepted_count, 100);
    assert_int_equal(atomic_load(&looked_at_log), atomic_load(&begun));
}

static void
test_nothing_to_do_is_no_transaction(void **state)
{
    (void)state;
    ms_worker *worker = start();
    EVENTUALLY(atomic_load(&begun) == 1);
    (void)usleep(50000);
    ms_worker_stop(worker, 0);
    assert_int_equal(atomic_load(&begun), 1);
}

/* What is carried out is deleted, also when nobody sends any more. */
static void
test_what_is_carried_out_is_forgotten(void **state)
{
    (void)state;
    static test_job jobs[20];
    ms_worker *worker = start();
    for (size_t i = 0; i < 20; i++) {
        submit(worker, &jobs[i], 0);
    }
    EVENTUALLY(committed_of(&the_accepting).forgotten == 20);
    ms_worker_stop(worker, 0);
}

/* What the last process carried out may be lost with the power, until this one has committed. */
static void
test_nothing_is_forgotten_before_the_first_commit(void **state)
{
    (void)state;
    static test_job jobs[3];
    atomic_store(&commits_to_fail, 1000000);
    ms_worker *worker = start_after(5);
    for (size_t i = 0; i < 3; i++) {
        submit(worker, &jobs[i], 0);
        EVENTUALLY(atomic_load(&jobs[i].stored) == 1);
        (void)usleep(50000);
    }
    assert_int_equal(committed_of(&the_accepting).forgotten, 0);
    atomic_store(&commits_to_fail, 0);
    EVENTUALLY(committed_of(&the_accepting).forgotten == 8);
    ms_worker_stop(worker, 0);
}

/* On a full disk not even a deletion may fit: it is not tried on and on, and what fits is taken. */
static void
test_what_cannot_be_forgotten_is_left_for_a_while(void **state)
{
    (void)state;
    static test_job job;
    atomic_store(&begun_accepting, 0);
    atomic_store(&accepts_to_fail, 1000000);
    ms_worker *worker = start_after(5);
    EVENTUALLY(atomic_load(&begun_accepting) > 0);
    (void)usleep(300000);
    assert_in_range(atomic_load(&begun_accepting), 1, 3);
    atomic_store(&accepts_to_fail, 0);
    submit(worker, &job, 0);
    EVENTUALLY(atomic_load(&job.stored) == 1);
    assert_int_equal(committed_of(&the_accepting).forgotten, 0);
    ms_worker_stop(worker, 0);
}

static void
test_a_failed_commit_is_told(void **state)
{
    (void)state;
    static test_job first;
    static test_job second;
    ms_worker *worker = start();
    EVENTUALLY(atomic_load(&begun) >= 1);
    atomic_store(&accepts_to_fail, 1);
    submit(worker, &first, 1);
    EVENTUALLY(atomic_load(&first.stored) == 0);
    assert_int_equal(atomic_load(&requests), 0);
    /* Its own time is not waited for: the next job finds out whether the store is well again. */
    submit(worker, &second, 2);
    EVENTUALLY(atomic_load(&second.stored) == 1);
    EVENTUALLY(row(2) == SENT);
    assert_int_equal(row(1), NONE);
    assert_int_equal(atomic_load(&requests), 1);
    ms_worker_stop(worker, 0);
}

static contents
committed_of(const ms_store *store)
{
    (void)pthread_mutex_lock(&lock);
    contents copy = store->committed;
    (void)pthread_mutex_unlock(&lock);
    return copy;
}

static contents
committed(void)
{
    return committed_of(&the_store);
}

/* The queue fails, not what takes in: all is taken, and carried out once it is well again. */
static void
test_a_queue_in_trouble_accepts(void **state)
{
    (void)state;
    static test_job jobs[3];
    ms_worker *worker = start();
    EVENTUALLY(atomic_load(&begun) >= 1);
    atomic_store(&commits_to_fail, 2);
    for (int i = 0; i < 3; i++) {
        submit(worker, &jobs[i], i + 1);
        EVENTUALLY(atomic_load(&jobs[i].stored) == 1);
    }
    for (int i = 1; i <= 3; i++) {
        EVENTUALLY(row(i) == SENT);
    }
    assert_int_equal(atomic_load(&commits_to_fail), 0);
    assert_int_equal(atomic_load(&requests), 3);
    ms_worker_stop(worker, 0);
}

static void
test_one_that_cannot_be_carried_out(void **state)
{
    (void)state;
    static test_job bad;
    static test_job good[8];
    ms_worker *worker = start();
    atomic_store(&row_to_fail, 7);
    submit(worker, &good[0], 1);
    EVENTUALLY(row(1) == SENT);
    /* It is taken, since it is on disk; and so are those behind it. */
    submit(worker, &bad, 7);
    submit(worker, &good[2], 2);
    EVENTUALLY(atomic_load(&bad.stored) == 1 && atomic_load(&good[2].stored) == 1);
    for (int i = 0; i < 40 && committed().buried == 0; i++) {
        (void)usleep(1000000);
    }
    assert_int_equal(committed().buried, 1);
    EVENTUALLY(row(2) == SENT);
    assert_int_equal(row(7), NONE);
    atomic_store(&row_to_fail, 0);
    ms_worker_stop(worker, 0);
}

/* However long the queue has to do with what Marketo answers: those who send do not wait for it. */
static void
test_requests_wait_for_no_answer(void **state)
{
    (void)state;
    static test_job job;
    ms_worker *worker = start();
    atomic_store(&answer_ms, 1000);
    submit(worker, &job, 1);
    EVENTUALLY(atomic_load(&requests) == 1);
    for (int i = 0; i < 20; i++) {
        submit(worker, &job, 0);
        EVENTUALLY(atomic_load(&job.stored) == 1);
    }
    assert_int_not_equal(row(1), SENT);
    atomic_store(&answer_ms, 0);
    EVENTUALLY(row(1) == SENT);
    ms_worker_stop(worker, 0);
}

/* Requests come all the time, and there is time left: what they ask for is carried out meanwhile.
 */
static void
test_a_steady_load_is_carried_out(void **state)
{
    (void)state;
    static test_job jobs[1000];
    ms_worker *worker = start();
    atomic_store(&carry_out_us, 100);
    for (size_t i = 0; i < 1000; i++) {
        submit(worker, &jobs[i], 1);
        (void)usleep(1000);
    }
    assert_in_range(committed().executed, 500, 1000);
    atomic_store(&carry_out_us, 0);
    EVENTUALLY(committed().executed == 1000);
    ms_worker_stop(worker, 5000);
}

/* Much waits to be carried out: those who send are taken in, all of them, and seldom. */
static void
test_a_large_backlog_slows_down(void **state)
{
    (void)state;
    static test_job jobs[50];
    ms_worker *worker = start();
    atomic_store(&waiting_beside, 2000000000);
    atomic_store(&begun_accepting, 0);
    for (size_t i = 0; i < 50; i++) {
        submit(worker, &jobs[i], 0);
        (void)usleep(2000);
    }
    for (size_t i = 0; i < 50; i++) {
        EVENTUALLY(atomic_load(&jobs[i].stored) == 1);
    }
    assert_in_range(atomic_load(&begun_accepting), 1, 10);
    ms_store_counts counts;
    ms_worker_counts(worker, &counts);
    assert_in_range(counts.messages_waiting, 2000000000, 2000000050);
    atomic_store(&waiting_beside, 0);
    ms_worker_stop(worker, 0);
}

/* Those who came while the disk stalled are not held up for as long again as a part of that. */
static void
test_a_stall_of_the_disk_is_over_at_once(void **state)
{
    (void)state;
    static test_job first;
    static test_job second;
    ms_worker *worker = start();
    atomic_store(&stall_ms, 3000);
    submit(worker, &first, 0);
    EVENTUALLY(atomic_load(&stall_ms) == 0);
    submit(worker, &second, 0);
    EVENTUALLY(atomic_load(&first.stored) == 1);
    for (int i = 0; i < 1000 && atomic_load(&second.stored) != 1; i++) {
        (void)usleep(1000);
    }
    assert_int_equal(atomic_load(&second.stored), 1);
    ms_worker_stop(worker, 0);
}

/* How long is rested, in milliseconds, after a tenth of a second of carrying out. */
static int64_t
rest_after(bool all_done, bool in_burst, int64_t backlog)
{
    ms_sorting sorting;
    ms_sorting_init(&sorting);
    sorting.took = 100000;
    sorting.backlog = backlog;
    if (in_burst) {
        ms_sorting_accepts(&sorting);
    }
    sorting.waiting = !all_done;
    ms_sorting_ended(&sorting, true);
    sorting.waiting = true;
    return ms_sorting_wait(&sorting);
}

/* A burst is left to those who send, but not until they have to be slowed down. */
static void
test_sorting_rests_by_what_waits(void **state)
{
    (void)state;
    assert_in_range(rest_after(true, true, 0), 900, 1001);
    assert_in_range(rest_after(false, true, MS_BACKLOG_LARGE / 2 - 1), 150, 201);
    assert_in_range(rest_after(false, true, MS_BACKLOG_LARGE / 2), 1, 26);
    assert_in_range(rest_after(false, false, 0), 1, 26);
}

static void
test_an_answer_outlives_failed_turns(void **state)
{
    (void)state;
    static test_job job;
    ms_worker *worker = start();
    atomic_store(&delay_ms, 50);
    submit(worker, &job, 3);
    EVENTUALLY(row(3) == IN_FLIGHT);
    atomic_store(&commits_to_fail, 2);
    atomic_store(&answers_to_fail, 1);
    EVENTUALLY(row(3) == SENT);
    assert_int_equal(atomic_load(&requests), 1);
    assert_int_equal(atomic_load(&commits_to_fail), 0);
    assert_int_equal(atomic_load(&answers_to_fail), 0);
    EVENTUALLY(atomic_load(&discarded) == 1);
    ms_worker_stop(worker, 0);
}

static void
test_stopping_drains(void **state)
{
    (void)state;
    static test_job job;
    static test_job late;
    ms_worker *worker = start();
    atomic_store(&delay_ms, 100);
    submit(worker, &job, 4);
    EVENTUALLY(row(4) == IN_FLIGHT);
    submit(worker, &late, 0);
    ms_worker_stop(worker, 5000);
    assert_int_equal(atomic_load(&late.stored), 1);
    assert_int_equal(the_accepting.committed.accepted_count, 2);
    assert_int_equal(the_store.committed.rows[4], SENT);

    /* And no longer than it was given. */
    worker = start();
    atomic_store(&delay_ms, 1000);
    submit(worker, &job, 5);
    EVENTUALLY(atomic_load(&requests) == 1);
    ms_worker_stop(worker, 10);
    assert_int_equal(the_store.committed.rows[5], IN_FLIGHT);
    assert_int_equal(atomic_load(&discarded), 1);
}

static void
test_jobs_of_a_broken_store_at_the_end(void **state)
{
    (void)state;
    static test_job job;
    ms_worker *worker = start();
    EVENTUALLY(atomic_load(&begun) >= 1);
    atomic_store(&accepts_to_fail, 1000000);
    atomic_store(&commits_to_fail, 1000000);
    submit(worker, &job, 6);
    ms_worker_stop(worker, 300);
    assert_int_equal(atomic_load(&job.stored), 0);
    atomic_store(&accepts_to_fail, 0);
    atomic_store(&commits_to_fail, 0);
}

/* ---- the client alone ---------------------------------------------------------------------------
 */

static ms_http_answer last;
static char last_body[16];

static ms_store_result
keep(void *argument, const ms_http_answer *answer, ms_store *store, int64_t now)
{
    (void)argument;
    (void)store;
    (void)now;
    last = *answer;
    (void)snprintf(last_body, sizeof last_body, "%.*s",
                   (int)(answer->body.len < 15 ? answer->body.len : 15), answer->body.ptr);
    return MS_STORE_OK;
}

/* Calls a path, or a whole URL, and gives the status of the answer. */
static long
fetch(ms_http_client *client, const char *path, const char *const *headers)
{
    char whole[256];
    (void)snprintf(whole, sizeof whole, "%s%s", path[0] == '/' ? url : "",
                   path[0] == '/' ? path + 1 : path);
    const ms_http_call call = {
        .method = "GET", .url = whole, .headers = headers, .timeout_ms = 500, .answered = keep};
    last = (ms_http_answer){.status = -1};
    if (!ms_http_client_start(client, &call)) {
        return -2;
    }
    ms_http_client_committed(client);
    while (!ms_http_client_has_answers(client)) {
        ms_http_client_wait(client, 5000);
    }
    (void)ms_http_client_answer(client, NULL, 0);
    assert_int_equal(ms_http_client_under_way(client), 1);
    ms_http_client_committed(client);
    assert_int_equal(ms_http_client_under_way(client), 0);
    return last.status;
}

static void
test_answers(void **state)
{
    (void)state;
    ms_http_client *client = ms_http_client_open();
    assert_non_null(client);
    atomic_store(&delay_ms, 0);
    assert_int_equal(fetch(client, "/", NULL), 200);
    assert_string_equal(last_body, "ok");
    assert_int_equal(fetch(client, "/long", NULL), 0);
    assert_non_null(last.problem);
    assert_int_equal(fetch(client, "/elsewhere", NULL), 302);
    assert_int_equal(fetch(client, "/later", NULL), 503);
    assert_int_equal(last.retry_after, 7000);
    assert_int_equal(fetch(client, "http://127.0.0.1:1/", NULL), 0);
    assert_int_equal(fetch(client, "file:///etc/hostname", NULL), 0);
    assert_int_equal(fetch(client, "ftp://127.0.0.1/", NULL), 0);
    /* TLS is asked for, and there is none. */
    char tls[128];
    (void)snprintf(tls, sizeof tls, "https%s", url + 4);
    assert_int_equal(fetch(client, tls, NULL), 0);
    atomic_store(&delay_ms, 800);
    assert_int_equal(fetch(client, "/", NULL), 0);
    atomic_store(&delay_ms, 0);
    static const char *const split[] = {"X-One: 1\r\nX-Two: 2", NULL};
    assert_int_equal(fetch(client, "/", split), -2);
    assert_int_equal(ms_http_client_under_way(client), 0);
    ms_http_client_close(client);
}

static ms_store_result
take_long(void *argument, const ms_http_answer *answer, ms_store *store, int64_t now)
{
    (void)answer, (void)store, (void)now;
    (void)usleep(10000);
    ++*(int *)argument;
    return MS_STORE_OK;
}

static void
test_answers_that_take_long_have_a_turn_each(void **state)
{
    (void)state;
    int answered = 0;
    ms_http_client *client = ms_http_client_open();
    const ms_http_call call = {.method = "GET",
                               .url = url,
                               .timeout_ms = 5000,
                               .answered = take_long,
                               .argument = &answered};
    assert_non_null(client);
    assert_true(ms_http_client_start(client, &call));
    assert_true(ms_http_client_start(client, &call));
    ms_http_client_committed(client);
    for (int turn = 1; turn <= 2; turn++) {
        while (!ms_http_client_has_answers(client)) {
            ms_http_client_wait(client, 5000);
        }
        (void)usleep(50000); /* so that the other one is there, too */
        ms_http_client_wait(client, 0);
        assert_int_equal(ms_http_client_answer(client, NULL, 0), MS_STORE_OK);
        assert_int_equal(answered, turn);
        ms_http_client_committed(client);
    }
    assert_int_equal(ms_http_client_under_way(client), 0);
    ms_http_client_close(client);
}

static atomic_int thrown_away;

static void
count_discard(void *argument)
{
    (void)argument;
    atomic_fetch_add(&thrown_away, 1);
}

static void
test_nothing_leaves_before_the_commit(void **state)
{
    (void)state;
    ms_http_client *client = ms_http_client_open();
    assert_non_null(client);
    const ms_http_call call = {
        .method = "GET", .url = url, .timeout_ms = 500, .answered = keep, .discard = count_discard};
    atomic_store(&requests, 0);
    assert_true(ms_http_client_start(client, &call));
    ms_http_client_wait(client, 50);
    ms_http_client_rolled_back(client);
    assert_int_equal(atomic_load(&thrown_away), 1);
    ms_http_client_wait(client, 50);
    assert_int_equal(atomic_load(&requests), 0);
    assert_int_equal(ms_http_client_under_way(client), 0);

    /* Closed with one under way, one answered and one not started. */
    assert_true(ms_http_client_start(client, &call));
    ms_http_client_committed(client);
    while (!ms_http_client_has_answers(client)) {
        ms_http_client_wait(client, 5000);
    }
    (void)ms_http_client_answer(client, NULL, 0);
    atomic_store(&delay_ms, 300);
    assert_true(ms_http_client_start(client, &call));
    ms_http_client_rolled_back(client);
    assert_true(ms_http_client_start(client, &call));
    (void)ms_http_client_answer(client, NULL, 0);
    ms_http_client_committed(client);
    ms_http_client_wait(client, 20);
    assert_true(ms_http_client_start(client, &call));
    ms_http_client_close(client);
    assert_int_equal(atomic_load(&thrown_away), 5);
    atomic_store(&delay_ms, 0);
}

static void *
wake_soon(void *client)
{
    (void)usleep(20000);
    ms_http_client_wake(client);
    return NULL;
}

static void
test_waking(void **state)
{
    (void)state;
    ms_http_client *client = ms_http_client_open();
    pthread_t thread;
    time_t before = time(NULL);
    assert_non_null(client);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(pthread_create(&thread, NULL, wake_soon, client), 0);
        ms_http_client_wait(client, 60000);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    /* Before the wait it counts too, once. */
    ms_http_client_wake(client);
    ms_http_client_wake(client);
    ms_http_client_wait(client, 60000);
    assert_true(time(NULL) - before < 20);
    ms_http_client_wait(client, 10);
    ms_http_client_close(client);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs_are_done_once_committed),
        cmocka_unit_test(test_nothing_to_do_is_no_transaction),
        cmocka_unit_test(test_what_is_carried_out_is_forgotten),
        cmocka_unit_test(test_nothing_is_forgotten_before_the_first_commit),
        cmocka_unit_test(test_what_cannot_be_forgotten_is_left_for_a_while),
        cmocka_unit_test(test_a_failed_commit_is_told),
        cmocka_unit_test(test_a_queue_in_trouble_accepts),
        cmocka_unit_test(test_one_that_cannot_be_carried_out),
        cmocka_unit_test(test_requests_wait_for_no_answer),
        cmocka_unit_test(test_a_steady_load_is_carried_out),
        cmocka_unit_test(test_a_large_backlog_slows_down),
        cmocka_unit_test(test_a_stall_of_the_disk_is_over_at_once),
        cmocka_unit_test(test_sorting_rests_by_what_waits),
        cmocka_unit_test(test_an_answer_outlives_failed_turns),
        cmocka_unit_test(test_stopping_drains),
        cmocka_unit_test(test_jobs_of_a_broken_store_at_the_end),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_answers_that_take_long_have_a_turn_each),
        cmocka_unit_test(test_nothing_leaves_before_the_commit),
        cmocka_unit_test(test_waking),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
