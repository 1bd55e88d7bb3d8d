#include "log.h"

#include "../core/json.h"
#include "../core/utf8.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static void
write_member(ms_arena *line, char before, const char *name, const char *value)
{
    ms_text_byte(line, before);
    ms_json_write_string(line, ms_slice_from(name));
    ms_text_byte(line, ':');
    ms_json_write_string(line, ms_slice_from(value));
}

/* JSON lets two things stand in a text that a reader may not: what is no UTF-8, and what terminals
 * act on all the same, which is DEL and the controls from U+0080 to U+009F. */
static void
disarm(char *line, size_t len)
{
    unsigned char *p = (unsigned char *)line;
    const unsigned char *end = p + len;
    while (p < end) {
        size_t sequence = *p < 0x80 ? 1 : ms_utf8_sequence(p, end);
        bool is_control = *p == 0x7F || (sequence == 2 && p[0] == 0xC2 && p[1] < 0xA0);
        if (sequence == 0 || is_control) {
            memset(p, '?', sequence > 0 ? sequence : 1);
        }
        p += sequence > 0 ? sequence : 1;
    }
}

/* `count` and `name` may be NULL: without them. */
static void
write_line(const char *level, const char *event, const char *count, const char *name,
           const char *value)
{
    char memory[LINE_MAX_BYTES];
    char now[32];
    time_t seconds = time(NULL);
    struct tm utc;
    ms_arena line;
    ms_arena_init(&line, memory, sizeof memory);
    if (gmtime_r(&seconds, &utc) == NULL || strftime(now, sizeof now, "%FT%TZ", &utc) == 0) {
        now[0] = '\0';
    }
    write_member(&line, '{', "time", now);
    write_member(&line, ',', "level", level);
    write_member(&line, ',', "event", event);
    if (count != NULL) {
        write_member(&line, ',', "count", count);
    }
    if (name != NULL) {
        write_member(&line, ',', name, value);
    }
    ms_text_append(&line, MS_SLICE("}\n"));
    disarm(memory, line.used);
    /* One write, so that lines of several threads do not mix. */
    if (!line.exhausted) {
        ssize_t written = write(STDERR_FILENO, memory, line.used);
        (void)written;
    }
}

void
ms_log(const char *level, const char *event, const char *name, const char *value)
{
    write_line(level, event, NULL, name, value);
}

void
ms_log_counted(const char *level, const char *event, uint64_t count, const char *name,
               const char *value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    write_line(level, event, digits, name, value);
}
