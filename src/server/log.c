#include "log.h"

#include "../core/json.h"

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

/* What terminals act on though it is UTF-8: DEL, and the controls from U+0080 on. JSON lets both
 * stand in a text. */
static void
disarm(char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char next = i + 1 < len ? (unsigned char)line[i + 1] : 0;
        if (line[i] == 0x7F) {
            line[i] = '?';
        } else if ((unsigned char)line[i] == 0xC2 && next >= 0x80 && next <= 0x9F) {
            line[i] = '?';
            line[i + 1] = '?';
        }
    }
}

void
ms_log(const char *level, const char *event, const char *name, const char *value)
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
