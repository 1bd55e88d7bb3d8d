#include "flight.h"

#include "left_lead.h"

/* So long a lead waits that cannot be taken because of another's flight. */
#define AGAIN_MS 1000

static bool
email_is_in_flight(ms_store *store, ms_slice key)
{
    ms_sql *sql = ms_sql_begin(store, MS_FLIGHT_OF_EMAIL);
    ms_sql_text(sql, key);
    return key.len > 0 && ms_sql_number(sql) > 0;
}

/* A row may have given its flight to another one, and be told of still. */
static bool
is_told_of(ms_store *store, const ms_lead_row *lead)
{
    ms_sql *sql = ms_sql_begin(store, MS_FLIGHT_OF_LEAD);
    ms_sql_int(sql, lead->id);
    ms_sql_int(sql, lead->marketo_id);
    return ms_sql_number(sql) > 0;
}

static bool
is_being_tied(ms_store *store, const ms_lead_row *lead)
{
    ms_sql *sql = ms_sql_begin(store, MS_COOKIES_FLYING_OF);
    ms_sql_int(sql, lead->id);
    ms_sql_int(sql, lead->marketo_id);
    return ms_sql_number(sql) > 0;
}

bool
ms_flight_may_start(ms_store *store, ms_lead_row *lead, ms_slice email_key, int64_t now)
{
    if (email_is_in_flight(store, email_key) || is_told_of(store, lead)) {
        lead->retry = now + AGAIN_MS;
        lead->changed = true;
        ms_lead_save(store, lead);
        return false;
    }
    return !is_being_tied(store, lead); /* else its turn comes with the answer to that */
}

void
ms_flight_start(ms_store *store, ms_lead_row *lead, ms_slice email_key, int64_t cookie,
                const ms_field_set *fields, const ms_field_set *left)
{
    ms_sql *sql = ms_sql_begin(store, MS_FLIGHT_ADD);
    ms_sql_int(sql, lead->id);
    ms_sql_int(sql, lead->since);
    ms_sql_int(sql, cookie);
    ms_sql_text(sql, email_key);
    ms_sql_text(sql, ms_fields_keep(store, fields));
    ms_sql_int(sql, lead->marketo_id);
    (void)ms_sql_run(sql);
    ms_count_change(store, MS_COUNT_FLIGHTS, 1);
    lead->flying++;
    lead->since = left->count > 0 ? lead->since : 0;
    ms_lead_set_fields(store, lead, left);
    lead->changed = true;
    ms_lead_save(store, lead);
}

ms_lead_row *
ms_flight_land(ms_store *store, int64_t id, ms_flight *landed)
{
    ms_store_starts(store);
    ms_sql *sql = ms_sql_begin(store, MS_FLIGHT_GET);
    ms_sql_int(sql, id);
    if (!ms_sql_row(sql)) {
        ms_sql_end(sql);
        return NULL;
    }
    int64_t whose = ms_sql_get_int(sql, 0);
    landed->since = ms_sql_get_int(sql, 1);
    landed->cookie = ms_sql_get_int(sql, 2);
    landed->email = ms_scratch_copy(store, ms_sql_get_text(sql, 3));
    ms_slice kept = ms_scratch_copy(store, ms_sql_get_text(sql, 4));
    landed->marketo_id = ms_sql_get_int(sql, 5);
    ms_sql_end(sql);
    landed->fields = ms_fields_of(store, kept);
    (void)ms_sql_run_1(store, MS_FLIGHT_DELETE, id);
    ms_count_change(store, MS_COUNT_FLIGHTS, -1);
    ms_lead_row *lead = ms_lead_load(store, whose);
    if (lead != NULL) {
        lead->flying--;
        lead->changed = true;
    }
    return lead;
}

void
ms_flight_wait_again(ms_store *store, ms_lead_row *lead, ms_flight *landed)
{
    if (landed->marketo_id != 0 && landed->marketo_id != lead->marketo_id) {
        ms_left_told(&landed->fields);
    }
    ms_field_set waiting = ms_lead_fields(store, lead);
    /* What was said of another lead meanwhile, that is this one, may make it too much. */
    ms_lead_set_together(store, lead, &landed->fields, &waiting, store->seen);
    bool earlier = lead->since == 0 || (landed->since > 0 && landed->since < lead->since);
    lead->since = earlier ? landed->since : lead->since;
}
