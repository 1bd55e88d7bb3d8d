#include "soap.h"

#include "../log.h"
#include "../metrics.h"
#include "../status_text.h"
#include "backoff.h"

#include <stdio.h>
#include <stdlib.h>

/* What nobody knows is tried so often, at growing intervals from a quarter of a minute on. */
#define UNKNOWN_TRIES 6
#define UNKNOWN_BACKOFF 4
/* A lock lasts half a minute. */
#define LOCK_MS 30000

/* A call, from its start until the client discards it. */
typedef struct {
    ms_soap *soap;
    int64_t lead;       /* the queue's id */
    int64_t marketo_id; /* 0: not known */
    unsigned int attempts;
    unsigned int suspicions; /* of its lead before */
    int64_t started;
    bool noted; /* what its answer means for other calls; once, though it may be handed out twice */
    bool suspected;  /* it may be refused for what its lead says */
    bool suspicious; /* so would another be, as far as is known */
    bool ended;      /* it does not count as under way any more */
    int64_t again_at;
    size_t ticket; /* the limiter's */
} soap_call;

const char *const ms_soap_headers[] = {"Content-Type: text/xml; charset=utf-8", "SOAPAction: \"\"",
                                       NULL};

bool
ms_soap_may_call(ms_soap *soap, int64_t now, int64_t *wake)
{
    int64_t until = ms_pause_until(&soap->pause, now);
    if (soap->daily_calls > 0 && soap->calls_today >= soap->daily_calls) {
        until = ms_central_next_midnight(now);
    }
    if (until > now) {
        *wake = ms_sooner(*wake, until);
        return false;
    }
    return ms_lane_allows(&soap->lane, now, wake) && ms_limiter_allows(&soap->limiter, now, wake);
}

/* ---- what an answer means for the calls to come --------------------------------------------- */

/* An answer that is not SOAP, by its HTTP status. */
static ms_soap_reaction
react_to_status(long status)
{
    switch (status) {
    case 401:
    case 403:
    case 404: /* where Marketo's SOAP API was */
    case 405:
    case 410:
        return MS_SOAP_CREDENTIALS;
    case 413:
        return MS_SOAP_REFUSED;
    case 429:
        return MS_SOAP_SLOW_DOWN;
    default:
        return status >= 300 && status < 400 ? MS_SOAP_CREDENTIALS : MS_SOAP_BACK_OFF;
    }
}

bool
ms_soap_is_trouble(const ms_http_answer *answer, ms_soap_reply *reply, ms_soap_reaction *reaction)
{
    ms_soap_reply_read(answer->body, reply);
    if (answer->status == 0) {
        reply->outcome = MS_SOAP_NO_REPLY;
    }
    switch (reply->outcome) {
    case MS_SOAP_SYNCED:
        return false;
    case MS_SOAP_FAULT:
        *reaction = ms_soap_react(reply);
        return true;
    default:
        *reaction = react_to_status(answer->status);
        (void)snprintf(reply->code, sizeof reply->code, "http_%ld", answer->status);
        return true;
    }
}

static int64_t
note_failure(soap_call *call, const ms_soap_reply *reply, const ms_http_answer *answer, int64_t now)
{
    int64_t again_at = ms_lane_failed(&call->soap->lane, call->started, call->attempts,
                                      answer->retry_after, now, ms_backoff_random());
    bool fault = reply->outcome == MS_SOAP_FAULT;
    ms_lane_tell_failure(&call->soap->lane, answer,
                         fault ? ms_slice_from(reply->code) : MS_SLICE(""));
    return again_at;
}

/* The first time it may have been on its way for too long; then somebody's clock is wrong. */
static int64_t
note_expired(soap_call *call, const ms_soap_reply *reply, const ms_http_answer *answer, int64_t now)
{
    if (!call->soap->expired) {
        call->soap->expired = true;
        return now;
    }
    if (call->attempts > 0 && !call->soap->clock_doubted) {
        call->soap->clock_doubted = true;
        ms_log("error", "soap_request_expired", "message",
               "Marketo takes the signature's time for too old. Is this machine's clock right?");
    }
    return note_failure(call, reply, answer, now);
}

static int64_t
note_fault(soap_call *call, const ms_soap_reply *reply, int64_t now)
{
    ms_lane *lane = &call->soap->lane;
    int64_t own = ms_backoff_until(call->attempts, now);
    /* A fault of Marketo's is for the account, a status perhaps for what a gateway reads. */
    size_t count = reply->outcome == MS_SOAP_FAULT ? 0 : 1;
    call->suspected = ms_lane_fault(lane, count, ms_slice_from(reply->code), call->started, now);
    call->suspicious = count > 0 && (call->suspected || !lane->fault);
    return call->suspected || own > lane->not_before ? own : lane->not_before;
}

/* Marketo has carried the call out, or refused it for reasons of its lead alone. */
static void
note_well(ms_soap *soap)
{
    ms_lane_went_well(&soap->lane);
    ms_limiter_went_well(&soap->limiter);
    ms_pause_went_well(&soap->pause);
    soap->clock_doubted = false;
    soap->expired = false;
}

/* Returns when the call's lead is to go again, should it have to. */
static int64_t
note(soap_call *call, const ms_soap_reply *reply, ms_soap_reaction reaction,
     const ms_http_answer *answer, int64_t now)
{
    ms_soap *soap = call->soap;
    unsigned int attempts = call->attempts;
    switch (reaction) {
    case MS_SOAP_SIGN_AGAIN:
        return note_expired(call, reply, answer, now);
    case MS_SOAP_QUOTA:
        ms_pause_quota(&soap->pause, call->started, now);
        return now;
    case MS_SOAP_SLOW_DOWN:
    case MS_SOAP_FEWER:
        return ms_pause_too_many(&soap->pause, &soap->limiter, reaction == MS_SOAP_SLOW_DOWN,
                                 call->started, answer->retry_after, now);
    case MS_SOAP_CREDENTIALS:
        return note_fault(call, reply, now);
    case MS_SOAP_LOCKED:
        note_well(soap);
        return ms_backoff_until(attempts, now) + LOCK_MS;
    case MS_SOAP_REFUSED:
        note_well(soap);
        return now;
    case MS_SOAP_UNKNOWN:
        return now + ms_backoff_delay(attempts + UNKNOWN_BACKOFF, 0, ms_backoff_random());
    default:
        return note_failure(call, reply, answer, now);
    }
}

/* ---- what it means for its own lead -----------------------------------------------------------
 */

static ms_store_result
refuse(int64_t lead, ms_slice code, ms_slice reason, ms_store *store, int64_t now)
{
    ms_metrics_record_refused();
    return ms_store_lead_refused(store, lead, code, reason, now);
}

/* Marketo has no lead of this id any more; by its e-mail it may have one, or will. */
static ms_store_result
go_without_id(const soap_call *call, ms_store *store, int64_t now)
{
    ms_store_result result = ms_store_forget_marketo_id(store, call->marketo_id, now);
    return result == MS_STORE_OK ? ms_store_lead_again(store, call->lead, now) : result;
}

static ms_store_result
settle(const soap_call *call, const ms_soap_reply *reply, ms_soap_reaction reaction,
       ms_store *store, int64_t now)
{
    if (reaction == MS_SOAP_REFUSED && call->marketo_id != 0 && strcmp(reply->code, "20103") == 0) {
        return go_without_id(call, store, now);
    }
    bool unknown = reaction == MS_SOAP_UNKNOWN;
    unsigned int most = unknown ? UNKNOWN_TRIES : MS_FAULTS_MOST;
    bool own = (unknown || call->suspected) && call->suspicions + 1 >= most;
    if (reaction == MS_SOAP_REFUSED || own) {
        return refuse(call->lead, ms_slice_from(reply->code), ms_slice_from(reply->message), store,
                      now);
    }
    if ((unknown || call->suspicious) &&
        ms_store_suspect(store, MS_SUSPECT_LEAD, call->lead) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    return ms_store_lead_again(store, call->lead, call->again_at);
}

/* Another may take its place: with its answer, so that the same turn can start it, or without. */
static void
end(soap_call *call, int64_t sent)
{
    if (!call->ended) {
        call->ended = true;
        call->soap->lane.under_way--;
        ms_limiter_end(&call->soap->limiter, call->ticket, sent);
    }
}

/* Whose answer has another's id is not known: as with a fault that nobody knows, it is tried again.
 */
static bool
is_wrong_id(const soap_call *call, ms_soap_reply *reply, ms_soap_reaction *reaction)
{
    if (call->marketo_id == 0 || reply->lead_id == call->marketo_id) {
        return false;
    }
    (void)snprintf(reply->code, sizeof reply->code, "wrong_id");
    (void)snprintf(reply->message, sizeof reply->message,
                   "Marketo answers with the id of another lead, again and again.");
    *reaction = MS_SOAP_UNKNOWN;
    return true;
}

static ms_store_result
answered(void *argument, const ms_http_answer *answer, ms_store *store, int64_t now)
{
    soap_call *call = argument;
    end(call, call->started + answer->sent_after);
    ms_soap_reply reply;
    ms_soap_reaction reaction = MS_SOAP_BACK_OFF;
    bool trouble =
        ms_soap_is_trouble(answer, &reply, &reaction) || is_wrong_id(call, &reply, &reaction);
    if (!call->noted && trouble) {
        call->again_at =
            ms_leads_again_at(note(call, &reply, reaction, answer, now), answer, call->started);
    } else if (!call->noted) {
        note_well(call->soap);
    }
    call->noted = true;
    return trouble ? settle(call, &reply, reaction, store, now)
                   : ms_store_lead_sent(store, call->lead, reply.lead_id, now);
}

static void
discard(void *argument)
{
    soap_call *call = argument;
    if (!call->ended && call->soap->calls_today > 0) {
        call->soap->calls_today--; /* its turn was undone, and with it what the store counts */
    }
    end(call, MS_LIMITER_NEVER);
    free(call);
}

/* ---- its start --------------------------------------------------------------------------------
 */

/* Hands the call to the client. False without memory. */
static bool
send(soap_call *call, ms_http_client *client, ms_slice envelope)
{
    const ms_http_call http = {.method = "POST",
                               .url = call->soap->url,
                               .headers = ms_soap_headers,
                               .body = envelope,
                               .timeout_ms = MS_SOAP_TIMEOUT,
                               .answered = answered,
                               .discard = discard,
                               .argument = call};
    return ms_http_client_start(client, &http);
}

ms_store_result
ms_soap_call_start(ms_soap *soap, const ms_due_lead *lead, ms_store *store, ms_http_client *client,
                   int64_t now)
{
    ms_arena arena;
    ms_slice envelope;
    size_t room = ms_soap_room(&soap->account, lead);
    void *memory = malloc(room);
    soap_call *call = malloc(sizeof *call);
    if (memory == NULL || call == NULL) {
        free(memory);
        free(call);
        return MS_STORE_FAILED; /* the turn is undone and comes again */
    }
    *call = (soap_call){.soap = soap,
                        .lead = lead->id,
                        .marketo_id = lead->marketo_id,
                        .attempts = lead->attempts,
                        .suspicions = lead->suspicions,
                        .started = now};
    ms_arena_init(&arena, memory, room);
    ms_status status = ms_soap_write_sync(&arena, &soap->account, now, lead, &envelope);
    bool sent = status == MS_OK && send(call, client, envelope);
    free(memory);
    if (sent) {
        soap->lane.under_way++;
        call->ticket = ms_limiter_begin(&soap->limiter);
        soap->calls_today++;
        return ms_calls_made(store, &soap->limiter, soap->day, now);
    }
    free(call);
    return status == MS_OK ? ms_store_lead_again(store, lead->id, now + MS_BACKOFF_MIN)
                           : refuse(lead->id, ms_slice_from(ms_code_of(status)),
                                    ms_slice_from(ms_sentence_of(status)), store, now);
}
