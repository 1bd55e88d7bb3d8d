/* munchkin-server: see options.c for what it takes, http.c for what it answers. */

#include "assets.h"
#include "http.h"
#include "log.h"
#include "metrics.h"
#include "secret.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define EXIT_CONFIGURATION 2

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

/* Tells a person, and a test, where it listens. */
static void
announce(const ms_options *options, uint16_t port)
{
    char host[INET6_ADDRSTRLEN];
    bool v6 = options->address.ss_family == AF_INET6;
    const void *address =
        v6 ? (const void *)&((const struct sockaddr_in6 *)&options->address)->sin6_addr
           : (const void *)&((const struct sockaddr_in *)&options->address)->sin_addr;
    (void)inet_ntop(options->address.ss_family, address, host, sizeof host);
    (void)printf("munchkin-server listening on http://%s%s%s:%u\n", v6 ? "[" : "", host,
                 v6 ? "]" : "", port);
    (void)fflush(stdout);
    ms_log("info", "started", "release", ms_release);
    ms_log("warning", "origins_only", "message",
           "An Origin header can be forged outside a browser: whoever reaches this server can get "
           "hashes at the rate limit's pace.");
}

static int
serve(const ms_options *options, ms_service *service, const sigset_t *ending)
{
    ms_http *http = ms_http_start(options, service);
    if (http == NULL) {
        (void)fprintf(stderr, "munchkin-server: cannot listen there: %s. Choose with --listen.\n",
                      errno != 0 ? strerror(errno) : "no memory or threads");
        return EXIT_FAILURE;
    }
    announce(options, ms_http_port(http));
    int number = 0;
    (void)sigwait(ending, &number);
    ms_log("info", "stopping", "signal", strsignal(number));
    ms_http_stop(http);
    ms_log("info", "stopped", NULL, NULL);
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    static ms_options options;
    static ms_service service;
    sigset_t ending;

    switch (ms_options_parse(&options, argc, argv)) {
    case MS_OPTIONS_DONE:
        return EXIT_SUCCESS;
    case MS_OPTIONS_WRONG:
        return EXIT_CONFIGURATION;
    case MS_OPTIONS_RUN:
        break;
    }
    if (!ms_secret_load(&ms_secret_private_key, options.private_key_file, &service.private_key)) {
        return EXIT_CONFIGURATION;
    }
    if (service.private_key.len == 0) {
        ms_secret_missing(&ms_secret_private_key);
        return EXIT_CONFIGURATION;
    }
    service.allowed = options.allowed;
    service.proxies = options.proxies;
    ms_rate_limit_init(&service.rate_limit, options.rate_limit);
    ms_metrics_start();
    allow_open_files(MS_CONNECTIONS_MAX + 64);

    /* Blocked before any thread starts, so that the main thread alone waits for them. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigaddset(&ending, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ending, NULL);

    int code = serve(&options, &service, &ending);
    ms_secret_wipe(&service.private_key);
    return code;
}
