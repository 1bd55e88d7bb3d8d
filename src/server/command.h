/*
 * ms_command: what an accepted message asks for, made by the thread that read it
 * (src/server/intake), and carried out by the worker in a transaction of the queue's
 * (src/server/queue).
 *
 * Everything a command points to lives in the arena of the request it came with.
 */
#ifndef MS_COMMAND_H
#define MS_COMMAND_H

#include "../core/slice.h"

#include <stdint.h>

typedef enum {
    MS_COMMAND_LEAD,     /* create or update a lead */
    MS_COMMAND_VISIT,    /* a Munchkin web event of a visitor whose cookie is known */
    MS_COMMAND_ACTIVITY, /* a custom activity of a lead */
    MS_COMMAND_DEAD,     /* what can never be sent: kept with the reason */
    MS_COMMAND_NOTHING /* taken, and nothing to do: group, alias, … Its message id is remembered */
} ms_command_kind;

/* By what a lead is known. Each may be empty. */
typedef struct {
    ms_slice email;   /* valid, as given */
    ms_slice user_id; /* userId, else sessionId */
    ms_slice cookie;  /* decoded, canonical: id:561-HYG-937&token:_mch-… */
    /*
     * True for server libraries: a cookie that is known already tells the lead, before the e-mail
     * does. False for browsers, where it only belongs to whoever was identified last.
     */
    bool cookie_first;
} ms_identity;

typedef struct ms_command {
    ms_command_kind kind;
    ms_slice message_id; /* empty: none; the same one is carried out once */
    ms_identity who;
    int64_t marketo_id; /* LEAD, ACTIVITY: whose it is where `who` says nothing; 0: nobody's. Not
                           of messages, but of dead letters that are sent again */
    int64_t time; /* ms; the message's own timestamp, corrected by its sentAt, else when it came */

    /* LEAD: {"Email":"…",…}, Marketo's SOAP names, in byte order. May be {}: only a tie to the
     * cookie. */
    ms_slice fields;

    /* VISIT: query string of /webevents/visitWebPage, all but _mchNc; and the visitor's browser. */
    ms_slice query;
    ms_slice user_agent;

    /* ACTIVITY: as activities/external.json has them; `attributes` is a JSON array. */
    int64_t activity_type;
    ms_slice primary_value;
    ms_slice attributes;

    /* DEAD: a stable code (core/status.h), and the message as it came, or what is no JSON
     * object as a string (intake/payload.h). */
    ms_slice code;
    ms_slice payload;

    struct ms_command *next;
} ms_command;

#endif
