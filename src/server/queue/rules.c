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
    (void)ms_store_remember(store, name, (ms_slice){text, (size_t)len}, 0);
}

void
ms_rules_recall(ms_store *store)
{
    char text[96];
    ms_arena arena;
    ms_slice kept;
    int64_t at = 0; /* since when does not matter */
    ms_arena_init(&arena, text, sizeof text);
    if (ms_store_recall(store, name, &arena, &kept, &at) == MS_STORE_OK && kept.len > 0) {
        char *p = (char *)kept.ptr; /* a copy that ends with a NUL byte */
        store->rules.interval = strtoll(p, &p, 10);
        store->rules.linger = strtoll(p, &p, 10);
        store->rules.unchanged = strtoll(p, &p, 10);
        store->rules.hold = strtoll(p, &p, 10);
    }
}
