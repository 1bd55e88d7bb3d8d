#include "left_lead.h"

#include "known_lead.h"
#include "sent_fields.h"

void
ms_left_told(ms_field_set *fields)
{
    size_t kept = 0;
    for (size_t i = 0; i < fields->count; i++) {
        const ms_waiting_field *field = &fields->list[i];
        bool is_told = ms_slice_equal_fold(field->name, MS_SLICE("UserId")) &&
                       ms_slice_equal(field->value, MS_SLICE("null"));
        if (!is_told) {
            fields->list[kept++] = *field;
        }
    }
    fields->count = kept;
}

/* Tells it so, and whatever `fields` are. */
static void
take_user_id(ms_store *store, ms_lead_row *left, const ms_field_set *fields, int64_t now)
{
    ms_field_set none;
    if (!ms_field_set_read(&store->scratch, MS_SLICE("{\"UserId\":null}"), now, &none)) {
        ms_store_fail(store, "out of memory");
        return;
    }
    /* It may have been told so before, and have got the user id again by a call under way. */
    left->sent = ms_sent_fields_doubt(&store->scratch, left->sent, &none);
    ms_field_set told = ms_fields_together(store, fields, &none);
    ms_lead_set_fields(store, left, &told);
    left->user_id = MS_SLICE("");
    left->changed = true;
    ms_lead_wants_sync(left, now);
    ms_lead_save(store, left);
}

void
ms_left(ms_store *store, int64_t marketo_id, ms_slice user_id, int64_t ended, int64_t now)
{
    ms_lead_row *left = ms_lead_of_marketo_id(store, marketo_id, now);
    if (left == NULL) {
        return;
    }
    if (left->ended < ended) {
        left->ended = ended;
        left->changed = true;
    }
    bool is_anothers = left->user_id.len > 0 && !ms_slice_equal(left->user_id, user_id);
    if (left->email.len > 0 || is_anothers) {
        ms_lead_save(store, left);
        return;
    }
    ms_field_set waiting = ms_lead_fields(store, left);
    take_user_id(store, left, &waiting, now);
}

void
ms_left_for(ms_store *store, ms_lead_row *left, ms_lead_row *lead, int64_t now)
{
    const ms_field_set nothing = {.count = 0};
    if (lead->marketo_id != 0) {
        ms_lead_take_along(store, lead, left, now);
        take_user_id(store, left, &nothing, now);
        return;
    }
    ms_lead_merge(store, lead, left, now);
    if (lead->email.len > 0) {
        ms_lead_ask_for_email(store, lead, now);
    }
}
