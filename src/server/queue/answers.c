#include "answers.h"

#include "alias.h"
#include "identity.h"
#include "known_lead.h"
#include "same_lead.h"

/* The lead that this one is, or NULL; `*gives_email` if it has no address yet but this one's. */
static ms_lead_row *
other_than(ms_store *store, const ms_lead_row *lead, bool *gives_email)
{
    const ms_identity user = {MS_SLICE(""), lead->user_id, MS_SLICE(""), false};
    int64_t owner = ms_lead_owner(store, lead);
    *gives_email = false;
    if (owner == 0 || store->failed) {
        return NULL;
    }
    if (owner != lead->id) {
        return ms_lead_load(store, owner);
    }
    /* Nobody else has its address: the user's lead gets it, as where there is no cookie. */
    int64_t users = ms_alias_find(store, MS_NAME_USER_ID, lead->user_id);
    ms_lead_row *other = users == lead->id ? NULL : ms_lead_without_email(store, users, &user);
    *gives_email = other != NULL;
    return other;
}

/* The user id goes over to the lead that has the address it came with, as where there is no cookie.
 */
static void
take_user(ms_store *store, ms_lead_row *lead, ms_slice user_id, int64_t now)
{
    const ms_identity user = {MS_SLICE(""), user_id, MS_SLICE(""), false};
    int64_t users = ms_alias_find(store, MS_NAME_USER_ID, user_id);
    bool waits = lead->marketo_id == 0 && lead->lookups > 0;
    if (users == lead->id || waits || ms_lead_without_email(store, users, &user) == NULL) {
        return;
    }
    ms_lead_absorb(store, lead, users, &user, now);
    ms_lead_take_user_from(store, lead, users, &user, now);
    ms_alias_put(store, MS_NAME_USER_ID, user_id, lead);
}

ms_lead_row *
ms_lead_without_cookie(ms_store *store, ms_lead_row *lead, int64_t now)
{
    bool gives_email = false;
    ms_slice user_id = lead->user_id;
    ms_lead_row *other = other_than(store, lead, &gives_email);
    if (other != NULL) {
        ms_lead_merge(store, other, lead, now);
        lead = other;
    }
    if (gives_email && lead->marketo_id != 0) {
        ms_lead_ask_for_email(store, lead, now);
    }
    take_user(store, lead, user_id, now);
    ms_lead_save(store, lead);
    return store->failed ? NULL : lead;
}

void
ms_lead_add_user(ms_store *store, ms_lead_row *lead, int64_t now)
{
    const ms_identity user = {MS_SLICE(""), lead->user_id, MS_SLICE(""), false};
    if (lead->email.len > 0) {
        take_user(store, lead, lead->user_id, now);
    } else {
        ms_lead_absorb(store, lead, ms_alias_find(store, MS_NAME_USER_ID, lead->user_id), &user,
                       now);
    }
}

void
ms_lead_add_email(ms_store *store, ms_lead_row *lead, ms_slice email, int64_t now)
{
    ms_slice key = ms_email_key(store, email);
    int64_t owner = ms_alias_find(store, MS_NAME_EMAIL, key);
    if (key.len == 0 || owner == lead->id) {
        return;
    }
    if (lead->email.len == 0) {
        ms_identity_set_email(store, lead, email);
    }
    if (owner == 0) {
        ms_alias_put(store, MS_NAME_EMAIL, key, lead);
        return;
    }
    ms_lead_row *other = ms_lead_load(store, owner);
    if (other == NULL || other->marketo_id != 0) {
        return;
    }
    if (other->lookups == 0) {
        ms_lead_merge(store, lead, other, now);
    } else {
        /* It waits for an answer of its own, and is this lead if that names nobody. */
        ms_alias_put(store, MS_NAME_EMAIL, key, lead);
    }
}
