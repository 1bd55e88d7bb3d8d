/*
 * The SOAP backend from within: what its parts share. To the outside it is an ms_backend.
 *
 *     soap.c            what is started when
 *     soap_call.c       a call, from its start to what its answer means
 *     soap_request.c    what is said
 *     soap_reply.c      what is understood
 *     soap_check.c      --check
 */
#ifndef MS_SOAP_H
#define MS_SOAP_H

#include "backend.h"
#include "calls.h"
#include "lane.h"
#include "pause.h"
#include "soap_reply.h"
#include "soap_request.h"

#define MS_SOAP_TIMEOUT MS_CALL_LONGEST
#define MS_SOAP_URL_MAX 2048

typedef struct {
    ms_backend base; /* the first, so that one is the other */
    char url[MS_SOAP_URL_MAX];
    ms_soap_account account;
    uint64_t daily_calls; /* 0: as many as Marketo allows */
    ms_limiter limiter;
    ms_lane lane;

    ms_pause pause;
    char day[MS_CENTRAL_DAY]; /* of calls_today */
    uint64_t calls_today;
    bool expired;       /* a call did, and none went well since */
    bool clock_doubted; /* known, and in the log */

    unsigned char *memory; /* for what is taken: one lead at a time */
} ms_soap;

/* For a lead and its texts. */
#define MS_SOAP_MEMORY ((size_t)1 << 20)

/* The headers of each call, NULL at the end. */
extern const char *const ms_soap_headers[];

/* May a call begin? If it is a matter of time, `*wake` is lowered to that. */
bool ms_soap_may_call(ms_soap *soap, int64_t now, int64_t *wake);

/* Counts and starts the call for a lead that was taken. What cannot be written is refused. */
ms_store_result ms_soap_call_start(ms_soap *soap, const ms_due_lead *lead, ms_store *store,
                                   ms_http_client *client, int64_t now);

/* What an answer asks for; false if all is well, and `reply` has the Marketo id. */
bool ms_soap_is_trouble(const ms_http_answer *answer, ms_soap_reply *reply,
                        ms_soap_reaction *reaction);

#endif
