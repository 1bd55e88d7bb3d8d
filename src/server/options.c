#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_LISTEN "127.0.0.1:8080"
#define DEFAULT_RATE_LIMIT 60
#define THREADS_MAX 256

static const char usage[] =
    "munchkin-server signs Munchkin's associateLead for the pages of origins that you list.\n"
    "\n"
    "  MARKETO_API_PRIVATE_KEY=... munchkin-server --allow-origin https://www.example.com\n"
    "\n"
    "  --allow-origin ORIGIN      pages of this origin may ask for hashes; repeatable, one is "
    "needed\n"
    "  --listen ADDRESS:PORT      where to listen (" DEFAULT_LISTEN "); [::1]:8080 for IPv6,\n"
    "                             port 0 for any that is free\n"
    "  --private-key-file PATH    the Munchkin API private key, instead of the environment's\n"
    "                             MARKETO_API_PRIVATE_KEY\n"
    "  --rate-limit N             hashes a minute for each client address (60); 0 for no limit\n"
    "  --trust-proxy ADDRESS      take the client's address from the X-Forwarded-For of this "
    "proxy;\n"
    "                             repeatable. Without, all behind a proxy count as one client\n"
    "  --threads N                as many as there are cores\n"
    "  --help, --version\n";

static const char no_origin[] =
    "munchkin-server: no origin is allowed, so it does not start: anyone could have any e-mail\n"
    "address signed, and with that overwrite the lead. List the origins of your pages:\n"
    "  --allow-origin https://www.example.com\n";

static const char key_on_command_line[] =
    "munchkin-server: the private key does not belong on the command line, where other users can\n"
    "read it. Put it in the environment as MARKETO_API_PRIVATE_KEY, or in a file that only you "
    "can\n"
    "read and name that with --private-key-file.\n";

/* A whole number from 0 to `most`. */
static bool
parse_number(const char *text, unsigned int most, unsigned int *number)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (!ms_is_digit(text[0]) || *end != '\0' || value > most) {
        return false;
    }
    *number = (unsigned int)value;
    return true;
}

/* ADDRESS:PORT, an IPv6 address in brackets. */
static bool
parse_address(const char *text, struct sockaddr_storage *address)
{
    char host[INET6_ADDRSTRLEN];
    unsigned int port = 0;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !parse_number(colon + 1, USHRT_MAX, &port)) {
        return false;
    }
    bool brackets = text[0] == '[' && colon > text && colon[-1] == ']';
    const char *start = brackets ? text + 1 : text;
    size_t len = (size_t)(colon - start) - (brackets ? 1 : 0);
    if (len >= sizeof host) {
        return false;
    }
    memcpy(host, start, len);
    host[len] = '\0';
    memset(address, 0, sizeof *address);
    if (brackets) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &v4->sin_addr) == 1;
}

static bool
refuse(const char *option, const char *value, const char *expected)
{
    (void)fprintf(stderr, "munchkin-server: --%s %s: expected %s.\n", option, value, expected);
    return false;
}

static bool
take(ms_options *options, const char *name, char *value)
{
    if (strcmp(name, "listen") == 0) {
        return parse_address(value, &options->address) ||
               refuse(name, value, "ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080");
    }
    if (strcmp(name, "allow-origin") == 0) {
        return ms_origins_add(&options->allowed, value) ||
               refuse(name, value, "an origin, such as https://www.example.com; no path, no *");
    }
    if (strcmp(name, "private-key-file") == 0) {
        options->private_key_file = value;
        return true;
    }
    if (strcmp(name, "rate-limit") == 0) {
        return parse_number(value, INT_MAX, &options->rate_limit) ||
               refuse(name, value, "a number of hashes a minute, or 0");
    }
    if (strcmp(name, "trust-proxy") == 0) {
        return ms_proxies_add(&options->proxies, value) ||
               refuse(name, value, "an IP address, at most 16 of them");
    }
    if (strcmp(name, "threads") == 0) {
        return (parse_number(value, THREADS_MAX, &options->threads) && options->threads > 0) ||
               refuse(name, value, "a number from 1 to 256");
    }
    (void)fputs(key_on_command_line, stderr);
    return false;
}

ms_options_outcome
ms_options_parse(ms_options *options, int argc, char **argv)
{
    static const struct option known[] = {{"listen", required_argument, NULL, 'o'},
                                          {"allow-origin", required_argument, NULL, 'o'},
                                          {"private-key-file", required_argument, NULL, 'o'},
                                          {"private-key", required_argument, NULL, 'o'},
                                          {"rate-limit", required_argument, NULL, 'o'},
                                          {"trust-proxy", required_argument, NULL, 'o'},
                                          {"threads", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *options = (ms_options){.rate_limit = DEFAULT_RATE_LIMIT,
                            .threads = cores > 0 && cores <= THREADS_MAX ? (unsigned int)cores : 1};
    (void)parse_address(DEFAULT_LISTEN, &options->address);

    int found = 0;
    int index = 0;
    while ((found = getopt_long(argc, argv, "", known, &index)) != -1) {
        if (found == 'h') {
            (void)fputs(usage, stdout);
            return MS_OPTIONS_DONE;
        }
        if (found == 'v') {
            (void)puts("munchkin-server " MS_VERSION);
            return MS_OPTIONS_DONE;
        }
        if (found != 'o') {
            (void)fputs("munchkin-server --help lists the options.\n", stderr);
            return MS_OPTIONS_WRONG;
        }
        if (!take(options, known[index].name, optarg)) {
            return MS_OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "munchkin-server takes no argument like '%s'; see --help.\n",
                      argv[optind]);
        return MS_OPTIONS_WRONG;
    }
    if (options->allowed.count == 0) {
        (void)fputs(no_origin, stderr);
        return MS_OPTIONS_WRONG;
    }
    return MS_OPTIONS_RUN;
}
