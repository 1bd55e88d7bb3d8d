#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "known_leads.h"

#include <stdio.h>

void
known(const char *email, const char *user_id, int64_t marketo_id)
{
    identify(email, user_id, NULL, NULL, START - 3600 * SECOND);
    sync_one(MS_BY_EMAIL, marketo_id, START - 3500 * SECOND);
}

void
answer(int64_t marketo_id, const char *email, int64_t now)
{
    assert_string_not_equal(lookups(now), "");
    ok(ms_store_looked_up(queue, cookies[0].id, marketo_id, slice(email), now));
}

void
track(const char *email, const char *user_id, int64_t now)
{
    const ms_command command = {.kind = MS_COMMAND_ACTIVITY,
                                .who = {slice(email), slice(user_id), slice(""), false},
                                .time = now,
                                .activity_type = 5,
                                .attributes = slice("[]")};
    request(&command, now);
}

const char *
activities(int64_t now)
{
    static unsigned char memory[4096];
    static char text[256];
    ms_due_activity due[10];
    ms_arena arena;
    size_t count = 0;
    ms_arena_init(&arena, memory, sizeof memory);
    ok(ms_store_take_activities(queue, now, 10, &arena, due, &count));
    text[0] = '\0';
    for (size_t i = 0, len = 0; i < count; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, ">%lld\n",
                                (long long)due[i].marketo_id);
    }
    return text;
}

int64_t
leads(void)
{
    return query("SELECT count(*) FROM lead");
}

void
known_by_user_id(const char *user_id, int64_t marketo_id)
{
    identify(NULL, user_id, NULL, "{\"A\":1}", START - 3600 * SECOND);
    sync_one(MS_BY_USER_ID, marketo_id, START - 3500 * SECOND);
}

void
answer_email(const char *email, int64_t marketo_id, int64_t now)
{
    char line[32];
    (void)snprintf(line, sizeof line, "%s\n", email);
    assert_string_equal(email_lookups(now), line);
    ok(ms_store_email_looked_up(queue, taken[0].id, marketo_id, now));
}
