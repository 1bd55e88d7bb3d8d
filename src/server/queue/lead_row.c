#include "lead_row.h"

#include "dead.h"
#include "field_portion.h"

/* Bytes of fields of a lead that wait when a call of one was in vain, or two leads are one: all
 * that was on its way, and all that may wait meanwhile. */
#define TOGETHER_MAX (2 * MS_LEAD_FIELDS_MAX)

ms_lead_row *
ms_lead_load(ms_store *store, int64_t id)
{
    ms_lead_row *lead = ms_scratch(store, sizeof *lead);
    ms_sql *sql = ms_sql_begin(store, MS_LEAD_GET);
    ms_sql_int(sql, id);
    if (lead == NULL || !ms_sql_row(sql)) {
        ms_sql_end(sql);
        return NULL;
    }
    *lead = (ms_lead_row){.id = ms_sql_get_int(sql, 0),
                          .class = ms_sql_get_int(sql, 1),
                          .marketo_id = ms_sql_get_int(sql, 2),
                          .since = ms_sql_get_int(sql, 3),
                          .earliest = ms_sql_get_int(sql, 4),
                          .due = ms_sql_get_int(sql, 5),
                          .ended = ms_sql_get_int(sql, 6),
                          .retry = ms_sql_get_int(sql, 7),
                          .attempts = ms_sql_get_int(sql, 8),
                          .flying = ms_sql_get_int(sql, 9),
                          .lookups = ms_sql_get_int(sql, 10),
                          .heard = ms_sql_get_int(sql, 11)};
    lead->placed_since = lead->since;
    lead->email = ms_scratch_copy(store, ms_sql_get_text(sql, 12));
    lead->user_id = ms_scratch_copy(store, ms_sql_get_text(sql, 13));
    lead->fields = ms_scratch_copy(store, ms_sql_get_text(sql, 14));
    lead->sent = ms_scratch_copy(store, ms_sql_get_text(sql, 15));
    lead->email_unasked = ms_sql_get_int(sql, 16) != 0;
    ms_sql_end(sql);
    if (lead->class < 0 || lead->class >= MS_CLASSES) {
        ms_store_fail(store, "the database holds what this version does not know");
    }
    return store->failed ? NULL : lead;
}

/* An id that no lead has had. Reading the counter once in a transaction is enough. */
static int64_t
new_id(ms_store *store)
{
    if (store->lead_ids < 0) {
        store->lead_ids = ms_sql_number_1(store, MS_COUNTER_GET, MS_COUNT_LEAD_IDS);
    }
    ms_count_change(store, MS_COUNT_LEAD_IDS, 1);
    return store->lead_ids + store->change[MS_COUNT_LEAD_IDS];
}

ms_lead_row *
ms_lead_new(ms_store *store, int64_t now)
{
    int64_t id = new_id(store);
    ms_lead_row *lead = ms_scratch(store, sizeof *lead);
    if (lead == NULL || store->failed) {
        return NULL;
    }
    const ms_slice none = MS_SLICE("");
    *lead = (ms_lead_row){.id = id,
                          .heard = now,
                          .email = none,
                          .user_id = none,
                          .fields = none,
                          .sent = none,
                          .changed = true,
                          .is_new = true};
    return lead;
}

bool
ms_class_is_taken(const ms_store *store, ms_lead_class class)
{
    bool any = (store->taken & MS_TAKEN_BY(MS_BY_ANY)) != 0;
    switch (class) {
    case MS_CLASS_MARKETO_ID:
    case MS_CLASS_EMAIL:
        return true; /* by everybody */
    case MS_CLASS_EMAIL_LOOKUP:
        return any || (store->taken & MS_TAKEN_EMAIL_LOOKUPS) != 0;
    case MS_CLASS_USER_ID:
        return any || (store->taken & MS_TAKEN_BY(MS_BY_USER_ID)) != 0;
    default:
        return any;
    }
}

static ms_lead_class
class_of(const ms_lead_row *lead)
{
    if (lead->lookups > 0) {
        return MS_CLASS_LOOKUP;
    }
    if (lead->marketo_id != 0) {
        return lead->email_unasked ? MS_CLASS_EMAIL_LOOKUP : MS_CLASS_MARKETO_ID;
    }
    if (lead->email.len > 0) {
        return MS_CLASS_EMAIL;
    }
    return lead->user_id.len > 0 ? MS_CLASS_USER_ID : MS_CLASS_HELD;
}

/* Where the lead stands among those that wait. False if that is where it was. */
static bool
place(ms_store *store, ms_lead_row *lead)
{
    int64_t class = class_of(lead);
    int64_t earliest = 0;
    int64_t due = 0;
    if (lead->since > 0 && lead->flying == 0) {
        int64_t allowed = lead->ended > 0 ? lead->ended + store->rules.interval : 0;
        earliest = ms_later(allowed, lead->retry);
        /* It lingers from when it could go. Were it due at once when its interval is over, each
         * call would have its echo an interval later, and they would never share one again. */
        due = ms_later(ms_later(lead->since, allowed) + store->rules.linger, lead->retry);
    }
    ms_count_change(store, MS_COUNT_CLASS + (ms_counter)lead->class, -(lead->due > 0));
    ms_count_change(store, MS_COUNT_CLASS + (ms_counter) class, due > 0);
    bool moved = class != lead->class || earliest != lead->earliest || due != lead->due ||
                 lead->since != lead->placed_since;
    lead->class = class;
    lead->earliest = earliest;
    lead->due = due;
    lead->placed_since = lead->since;
    return moved;
}

/* Parameters 1 to 6 of the statements that write a row. */
static void
bind_place(ms_sql *sql, const ms_lead_row *lead)
{
    ms_sql_int(sql, lead->id);
    ms_sql_int(sql, lead->class);
    ms_sql_int(sql, lead->marketo_id);
    ms_sql_int(sql, lead->since);
    ms_sql_int(sql, lead->earliest);
    ms_sql_int(sql, lead->due);
}

/* 7 to 17. */
static void
bind_rest(ms_sql *sql, const ms_lead_row *lead)
{
    ms_sql_int(sql, lead->ended);
    ms_sql_int(sql, lead->retry);
    ms_sql_int(sql, lead->attempts);
    ms_sql_int(sql, lead->flying);
    ms_sql_int(sql, lead->lookups);
    ms_sql_int(sql, lead->heard);
    ms_sql_text(sql, lead->email);
    ms_sql_text(sql, lead->user_id);
    ms_sql_text(sql, lead->fields);
    ms_sql_blob(sql, lead->sent);
    ms_sql_int(sql, lead->email_unasked);
}

static void
write_row(ms_store *store, const ms_lead_row *lead, ms_query query)
{
    ms_sql *sql = ms_sql_begin(store, query);
    bind_place(sql, lead);
    bind_rest(sql, lead);
    (void)ms_sql_run(sql);
}

/* Columns with indexes are written on their own, since SQLite writes the indexes each time. */
static void
move_row(ms_store *store, const ms_lead_row *lead)
{
    ms_sql *sql = ms_sql_begin(store, MS_LEAD_PLACE);
    bind_place(sql, lead);
    (void)ms_sql_run(sql);
}

void
ms_lead_save(ms_store *store, ms_lead_row *lead)
{
    if (!lead->changed) {
        return;
    }
    bool moved = place(store, lead);
    if (lead->is_new) {
        write_row(store, lead, MS_LEAD_ADD);
    } else {
        write_row(store, lead, MS_LEAD_SET);
        if (moved) {
            move_row(store, lead);
        }
    }
    lead->changed = false;
    lead->is_new = false;
}

void
ms_lead_wants_sync(ms_lead_row *lead, int64_t now)
{
    if (lead->since == 0) {
        lead->since = now;
        lead->changed = true;
    }
}

ms_field_set
ms_fields_of(ms_store *store, ms_slice kept)
{
    ms_field_set set = {.count = 0};
    if (!store->failed && !ms_field_set_load(&store->scratch, kept, &set)) {
        ms_store_fail(store, store->scratch.exhausted ? "out of memory"
                                                      : "fields in the database are unreadable");
        set.count = 0;
    }
    return set;
}

ms_field_set
ms_fields_together(ms_store *store, const ms_field_set *older, const ms_field_set *newer)
{
    ms_field_set merged = {.count = 0};
    if (!ms_field_set_merge(&store->scratch, older, newer, &merged)) {
        ms_store_fail(store, "out of memory");
    }
    return merged;
}

ms_field_set
ms_lead_fields(ms_store *store, const ms_lead_row *lead)
{
    return ms_fields_of(store, lead->fields);
}

ms_slice
ms_fields_keep(ms_store *store, const ms_field_set *fields)
{
    ms_slice kept = ms_field_set_keep(fields, &store->scratch);
    if (store->scratch.exhausted) {
        ms_store_fail(store, "out of memory");
    }
    return kept;
}

void
ms_lead_set_fields(ms_store *store, ms_lead_row *lead, const ms_field_set *fields)
{
    ms_slice kept = ms_fields_keep(store, fields);
    if (!store->failed && !ms_slice_equal(kept, lead->fields)) {
        lead->fields = kept;
        lead->changed = true;
    }
}

void
ms_lead_set_together(ms_store *store, ms_lead_row *lead, const ms_field_set *older,
                     const ms_field_set *newer, int64_t now)
{
    ms_field_set left = ms_fields_together(store, older, newer);
    ms_field_set kept = ms_field_portion_to_keep(&left, TOGETHER_MAX);
    ms_lead_set_fields(store, lead, &kept);
    if (left.count > 0) {
        const ms_dead_lead dead = {lead->email, lead->user_id, MS_SLICE(""), lead->marketo_id,
                                   &left};
        ms_dead_add_too_large(store, &dead, MS_SLICE("Too much waited for this lead already."),
                              now);
    }
}
