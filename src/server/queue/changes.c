/* Taking in: what a command asks for goes into the queue's rows. */

#include "changes.h"

#include "dead.h"
#include "identity.h"
#include "known_lead.h"
#include "sent_fields.h"

#include "../../core/status.h"
#include "../log.h"

#include <bearssl_hash.h>

static const int64_t remembered_ms = INT64_C(7) * 24 * 3600 * 1000;

#define HASH 16

/* Some 600 MB, if each is as large as it may be. */
#define DEAD_BEFORE_PAGES_STOP 10000

/* Notes the message; false if it was seen within the time that is remembered. */
static bool
is_new(ms_store *store, ms_slice message_id, int64_t now)
{
    unsigned char digest[br_sha256_SIZE];
    br_sha256_context sha256;
    int64_t period = ms_message_period(now);
    if (message_id.len == 0) {
        return true;
    }
    br_sha256_init(&sha256);
    br_sha256_update(&sha256, message_id.ptr, message_id.len);
    br_sha256_out(&sha256, digest);
    const ms_slice hash = {(const char *)digest, HASH};

    ms_sql *sql = ms_sql_begin(store, MS_MESSAGE_SEEN);
    ms_sql_int(sql, period);
    ms_sql_blob(sql, hash);
    int64_t seen = ms_sql_number(sql);
    if (seen > 0 && seen > now - remembered_ms) {
        return false;
    }
    sql = ms_sql_begin(store, MS_MESSAGE_ADD);
    ms_sql_int(sql, period);
    ms_sql_blob(sql, hash);
    ms_sql_int(sql, now);
    return ms_sql_run(sql) == 1;
}

static ms_slice
code_of(ms_status status)
{
    return ms_slice_from(ms_status_code(status));
}

/* The set's field of this name; NULL if it has none. */
static const ms_waiting_field *
field_of(const ms_field_set *set, ms_slice name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (ms_slice_equal_fold(set->list[i].name, name)) {
            return &set->list[i];
        }
    }
    return NULL;
}

/* Was a newer address said of the lead, which waits or was sent? Else this is its address now: what
 * it is looked up by and what is said in its field are one. */
static bool
email_is_outdated(const ms_lead_row *lead, const ms_field_set *added, const ms_field_set *waiting,
                  int64_t now)
{
    const ms_slice name = MS_SLICE("Email");
    const ms_waiting_field *said = field_of(added, name);
    const ms_waiting_field *waits = field_of(waiting, name);
    if (said == NULL) {
        return false;
    }
    return waits != NULL ? waits->time > said->time : ms_sent_fields_outdate(lead->sent, now, said);
}

/* With a Marketo id it is a letter, and the address the one that the lead had then. */
static void
set_email(ms_store *store, ms_lead_row *lead, const ms_command *command)
{
    if (command->marketo_id == 0 || lead->email.len == 0) {
        ms_identity_set_email(store, lead, command->who.email);
    }
}

/* What is too much for the lead is kept for a person. Of pages, which have no key, only so much as
 * cannot fill a disk: their commands are those that the cookie does not decide first. */
static void
put_aside(ms_store *store, const ms_command *command, const ms_field_set *fields, bool of_letter,
          int64_t now)
{
    bool by_page = !command->who.cookie_first && !of_letter;
    if (by_page && ms_count_now(store, MS_COUNT_DEAD) >= DEAD_BEFORE_PAGES_STOP) {
        if (!store->told_of_pages) {
            ms_log("warning", "leads_of_pages_left_out", "message",
                   "There are very many dead letters: what pages say beyond what may wait for a "
                   "lead is not kept any more.");
        }
        store->told_of_pages = true;
        return;
    }
    const ms_dead_lead dead = {command->who.email, command->who.user_id, command->who.cookie,
                               command->marketo_id, fields};
    ms_dead_add_too_large(store, &dead, MS_SLICE("Too much waited for this lead already."), now);
}

/* Merges the command's fields into those that wait. `of_letter`: a dead letter that goes again. */
static void
add_fields(ms_store *store, ms_lead_row *lead, const ms_command *command, const ms_field_set *added,
           bool of_letter, int64_t now)
{
    ms_field_set waiting = ms_lead_fields(store, lead);
    if (!email_is_outdated(lead, added, &waiting, now)) {
        set_email(store, lead, command);
    }
    ms_field_set merged = ms_fields_together(store, &waiting, added);
    /* Else it is yet to be known what Marketo has in the end, or which lead this is there. */
    if (lead->flying == 0 && !lead->email_unasked) {
        lead->changed |= ms_sent_fields_remove(lead->sent, store->rules.unchanged, now, &merged);
    }
    if (ms_field_set_size(&merged) > MS_LEAD_FIELDS_MAX) {
        put_aside(store, command, added, of_letter, now);
        return;
    }
    ms_lead_set_fields(store, lead, &merged);
    if (lead->fields.len > 0 || lead->marketo_id == 0) {
        ms_lead_wants_sync(lead, now);
    } else if (lead->since > 0 &&
               !lead->email_unasked) { /* what waited has become what Marketo has */
        lead->since = 0;
        lead->changed = true;
    }
}

/* Writing a row for this alone is not worth it more often. */
#define HEARD_EVERY ((int64_t)3600 * 1000)

/* Is a letter still about the lead of its Marketo id? Not if that is not known here any more, or
 * has none of its names, which it had when the letter was written: then it was left for another. */
static bool
is_of_marketo_id(ms_store *store, const ms_command *command)
{
    if (command->marketo_id == 0 || ms_identity_is_nobody(&command->who)) {
        return command->marketo_id != 0;
    }
    int64_t id = ms_sql_number_1(store, MS_LEAD_BY_MARKETO_ID, command->marketo_id);
    const ms_lead_row *lead = id == 0 ? NULL : ms_lead_load(store, id);
    bool had_name = command->who.email.len + command->who.user_id.len > 0;
    return lead != NULL && (!had_name || lead->email.len + lead->user_id.len > 0);
}

/* The lead that a command is about; NULL, and a failed store, without memory. The Marketo id of a
 * letter tells which it is: the address may be another's by now. */
static ms_lead_row *
lead_of(ms_store *store, const ms_command *command, int64_t now)
{
    return is_of_marketo_id(store, command) ? ms_lead_of_marketo_id(store, command->marketo_id, now)
                                            : ms_identity_lead(store, &command->who, now);
}

void
ms_change_lead(ms_store *store, const ms_command *command, int64_t now, bool due_now)
{
    ms_field_set fields;
    int64_t time = command->time < now ? command->time : now;
    if (ms_field_set_read(&store->scratch, command->fields, time, &fields)) {
        ms_change_lead_fields(store, command, &fields, now, due_now);
    } else if (store->scratch.exhausted) {
        ms_store_fail(store, "out of memory");
    } else {
        ms_dead_add_message(store, &command->who, command->fields, code_of(MS_JSON_INVALID),
                            MS_SLICE("These are not a lead's fields."), now);
    }
}

void
ms_change_lead_fields(ms_store *store, const ms_command *command, const ms_field_set *fields,
                      int64_t now, bool due_now)
{
    ms_lead_row *lead = lead_of(store, command, now);
    if (lead == NULL) {
        return;
    }
    add_fields(store, lead, command, fields, due_now, now);
    if (due_now && lead->since > 0) {
        lead->since = ms_later(1, now - store->rules.linger);
        lead->changed = true;
    }
    if (lead->changed || now - lead->heard > HEARD_EVERY) {
        lead->heard = now;
        lead->changed = true;
        ms_lead_save(store, lead);
    }
}

void
ms_change_visit(ms_store *store, const ms_command *command, int64_t now)
{
    ms_sql *sql = ms_sql_begin(store, MS_VISIT_ADD);
    ms_sql_int(sql, now);
    ms_sql_int(sql, now);
    ms_sql_int(sql, command->time);
    ms_sql_text(sql, command->query);
    ms_sql_text(sql, command->user_agent);
    (void)ms_sql_run(sql);
    ms_count_change(store, MS_COUNT_VISITS, 1);
}

void
ms_change_activity(ms_store *store, const ms_command *command, int64_t now, bool due_now)
{
    ms_lead_row *lead = lead_of(store, command, now);
    if (lead == NULL) {
        return;
    }
    set_email(store, lead, command);
    if (lead->marketo_id == 0) {
        ms_lead_wants_sync(lead, now); /* it is to have an id */
    }
    lead->heard = now;
    lead->changed = true;
    ms_lead_save(store, lead);

    ms_sql *sql = ms_sql_begin(store, MS_ACTIVITY_ADD);
    ms_sql_int(sql, now);
    ms_sql_int(sql, lead->id);
    ms_sql_int(sql, ms_lead_target(lead) == 0 ? 0 : now + (due_now ? 0 : store->rules.linger));
    ms_sql_int(sql, command->time);
    ms_sql_int(sql, command->activity_type);
    ms_sql_text(sql, command->primary_value);
    ms_sql_text(sql, command->attributes);
    (void)ms_sql_run(sql);
    ms_count_change(store, MS_COUNT_ACTIVITIES, 1);
}

ms_store_result
ms_change(ms_store *store, const ms_command *command, int64_t now)
{
    ms_store_starts(store);
    if (!is_new(store, command->message_id, now)) {
        return ms_store_ended(store);
    }
    bool of_lead = command->kind == MS_COMMAND_LEAD || command->kind == MS_COMMAND_ACTIVITY;
    if (of_lead && ms_identity_is_nobody(&command->who)) {
        ms_dead_add_message(store, &command->who,
                            command->kind == MS_COMMAND_LEAD ? command->fields
                                                             : command->attributes,
                            code_of(MS_EMAIL_MISSING), MS_SLICE("Nothing tells whose it is."), now);
        return ms_store_ended(store);
    }
    switch (command->kind) {
    case MS_COMMAND_LEAD:
        ms_change_lead(store, command, now, false);
        break;
    case MS_COMMAND_VISIT:
        ms_change_visit(store, command, now);
        break;
    case MS_COMMAND_ACTIVITY:
        ms_change_activity(store, command, now, false);
        break;
    case MS_COMMAND_DEAD:
        ms_dead_add_message(store, &command->who, command->payload, command->code, MS_SLICE(""),
                            now);
        break;
    case MS_COMMAND_NOTHING:
        break;
    }
    return ms_store_ended(store);
}
