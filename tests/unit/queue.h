/*
 * A queue of its own for each test, on disk, and short ways to put leads in and to see what comes
 * out.
 */
#ifndef TESTS_QUEUE_H
#define TESTS_QUEUE_H

#include "../../src/server/queue/store.h"

#define SECOND INT64_C(1000)
#define DAY (86400 * SECOND)
#define HOLD (7 * DAY)

/* The rules of the tests: 5 s, 30 s, 24 h, 7 days. */
extern const ms_store_rules queue_rules;

/* A time to begin with. */
#define START (INT64_C(1790000000) * SECOND)

/* The store under test, in a transaction. Fixtures for cmocka. */
extern ms_store *queue;
int queue_setup(void **state);
int queue_teardown(void **state);

/* What must be true of a queue whatever has happened to it; at each teardown, too. */
void queue_check(void);

/* The database's path; "…/munchkin.db" in a folder of the test's. */
extern char queue_path[];

void queue_open(void);   /* and begins */
void queue_close(void);  /* commits first */
void queue_commit(void); /* and begins the next transaction */

#define ok(call) assert_int_equal((call), MS_STORE_OK)

ms_slice slice(const char *text);

/* Accepts commands, which then are on disk. */
void queue_accept(const ms_command *commands, int64_t now);

/* Accepts commands and carries them out. */
void request(const ms_command *commands, int64_t now);

/* Carries out a LEAD command; any text may be NULL. Server libraries send cookies first. */
void identify(const char *email, const char *user_id, const char *cookie, const char *fields,
              int64_t now);
void identify_in_browser(const char *email, const char *user_id, const char *cookie,
                         const char *fields, int64_t now);

/*
 * Takes all that is due and writes it down, one a line, the due first: "email fields", with the
 * Marketo id as "#7", or the user id as "@u1", or the cookie as "%c" before it where that is known.
 * Static storage. taken[] are the leads.
 */
const char *take(ms_lead_selection selection, int64_t now);
extern ms_due_lead taken[400];
extern size_t taken_count;

/* Takes the one lead that is due by this selection, and ends its sync. */
void sync_one(ms_lead_selection selection, int64_t marketo_id, int64_t now);

/* The addresses that are looked up, one a line; taken[] are the leads. */
const char *email_lookups(int64_t now);

/* "cookie>lead's Marketo id", one a line. */
const char *lookups(int64_t now);
const char *associations(int64_t now);
extern ms_due_cookie cookies[400];

/* "kind who code payload", one a line. */
const char *dead_letters(void);

/* Sends a letter again, or with 0 all of them; how many went. */
uint64_t retry(int64_t id, int64_t now);

ms_store_counts counts(void);

/* Makes SQLite's file no larger than it is now, or as large as it likes again. */
void queue_disk_full(bool full);

/* The number that a query gives. */
int64_t query(const char *sql);

#endif
