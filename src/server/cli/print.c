#include "print.h"

#include "../../core/arena.h"
#include "../../core/date.h"
#include "../../core/json.h"
#include "../../core/utf8.h"

#include <stdio.h>

#define PIECE 512

/* The length of what stands at `p` as one character; 0 if a terminal should not get it. */
static size_t
printable(const unsigned char *p, const unsigned char *end)
{
    if (*p < 0x80) {
        return *p >= ' ' && *p != 0x7F ? 1 : 0;
    }
    size_t len = ms_utf8_sequence(p, end);
    /* U+0080 to U+009F steer as well. */
    return len == 2 && p[0] == 0xC2 && p[1] < 0xA0 ? 0 : len;
}

void
ms_print_text(ms_slice text, size_t width)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    const unsigned char *end = p + text.len;
    size_t columns = 0;
    while (p < end && (width == 0 || columns < width)) {
        size_t len = printable(p, end);
        if (len == 0) {
            (void)putchar('?');
        } else {
            (void)fwrite(p, 1, len, stdout);
        }
        p += len == 0 ? 1 : len;
        columns++;
    }
    while (columns++ < width) {
        (void)putchar(' ');
    }
}

/* In pieces, so that it needs no memory that may not be there: each byte is escaped by itself. */
void
ms_print_json(ms_slice text)
{
    char memory[6 * PIECE + 2]; /* \u0000 for each byte, and the quotes */
    (void)putchar('"');
    for (size_t from = 0; from < text.len; from += PIECE) {
        size_t left = text.len - from;
        ms_arena arena;
        ms_arena_init(&arena, memory, sizeof memory);
        ms_json_write_string(&arena, (ms_slice){text.ptr + from, left < PIECE ? left : PIECE});
        (void)fwrite(memory + 1, 1, arena.used - 2, stdout);
    }
    (void)putchar('"');
}

void
ms_print_time(int64_t ms)
{
    char text[MS_DATE_TEXT];
    if (ms_date_format((double)(ms - ms % 1000), text)) {
        (void)printf("%.19sZ", text);
    } else {
        (void)printf("%-20s", "?");
    }
}

void
ms_print_count(uint64_t count, const char *what)
{
    (void)printf("%llu %s%s", (unsigned long long)count, what, count == 1 ? "" : "s");
}

int
ms_print_end(int code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return code;
    }
    (void)fputs("munchkin-server: its answer could not be written; is the disk full?\n", stderr);
    return code == 0 ? 1 : code;
}
