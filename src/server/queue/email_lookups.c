/* E-mail addresses of leads that Marketo knows already, on their way: whose they are. */

#include "alias.h"
#include "flight.h"
#include "known_lead.h"
#include "left_lead.h"
#include "taking.h"

static bool
hand_over(ms_arena *arena, const ms_lead_row *lead, ms_due_lead *due)
{
    ms_arena before = *arena;
    *due = (ms_due_lead){.id = lead->id,
                         .marketo_id = lead->marketo_id,
                         .email = lead->email,
                         .attempts = ms_taking_attempts(lead->attempts),
                         .suspicions = ms_taking_suspicions(lead->attempts)};
    if (!ms_taking_copy(arena, &due->email)) {
        *arena = before;
        return false;
    }
    return true;
}

ms_store_result
ms_store_take_email_lookups(ms_store *store, int64_t now, size_t room, ms_arena *arena,
                            ms_due_lead *leads, size_t *count)
{
    const ms_field_set none = {.count = 0};
    *count = 0;
    ms_taking_begins(store, MS_TAKEN_EMAIL_LOOKUPS);
    ms_candidates due = ms_taking_leads(store, MS_CLASS_EMAIL_LOOKUP, now, room);
    for (size_t i = 0; i < due.count; i++) {
        ms_arena scratch = store->scratch; /* each lead's is forgotten after it */
        ms_lead_row *lead = ms_lead_load(store, due.ids[i]);
        ms_slice key = lead == NULL ? MS_SLICE("") : ms_email_key(store, lead->email);
        if (lead != NULL && ms_flight_may_start(store, lead, key, now)) {
            if (!hand_over(arena, lead, &leads[*count])) {
                break;
            }
            ms_field_set waiting = ms_lead_fields(store, lead);
            ms_flight_start(store, lead, key, 0, &none, &waiting);
            (*count)++;
        }
        store->scratch = scratch;
    }
    *count = store->failed ? 0 : *count;
    return ms_store_ended(store);
}

/* The lead is the one that has its address: of that nothing was sent yet, but what another row of
 * the queue says. */
static void
change_over(ms_store *store, ms_lead_row *lead, int64_t marketo_id, int64_t now)
{
    int64_t left = lead->marketo_id;
    int64_t ended = lead->ended;
    lead->email_unasked = false;
    ms_lead_identified(store, lead, marketo_id, now);
    ms_lead_save(store, lead);
    if (left != 0 && lead->user_id.len > 0) {
        ms_left(store, left, lead->user_id, ended, now);
    }
}

ms_store_result
ms_store_email_looked_up(ms_store *store, int64_t id, int64_t marketo_id, int64_t now)
{
    ms_flight landed;
    ms_lead_row *lead = ms_flight_land(store, id, &landed);
    if (lead == NULL) {
        return ms_store_ended(store);
    }
    ms_flight_wait_again(store, lead, &landed);
    /* It may have become another's meanwhile, or have got another address. */
    bool is_asked =
        lead->email_unasked && ms_slice_equal(landed.email, ms_email_key(store, lead->email));
    if (is_asked) {
        lead->retry = 0;
        lead->attempts = 0;
        if (marketo_id != 0 && marketo_id != lead->marketo_id) {
            change_over(store, lead, marketo_id, now);
        } else {
            ms_lead_email_is_asked(store, lead, now);
        }
    }
    ms_lead_save(store, lead);
    return ms_store_ended(store);
}
