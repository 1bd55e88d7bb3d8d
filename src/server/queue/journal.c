#include "journal.h"

#include <stddef.h>

#define FORM 1

/* Where a command has its texts. */
static const size_t texts[] = {
    offsetof(ms_command, message_id),  offsetof(ms_command, who.email),
    offsetof(ms_command, who.user_id), offsetof(ms_command, who.cookie),
    offsetof(ms_command, fields),      offsetof(ms_command, query),
    offsetof(ms_command, user_agent),  offsetof(ms_command, primary_value),
    offsetof(ms_command, attributes),  offsetof(ms_command, code),
    offsetof(ms_command, payload),
};
#define TEXTS (sizeof texts / sizeof *texts)

static ms_slice *
text_of(ms_command *command, size_t i)
{
    return (ms_slice *)((char *)command + texts[i]);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void
write_number(ms_arena *arena, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        ms_text_byte(arena, (char)(value >> (8 * i) & 0xFF));
    }
}

ms_slice
ms_journal_write(ms_arena *arena, const ms_command *commands)
{
    const char *start = ms_text_begin(arena);
    for (const ms_command *each = commands; each != NULL; each = each->next) {
        ms_command command = *each;
        write_number(arena, FORM, 1);
        write_number(arena, command.kind, 1);
        write_number(arena, command.who.cookie_first, 1);
        write_number(arena, (uint64_t)command.time, 8);
        write_number(arena, (uint64_t)command.activity_type, 8);
        for (size_t i = 0; i < TEXTS; i++) {
            ms_slice text = *text_of(&command, i);
            write_number(arena, text.len, 4);
            if (text.len > 0) {
                ms_text_append(arena, text);
            }
        }
    }
    return ms_text_end(arena, start);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* False if the entry ends before. */
static bool
read_number(ms_slice *entry, int bytes, uint64_t *value)
{
    *value = 0;
    if (entry->len < (size_t)bytes) {
        return false;
    }
    for (int i = 0; i < bytes; i++) {
        *value |= (uint64_t)(unsigned char)entry->ptr[i] << (8 * i);
    }
    entry->ptr += bytes;
    entry->len -= (size_t)bytes;
    return true;
}

static bool
read_text(ms_slice *entry, ms_slice *text)
{
    uint64_t len;
    if (!read_number(entry, 4, &len) || len > entry->len) {
        return false;
    }
    *text = (ms_slice){entry->ptr, (size_t)len};
    entry->ptr += len;
    entry->len -= (size_t)len;
    return true;
}

static bool
read_command(ms_slice *entry, ms_command *command)
{
    uint64_t form;
    uint64_t kind;
    uint64_t cookie_first;
    uint64_t time;
    uint64_t activity_type;
    if (!read_number(entry, 1, &form) || form != FORM || !read_number(entry, 1, &kind) ||
        kind > MS_COMMAND_NOTHING || !read_number(entry, 1, &cookie_first) ||
        !read_number(entry, 8, &time) || !read_number(entry, 8, &activity_type)) {
        return false;
    }
    *command = (ms_command){.kind = (ms_command_kind)kind,
                            .who = {.cookie_first = cookie_first != 0},
                            .time = (int64_t)time,
                            .activity_type = (int64_t)activity_type};
    for (size_t i = 0; i < TEXTS; i++) {
        if (!read_text(entry, text_of(command, i))) {
            return false;
        }
    }
    return true;
}

ms_journal_state
ms_journal_read(ms_slice *entry, ms_command *command)
{
    if (entry->len == 0) {
        return MS_JOURNAL_END;
    }
    return read_command(entry, command) ? MS_JOURNAL_READ : MS_JOURNAL_UNKNOWN;
}
