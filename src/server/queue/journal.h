/*
 * A request's commands as one blob, as they are written down when it is accepted, and back.
 *
 * Each command: its form (1), its kind, whether its cookie comes first, its time and activity type
 * (8 bytes each, the lowest first), and its texts in the order of journal.c, each with its length
 * before it (4 bytes, the lowest first). What an older version has written has to be read after an
 * upgrade, so another layout is another form, beside this one.
 */
#ifndef MS_JOURNAL_H
#define MS_JOURNAL_H

#include "../../core/arena.h"
#include "../command.h"

/* Writes them, a list by `next`. If the arena is too small, arena->exhausted is set. */
ms_slice ms_journal_write(ms_arena *arena, const ms_command *commands);

typedef enum {
    MS_JOURNAL_READ,
    MS_JOURNAL_END,    /* there is no other */
    MS_JOURNAL_UNKNOWN /* another form than this version knows, or damaged */
} ms_journal_state;

/* Reads the first command of `entry`, and sets that to what is behind it. Texts stay in the entry.
 */
ms_journal_state ms_journal_read(ms_slice *entry, ms_command *command);

#endif
