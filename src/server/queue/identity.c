#include "identity.h"

#include "alias.h"
#include "answers.h"
#include "cookie_row.h"
#include "known_lead.h"
#include "same_lead.h"

/* What is known of an identity: ids of leads, 0 for none. */
typedef struct {
    ms_slice email_key;
    int64_t by_email;
    int64_t by_user_id;
    ms_cookie_row cookie;
} knowledge;

static knowledge
know(ms_store *store, const ms_identity *who)
{
    knowledge known = {.email_key = ms_email_key(store, who->email)};
    known.by_email = ms_alias_find(store, MS_NAME_EMAIL, known.email_key);
    known.by_user_id = ms_alias_find(store, MS_NAME_USER_ID, who->user_id);
    if (who->cookie.len > 0) {
        known.cookie = ms_cookie_find(store, who->cookie);
    }
    return known;
}

/* The same by the cookie, which is no proof: whom Marketo knows may have an address there. */
static ms_lead_row *
without_email_by_cookie(ms_store *store, const ms_identity *who, const knowledge *known)
{
    ms_lead_row *lead = ms_lead_without_email(store, known->cookie.lead, who);
    return lead == NULL || lead->marketo_id != 0 ? NULL : lead;
}

/* The lead of a cookie that decides. */
static ms_lead_row *
by_cookie_first(ms_store *store, const ms_identity *who, const knowledge *known)
{
    ms_lead_row *lead = ms_lead_load(store, known->cookie.lead);
    if (lead == NULL || !ms_is_unnamed(lead)) {
        return lead;
    }
    if (known->by_email != 0) {
        return ms_lead_load(store, known->by_email);
    }
    /* To Marketo the cookie is nobody's: it does not make one of two people. */
    bool is_theirs = !ms_is_other_user(lead, who);
    if (who->email.len > 0) {
        return is_theirs ? lead : ms_lead_without_email(store, known->by_user_id, who);
    }
    if (known->by_user_id != 0) {
        return ms_lead_load(store, known->by_user_id);
    }
    return is_theirs ? lead : NULL;
}

/* The lead that the identity tells, NULL if none is known. */
static ms_lead_row *
known_lead(ms_store *store, const ms_identity *who, const knowledge *known)
{
    if (who->cookie_first && who->cookie.len > 0) {
        return known->cookie.id == 0 ? NULL : by_cookie_first(store, who, known);
    }
    if (known->by_email != 0) {
        return ms_lead_load(store, known->by_email);
    }
    if (who->email.len > 0) {
        ms_lead_row *lead = without_email_by_cookie(store, who, known);
        return lead != NULL ? lead : ms_lead_without_email(store, known->by_user_id, who);
    }
    int64_t id = known->cookie.lead != 0 ? known->cookie.lead : known->by_user_id;
    return id == 0 ? NULL : ms_lead_load(store, id);
}

static void
set(ms_lead_row *lead, ms_slice *name, ms_slice value)
{
    if (value.len > 0 && !ms_slice_equal(*name, value)) {
        *name = value;
        lead->changed = true;
    }
}

/* Is Marketo to be asked whose the cookie is that came along? */
static bool
asks_about_cookie(const ms_identity *who, const knowledge *known)
{
    return who->cookie_first && who->cookie.len > 0 && known->cookie.id == 0;
}

/* Merges the lead `id` into `lead` if it has turned out to be the same. While Marketo makes one of
 * its user id, and is asked about the cookie of this one, which may be another's, they stay two
 * until the answer. By SOAP nobody is asked. */
static void
absorb(ms_store *store, ms_lead_row *lead, int64_t id, const ms_identity *who,
       const knowledge *known, int64_t now)
{
    bool is_asked = (asks_about_cookie(who, known) || lead->lookups > 0) &&
                    !ms_class_is_taken(store, MS_CLASS_LOOKUP);
    const ms_lead_row *other = id == 0 || !is_asked ? NULL : ms_lead_load(store, id);
    if (other == NULL || other->flying == 0) {
        ms_lead_absorb(store, lead, id, who, now);
    }
}

/* Does the user id go over to the lead? It is no proof; but with an e-mail address it tells which
 * is theirs now. If its own has none, and the lead waits for an answer, it is for that to say. */
static bool
user_id_moves(ms_store *store, const ms_lead_row *lead, const ms_identity *who,
              const knowledge *known)
{
    bool is_others = known->by_user_id != 0 && known->by_user_id != lead->id;
    bool is_of_address = lead->lookups == 0 || known->by_email == lead->id;
    if (!is_others || who->email.len == 0 || !is_of_address) {
        return false;
    }
    bool waits = asks_about_cookie(who, known) || lead->lookups > 0;
    return !waits || ms_lead_without_email(store, known->by_user_id, who) == NULL;
}

/* Ties to the lead what is nobody's yet. */
static void
tie_aliases(ms_store *store, ms_lead_row *lead, const ms_identity *who, const knowledge *known,
            int64_t now)
{
    if (who->email.len > 0 && known->by_email == 0) {
        ms_alias_put(store, MS_NAME_EMAIL, known->email_key, lead);
    }
    bool moves = user_id_moves(store, lead, who, known);
    bool had_id = lead->marketo_id != 0;
    if (moves) {
        ms_lead_take_user_from(store, lead, known->by_user_id, who, now);
    }
    if (who->user_id.len > 0 && (known->by_user_id == 0 || moves)) {
        ms_alias_put(store, MS_NAME_USER_ID, who->user_id, lead);
    }
    set(lead, &lead->user_id, who->user_id);
    if (lead->email.len == 0 && who->email.len > 0) {
        set(lead, &lead->email, who->email);
        /* Where the cookie decides, its lead is to have the address, whoever else has it. */
        bool by_cookie = had_id && who->cookie_first && known->cookie.lead == lead->id;
        if (lead->marketo_id != 0 && !by_cookie) {
            ms_lead_ask_for_email(store, lead, now);
        }
    }
}

/* Of the two addresses of a user's, the lead has the one that the user id is not. */
static void
leave_to_address(ms_store *store, ms_lead_row *lead, int64_t owner, int64_t now)
{
    ms_lead_row *other = owner == lead->id ? NULL : ms_lead_load(store, owner);
    if (other != NULL) {
        ms_lead_merge(store, other, lead, now);
        lead = other;
    }
    ms_lead_save(store, lead);
}

static void
tie_cookie(ms_store *store, ms_lead_row *lead, const ms_identity *who, const knowledge *known,
           int64_t now)
{
    /* Read anew: a merge may have moved it. */
    ms_cookie_row cookie =
        known->cookie.id == 0 ? known->cookie : ms_cookie_find(store, who->cookie);
    int64_t from = ms_cookie_tie(store, lead, who->cookie, &cookie, who->cookie_first, now);
    ms_lead_row *left = from == 0 ? NULL : ms_lead_load(store, from);
    if (left == NULL) {
        return;
    }
    left->lookups--;
    left->changed = true;
    if (left->lookups == 0 && ms_is_anonymous(left, who)) {
        ms_lead_merge(store, lead, left, now);
    } else if (left->lookups == 0 && left->marketo_id == 0) {
        /* What it is known by may be this very lead's, which is being changed here, and whose row
         * on disk is not to be touched. */
        int64_t owner = ms_lead_owner(store, left);
        bool is_users = ms_alias_find(store, MS_NAME_USER_ID, left->user_id) == lead->id;
        if (owner == lead->id) {
            ms_lead_merge(store, lead, left, now);
        } else if (is_users) {
            leave_to_address(store, left, owner, now);
        } else {
            (void)ms_lead_without_cookie(store, left, now);
        }
    } else {
        ms_lead_save(store, left);
    }
}

/* Has the lead another address, and is it known whose the one or the other is? */
static bool
is_of_other_address(ms_store *store, const ms_lead_row *lead, const knowledge *known)
{
    ms_slice key = ms_email_key(store, lead->email);
    if (key.len == 0 || known->email_key.len == 0 || ms_slice_equal(key, known->email_key)) {
        return false;
    }
    bool is_known = known->by_email != 0 && known->by_email != lead->id;
    return is_known || ms_alias_find(store, MS_NAME_EMAIL, key) != lead->id;
}

/* Is Marketo being asked about the cookie, which came with somebody else? Then it says nothing of
 * whoever comes with it now, who need not wait for the answer. */
static bool
is_cookie_of_another(ms_store *store, const ms_identity *who, const knowledge *known)
{
    const ms_cookie_row *cookie = &known->cookie;
    bool is_asked = cookie->state == MS_COOKIE_LOOKUP || cookie->state == MS_COOKIE_LOOKUP_FLYING;
    if (!who->cookie_first || !is_asked) {
        return false;
    }
    const ms_lead_row *lead = ms_lead_load(store, cookie->lead);
    if (lead == NULL) {
        return false;
    }
    /* Of one that has an address the cookie is the proof, as it is once Marketo has answered. */
    return lead->email.len == 0 ? ms_is_other_user(lead, who)
                                : is_of_other_address(store, lead, known);
}

ms_lead_row *
ms_identity_lead(ms_store *store, const ms_identity *said, int64_t now)
{
    ms_identity whole = *said;
    const ms_identity *who = &whole;
    knowledge known = know(store, who);
    if (is_cookie_of_another(store, who, &known)) {
        whole.cookie = MS_SLICE("");
        known.cookie = (ms_cookie_row){.id = 0};
    }
    ms_lead_row *lead = known_lead(store, who, &known);
    if (lead == NULL && !store->failed) {
        lead = ms_lead_new(store, now);
    }
    if (lead == NULL) {
        return NULL;
    }
    absorb(store, lead, known.cookie.lead, who, &known, now);
    if (known.by_user_id != known.cookie.lead) {
        absorb(store, lead, known.by_user_id, who, &known, now);
    }
    tie_aliases(store, lead, who, &known, now);
    if (who->cookie.len > 0 && known.cookie.lead != lead->id) {
        tie_cookie(store, lead, who, &known, now);
    }
    return store->failed ? NULL : lead;
}

bool
ms_identity_is_nobody(const ms_identity *who)
{
    return who->email.len == 0 && who->user_id.len == 0 && who->cookie.len == 0;
}

void
ms_identity_leave_user_id(ms_store *store, ms_identity *who)
{
    if (who->email.len > 0 && ms_alias_find(store, MS_NAME_USER_ID, who->user_id) != 0) {
        who->user_id = MS_SLICE("");
    }
}

void
ms_identity_set_email(ms_store *store, ms_lead_row *lead, ms_slice email)
{
    ms_slice former = ms_email_key(store, lead->email);
    if (lead->email_unasked && email.len > 0 &&
        !ms_slice_equal(former, ms_email_key(store, email))) {
        ms_alias_take(store, MS_NAME_EMAIL, former, lead);
    }
    set(lead, &lead->email, email);
}
