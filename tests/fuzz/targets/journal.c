/*
 * Requests as the queue keeps them (src/server/queue/journal.c): any bytes are read to their end or
 * refused, and what was read is the same when it is written and read once more.
 */

#include "../../../src/server/queue/journal.h"
#include "../fuzz.h"

static void
expect_same(const ms_command *a, const ms_command *b)
{
    EXPECT(a->kind == b->kind && a->time == b->time && a->activity_type == b->activity_type);
    EXPECT(a->who.cookie_first == b->who.cookie_first);
    EXPECT(ms_slice_equal(a->message_id, b->message_id) &&
           ms_slice_equal(a->who.email, b->who.email) &&
           ms_slice_equal(a->who.user_id, b->who.user_id) &&
           ms_slice_equal(a->who.cookie, b->who.cookie) && ms_slice_equal(a->fields, b->fields) &&
           ms_slice_equal(a->query, b->query) && ms_slice_equal(a->user_agent, b->user_agent) &&
           ms_slice_equal(a->primary_value, b->primary_value) &&
           ms_slice_equal(a->attributes, b->attributes) && ms_slice_equal(a->code, b->code) &&
           ms_slice_equal(a->payload, b->payload));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    ms_slice entry = fuzz_rest(&in);
    ms_command command;
    while (ms_journal_read(&entry, &command) == MS_JOURNAL_READ) {
        ms_command again;
        ms_arena arena = fuzz_arena(size + 64);
        command.next = NULL;
        ms_slice written = ms_journal_write(&arena, &command);
        EXPECT(!arena.exhausted);
        EXPECT(ms_journal_read(&written, &again) == MS_JOURNAL_READ);
        EXPECT(ms_journal_read(&written, &again) == MS_JOURNAL_END);
        expect_same(&command, &again);
    }
    fuzz_forget();
    return 0;
}
