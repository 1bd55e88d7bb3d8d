#include "same_lead.h"

#include "alias.h"
#include "known_lead.h"
#include "left_lead.h"

bool
ms_is_other_user(const ms_lead_row *lead, const ms_identity *who)
{
    return lead->user_id.len > 0 && who->user_id.len > 0 &&
           !ms_slice_equal(lead->user_id, who->user_id);
}

bool
ms_is_unnamed(const ms_lead_row *lead)
{
    return lead->email.len == 0 && lead->marketo_id == 0 && lead->lookups == 0;
}

bool
ms_is_anonymous(const ms_lead_row *lead, const ms_identity *who)
{
    return ms_is_unnamed(lead) && !ms_is_other_user(lead, who);
}

ms_lead_row *
ms_lead_without_email(ms_store *store, int64_t id, const ms_identity *who)
{
    ms_lead_row *lead = id == 0 ? NULL : ms_lead_load(store, id);
    if (lead == NULL || lead->email.len > 0 || lead->lookups > 0) {
        return NULL;
    }
    return ms_is_other_user(lead, who) ? NULL : lead;
}

int64_t
ms_lead_owner(ms_store *store, const ms_lead_row *lead)
{
    return lead->email.len > 0
               ? ms_alias_find(store, MS_NAME_EMAIL, ms_email_key(store, lead->email))
               : ms_alias_find(store, MS_NAME_USER_ID, lead->user_id);
}

void
ms_lead_absorb(ms_store *store, ms_lead_row *lead, int64_t id, const ms_identity *who, int64_t now)
{
    if (id == 0 || id == lead->id || store->failed) {
        return;
    }
    ms_lead_row *other = ms_lead_load(store, id);
    if (other != NULL && ms_is_anonymous(other, who)) {
        ms_lead_merge(store, lead, other, now);
    }
}

void
ms_lead_take_user_from(ms_store *store, ms_lead_row *lead, int64_t id, const ms_identity *who,
                       int64_t now)
{
    ms_lead_row *left = ms_lead_without_email(store, id, who);
    if (left != NULL && left->marketo_id != 0 && ms_slice_equal(left->user_id, who->user_id)) {
        ms_left_for(store, left, lead, now);
    }
}
