#include "options.h"

#include "usage.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_LISTEN "127.0.0.1:8080"
#define DEFAULT_RATE_LIMIT 60
#define DEFAULT_EMAIL_RATE_LIMIT 30
#define DEFAULT_INTERVAL 30
#define DEFAULT_LINGER 5
#define DEFAULT_REQUEST_TIMEOUT 30
#define THREADS_MAX 256
#define HOUR 3600
#define DAY 86400

static const char secret_on_command_line[] = "munchkin-server: a secret does not belong on the "
                                             "command line, where other users can read it.\n"
                                             "Put it in the environment, or in a file that only "
                                             "you can read and name that with --%s-file.\n";

static const char see_help[] = "munchkin-server --help lists the options.\n";

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
take_listen(ms_options *options, char *value)
{
    return parse_address(value, &options->address);
}

static bool
take_origin(ms_options *options, char *value)
{
    return ms_origins_add(&options->allowed, value);
}

static bool
take_proxy(ms_options *options, char *value)
{
    return ms_proxies_add(&options->proxies, value);
}

static bool
take_rate_limit(ms_options *options, char *value)
{
    return parse_number(value, INT_MAX, &options->rate_limit);
}

static bool
take_email_rate_limit(ms_options *options, char *value)
{
    return parse_number(value, INT_MAX, &options->email_rate_limit);
}

static bool
take_token_secret_file(ms_options *options, char *value)
{
    for (size_t i = 0; i < MS_TOKEN_SECRETS; i++) {
        if (options->token_secret_files[i] == NULL) {
            options->token_secret_files[i] = value;
            return true;
        }
    }
    return false;
}

static bool
take_threads(ms_options *options, char *value)
{
    return parse_number(value, THREADS_MAX, &options->threads) && options->threads > 0;
}

static bool
take_request_timeout(ms_options *options, char *value)
{
    return parse_number(value, HOUR, &options->request_timeout) && options->request_timeout > 0;
}

/* Others can read a command line for as long as the process runs. */
static bool
take_write_key(ms_options *options, char *value)
{
    bool taken = ms_write_keys_add(options->write_keys, ms_slice_from(value));
    explicit_bzero(value, strlen(value));
    return taken;
}

static bool
take_write_keys_file(ms_options *options, char *value)
{
    char problem[MS_WRITE_KEYS_PROBLEM];
    if (ms_write_keys_load(options->write_keys, value, problem)) {
        return true;
    }
    (void)fprintf(stderr, "munchkin-server: --write-keys-file %s: %s.\n", value, problem);
    return false;
}

static bool
take_way(ms_options *options, char *value)
{
    static const char *const ways[] = {
        [MS_WAY_REST] = "rest", [MS_WAY_SOAP] = "soap", [MS_WAY_HASH] = "hash"};
    for (size_t way = MS_WAY_REST; way <= MS_WAY_HASH; way++) {
        if (strcmp(value, ways[way]) == 0) {
            options->way = (ms_way)way;
            return true;
        }
    }
    return false;
}

static bool
take_interval(ms_options *options, char *value)
{
    return parse_number(value, DAY, &options->interval);
}

static bool
take_linger(ms_options *options, char *value)
{
    return parse_number(value, DAY, &options->linger);
}

static bool
take_daily_calls(ms_options *options, char *value)
{
    return parse_number(value, INT_MAX, &options->daily_calls);
}

/* Either `take` says whether the value is what is expected, and what is wrong with it where nothing
 * is; or it is text, kept at `place`. */
typedef struct {
    const char *name;
    const char *expected;
    bool (*take)(ms_options *options, char *value);
    size_t place;
} option_rule;

#define TEXT(name, member)                                                                         \
    {                                                                                              \
        name, "", NULL, offsetof(ms_options, member)                                               \
    }

static const option_rule rules[] = {
    {"listen", "ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080", take_listen, 0},
    {"allow-origin",
     "an origin as browsers write it, such as https://www.example.com; no path, no *", take_origin,
     0},
    {"rate-limit", "a number of requests a minute, or 0 for no limit", take_rate_limit, 0},
    {"rate-limit-email", "a number of requests a minute, or 0 for no limit", take_email_rate_limit,
     0},
    {"token-secret-file", "a file, and at most two of them", take_token_secret_file, 0},
    {"trust-proxy", "an IP address, at most 16 of them", take_proxy, 0},
    {"threads", "a number from 1 to 256", take_threads, 0},
    {"request-timeout", "a number of seconds, from 1 to 3600", take_request_timeout, 0},
    {"write-key", "at most 128 characters, no spaces, no colon; at most 64 keys", take_write_key,
     0},
    {"write-keys-file", "", take_write_keys_file, 0},
    {"backend", "rest, soap or hash", take_way, 0},
    {"interval", "a number of seconds, at most a day", take_interval, 0},
    {"linger", "a number of seconds, at most a day", take_linger, 0},
    {"daily-calls", "a number of calls, 0 for all that Marketo allows", take_daily_calls, 0},
    TEXT("private-key-file", private_key_file),
    TEXT("client-secret-file", client_secret_file),
    TEXT("soap-encryption-key-file", soap_encryption_key_file),
    TEXT("token-audience", token_audience),
    TEXT("munchkin-id", munchkin_id),
    TEXT("rest-url", rest_url),
    TEXT("soap-url", soap_url),
    TEXT("webevents-url", web_events_url),
    TEXT("activities", activities_file),
    TEXT("db", db),
    {"private-key", NULL, NULL, 0},
    {"client-secret", NULL, NULL, 0},
    {"soap-encryption-key", NULL, NULL, 0},
    {"token-secret", NULL, NULL, 0},
};
#define RULES (sizeof rules / sizeof *rules)

static bool
apply(const option_rule *rule, ms_options *options, char *value)
{
    if (rule->expected == NULL) {
        (void)fprintf(stderr, secret_on_command_line, rule->name);
        return false;
    }
    if (rule->take == NULL) {
        *(const char **)((char *)options + rule->place) = value;
        return true;
    }
    if (rule->take(options, value)) {
        return true;
    }
    if (*rule->expected != '\0') {
        (void)fprintf(stderr, "munchkin-server: --%s %s: expected %s.\n", rule->name, value,
                      rule->expected);
    }
    return false;
}

/* What getopt_long is told: the rules' names, which it gives back by their number. */
static void
list_options(struct option known[RULES + 4])
{
    for (size_t i = 0; i < RULES; i++) {
        known[i] = (struct option){rules[i].name, required_argument, NULL, 'o'};
    }
    known[RULES] = (struct option){"check", no_argument, NULL, 'c'};
    known[RULES + 1] = (struct option){"help", no_argument, NULL, 'h'};
    known[RULES + 2] = (struct option){"version", no_argument, NULL, 'v'};
    known[RULES + 3] = (struct option){NULL, 0, NULL, 0};
}

static ms_options
defaults(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    ms_options options = {
        .rate_limit = DEFAULT_RATE_LIMIT,
        .email_rate_limit = DEFAULT_EMAIL_RATE_LIMIT,
        .threads = cores > 0 && cores <= THREADS_MAX ? (unsigned int)cores : 1,
        .db = MS_DEFAULT_DB,
        .interval = DEFAULT_INTERVAL,
        .linger = DEFAULT_LINGER,
        .request_timeout = DEFAULT_REQUEST_TIMEOUT,
        .write_keys = ms_write_keys_open(),
    };
    (void)parse_address(DEFAULT_LISTEN, &options.address);
    return options;
}

/* The option of the argument, by its whole name: of one that getopt_long would complete, or does
 * not know, it would print the value, and that may be a secret. NULL if there is none. */
static const struct option *
option_of(const char *argument, const struct option *known)
{
    size_t len = strcspn(argument, "=");
    for (; known->name != NULL; known++) {
        if (strlen(known->name) == len && strncmp(known->name, argument, len) == 0) {
            return known;
        }
    }
    return NULL;
}

/* Without its value, which may be a secret. */
static void
tell_unknown(const char *argument)
{
    int len = (int)strcspn(argument, "=");
    if (len == 6 && strncmp(argument, "--json", 6) == 0) {
        (void)fputs("munchkin-server: --json is for the commands status and dead, as in: "
                    "munchkin-server status --json\n",
                    stderr);
    } else {
        (void)fprintf(stderr, "munchkin-server: there is no option '%.*s'.\n", len, argument);
    }
}

bool
ms_options_are_known(int argc, char **argv, const struct option *known)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            continue;
        }
        const struct option *option = option_of(argv[i] + 2, known);
        if (option == NULL) {
            tell_unknown(argv[i]);
            return false;
        }
        i += option->has_arg == required_argument && strchr(argv[i], '=') == NULL;
    }
    return true;
}

ms_options_outcome
ms_options_parse(ms_options *options, int argc, char **argv)
{
    struct option known[RULES + 4];
    int found = 0;
    int index = 0;
    list_options(known);
    *options = defaults();
    if (options->write_keys == NULL) {
        (void)fputs("munchkin-server: there is no memory for the write keys.\n", stderr);
        return MS_OPTIONS_WRONG;
    }
    if (!ms_options_are_known(argc, argv, known)) {
        (void)fputs(see_help, stderr);
        return MS_OPTIONS_WRONG;
    }
    while ((found = getopt_long(argc, argv, "", known, &index)) != -1) {
        switch (found) {
        case 'h':
            (void)fputs(ms_usage, stdout);
            return MS_OPTIONS_DONE;
        case 'v':
            (void)puts("munchkin-server " MS_VERSION);
            return MS_OPTIONS_DONE;
        case 'c':
            options->check = true;
            break;
        case 'o':
            if (!apply(&rules[index], options, optarg)) {
                return MS_OPTIONS_WRONG;
            }
            break;
        default:
            (void)fputs(see_help, stderr);
            return MS_OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        /* It may be a key that somebody put there. */
        (void)fputs("munchkin-server: one of its arguments is no option, nor any option's value; "
                    "see --help. A command, such as status, comes first, with no options but --db "
                    "and --json.\n",
                    stderr);
        return MS_OPTIONS_WRONG;
    }
    return MS_OPTIONS_RUN;
}

void
ms_options_wipe(ms_options *options)
{
    ms_write_keys_close(options->write_keys);
    options->write_keys = NULL;
}
