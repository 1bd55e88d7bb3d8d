#include "calls.h"

/* The name under which the queue keeps them. */
static const char name[] = "calls";

static ms_store_result
recall(ms_store *store, ms_limiter *limiter, int64_t now)
{
    char memory[MS_LIMITER_TEXT + 1];
    ms_arena arena;
    ms_slice text;
    int64_t at = 0;
    ms_arena_init(&arena, memory, sizeof memory);
    ms_store_result result = ms_store_recall(store, name, &arena, &text, &at);
    ms_limiter_read(limiter, text, now);
    return result;
}

ms_store_result
ms_calls_known(ms_store *store, ms_limiter *limiter, char day[MS_CENTRAL_DAY], uint64_t *today,
               int64_t now)
{
    char is_day[MS_CENTRAL_DAY];
    ms_store_counts counts;
    ms_central_day(now, is_day);
    if (strcmp(day, is_day) == 0) {
        return MS_STORE_OK;
    }
    if (ms_store_count(store, is_day, &counts) != MS_STORE_OK ||
        (*day == '\0' && recall(store, limiter, now) != MS_STORE_OK)) {
        return MS_STORE_FAILED;
    }
    memcpy(day, is_day, sizeof is_day);
    *today = counts.calls_today;
    return MS_STORE_OK;
}

ms_store_result
ms_calls_made(ms_store *store, const ms_limiter *limiter, const char *day, int64_t now)
{
    char text[MS_LIMITER_TEXT];
    const ms_slice written = {text, ms_limiter_write(limiter, text)};
    if (ms_store_remember(store, name, written, now) != MS_STORE_OK) {
        return MS_STORE_FAILED;
    }
    return ms_store_count_call(store, day);
}
