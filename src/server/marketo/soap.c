#include "soap.h"

#include "../metrics.h"
#include "../status_text.h"

#include <libxml/parser.h>
#include <stdlib.h>

#define ACTIVITIES_A_TURN 100

/* Takes a lead and starts its call; `*taken` is whether there was one. */
static ms_store_result
start_lead(ms_soap *soap, ms_store *store, ms_http_client *client, int64_t now, bool *taken)
{
    ms_due_lead lead;
    ms_arena arena;
    size_t count = 0;
    ms_arena_init(&arena, soap->memory, MS_SOAP_MEMORY);
    if (ms_store_take_leads(store, MS_BY_ANY, now, 1, MS_LEAD_FIELDS_MAX, &arena, &lead, &count) !=
        MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    *taken = count > 0;
    if (count == 0) {
        return MS_STORE_OK;
    }
    return ms_soap_call_start(soap, &lead, store, client, now);
}

/* SOAP has no call for them, now or later: no use to keep them waiting. */
static ms_store_result
refuse_activities(ms_soap *soap, ms_store *store, int64_t now)
{
    ms_due_activity activities[ACTIVITIES_A_TURN];
    ms_arena arena;
    size_t count = 0;
    ms_arena_init(&arena, soap->memory, MS_SOAP_MEMORY);
    ms_store_result result =
        ms_store_take_activities(store, now, ACTIVITIES_A_TURN, &arena, activities, &count);
    for (size_t i = 0; i < count && result == MS_STORE_OK; i++) {
        result = ms_store_refused(store, MS_QUEUED_ACTIVITY, activities[i].id,
                                  ms_slice_from(ms_code_of(MS_ACTIVITY_UNSUPPORTED)),
                                  ms_slice_from(ms_sentence_of(MS_ACTIVITY_UNSUPPORTED)), now);
    }
    return result;
}

static ms_store_result
start_calls(ms_backend *backend, ms_store *store, ms_http_client *client, int64_t now,
            int64_t *wake)
{
    ms_soap *soap = (ms_soap *)backend;
    if (ms_calls_known(store, &soap->limiter, soap->day, &soap->calls_today, now) != MS_STORE_OK ||
        refuse_activities(soap, store, now) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    bool taken = true;
    while (taken && ms_soap_may_call(soap, now, wake)) {
        if (start_lead(soap, store, client, now, &taken) != MS_STORE_OK) {
            return MS_STORE_FAILED;
        }
    }
    return MS_STORE_OK;
}

static void
close_soap(ms_backend *backend)
{
    ms_soap *soap = (ms_soap *)backend;
    free(soap->memory);
    free(soap);
}

ms_backend *
ms_soap_open(const ms_marketo_settings *settings)
{
    ms_soap *soap = calloc(1, sizeof *soap);
    if (soap == NULL) {
        return NULL;
    }
    soap->memory = malloc(MS_SOAP_MEMORY);
    if (soap->memory == NULL || settings->soap_url.len >= sizeof soap->url) {
        free(soap->memory);
        free(soap);
        return NULL;
    }
    memcpy(soap->url, settings->soap_url.ptr, settings->soap_url.len);
    soap->base = (ms_backend){.start_calls = start_calls, .close = close_soap};
    soap->account = (ms_soap_account){.user_id = settings->soap_user_id,
                                      .encryption_key = settings->soap_encryption_key};
    soap->daily_calls = settings->daily_calls;
    ms_limiter_init(&soap->limiter, MS_LIMITER_CALLS, MS_LIMITER_AT_ONCE);
    ms_lane_init(&soap->lane, "leads", 1);
    xmlInitParser();
    return &soap->base;
}
