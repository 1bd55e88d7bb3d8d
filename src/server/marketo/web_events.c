/*
 * Visits, as Munchkin's web events. Calls of their own, not counted in the limits of Marketo's
 * APIs.
 *
 * They are started in the order they came, but where one after the other is refused; those under
 * way together may arrive in another, and each says its time (_mchNc).
 */

#include "../metrics.h"
#include "backend.h"
#include "backoff.h"
#include "lane.h"

#include <stdio.h>
#include <stdlib.h>

#define AT_ONCE 24
#define TIMEOUT_MS 30000L
#define URL_ROOM 65536
#define VISITS_ROOM ((size_t)1 << 20)
#define USER_AGENT_MAX 1024

/* While one visit after the other is refused, another is tried at least so often. */
#define PROBE_MS 30000

typedef struct {
    ms_backend base;
    ms_slice url;
    ms_lane lane;
    unsigned char *memory; /* for what is taken, then for a URL */
} web_events;

typedef struct visit {
    web_events *owner;
    int64_t id;
    unsigned int attempts;
    unsigned int suspicions; /* of it before */
    int64_t started;
    bool noted;      /* what its answer means; once, though it may be handed out twice */
    bool own;        /* it is refused for what it says */
    bool suspicious; /* it may be */
    int64_t again_at;
    bool ended;
} visit;

static ms_slice
status_text(char text[16], long status)
{
    return (ms_slice){text, (size_t)snprintf(text, 16, "%ld", status)};
}

/* Another may take its place. */
static void
end(visit *visit)
{
    visit->owner->lane.under_way -= visit->ended ? 0 : 1;
    visit->ended = true;
}

/* Is it for how long the visit is? */
static bool
is_of_size(long status)
{
    return status == 413 || status == 414 || status == 431;
}

/* Is it for what the visit says? Else it may be a page elsewhere, or a refusal of whoever asks; and
 * so is this, if it comes for one visit after the other. */
static bool
is_of_content(long status)
{
    return status == 400 || status == 422;
}

static void
note_refusal(visit *visit, long status, int64_t now)
{
    char code[16];
    ms_lane *lane = &visit->owner->lane;
    visit->again_at = ms_backoff_until(visit->attempts, now);
    if (is_of_size(status)) {
        visit->own = true;
    } else if (is_of_content(status) && lane->refused < MS_REFUSED_MOST) {
        ms_lane_refused_one(lane);
        visit->own = true;
    } else {
        bool suspected = ms_lane_fault(lane, 1, status_text(code, status), visit->started, now);
        ms_lane_hold_at_most(lane, PROBE_MS, now);
        visit->suspicious = suspected || !lane->fault;
        visit->own = suspected && visit->suspicions + 1 >= MS_FAULTS_MOST;
        if (!suspected && visit->again_at < lane->not_before) {
            visit->again_at = lane->not_before;
        }
    }
    visit->noted = true;
}

static ms_store_result
refused(visit *visit, long status, ms_store *store, int64_t now)
{
    char code[16];
    if (!visit->noted) {
        note_refusal(visit, status, now);
    }
    if (!visit->own && visit->suspicious &&
        ms_store_suspect(store, MS_SUSPECT_VISIT, visit->id) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    if (!visit->own) {
        return ms_store_again(store, MS_QUEUED_VISIT, visit->id, visit->again_at);
    }
    ms_metrics_record_refused();
    return ms_store_refused(store, MS_QUEUED_VISIT, visit->id, status_text(code, status),
                            MS_SLICE("Marketo's collector refuses the visit."), now);
}

static ms_store_result
answered(void *argument, const ms_http_answer *answer, ms_store *store, int64_t now)
{
    visit *visit = argument;
    long status = answer->status;
    end(visit);
    if (status < 200 || status >= 500 || status == 408 || status == 429) {
        if (!visit->noted) {
            visit->again_at = ms_lane_failed(&visit->owner->lane, visit->started, visit->attempts,
                                             answer->retry_after, now, ms_backoff_random());
            ms_lane_tell_failure(&visit->owner->lane, answer, MS_SLICE(""));
            visit->noted = true;
        }
        return ms_store_again(store, MS_QUEUED_VISIT, visit->id, visit->again_at);
    }
    if (status > 299) {
        return refused(visit, status, store, now);
    }
    ms_lane_went_well(&visit->owner->lane);
    return ms_store_sent(store, MS_QUEUED_VISIT, visit->id);
}

static void
discard(void *argument)
{
    visit *visit = argument;
    end(visit);
    free(visit);
}

/* The visitor's, as far as a header can carry it. */
static void
write_user_agent(char header[USER_AGENT_MAX], ms_slice user_agent)
{
    size_t len = (size_t)snprintf(header, USER_AGENT_MAX, "User-Agent: ");
    size_t prefix = len;
    for (size_t i = 0; i < user_agent.len && len + 1 < USER_AGENT_MAX; i++) {
        unsigned char byte = (unsigned char)user_agent.ptr[i];
        if (byte >= ' ' && byte != 0x7F && user_agent.ptr[i] != MS_NUL) {
            header[len++] = user_agent.ptr[i];
        }
    }
    header[len == prefix ? 0 : len] = '\0'; /* without one, it is ours */
}

static ms_store_result
start(web_events *events, ms_store *store, ms_http_client *client, const ms_due_visit *due,
      ms_arena *arena, int64_t now)
{
    char header[USER_AGENT_MAX];
    char time[32];
    const char *headers[] = {"Content-Type:", header, NULL};
    write_user_agent(header, due->user_agent);
    headers[1] = header[0] == '\0' ? NULL : header;
    (void)snprintf(time, sizeof time, "%lld", (long long)due->time);

    char *url = ms_text_begin(arena);
    ms_text_append(arena, events->url);
    ms_text_append(arena, MS_SLICE("/webevents/visitWebPage?"));
    ms_text_append(arena, due->query);
    ms_text_append(arena, due->query.len > 0 ? MS_SLICE("&_mchNc=") : MS_SLICE("_mchNc="));
    ms_text_append(arena, ms_slice_from(time));
    ms_slice whole = ms_text_end(arena, url);
    if (arena->exhausted) {
        ms_metrics_record_refused();
        return ms_store_refused(store, MS_QUEUED_VISIT, due->id, MS_SLICE("414"),
                                MS_SLICE("The visit is too long for a URL."), now);
    }
    visit *visit = malloc(sizeof *visit);
    if (visit == NULL) {
        return MS_STORE_FAILED; /* the turn is undone and comes again */
    }
    *visit = (struct visit){.owner = events,
                            .id = due->id,
                            .attempts = due->attempts,
                            .suspicions = due->suspicions,
                            .started = now};
    const ms_http_call call = {.method = "POST",
                               .url = whole.ptr,
                               .headers = headers,
                               .body = {"", 0},
                               .timeout_ms = TIMEOUT_MS,
                               .shares_connection = true,
                               .answered = answered,
                               .discard = discard,
                               .argument = visit};
    if (!ms_http_client_start(client, &call)) {
        free(visit);
        return ms_store_again(store, MS_QUEUED_VISIT, due->id, now + MS_BACKOFF_MIN);
    }
    events->lane.under_way++;
    return MS_STORE_OK;
}

/* How many visits may be started now. */
static size_t
room(web_events *events, int64_t now, int64_t *wake)
{
    size_t most = events->lane.attempts > 0 ? 1 : AT_ONCE;
    bool allowed = ms_lane_allows(&events->lane, now, wake);
    return allowed && events->lane.under_way < most ? most - events->lane.under_way : 0;
}

/* While one after the other is refused, those that came first and those that came last take turns:
 * many that are refused for what they say stand together, and the first that goes well shows it. */
static bool
is_turn_of_newest(const ms_lane *lane)
{
    bool refused = lane->fault || lane->refused >= MS_REFUSED_MOST;
    return refused && lane->attempts % 2 == 1;
}

static ms_store_result
start_calls(ms_backend *backend, ms_store *store, ms_http_client *client, int64_t now,
            int64_t *wake)
{
    web_events *events = (web_events *)backend;
    size_t free_slots = room(events, now, wake);
    while (free_slots > 0) {
        ms_due_visit visits[AT_ONCE];
        ms_arena arena;
        size_t count = 0;
        ms_arena_init(&arena, events->memory, VISITS_ROOM);
        if (ms_store_take_visits(store, is_turn_of_newest(&events->lane), now, free_slots, &arena,
                                 visits, &count) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
        for (size_t i = 0; i < count; i++) {
            ms_arena url;
            ms_arena_init(&url, events->memory + VISITS_ROOM, URL_ROOM);
            if (start(events, store, client, &visits[i], &url, now) != MS_STORE_OK) {
                return MS_STORE_FAILED;
            }
        }
        free_slots = count < free_slots ? 0 : room(events, now, wake);
    }
    return MS_STORE_OK;
}

static void
close_events(ms_backend *backend)
{
    web_events *events = (web_events *)backend;
    free(events->memory);
    free(events);
}

ms_backend *
ms_web_events_open(const ms_marketo_settings *settings)
{
    web_events *events = calloc(1, sizeof *events);
    if (events == NULL) {
        return NULL;
    }
    events->memory = malloc(VISITS_ROOM + URL_ROOM);
    if (events->memory == NULL) {
        free(events);
        return NULL;
    }
    events->base = (ms_backend){.start_calls = start_calls, .close = close_events};
    ms_lane_init(&events->lane, "visits", 1);
    events->url = settings->web_events_url;
    return &events->base;
}
