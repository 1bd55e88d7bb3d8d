/*
 * What Marketo's SOAP API answers, and what is to be done about a fault.
 *
 * A pure function of the answer's bytes: nothing is fetched, no document type is taken, and memory
 * does not grow with what the answer claims.
 */
#ifndef MS_SOAP_REPLY_H
#define MS_SOAP_REPLY_H

#include "../../core/slice.h"

#include <stdint.h>

/*
 * What is longer is no answer. Those to our calls have a kilobyte or two, with all that a server
 * could say of its trouble some more; libxml2's time grows with the square of an element's
 * attributes, of which 4 MB took 49 s.
 */
#define MS_SOAP_REPLY_MAX ((size_t)64 << 10)

typedef enum {
    MS_SOAP_SYNCED,  /* successSyncLead: `lead_id` is the lead's Marketo id */
    MS_SOAP_FOUND,   /* successGetLead */
    MS_SOAP_FAULT,   /* `code` and `message` tell */
    MS_SOAP_NO_REPLY /* none of these, or cut off: nothing is known of what became of the call */
} ms_soap_outcome;

#define MS_SOAP_CODE_MAX 32
#define MS_SOAP_MESSAGE_MAX 512

/* Text is UTF-8, cut to fit, and ends with a NUL byte. A message may hold an e-mail address. */
typedef struct {
    ms_soap_outcome outcome;
    int64_t lead_id;
    char status[MS_SOAP_CODE_MAX];     /* "CREATED", "UPDATED", …; may be empty */
    char code[MS_SOAP_CODE_MAX];       /* "20016"; "FAILED" or "SKIPPED" for a lead that Marketo
                                          answers so; "unknown" if the fault says none */
    char message[MS_SOAP_MESSAGE_MAX]; /* may be empty */
} ms_soap_reply;

void ms_soap_reply_read(ms_slice body, ms_soap_reply *reply);

/* What a fault asks for. */
typedef enum {
    MS_SOAP_SIGN_AGAIN,  /* the signature is too old */
    MS_SOAP_QUOTA,       /* no more calls today */
    MS_SOAP_SLOW_DOWN,   /* too many calls in 20 seconds */
    MS_SOAP_FEWER,       /* too many calls at once */
    MS_SOAP_BACK_OFF,    /* Marketo is not well */
    MS_SOAP_LOCKED,      /* somebody else has just synced this lead */
    MS_SOAP_CREDENTIALS, /* whoever runs the server has to do something */
    MS_SOAP_REFUSED,     /* the record's own fault */
    MS_SOAP_UNKNOWN      /* nobody knows; a few more times, then as refused */
} ms_soap_reaction;

ms_soap_reaction ms_soap_react(const ms_soap_reply *fault);

#endif
