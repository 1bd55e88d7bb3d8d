/* munchkin-server: see options.c for what it takes, http.c for what it answers. */

#include "assets.h"
#include "cli/cli.h"
#include "cli/print.h"
#include "clock.h"
#include "http.h"
#include "log.h"
#include "metrics.h"
#include "secret.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define EXIT_CONFIGURATION 2
#define DRAIN_MS 5000 /* for the calls to Marketo that are under way */
#define MMAP_THRESHOLD (128 << 10)
#define TRIM_THRESHOLD (1 << 20)
#define ADDRESS_TEXT (INET6_ADDRSTRLEN + sizeof "[]:65535")

/* A file for each connection and some besides; shells often allow a thousand. */
static void
allow_open_files(rlim_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < count) {
        limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < count) {
            ms_log("warning", "few_open_files", "message",
                   "The limit of open files is lower than the server's of connections.");
        }
    }
}

/* ADDRESS:PORT, as --listen takes it. */
static const char *
address_text(const struct sockaddr_storage *address, uint16_t port, char text[ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "";
    bool v6 = address->ss_family == AF_INET6;
    const void *bytes = v6 ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                           : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    (void)inet_ntop(address->ss_family, bytes, host, sizeof host);
    (void)snprintf(text, ADDRESS_TEXT, v6 ? "[%s]:%u" : "%s:%u", host, port);
    return text;
}

static uint16_t
asked_port(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

/* Tells a person, and a test, where it listens. */
static void
announce(const ms_options *options, const ms_service *service, uint16_t port)
{
    char text[ADDRESS_TEXT];
    (void)printf("munchkin-server listening on http://%s\n",
                 address_text(&options->address, port, text));
    (void)fflush(stdout);
    ms_log("info", "started", "release", ms_release);
    if (options->allowed.count > 0 && !ms_token_is_needed(&service->tokens)) {
        ms_log("warning", "origins_only", "message",
               "An Origin header can be forged outside a browser: whoever reaches this server can "
               "get hashes, or send leads, at the rate limit's pace. With --token-secret-file only "
               "who is signed in can, and for their own address.");
    }
    if (service->worker == NULL && options->way == MS_WAY_AUTO) { /* nobody has chosen this */
        ms_log(
            "warning", "associate_lead_withdrawn", "message",
            "Current versions of Munchkin ignore associateLead, which is all that a hash is for. "
            "To bring leads to Marketo from here, set MARKETO_CLIENT_ID and "
            "MARKETO_CLIENT_SECRET.");
    }
}

static int
serve(const ms_options *options, ms_service *service, const sigset_t *ending)
{
    ms_http *http = ms_http_start(options, service);
    if (http == NULL) {
        const char *why = errno != 0 ? strerror(errno) : "no memory or threads";
        char text[ADDRESS_TEXT];
        (void)fprintf(stderr, "munchkin-server: cannot listen on %s: %s. Choose with --listen.\n",
                      address_text(&options->address, asked_port(&options->address), text), why);
        return EXIT_FAILURE;
    }
    announce(options, service, ms_http_port(http));
    int number = 0;
    (void)sigwait(ending, &number);
    ms_log("info", "stopping", "signal", strsignal(number));
    ms_http_stop(http);
    return EXIT_SUCCESS;
}

/* Opens the queue and starts the worker; without one, `service->worker` stays NULL. False once it
 * was told what is wrong. */
static bool
start_worker(ms_service *service, const ms_options *options, const ms_configuration *configuration)
{
    const char *problem = NULL;
    if (configuration->way == MS_WAY_HASH) {
        return true;
    }
    ms_store *store = ms_store_open(options->db, &configuration->rules, &problem);
    if (store == NULL) {
        (void)fprintf(stderr, "munchkin-server: %s: %s\n", options->db, problem);
        return false;
    }
    ms_backend *backends = ms_configuration_open_backends(configuration);
    service->worker = backends == NULL ? NULL : ms_worker_start(store, backends);
    if (service->worker == NULL) {
        (void)fputs("munchkin-server: there is not enough memory, or no thread.\n", stderr);
        while (backends != NULL) {
            ms_backend *next = backends->beside;
            backends->close(backends);
            backends = next;
        }
        ms_store_close(store);
        return false;
    }
    return true;
}

/* Blocked before any thread starts, so that the main thread alone waits for them. */
static void
block_signals(sigset_t *ending)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(ending);
    (void)sigaddset(ending, SIGTERM);
    (void)sigaddset(ending, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, ending, NULL);
}

static int
run(const ms_options *options, const ms_configuration *configuration)
{
    static ms_service service;
    sigset_t ending;
    service.allowed = options->allowed;
    service.proxies = options->proxies;
    service.private_key = configuration->private_key;
    service.write_keys = options->write_keys;
    service.rules.munchkin_id = configuration->marketo.munchkin_id;
    service.rules.activities = configuration->activities;
    service.tokens = configuration->tokens;
    if (!ms_rate_limit_init(&service.rate_limit, options->rate_limit) ||
        !ms_rate_limit_init(&service.email_rate_limit, options->email_rate_limit)) {
        (void)fputs("munchkin-server: the system has no random bytes.\n", stderr);
        return EXIT_FAILURE;
    }
    ms_refused_origins_init(&service.refused);
    ms_metrics_start();
    allow_open_files(MS_CONNECTIONS_MAX + 128);
    /* Fixed, where the C library would raise it with each block that is freed: what a batch took
     * is given back, and not kept for another one. */
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
    /* A thread that reads one message after the other needs the same 100 KB each time: not worth
     * asking the system for it each time. */
    (void)mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    block_signals(&ending);
    if (!start_worker(&service, options, configuration)) {
        return EXIT_FAILURE;
    }
    int code = serve(options, &service, &ending);
    if (service.worker != NULL) {
        ms_worker_stop(service.worker, DRAIN_MS);
    }
    if (code == EXIT_SUCCESS) { /* else nothing had started */
        ms_log("info", "stopped", NULL, NULL);
    }
    return code;
}

int
main(int argc, char **argv)
{
    static ms_options options;
    static ms_configuration configuration;
    static char name[] = "munchkin-server";

    ms_secret_guard();
    if (argc > 0) {
        argv[0] = name; /* getopt_long's sentences begin with it, as ours do */
    }
    if (ms_cli_is_asked(argc, argv)) {
        return ms_cli_run(argc, argv);
    }
    switch (ms_options_parse(&options, argc, argv)) {
    case MS_OPTIONS_DONE:
        ms_options_wipe(&options);
        return ms_print_end(EXIT_SUCCESS);
    case MS_OPTIONS_WRONG:
        ms_options_wipe(&options);
        return EXIT_CONFIGURATION;
    case MS_OPTIONS_RUN:
        break;
    }
    int code = EXIT_CONFIGURATION;
    if (!ms_clock_start()) {
        (void)fputs("munchkin-server: MUNCHKIN_TEST_CLOCK names no file of eight bytes.\n", stderr);
    } else if (ms_configuration_load(&configuration, &options)) {
        code =
            options.check ? ms_cli_check(&options, &configuration) : run(&options, &configuration);
    }
    ms_configuration_wipe(&configuration);
    ms_options_wipe(&options);
    return code;
}
