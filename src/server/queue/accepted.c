/* Requests from when they are accepted until they are carried out. */

#include "accepted.h"
#include "changes.h"
#include "dead.h"
#include "journal.h"

#include "../../core/hex.h"
#include "../status_text.h"

/* Messages whose requests are deleted in one transaction, so that it stalls nobody. */
#define FORGET_AT_ONCE 1000

/* ---- by the thread that accepts -------------------------------------------------------------- */

ms_store_result
ms_store_accept(ms_store *accepting, const ms_command *commands, int64_t now)
{
    ms_store_starts(accepting);
    if (commands == NULL) {
        return ms_store_ended(accepting);
    }
    ms_slice entry = ms_journal_write(&accepting->scratch, commands);
    if (accepting->scratch.exhausted) {
        ms_store_fail(accepting, "out of memory");
        return ms_store_ended(accepting);
    }
    for (const ms_command *command = commands; command != NULL; command = command->next) {
        accepting->last++;
    }
    ms_sql *sql = ms_sql_begin(accepting, MS_REQUEST_ADD);
    ms_sql_int(sql, accepting->last);
    ms_sql_int(sql, now);
    ms_sql_blob(sql, entry);
    (void)ms_sql_run(sql);
    return ms_store_ended(accepting);
}

ms_store_result
ms_store_try(ms_store *accepting)
{
    ms_store_starts(accepting);
    (void)ms_sql_run(ms_sql_begin(accepting, MS_LINEAGE_TOUCH));
    return ms_store_ended(accepting);
}

bool
ms_store_holds_carried_out(const ms_store *accepting, int64_t carried_out)
{
    return carried_out > accepting->forgotten;
}

ms_store_result
ms_store_forget_carried_out(ms_store *accepting, int64_t carried_out)
{
    ms_store_starts(accepting);
    if (ms_store_holds_carried_out(accepting, carried_out)) {
        int64_t left = carried_out - accepting->forgotten;
        accepting->forgotten += left < FORGET_AT_ONCE ? left : FORGET_AT_ONCE;
        (void)ms_sql_run_1(accepting, MS_REQUESTS_FORGET, accepting->forgotten);
    }
    return ms_store_ended(accepting);
}

int64_t
ms_store_forgotten(const ms_store *accepting)
{
    return accepting->forgotten_for_good;
}

int64_t
ms_store_last_accepted(const ms_store *accepting)
{
    return accepting->last_for_good;
}

/* ---- by the queue's -------------------------------------------------------------------------- */

/* A request as it is read; its commands live until ms_sql_end of `sql`. */
typedef struct {
    ms_sql *sql;
    int64_t before; /* what is carried out */
    int64_t number; /* 0: none */
    int64_t at;
    ms_slice commands;
} request;

int64_t
ms_store_carried_out(ms_store *store)
{
    return ms_count_now(store, MS_COUNT_CARRIED_OUT);
}

/* What fails in the file of what was accepted fails in the queue. */
static void
take_failure(ms_store *store)
{
    if (store->accepted->failed) {
        ms_store_fail(store, store->accepted->problem);
        store->accepted->failed = false;
    }
}

void
ms_accepted_end_view(ms_store *store)
{
    if (store->accepted != NULL && sqlite3_get_autocommit(store->accepted->db) == 0) {
        (void)ms_sql_run(ms_sql_begin(store->accepted, MS_COMMIT));
        take_failure(store);
    }
}

/* The first request that waits. */
static request
first(ms_store *store)
{
    request first = {.sql = ms_sql_begin(store->accepted, MS_REQUEST_AFTER),
                     .before = ms_count_now(store, MS_COUNT_CARRIED_OUT)};
    ms_sql_int(first.sql, first.before);
    if (!store->failed && ms_sql_row(first.sql)) {
        first.number = ms_sql_get_int(first.sql, 0);
        first.at = ms_sql_get_int(first.sql, 1);
        first.commands = ms_sql_get_text(first.sql, 2);
    }
    take_failure(store);
    return first;
}

static void
leave_behind(ms_store *store, const request *request)
{
    ms_sql_end(request->sql);
    if (request->number != 0) {
        ms_count_change(store, MS_COUNT_CARRIED_OUT, request->number - request->before);
    }
}

int64_t
ms_accepted_oldest(ms_store *store)
{
    if (store->accepted == NULL) {
        return 0;
    }
    request waiting = first(store);
    ms_sql_end(waiting.sql);
    return waiting.at;
}

int64_t
ms_accepted_last(ms_store *store)
{
    if (store->accepted == NULL) {
        return 0;
    }
    int64_t last = ms_sql_number(ms_sql_begin(store->accepted, MS_REQUEST_LAST));
    take_failure(store);
    return last;
}

ms_store_result
ms_store_view_accepted(ms_store *store)
{
    ms_store_starts(store);
    (void)ms_sql_run(ms_sql_begin(store->accepted, MS_VIEW));
    take_failure(store);
    return ms_store_ended(store);
}

ms_store_result
ms_store_carry_out(ms_store *store, int64_t now, bool *found)
{
    ms_command command;
    ms_store_starts(store);
    request request = first(store);
    /* The clock may have been set back since it came. */
    int64_t at = request.at < now ? request.at : now;
    ms_journal_state state = MS_JOURNAL_READ;
    while (!store->failed && state == MS_JOURNAL_READ) {
        state = ms_journal_read(&request.commands, &command);
        if (state == MS_JOURNAL_READ) {
            (void)ms_change(store, &command, at);
        }
    }
    if (state == MS_JOURNAL_UNKNOWN) {
        ms_store_fail(store, "the database holds what this version does not know");
    }
    leave_behind(store, &request);
    *found = request.number != 0;
    return ms_store_ended(store);
}

/* As a letter that can be sent again, since what was in its way may have been passing. */
static void
bury_lead(ms_store *store, const ms_command *command, ms_slice code, ms_slice reason, int64_t now)
{
    ms_field_set fields;
    const ms_dead_lead dead = {command->who.email, command->who.user_id, command->who.cookie, 0,
                               &fields};
    int64_t time = command->time < now ? command->time : now;
    if (ms_field_set_read(&store->scratch, command->fields, time, &fields)) {
        ms_dead_add_lead(store, "lead", &dead, code, reason, now);
    } else {
        ms_dead_add_message(store, &command->who, command->fields, code, reason, now);
    }
}

static void
bury(ms_store *store, const ms_command *command, ms_slice reason, int64_t now)
{
    const ms_slice code = ms_slice_from(ms_code_of(MS_NOT_STORED));
    switch (command->kind) {
    case MS_COMMAND_VISIT:
        ms_dead_add_visit(store, command->time, command->query, command->user_agent, code, reason,
                          now);
        break;
    case MS_COMMAND_LEAD:
        bury_lead(store, command, code, reason, now);
        break;
    case MS_COMMAND_ACTIVITY:
        ms_dead_add_activity(store, command, code, reason, now);
        break;
    case MS_COMMAND_DEAD:
        ms_dead_add_message(store, &command->who, command->payload, command->code, reason, now);
        break;
    case MS_COMMAND_NOTHING:
        break;
    }
}

/* What cannot be read is kept as hexadecimal digits. */
static void
bury_unread(ms_store *store, ms_slice entry, ms_slice reason, int64_t now)
{
    const ms_slice none = MS_SLICE("");
    const ms_identity nobody = {none, none, none, false};
    char *text = ms_scratch(store, 2 * entry.len + 2);
    if (text == NULL) {
        return;
    }
    text[0] = '"';
    ms_hex((const unsigned char *)entry.ptr, entry.len, text + 1);
    text[2 * entry.len + 1] = '"';
    ms_dead_add_message(store, &nobody, (ms_slice){text, 2 * entry.len + 2},
                        ms_slice_from(ms_code_of(MS_NOT_STORED)), reason, now);
}

static void
bury_first(ms_store *store, ms_slice reason, int64_t now)
{
    ms_command command;
    ms_store_starts(store);
    request request = first(store);
    ms_slice left = request.commands;
    ms_journal_state state = request.number == 0 ? MS_JOURNAL_END : MS_JOURNAL_READ;
    while (!store->failed && state == MS_JOURNAL_READ) {
        request.commands = left;
        state = ms_journal_read(&left, &command);
        if (state == MS_JOURNAL_READ) {
            ms_arena before = store->scratch; /* one that needs too much leaves it to the others */
            bury(store, &command, reason, now);
            store->scratch = before;
        }
    }
    if (state == MS_JOURNAL_UNKNOWN) {
        bury_unread(store, request.commands, reason, now);
    }
    leave_behind(store, &request);
}

ms_store_result
ms_store_carry_out_or_bury(ms_store *store, int64_t now)
{
    int64_t change[MS_COUNTERS];
    char reason[sizeof store->problem];
    bool found;
    memcpy(change, store->change, sizeof change);
    (void)ms_sql_run(ms_sql_begin(store, MS_SAVE));
    if (ms_store_carry_out(store, now, &found) == MS_STORE_OK) {
        (void)ms_sql_run(ms_sql_begin(store, MS_SAVE_END));
        return ms_store_ended(store);
    }
    /* After a full disk and such, SQLite has rolled back all of the transaction. */
    if (sqlite3_get_autocommit(store->db) != 0) {
        return MS_STORE_FAILED;
    }
    memcpy(reason, store->problem, sizeof reason);
    memcpy(store->change, change, sizeof change);
    store->lead_ids = -1;
    store->failed = false;
    (void)ms_sql_run(ms_sql_begin(store, MS_SAVE_BACK));
    (void)ms_sql_run(ms_sql_begin(store, MS_SAVE_END));
    bury_first(store, ms_slice_from(reason), now);
    return ms_store_ended(store);
}
