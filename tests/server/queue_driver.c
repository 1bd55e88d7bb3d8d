/*
 * The queue and the way to Marketo without the server's HTTP, for tests: carries out commands that
 * it reads, one JSON object a line, and says which are on disk.
 *
 *     queue-driver run DATABASE REST_URL WEB_EVENTS_URL [NAME=VALUE]...
 *     queue-driver dead DATABASE
 *     queue-driver check REST_URL
 *
 * {"kind":"lead","message_id":"…","email":"…","user_id":"…","cookie":"…","cookie_first":true,
 *  "fields":"{\"Email\":\"…\"}"}, {"kind":"visit","query":"…","user_agent":"…"},
 * {"kind":"activity","type":100001,"primary":"…","attributes":"[]"}, {"kind":"counts"}; names are
 * interval, linger, unchanged, hold, daily, batch. At the end of the input it stops.
 */

#include "../../src/core/json.h"
#include "../../src/server/clock.h"
#include "../../src/server/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define DRAIN_MS 5000

typedef struct {
    ms_job job; /* the first, so that one is the other */
    ms_command command;
    ms_arena arena;
    int number;
    unsigned char memory[];
} driven_job;

static void
done(ms_job *job, bool stored)
{
    driven_job *driven = (driven_job *)job;
    (void)printf("{\"%s\":%d}\n", stored ? "stored" : "failed", driven->number);
    (void)fflush(stdout);
    free(driven);
}

static int64_t
number(const cJSON *object, const char *name, int64_t otherwise)
{
    const cJSON *value = ms_json_member(object, name);
    return cJSON_IsNumber(value) ? (int64_t)value->valuedouble : otherwise;
}

static ms_command_kind
kind_of(ms_slice name)
{
    if (ms_slice_equal(name, MS_SLICE("lead"))) {
        return MS_COMMAND_LEAD;
    }
    return ms_slice_equal(name, MS_SLICE("visit")) ? MS_COMMAND_VISIT : MS_COMMAND_ACTIVITY;
}

static void
write_counts(ms_worker *worker)
{
    ms_store_counts counts;
    ms_worker_counts(worker, &counts);
    (void)printf(
        "{\"counts\":{\"messagesWaiting\":%llu,\"leadsWaiting\":%llu,\"leadsInFlight\":%llu,"
        "\"leadsHeld\":%llu,"
        "\"cookiesWaiting\":%llu,\"visitsWaiting\":%llu,\"activitiesWaiting\":%llu,"
        "\"dead\":%llu,\"callsToday\":%llu}}\n",
        (unsigned long long)counts.messages_waiting, (unsigned long long)counts.leads_waiting,
        (unsigned long long)counts.leads_in_flight, (unsigned long long)counts.leads_held,
        (unsigned long long)counts.cookies_waiting, (unsigned long long)counts.visits_waiting,
        (unsigned long long)counts.activities_waiting, (unsigned long long)counts.dead,
        (unsigned long long)counts.calls_today);
    (void)fflush(stdout);
}

static void
drive(ms_worker *worker, ms_slice line, int line_number)
{
    size_t room = 65536 + 64 * line.len;
    driven_job *driven = calloc(1, sizeof *driven + room);
    cJSON *object = NULL;
    if (driven == NULL) {
        abort();
    }
    ms_arena_init(&driven->arena, driven->memory, room);
    if (ms_json_parse(&driven->arena, line, &object) != MS_OK) {
        (void)fprintf(stderr, "not a command: %.*s\n", (int)line.len, line.ptr);
        abort();
    }
    if (ms_slice_equal(ms_json_string(object, "kind"), MS_SLICE("counts"))) {
        write_counts(worker);
        free(driven);
        return;
    }
    driven->number = line_number;
    driven->job = (ms_job){.commands = &driven->command, .done = done};
    driven->command = (ms_command){
        .kind = kind_of(ms_json_string(object, "kind")),
        .message_id = ms_json_string(object, "message_id"),
        .who = {.email = ms_json_string(object, "email"),
                .user_id = ms_json_string(object, "user_id"),
                .cookie = ms_json_string(object, "cookie"),
                .cookie_first = cJSON_IsTrue(ms_json_member(object, "cookie_first"))},
        .time = number(object, "time", ms_clock_now()),
        .fields = ms_json_string(object, "fields"),
        .query = ms_json_string(object, "query"),
        .user_agent = ms_json_string(object, "user_agent"),
        .activity_type = number(object, "type", 0),
        .primary_value = ms_json_string(object, "primary"),
        .attributes = ms_json_string(object, "attributes"),
        .code = {"", 0},
        .payload = {"", 0},
    };
    if (!ms_worker_submit(worker, &driven->job)) {
        driven->job.done(&driven->job, false);
    }
}

static int64_t
option(int argc, char **argv, const char *name, int64_t otherwise)
{
    size_t len = strlen(name);
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') {
            return strtoll(argv[i] + len + 1, NULL, 10);
        }
    }
    return otherwise;
}

static int
run(int argc, char **argv)
{
    const ms_store_rules rules = {.interval = option(argc, argv, "interval", 30000),
                                  .linger = option(argc, argv, "linger", 0),
                                  .unchanged = option(argc, argv, "unchanged", 86400000),
                                  .hold = option(argc, argv, "hold", 604800000)};
    const ms_marketo_settings settings = {.munchkin_id = MS_SLICE("561-HYG-937"),
                                          .rest_url = ms_slice_from(argv[3]),
                                          .client_id = ms_slice_from(getenv("MARKETO_CLIENT_ID")),
                                          .client_secret =
                                              ms_slice_from(getenv("MARKETO_CLIENT_SECRET")),
                                          .web_events_url = ms_slice_from(argv[4]),
                                          .daily_calls = (uint64_t)option(argc, argv, "daily", 0),
                                          .batch = (size_t)option(argc, argv, "batch", 300)};
    const char *problem = NULL;
    ms_store *store = ms_store_open(argv[2], &rules, &problem);
    ms_backend *rest = ms_rest_open(&settings);
    ms_backend *visits = ms_web_events_open(&settings);
    if (store == NULL || rest == NULL || visits == NULL) {
        (void)fprintf(stderr, "%s\n", problem == NULL ? "no memory" : problem);
        return EXIT_FAILURE;
    }
    rest->beside = visits;
    ms_worker *worker = ms_worker_start(store, rest);
    if (worker == NULL) {
        return EXIT_FAILURE;
    }
    char *line = NULL;
    size_t room = 0;
    ssize_t len = 0;
    for (int i = 1; (len = getline(&line, &room, stdin)) > 0; i++) {
        drive(worker, (ms_slice){line, (size_t)len}, i);
    }
    free(line);
    ms_worker_stop(worker, DRAIN_MS);
    return EXIT_SUCCESS;
}

static void
write_letter(const ms_dead_letter *letter, void *argument)
{
    static char memory[1 << 20];
    ms_arena out;
    const struct {
        const char *name;
        ms_slice value;
    } members[] = {{"kind", letter->kind},
                   {"who", letter->who},
                   {"code", letter->code},
                   {"reason", letter->reason},
                   {"payload", letter->payload}};
    (void)argument;
    ms_arena_init(&out, memory, sizeof memory);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        ms_text_append(&out, i == 0 ? MS_SLICE("{") : MS_SLICE(","));
        ms_json_write_string(&out, ms_slice_from(members[i].name));
        ms_text_byte(&out, ':');
        ms_json_write_string(&out, members[i].value);
    }
    ms_text_append(&out, MS_SLICE("}\n"));
    (void)fwrite(memory, 1, out.used, stdout);
}

static int
dead(char **argv)
{
    const ms_store_rules rules = {.interval = 30000};
    const char *problem = NULL;
    ms_store *store = ms_store_attach(argv[2], &rules, &problem);
    if (store == NULL || ms_store_dead_list(store, 0, write_letter, NULL) != MS_STORE_OK) {
        (void)fprintf(stderr, "%s\n", problem == NULL ? "cannot list" : problem);
        return EXIT_FAILURE;
    }
    ms_store_close(store);
    return EXIT_SUCCESS;
}

static int
check(char **argv)
{
    const ms_marketo_settings settings = {.rest_url = ms_slice_from(argv[2]),
                                          .client_id = ms_slice_from(getenv("MARKETO_CLIENT_ID")),
                                          .client_secret =
                                              ms_slice_from(getenv("MARKETO_CLIENT_SECRET"))};
    const char *problem = ms_rest_check(&settings);
    (void)printf("%s\n", problem == NULL ? "ok" : problem);
    return problem == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (!ms_clock_start()) {
        return EXIT_FAILURE;
    }
    if (argc >= 5 && strcmp(argv[1], "run") == 0) {
        return run(argc, argv);
    }
    if (argc == 3 && strcmp(argv[1], "dead") == 0) {
        return dead(argv);
    }
    if (argc == 3 && strcmp(argv[1], "check") == 0) {
        return check(argv);
    }
    (void)fprintf(stderr, "see the head of queue_driver.c\n");
    return EXIT_FAILURE;
}
