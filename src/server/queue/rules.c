#include "rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The name under which they are kept. */
static const char name[] = "rules";

void
ms_rules_keep(ms_store *store)
{
    char text[96];
    const ms_store_rules *rules = &store->rules;
    int len = snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
                       rules->interval, rules->linger, rules->unchanged, rules->hold);
    ms_sql *sql = ms_sql_begin(store, MS_KEEP);
    ms_sql_text(sql, MS_SLICE(name));
    ms_sql_text(sql, (ms_slice){text, (size_t)len});
    ms_sql_int(sql, 0); /* since when does not matter */
    (void)ms_sql_run(sql);
}

void
ms_rules_recall(ms_store *store)
{
    char text[96];
    ms_sql *sql = ms_sql_begin(store, MS_KEPT);
    ms_sql_text(sql, MS_SLICE(name));
    if (ms_sql_row(sql)) {
        ms_slice kept = ms_sql_get_text(sql, 0);
        (void)snprintf(text, sizeof text, "%.*s", (int)kept.len, kept.ptr);
        char *p = text;
        store->rules.interval = strtoll(p, &p, 10);
        store->rules.linger = strtoll(p, &p, 10);
        store->rules.unchanged = strtoll(p, &p, 10);
        store->rules.hold = strtoll(p, &p, 10);
    }
    ms_sql_end(sql);
}
