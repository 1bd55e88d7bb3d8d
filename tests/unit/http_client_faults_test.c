/*
 * Calls to Marketo while memory runs out, at each allocation that there is, of libcurl's too: what
 * leaves this machine is the whole call or nothing, and once.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/marketo/http_client.h"
#include "../faults/faults.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS 64
#define REQUEST_MAX 2048
#define TIMEOUT_MS 2000
#define ATTEMPTS 2

/* ---- the other side: a process of its own, so that its calls do not fail ------------------------
 */

/* What both see. */
static struct {
    char expected[REQUEST_MAX]; /* the request that came first, all others are to be like it */
    char other[REQUEST_MAX];    /* the first one that was not */
    atomic_int requests;
} * seen;

static pid_t server;
static char url[128];

typedef struct {
    int socket;
    size_t len;
    char request[REQUEST_MAX];
} connection;

static bool
is_whole(const connection *one)
{
    const char *end = strstr(one->request, "\r\n\r\n");
    const char *length = strstr(one->request, "Content-Length: ");
    size_t body = length == NULL ? 0 : (size_t)strtoul(length + 16, NULL, 10);
    return end != NULL && one->len >= (size_t)(end - one->request) + 4 + body;
}

static void
respond(connection *one)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
    if (atomic_fetch_add(&seen->requests, 1) == 0) {
        memcpy(seen->expected, one->request, sizeof one->request);
    } else if (strcmp(seen->expected, one->request) != 0 && seen->other[0] == '\0') {
        memcpy(seen->other, one->request, sizeof one->request);
    }
    (void)send(one->socket, answer, sizeof answer - 1, MSG_NOSIGNAL);
    one->len = 0;
    memset(one->request, 0, sizeof one->request);
}

/* False at its end. */
static bool
listen_to(connection *one)
{
    ssize_t got = recv(one->socket, one->request + one->len, sizeof one->request - 1 - one->len, 0);
    if (got <= 0) {
        (void)close(one->socket);
        one->socket = -1;
        return false;
    }
    one->len += (size_t)got;
    if (is_whole(one)) {
        respond(one);
    }
    return true;
}

static void
serve(int listening)
{
    static connection connections[CONNECTIONS];
    struct pollfd files[CONNECTIONS + 1];
    for (int i = 0; i < CONNECTIONS; i++) {
        connections[i].socket = -1;
    }
    for (;;) {
        files[CONNECTIONS] = (struct pollfd){.fd = listening, .events = POLLIN};
        for (int i = 0; i < CONNECTIONS; i++) {
            files[i] = (struct pollfd){.fd = connections[i].socket, .events = POLLIN};
        }
        (void)poll(files, CONNECTIONS + 1, -1);
        for (int i = 0; i < CONNECTIONS; i++) {
            if (files[i].revents != 0) {
                (void)listen_to(&connections[i]);
            }
        }
        for (int i = 0; i < CONNECTIONS && files[CONNECTIONS].revents != 0; i++) {
            if (connections[i].socket < 0) {
                connections[i] = (connection){.socket = accept(listening, NULL, NULL)};
                break;
            }
        }
    }
}

static int
start_server(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (bind(listening, (struct sockaddr *)&address, size) != 0 || listen(listening, 64) != 0 ||
        getsockname(listening, (struct sockaddr *)&address, &size) != 0) {
        return 1;
    }
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/rest/v1/leads.json?name=value&more=%%2F",
                   ntohs(address.sin_port));
    server = fork();
    if (server == 0) {
        serve(listening);
    }
    (void)close(listening);
    return server < 0;
}

static int
stop_server(void **state)
{
    (void)state;
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    return munmap(seen, sizeof *seen);
}

/* ---- this side ----------------------------------------------------------------------------------
 */

typedef struct {
    int answers;
    int discards;
    bool went_well;
} outcome;

static ms_store_result
answered(void *argument, const ms_http_answer *answer, ms_store *store, int64_t now)
{
    (void)store, (void)now;
    outcome *of = argument;
    of->answers++;
    of->went_well = answer->status == 200;
    if (of->went_well) {
        assert_int_equal(answer->body.len, 5);
        assert_memory_equal(answer->body.ptr, "hello", 5);
    } else {
        assert_int_equal(answer->status, 0);
        assert_true(answer->problem != NULL && answer->problem[0] != '\0');
    }
    return MS_STORE_OK;
}

static void
discard(void *argument)
{
    ((outcome *)argument)->discards++;
}

/* Makes a call; whether it went well. */
static bool
call(ms_http_client *client, const char *method)
{
    static const char *const headers[] = {"Authorization: Bearer 1234", "X-Test: yes", NULL};
    outcome of = {.answers = 0};
    const ms_http_call http = {.method = method,
                               .url = url,
                               .headers = headers,
                               .body = strcmp(method, "POST") == 0 ? MS_SLICE("{\"input\":[]}")
                                                                   : MS_SLICE(""),
                               .timeout_ms = TIMEOUT_MS,
                               .answered = answered,
                               .discard = discard,
                               .argument = &of};
    int before = atomic_load(&seen->requests);
    if (!ms_http_client_start(client, &http)) {
        assert_int_equal(ms_http_client_under_way(client), 0);
        return false;
    }
    assert_int_equal(ms_http_client_under_way(client), 1);
    ms_http_client_committed(client);
    for (int i = 0; i < 100 && of.answers == 0; i++) {
        if (!ms_http_client_has_answers(client)) {
            ms_http_client_wait(client, 100);
        }
        assert_int_equal(ms_http_client_answer(client, NULL, 0), MS_STORE_OK);
    }
    ms_http_client_committed(client);
    assert_int_equal(of.answers, 1);
    assert_int_equal(of.discards, 1);
    assert_int_equal(ms_http_client_under_way(client), 0);
    assert_true(atomic_load(&seen->requests) - before <= 1);
    if (seen->other[0] != '\0') {
        fail_msg("Another request was sent:\n%s", seen->other);
    }
    return of.went_well;
}

/* All is well again, at once or, if the connection was the one that memory ran out on, then. */
static void
assert_recovers(ms_http_client *client, const char *method)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        if (call(client, method)) {
            return;
        }
    }
    fail_msg("no call went well in %d", ATTEMPTS);
}

/* Calls while `times` allocations fail from the n-th on, for each n that a good call has. */
static void
sweep(const char *method, int64_t times, bool fresh)
{
    seen->other[0] = '\0';
    atomic_store(&seen->requests, 0);
    ms_http_client *client = ms_http_client_open();
    assert_non_null(client);
    assert_recovers(client, method);
    int64_t calls = 1;
    for (int64_t n = 0; n <= calls; n++) {
        if (fresh) {
            ms_http_client_close(client);
        }
        faults_arm("memory", ENOMEM, n, times);
        client = fresh ? ms_http_client_open() : client;
        bool went_well = client != NULL && call(client, method);
        int64_t failed = faults_failed();
        calls = n == 0 ? faults_calls() : calls;
        faults_disarm();
        assert_true(went_well || failed > 0 || n == 0);
        client = client == NULL ? ms_http_client_open() : client;
        assert_non_null(client);
        assert_recovers(client, method);
    }
    ms_http_client_close(client);
}

static void
test_connected(void **state)
{
    (void)state;
    sweep("GET", 1, false);
    sweep("GET", 4, false);
    sweep("POST", 1, false);
}

static void
test_from_the_start(void **state)
{
    (void)state;
    sweep("GET", 1, true);
    sweep("GET", 4, true);
    sweep("POST", 1, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connected),
        cmocka_unit_test(test_from_the_start),
    };
    return cmocka_run_group_tests_name("http client, faults", tests, start_server, stop_server);
}
