/*
 * ms_backend: a way to Marketo: REST (rest.c) or SOAP (soap.c) for leads, the web events
 * (web_events.c) for visits. The worker drives a list of them.
 *
 * Called by the worker only, in its thread, within a transaction. A backend takes from the store
 * what is due, starts calls through its http client (http_client.h), and on their answers tells the
 * store how they ended.
 */
#ifndef MS_BACKEND_H
#define MS_BACKEND_H

#include "../queue/store.h"
#include "http_client.h"

typedef struct ms_backend ms_backend;

/* No call waits longer for its answer, in ms: so long Marketo may be at work on one, even if the
 * process that made it has ended. */
#define MS_CALL_LONGEST 90000L

/* When leads may be sent again that are `due` after a call that was started at `started`: not while
 * Marketo may be at work on that, since two calls at once make a new lead twice. */
static inline int64_t
ms_leads_again_at(int64_t due, const ms_http_answer *answer, int64_t started)
{
    int64_t over = answer->at_work ? started + answer->sent_after + MS_CALL_LONGEST : due;
    return over > due ? over : due;
}

struct ms_backend {
    /*
     * Starts whatever is due and allowed. Called after each turn's answers and jobs. `*wake` is
     * lowered to the time, by ms_clock_now, at which it wants to be called again though nothing has
     * come.
     */
    ms_store_result (*start_calls)(ms_backend *backend, ms_store *store, ms_http_client *client,
                                   int64_t now, int64_t *wake);
    void (*close)(ms_backend *backend);
    ms_backend
        *beside; /* the next of the list, NULL at its end; whoever starts the worker sets it */
};

/* What all backends are made from. URLs end without a slash. Slices in secrets live in locked
 * memory (secret.h). */
typedef struct {
    ms_slice munchkin_id;
    ms_slice rest_url; /* https://<id>.mktorest.com */
    ms_slice client_id;
    ms_slice client_secret;
    ms_slice soap_url; /* https://<id>.mktoapi.com/soap/mktows/3_1 */
    ms_slice soap_user_id;
    ms_slice soap_encryption_key;
    ms_slice web_events_url; /* https://<id>.mktoresp.com */
    uint64_t daily_calls; /* stop by ourselves after so many calls a day; 0: only when Marketo says
                             so (607) */
    size_t batch;         /* leads a call, 300 */
} ms_marketo_settings;

/* NULL without memory. */
ms_backend *ms_rest_open(const ms_marketo_settings *settings);
ms_backend *ms_soap_open(const ms_marketo_settings *settings);
ms_backend *ms_web_events_open(const ms_marketo_settings *settings);

/*
 * For --check: gets a token (REST) or makes a call that changes nothing (SOAP), blocking. NULL if
 * all is well, else a sentence that says what is wrong and what to do; static storage.
 */
const char *ms_rest_check(const ms_marketo_settings *settings);
const char *ms_soap_check(const ms_marketo_settings *settings);

#endif
