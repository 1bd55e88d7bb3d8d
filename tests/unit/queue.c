#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include "../../src/server/queue/statements.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const ms_store_rules queue_rules = {
    .interval = 30 * SECOND, .linger = 5 * SECOND, .unchanged = DAY, .hold = HOLD};

ms_store *queue;
char queue_path[128];
ms_due_lead taken[400];
size_t taken_count;
ms_due_cookie cookies[400];

static char folder[64];
static char written[1 << 20];
static size_t written_len;
static unsigned char memory[4 << 20];

ms_slice
slice(const char *text)
{
    return ms_slice_from(text);
}

void
queue_open(void)
{
    const char *problem = NULL;
    queue = ms_store_open(queue_path, &queue_rules, &problem);
    if (queue == NULL) {
        fail_msg("%s", problem);
    }
    ok(ms_store_begin(queue));
}

void
queue_close(void)
{
    ok(ms_store_commit(queue));
    ms_store_close(queue);
    queue = NULL;
}

void
queue_commit(void)
{
    ok(ms_store_commit(queue));
    ok(ms_store_begin(queue));
}

int
queue_setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/munchkin-queue-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(queue_path, sizeof queue_path, "%s/munchkin.db", folder);
    queue_open();
    return 0;
}

static int
delete_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

int64_t
query(const char *sql)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(queue->db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return value;
}

void
queue_check(void)
{
    ms_store_counts counted = counts();
    assert_int_equal(counted.leads_waiting + counted.leads_held,
                     query("SELECT count(*) FROM lead WHERE due > 0"));
    assert_int_equal(counted.leads_in_flight, query("SELECT count(*) FROM flight"));
    assert_int_equal(counted.cookies_waiting,
                     query("SELECT count(*) FROM cookie WHERE state IN (1, 3, 4)"));
    assert_int_equal(counted.visits_waiting, query("SELECT count(*) FROM visit WHERE due > 0"));
    assert_int_equal(counted.activities_waiting,
                     query("SELECT count(*) FROM activity WHERE flying = 0"));
    assert_int_equal(counted.dead, query("SELECT count(*) FROM dead"));

    assert_int_equal(query("SELECT count(*) FROM lead WHERE flying <>"
                           " (SELECT count(*) FROM flight WHERE flight.lead = lead.id)"),
                     0);
    assert_int_equal(query("SELECT count(*) FROM lead WHERE lookups <> (SELECT count(*) FROM cookie"
                           " WHERE cookie.lead = lead.id AND state IN (1, 2))"),
                     0);
    assert_int_equal(query("SELECT count(*) FROM alias WHERE lead NOT IN (SELECT id FROM lead)"),
                     0);
    assert_int_equal(query("SELECT count(*) FROM cookie WHERE lead NOT IN (SELECT id FROM lead)"),
                     0);
    assert_int_equal(query("SELECT count(*) FROM flight WHERE lead NOT IN (SELECT id FROM lead)"),
                     0);
    assert_int_equal(query("SELECT count(*) FROM activity WHERE lead NOT IN (SELECT id FROM lead)"),
                     0);
    assert_int_equal(query("SELECT count(*) FROM lead WHERE fields <> '' AND since = 0"), 0);
    assert_int_equal(query("SELECT count(*) FROM lead WHERE since > 0 AND due = 0 AND flying = 0"),
                     0);
    assert_int_equal(query("SELECT count(*) FROM cookie, lead ON lead.id = cookie.lead"
                           " WHERE state = 4 AND (marketo_id = 0 OR email_unasked)"),
                     0);
    assert_int_equal(query("SELECT count(*) FROM cookie, lead ON lead.id = cookie.lead"
                           " WHERE state = 3 AND marketo_id <> 0 AND NOT email_unasked"),
                     0);
    assert_int_equal(query("SELECT count(*) FROM activity, lead ON lead.id = activity.lead"
                           " WHERE activity.flying = 0 AND (activity.due = 0) <>"
                           " (marketo_id = 0 OR email_unasked)"),
                     0);
    assert_int_equal(query("SELECT count(*) FROM lead WHERE email_unasked"
                           " AND (marketo_id = 0 OR email = '' OR (since = 0 AND flying = 0))"),
                     0);
}

int
queue_teardown(void **state)
{
    (void)state;
    if (queue != NULL) {
        queue_check();
        queue_close();
    }
    return nftw(folder, delete_one, 8, FTW_DEPTH | FTW_PHYS);
}

void
queue_accept(const ms_command *commands, int64_t now)
{
    ms_store *accepting = ms_store_accepting(queue);
    ok(ms_store_begin(accepting));
    ok(ms_store_accept(accepting, commands, now));
    ok(ms_store_commit(accepting));
}

void
request(const ms_command *commands, int64_t now)
{
    bool found = false;
    queue_accept(commands, now);
    ok(ms_store_carry_out(queue, now, &found));
    assert_true(found);
}

static void
execute(const char *email, const char *user_id, const char *cookie, bool cookie_first,
        const char *fields, int64_t now)
{
    const ms_command command = {.kind = MS_COMMAND_LEAD,
                                .who = {slice(email), slice(user_id), slice(cookie), cookie_first},
                                .time = now,
                                .fields = slice(fields == NULL ? "{}" : fields)};
    request(&command, now);
}

void
identify(const char *email, const char *user_id, const char *cookie, const char *fields,
         int64_t now)
{
    execute(email, user_id, cookie, true, fields, now);
}

void
identify_in_browser(const char *email, const char *user_id, const char *cookie, const char *fields,
                    int64_t now)
{
    execute(email, user_id, cookie, false, fields, now);
}

static void
start_writing(void)
{
    written_len = 0;
    written[0] = '\0';
}

__attribute__((format(printf, 1, 2))) static void
write_down(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is initialised in the line above. */
    int len = vsnprintf(written + written_len, sizeof written - written_len, format, arguments);
    va_end(arguments);
    assert_in_range(len, 0, sizeof written - written_len - 1);
    written_len += (size_t)len;
}

#define S(text) (int)(text).len, (text).ptr

const char *
take(ms_lead_selection selection, int64_t now)
{
    ms_arena arena;
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_take_leads(queue, selection, now, 300, (size_t)1 << 20, &arena, taken,
                           &taken_count));
    start_writing();
    for (size_t i = 0; i < taken_count; i++) {
        const ms_due_lead *lead = &taken[i];
        if (lead->marketo_id != 0) {
            write_down("#%lld ", (long long)lead->marketo_id);
        }
        if (lead->user_id.len > 0) {
            write_down("@%.*s ", S(lead->user_id));
        }
        if (lead->cookie.len > 0) {
            write_down("%%%.*s ", S(lead->cookie));
        }
        write_down("%.*s %.*s\n", S(lead->email), S(lead->fields));
    }
    return written;
}

void
sync_one(ms_lead_selection selection, int64_t marketo_id, int64_t now)
{
    (void)take(selection, now);
    assert_int_equal(taken_count, 1);
    ok(ms_store_lead_sent(queue, taken[0].id, marketo_id, now));
}

static const char *
take_cookies(ms_store_result (*way)(ms_store *, int64_t, size_t, ms_arena *, ms_due_cookie *,
                                    size_t *),
             int64_t now)
{
    ms_arena arena;
    size_t count = 0;
    ms_arena_init(&arena, memory, sizeof memory);
    ok(way(queue, now, 300, &arena, cookies, &count));
    start_writing();
    for (size_t i = 0; i < count; i++) {
        write_down("%.*s>%lld\n", S(cookies[i].cookie), (long long)cookies[i].marketo_id);
    }
    return written;
}

const char *
lookups(int64_t now)
{
    return take_cookies(ms_store_take_lookups, now);
}

const char *
email_lookups(int64_t now)
{
    ms_arena arena;
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_take_email_lookups(queue, now, 50, &arena, taken, &taken_count));
    start_writing();
    for (size_t i = 0; i < taken_count; i++) {
        write_down("%.*s\n", S(taken[i].email));
    }
    return written;
}

const char *
associations(int64_t now)
{
    return take_cookies(ms_store_take_associations, now);
}

static void
write_letter(const ms_dead_letter *letter, void *argument)
{
    (void)argument;
    write_down("%.*s %.*s %.*s %.*s\n", S(letter->kind), S(letter->who), S(letter->code),
               S(letter->payload));
}

const char *
dead_letters(void)
{
    start_writing();
    ok(ms_store_dead_list(queue, 0, write_letter, NULL));
    return written;
}

uint64_t
retry(int64_t id, int64_t now)
{
    uint64_t count = 0;
    ok(ms_store_dead_retry(queue, id, now, &count));
    return count;
}

ms_store_counts
counts(void)
{
    ms_store_counts counted;
    ok(ms_store_count(queue, "2026-11-24", &counted));
    return counted;
}

void
queue_disk_full(bool full)
{
    char sql[64];
    (void)snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld",
                   full ? (long long)query("PRAGMA page_count") : (1LL << 30));
    (void)query(sql);
}
