/*
 * What is under way of a lead: its sync, or the question whose its e-mail address is. Of one lead,
 * to one Marketo id and of one address there is one at a time, and none while a cookie is being
 * tied to the lead.
 */
#ifndef MS_FLIGHT_H
#define MS_FLIGHT_H

#include "lead_row.h"

typedef struct {
    int64_t since;
    int64_t marketo_id;  /* the lead's when it started, to which it went; 0: by another key */
    int64_t cookie;      /* that went along, for SOAP; 0: none */
    ms_slice email;      /* the lead's when it started, as it is compared */
    ms_field_set fields; /* that were sent */
} ms_flight;

/* `email_key` is the lead's by ms_email_key. If it may not, the lead waits for its turn. */
bool ms_flight_may_start(ms_store *store, ms_lead_row *lead, ms_slice email_key, int64_t now);

/* What is `left` of its fields waits for the next flight. Saves the lead. */
void ms_flight_start(ms_store *store, ms_lead_row *lead, ms_slice email_key, int64_t cookie,
                     const ms_field_set *fields, const ms_field_set *left);

/* The flight is over: what it was, and whose; `id` is the lead's at its start. The lead is yet to
 * be saved. NULL if there was none. Begins a public function. */
ms_lead_row *ms_flight_land(ms_store *store, int64_t id, ms_flight *landed);

/* What was in flight waits again, with what has come since; if the lead is another than the one it
 * went to, without what was for that alone. */
void ms_flight_wait_again(ms_store *store, ms_lead_row *lead, ms_flight *landed);

#endif
