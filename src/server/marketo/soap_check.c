#include "soap.h"

#include "../clock.h"
#include "url_host.h"

#include <libxml/parser.h>
#include <stdio.h>

/* Nobody can have it: the domain is reserved (RFC 2606). */
#define NOBODY "munchkin-server-check@nobody.invalid"

#define WAIT_MS 35000L
#define TIMEOUT_MS 30000L

static const char *
no_answer(ms_slice url, const ms_http_answer *answer)
{
    static char sentence[512];
    ms_slice host = ms_url_host(url);
    (void)snprintf(sentence, sizeof sentence,
                   "%.*s does not answer (%s); look at --soap-url and the network.", (int)host.len,
                   host.ptr, answer->problem);
    return sentence;
}

static const char *
problem_of(ms_slice url, const ms_http_answer *answer)
{
    ms_soap_reply reply;
    if (answer->problem != NULL) {
        return no_answer(url, answer);
    }
    ms_soap_reply_read(answer->body, &reply);
    if (reply.outcome == MS_SOAP_NO_REPLY) {
        return "What answers at the SOAP endpoint is not Marketo's SOAP API, nor like it. Marketo "
               "has switched its own off; is --soap-url your gateway's?";
    }
    if (reply.outcome != MS_SOAP_FAULT || strcmp(reply.code, "20103") == 0) {
        return NULL; /* nobody has that address, so the signature was taken */
    }
    if (strcmp(reply.code, "20014") == 0) {
        return "Marketo refuses the SOAP user id or its encryption key. Both are under Admin > "
               "Integration > Web Services.";
    }
    switch (ms_soap_react(&reply)) {
    case MS_SOAP_SIGN_AGAIN:
        return "Marketo takes the signature's time for too old. Is this machine's clock right?";
    case MS_SOAP_QUOTA:
    case MS_SOAP_SLOW_DOWN:
    case MS_SOAP_FEWER:
        return NULL; /* it knows whose limits these are */
    case MS_SOAP_CREDENTIALS:
        /* A gateway may know syncLead alone; it has looked at the signature before. */
        return strcmp(reply.code, "20019") == 0
                   ? NULL
                   : "Marketo does not let this machine use its SOAP API.";
    default:
        return "The SOAP API answers with a fault that says nothing of the credentials; try again "
               "later.";
    }
}

typedef struct {
    ms_slice url;
    const char *problem;
} outcome;

static ms_store_result
answered(void *argument, const ms_http_answer *answer, ms_store *store, int64_t now)
{
    outcome *of = argument;
    (void)store, (void)now;
    of->problem = problem_of(of->url, answer);
    return MS_STORE_OK;
}

static const char *
ask(ms_http_client *client, const char *url, ms_slice envelope)
{
    outcome of = {ms_slice_from(url), "The SOAP endpoint did not answer in time."};
    const ms_http_call call = {.method = "POST",
                               .url = url,
                               .headers = ms_soap_headers,
                               .body = envelope,
                               .timeout_ms = TIMEOUT_MS,
                               .answered = answered,
                               .argument = &of};
    if (!ms_http_client_start(client, &call)) {
        return "There is no memory for a call.";
    }
    ms_http_client_committed(client);
    ms_http_client_wait(client, WAIT_MS);
    (void)ms_http_client_answer(client, NULL, 0);
    ms_http_client_committed(client);
    return of.problem;
}

const char *
ms_soap_check(const ms_marketo_settings *settings)
{
    char url[MS_SOAP_URL_MAX] = "";
    char memory[4096];
    ms_arena arena;
    ms_slice envelope;
    ms_soap_account account = {settings->soap_user_id, settings->soap_encryption_key};
    if (settings->soap_url.len >= sizeof url) {
        return "The URL of the SOAP API is too long.";
    }
    memcpy(url, settings->soap_url.ptr, settings->soap_url.len);
    ms_arena_init(&arena, memory, sizeof memory);
    if (ms_soap_write_get(&arena, &account, ms_clock_now(), MS_SLICE(NOBODY), &envelope) != MS_OK) {
        return "The SOAP user id is too long.";
    }
    ms_http_client *client = ms_http_client_open();
    if (client == NULL) {
        return "There is no memory for a call.";
    }
    xmlInitParser();
    const char *problem = ask(client, url, envelope);
    ms_http_client_close(client);
    return problem;
}
