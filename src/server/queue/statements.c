#include "statements.h"

#include <stdio.h>

static const char *const queries[] = {
#define MS_QUERY_TEXT(name, sql) sql,
    MS_QUERIES(MS_QUERY_TEXT)
#undef MS_QUERY_TEXT
};

void
ms_store_starts(ms_store *store)
{
    store->scratch.used = 0;
    store->scratch.exhausted = false;
}

ms_store_result
ms_store_ended(const ms_store *store)
{
    return store->failed ? MS_STORE_FAILED : MS_STORE_OK;
}

void
ms_store_fail(ms_store *store, const char *problem)
{
    if (!store->failed) { /* the first one is the cause */
        store->failed = true;
        (void)snprintf(store->problem, sizeof store->problem, "%s", problem);
    }
}

void *
ms_scratch(ms_store *store, size_t size)
{
    void *memory = ms_arena_alloc(&store->scratch, size);
    if (memory == NULL) {
        ms_store_fail(store, "out of memory");
    }
    return memory;
}

ms_slice
ms_scratch_copy(ms_store *store, ms_slice text)
{
    char *copy = text.len == 0 ? NULL : ms_scratch(store, text.len);
    if (copy == NULL) {
        return MS_SLICE("");
    }
    memcpy(copy, text.ptr, text.len);
    return (ms_slice){copy, text.len};
}

static bool
check(ms_store *store, int result)
{
    if (result != SQLITE_OK && result != SQLITE_ROW && result != SQLITE_DONE) {
        ms_store_fail(store, sqlite3_errmsg(store->db));
    }
    return !store->failed;
}

ms_sql *
ms_sql_begin(ms_store *store, ms_query query)
{
    ms_sql *sql = &store->statements[query];
    sql->store = store;
    sql->bound = 0;
    if (sql->statement == NULL && !store->failed) {
        (void)check(store, sqlite3_prepare_v3(store->db, queries[query], -1,
                                              SQLITE_PREPARE_PERSISTENT, &sql->statement, NULL));
    }
    return sql;
}

void
ms_sql_int(ms_sql *sql, int64_t value)
{
    if (!sql->store->failed) {
        (void)check(sql->store, sqlite3_bind_int64(sql->statement, ++sql->bound, value));
    }
}

void
ms_sql_text(ms_sql *sql, ms_slice value)
{
    if (!sql->store->failed) {
        (void)check(sql->store, sqlite3_bind_text64(sql->statement, ++sql->bound, value.ptr,
                                                    value.len, SQLITE_STATIC, SQLITE_UTF8));
    }
}

void
ms_sql_blob(ms_sql *sql, ms_slice value)
{
    if (!sql->store->failed) {
        (void)check(sql->store, sqlite3_bind_blob64(sql->statement, ++sql->bound, value.ptr,
                                                    value.len, SQLITE_STATIC));
    }
}

bool
ms_sql_row(ms_sql *sql)
{
    if (sql->store->failed) {
        return false;
    }
    int result = sqlite3_step(sql->statement);
    return check(sql->store, result) && result == SQLITE_ROW;
}

int64_t
ms_sql_get_int(ms_sql *sql, int column)
{
    return sqlite3_column_int64(sql->statement, column);
}

ms_slice
ms_sql_get_text(ms_sql *sql, int column)
{
    const char *text = sqlite3_column_blob(sql->statement, column);
    int len = sqlite3_column_bytes(sql->statement, column);
    if (text != NULL) {
        return (ms_slice){text, (size_t)len};
    }
    /* NULL is the empty text, or one for which there was no memory. */
    if (len > 0 || sqlite3_errcode(sql->store->db) == SQLITE_NOMEM) {
        ms_store_fail(sql->store, "out of memory");
    }
    return MS_SLICE("");
}

void
ms_sql_end(ms_sql *sql)
{
    /* Its result is that of the last step, which was looked at. */
    (void)sqlite3_reset(sql->statement);
}

int
ms_sql_run(ms_sql *sql)
{
    bool done = !ms_sql_row(sql) && !sql->store->failed;
    int changed = done ? sqlite3_changes(sql->store->db) : 0;
    ms_sql_end(sql);
    return changed;
}

int64_t
ms_sql_number(ms_sql *sql)
{
    int64_t number = ms_sql_row(sql) ? ms_sql_get_int(sql, 0) : 0;
    ms_sql_end(sql);
    return number;
}

int
ms_sql_run_1(ms_store *store, ms_query query, int64_t a)
{
    ms_sql *sql = ms_sql_begin(store, query);
    ms_sql_int(sql, a);
    return ms_sql_run(sql);
}

int
ms_sql_run_2(ms_store *store, ms_query query, int64_t a, int64_t b)
{
    ms_sql *sql = ms_sql_begin(store, query);
    ms_sql_int(sql, a);
    ms_sql_int(sql, b);
    return ms_sql_run(sql);
}

int
ms_sql_run_3(ms_store *store, ms_query query, int64_t a, int64_t b, int64_t c)
{
    ms_sql *sql = ms_sql_begin(store, query);
    ms_sql_int(sql, a);
    ms_sql_int(sql, b);
    ms_sql_int(sql, c);
    return ms_sql_run(sql);
}

int64_t
ms_sql_number_1(ms_store *store, ms_query query, int64_t a)
{
    ms_sql *sql = ms_sql_begin(store, query);
    ms_sql_int(sql, a);
    return ms_sql_number(sql);
}

void
ms_count_change(ms_store *store, ms_counter counter, int64_t by)
{
    store->change[counter] += by;
}

int64_t
ms_count_now(ms_store *store, ms_counter counter)
{
    return ms_sql_number_1(store, MS_COUNTER_GET, counter) + store->change[counter];
}
