/*
 * The queue's inside: the store, its prepared statements, and how they are run.
 *
 * An error sticks: once a statement has failed, or memory has run out, the others of the
 * transaction do nothing and give nothing, and the public function that ran them ends with
 * ms_store_ended. So the functions between need not look at each step's result.
 */
#ifndef MS_STATEMENTS_H
#define MS_STATEMENTS_H

#include "checkpoint.h"
#include "queries.h"
#include "store.h"

#include <sqlite3.h>

#define MS_QUERY_NAME(name, sql) name,
typedef enum { MS_QUERIES(MS_QUERY_NAME) MS_QUERY_COUNT } ms_query;
#undef MS_QUERY_NAME

/* What is counted as it changes, since counting a million rows takes too long. */
typedef enum {
    MS_COUNT_CLASS, /* leads that wait, by their ms_lead_class */
    MS_COUNT_FLIGHTS = MS_COUNT_CLASS + 6,
    MS_COUNT_COOKIES,
    MS_COUNT_VISITS,
    MS_COUNT_ACTIVITIES,
    MS_COUNT_DEAD,
    MS_COUNT_LEAD_IDS,    /* given out ever: none is used twice, as one may be in flight still */
    MS_COUNT_CARRIED_OUT, /* messages ever: the number of the last request that was (schema.c) */
    MS_COUNTERS
} ms_counter;

/* A prepared statement; kept for the life of the store. */
typedef struct {
    ms_store *store;
    sqlite3_stmt *statement;
    int bound;
} ms_sql;

struct ms_store {
    sqlite3 *db;
    int lock;                  /* lock.h; -1 where none is needed */
    ms_checkpoint *checkpoint; /* NULL beside a server */
    ms_store *accepted;        /* the file of what was accepted, to read; NULL if it is not there */
    ms_store *accepting;       /* the same to write, another thread's; NULL beside a server */
    ms_store_rules rules;
    ms_arena scratch; /* for the call under way */
    void *scratch_memory;
    ms_sql statements[MS_QUERY_COUNT];
    int64_t change[MS_COUNTERS]; /* of counters, by the transaction under way */
    int64_t lead_ids;            /* MS_COUNT_LEAD_IDS at its begin; -1: not read yet */
    int64_t last;                /* of the file of what was accepted: the last request's number */
    int64_t last_for_good;       /* the same, as of the last commit */
    int64_t forgotten;           /* all up to this number are deleted */
    int64_t forgotten_for_good;
    unsigned int taken;    /* ms_taken: what has been taken since it was opened */
    int64_t tidied;        /* the lead up to which ms_store_tidy has come */
    int64_t seen;          /* what time it was when it was last looked at */
    int64_t seen_for_good; /* the same, as of the last commit */
    bool told_of_pages;    /* that what they say is left out; in the log */
    bool failed;
    char problem[160];
};

/* Forgets the call before; for the beginning of each public function. */
void ms_store_starts(ms_store *store);
ms_store_result ms_store_ended(const ms_store *store);

/* Makes the call fail. */
void ms_store_fail(ms_store *store, const char *problem);

/* Memory until the end of the call; NULL and a failed call if there is none. */
void *ms_scratch(ms_store *store, size_t size);
ms_slice ms_scratch_copy(ms_store *store, ms_slice text);

/*
 * To run a statement:
 *
 *     ms_sql *sql = ms_sql_begin(store, MS_FIND_ALIAS);
 *     ms_sql_text(sql, name);          the parameters in their order; texts stay the caller's
 *     while (ms_sql_row(sql)) {
 *         … ms_sql_get_int(sql, 0) …   texts live until the next ms_sql_row or ms_sql_end
 *     }
 *     ms_sql_end(sql);
 */
ms_sql *ms_sql_begin(ms_store *store, ms_query query);
void ms_sql_int(ms_sql *sql, int64_t value);
void ms_sql_text(ms_sql *sql, ms_slice value);
void ms_sql_blob(ms_sql *sql, ms_slice value);
bool ms_sql_row(ms_sql *sql);
int64_t ms_sql_get_int(ms_sql *sql, int column);
ms_slice ms_sql_get_text(ms_sql *sql, int column);
void ms_sql_end(ms_sql *sql);

/* Runs a statement that gives no rows. How many rows it changed. */
int ms_sql_run(ms_sql *sql);

/* The number that the first row's first column has, 0 if there is no row; and ends it. */
int64_t ms_sql_number(ms_sql *sql);

/* Statements whose parameters are numbers only. */
int ms_sql_run_1(ms_store *store, ms_query query, int64_t a);
int ms_sql_run_2(ms_store *store, ms_query query, int64_t a, int64_t b);
int ms_sql_run_3(ms_store *store, ms_query query, int64_t a, int64_t b, int64_t c);
int64_t ms_sql_number_1(ms_store *store, ms_query query, int64_t a);

void ms_count_change(ms_store *store, ms_counter counter, int64_t by);

/* As it is within the transaction. */
int64_t ms_count_now(ms_store *store, ms_counter counter);

#endif
