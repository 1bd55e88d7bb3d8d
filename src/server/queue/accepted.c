/* Requests from when they are accepted until they are carried out. */

#include "changes.h"
#include "dead.h"
#include "journal.h"

#include "../../core/hex.h"
#include "../status_text.h"

ms_store_result
ms_store_accept(ms_store *store, const ms_command *commands, int64_t now)
{
    ms_store_starts(store);
    if (commands == NULL) {
        return ms_store_ended(store);
    }
    ms_slice entry = ms_journal_write(&store->scratch, commands);
    if (store->scratch.exhausted) {
        ms_store_fail(store, "out of memory");
        return ms_store_ended(store);
    }
    int64_t messages = 0;
    for (const ms_command *command = commands; command != NULL; command = command->next) {
        messages++;
    }
    ms_sql *sql = ms_sql_begin(store, MS_JOURNAL_ADD);
    ms_sql_int(sql, now);
    ms_sql_int(sql, messages);
    ms_sql_blob(sql, entry);
    (void)ms_sql_run(sql);
    ms_count_change(store, MS_COUNT_JOURNAL, messages);
    return ms_store_ended(store);
}

/* The first request that waits; its commands live until ms_sql_end of `sql`. */
typedef struct {
    ms_sql *sql;
    int64_t id; /* 0: none */
    int64_t at;
    int64_t messages;
    ms_slice commands;
} request;

static request
first(ms_store *store)
{
    request first = {.sql = ms_sql_begin(store, MS_JOURNAL_FIRST)};
    if (ms_sql_row(first.sql)) {
        first.id = ms_sql_get_int(first.sql, 0);
        first.at = ms_sql_get_int(first.sql, 1);
        first.messages = ms_sql_get_int(first.sql, 2);
        first.commands = ms_sql_get_text(first.sql, 3);
    }
    return first;
}

static void
forget(ms_store *store, const request *request)
{
    ms_sql_end(request->sql);
    if (request->id != 0) {
        (void)ms_sql_run_1(store, MS_JOURNAL_DELETE, request->id);
        ms_count_change(store, MS_COUNT_JOURNAL, -request->messages);
    }
}

ms_store_result
ms_store_carry_out(ms_store *store, bool *found)
{
    ms_command command;
    ms_store_starts(store);
    request request = first(store);
    ms_journal_state state = MS_JOURNAL_READ;
    while (!store->failed && state == MS_JOURNAL_READ) {
        state = ms_journal_read(&request.commands, &command);
        if (state == MS_JOURNAL_READ) {
            (void)ms_change(store, &command, request.at);
        }
    }
    if (state == MS_JOURNAL_UNKNOWN) {
        ms_store_fail(store, "the database holds what this version does not know");
    }
    forget(store, &request);
    *found = request.id != 0;
    return ms_store_ended(store);
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
        ms_dead_add_message(store, &command->who, command->fields, code, reason, now);
        break;
    case MS_COMMAND_ACTIVITY:
        ms_dead_add_message(store, &command->who, command->attributes, code, reason, now);
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
    ms_journal_state state = request.id == 0 ? MS_JOURNAL_END : MS_JOURNAL_READ;
    while (!store->failed && state == MS_JOURNAL_READ) {
        request.commands = left;
        state = ms_journal_read(&left, &command);
        if (state == MS_JOURNAL_READ) {
            bury(store, &command, reason, now);
        }
    }
    if (state == MS_JOURNAL_UNKNOWN) {
        bury_unread(store, request.commands, reason, now);
    }
    forget(store, &request);
}

ms_store_result
ms_store_carry_out_or_bury(ms_store *store, int64_t now)
{
    int64_t change[MS_COUNTERS];
    char reason[sizeof store->problem];
    bool found;
    memcpy(change, store->change, sizeof change);
    (void)ms_sql_run(ms_sql_begin(store, MS_SAVE));
    if (ms_store_carry_out(store, &found) == MS_STORE_OK) {
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
