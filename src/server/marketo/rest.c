#include "rest.h"

#include <stdlib.h>

/* So long before something is due, what it takes is made ready. */
#define AHEAD_MS 60000
/* A token that is said to last longer is from before the clock was set back. */
#define TOKEN_LONGEST_MS INT64_C(86400000)

#define LEADS_MOST 300
#define ACTIVITIES_MOST 300

/* Only if there is going to be a use for it. */
static ms_store_result
start_token(ms_rest *rest, ms_store *store, ms_http_client *client, int64_t now, int64_t *wake)
{
    int64_t due = INT64_MAX;
    if (ms_store_next_due(store, &due) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    if (rest->tried == MS_TRIED_ALL && due > now + AHEAD_MS) {
        return MS_STORE_OK;
    }
    return ms_rest_start_token(rest, client, now, wake);
}

/* A list that is doubted is waited for while it is asked for; where that fails, it is better than
 * none. */
static bool
may_send_leads(const ms_rest *rest)
{
    bool asking = rest->fields_doubted && rest->lanes[MS_LANE_DESCRIBE].attempts == 0;
    return rest->fields.count > 0 && !asking;
}

typedef ms_store_result starter(ms_rest *rest, ms_store *store, ms_http_client *client, int64_t now,
                                int64_t *wake);

static ms_store_result
start_calls(ms_backend *backend, ms_store *store, ms_http_client *client, int64_t now,
            int64_t *wake)
{
    ms_rest *rest = (ms_rest *)backend;
    if (ms_calls_known(store, &rest->limiter, rest->day, &rest->calls_today, now) != MS_STORE_OK ||
        ms_rest_recall_fields(rest, store, now) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    if (!ms_rest_has_calls_left(rest, now, wake)) {
        return MS_STORE_OK;
    }
    if (rest->token_until <= now || rest->token_until > now + TOKEN_LONGEST_MS) {
        return start_token(rest, store, client, now, wake);
    }
    /* Those of which there may be most calls come last. */
    static starter *const starters[] = {ms_rest_start_describe,   ms_rest_start_lookups,
                                        ms_rest_start_emails,     ms_rest_start_leads,
                                        ms_rest_start_activities, ms_rest_start_associations};
    for (size_t i = 0; i < sizeof starters / sizeof *starters; i++) {
        if (starters[i] == ms_rest_start_leads && !may_send_leads(rest)) {
            continue;
        }
        if (starters[i](rest, store, client, now, wake) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
    }
    return MS_STORE_OK;
}

static void
close_rest(ms_backend *backend)
{
    ms_rest *rest = (ms_rest *)backend;
    ms_rest_fields_free(&rest->fields);
    explicit_bzero(rest->token, sizeof rest->token);
    free(rest->memory);
    free(rest);
}

ms_backend *
ms_rest_open(const ms_marketo_settings *settings)
{
    ms_rest *rest = calloc(1, sizeof *rest);
    if (rest == NULL) {
        return NULL;
    }
    rest->memory = malloc(MS_REST_MEMORY);
    if (rest->memory == NULL) {
        free(rest);
        return NULL;
    }
    rest->base = (ms_backend){.start_calls = start_calls, .close = close_rest};
    rest->settings = *settings;
    ms_limiter_init(&rest->limiter, MS_LIMITER_CALLS, MS_LIMITER_AT_ONCE);
    size_t batch =
        settings->batch == 0 || settings->batch > LEADS_MOST ? LEADS_MOST : settings->batch;
    ms_lane_init(&rest->lanes[MS_LANE_TOKEN], "token", 1);
    ms_lane_init(&rest->lanes[MS_LANE_DESCRIBE], "describe", 1);
    ms_lane_init(&rest->lanes[MS_LANE_LOOKUPS], "lookups", MS_REST_LOOKUPS_MAX);
    ms_lane_init(&rest->lanes[MS_LANE_EMAILS], "lookups of addresses", MS_REST_LOOKUPS_MAX);
    ms_lane_init(&rest->lanes[MS_LANE_LEADS], "leads", batch);
    ms_lane_init(&rest->lanes[MS_LANE_KNOWN_LEADS], "leads by id", batch);
    ms_lane_init(&rest->lanes[MS_LANE_USER_IDS], "leads by UserId", batch);
    ms_lane_init(&rest->lanes[MS_LANE_ASSOCIATIONS], "associations", 1);
    ms_lane_init(&rest->lanes[MS_LANE_ACTIVITIES], "activities", ACTIVITIES_MOST);
    return &rest->base;
}
