#include "commands.h"

#include "../../src/server/intake/cookie.h"
#include "fuzz.h"
#include "standards.h"

#define USER_AGENT_MAX 1024

static void
check_identity(const ms_identity *who)
{
    char memory[1024];
    ms_slice cookie;
    ms_arena arena;
    ms_arena_init(&arena, memory, sizeof memory);
    EXPECT(who->email.len == 0 || is_html_email(who->email));
    EXPECT(is_core_text(who->user_id));
    if (who->cookie.len > 0) {
        EXPECT(ms_cookie_read(&arena, who->cookie, MS_SLICE(COMMANDS_MUNCHKIN_ID), &cookie) ==
               MS_OK);
        EXPECT(ms_slice_equal(cookie, who->cookie));
    }
}

static bool
is_known(const ms_identity *who)
{
    return who->email.len + who->user_id.len + who->cookie.len > 0;
}

static void
check_command(const ms_command *command)
{
    switch (command->kind) {
    case MS_COMMAND_LEAD:
        EXPECT(is_known(&command->who));
        EXPECT(json_shape_of(command->fields).object);
        break;
    case MS_COMMAND_VISIT:
        EXPECT(command->who.cookie.len > 0);
        EXPECT(is_graphic(command->query) && memcmp(command->query.ptr, "_mchCn=", 7) == 0);
        EXPECT(command->user_agent.len <= USER_AGENT_MAX);
        for (size_t i = 0; i < command->user_agent.len; i++) {
            EXPECT(command->user_agent.ptr[i] >= ' ' && command->user_agent.ptr[i] <= '~');
        }
        break;
    case MS_COMMAND_ACTIVITY:
        EXPECT(is_known(&command->who));
        EXPECT(command->activity_type > 0 && command->primary_value.len > 0);
        EXPECT(is_core_text(command->primary_value));
        EXPECT(is_json(command->attributes) && command->attributes.ptr[0] == '[');
        break;
    case MS_COMMAND_DEAD:
        EXPECT(command->code.len > 0 && is_graphic(command->code));
        EXPECT(is_json(command->payload));
        break;
    default:
        EXPECT(command->kind == MS_COMMAND_NOTHING);
    }
}

size_t
check_commands(const ms_command *first, int64_t received)
{
    size_t count = 0;
    for (const ms_command *command = first; command != NULL; command = command->next) {
        EXPECT(is_core_text(command->message_id));
        EXPECT(command->time <= received);
        check_identity(&command->who);
        check_command(command);
        count++;
    }
    return count;
}
