/* What was sent of leads. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/queue/sent_fields.h"

#include <stdio.h>

#define UNCHANGED 1000

static unsigned char memory[1 << 22];
static ms_arena arena;
static const ms_slice nothing = {"", 0};

static int
start(void **state)
{
    (void)state;
    ms_arena_init(&arena, memory, sizeof memory);
    return 0;
}

static ms_field_set
of(const char *json, int64_t time)
{
    ms_field_set set;
    assert_true(ms_field_set_read(&arena, ms_slice_from(json), time, &set));
    return set;
}

/* The records with those that said this at `time`, and were sent at `now`. */
static ms_slice
add(ms_slice sent, const char *json, int64_t time, int64_t now)
{
    ms_field_set set = of(json, time);
    ms_slice added = ms_sent_fields_add(&arena, sent, &set, now);
    assert_true(added.len > 0);
    return added;
}

/* What is left to send of this, said at `time`. */
static void
assert_left(ms_slice sent, const char *json, int64_t time, int64_t now, const char *expected)
{
    ms_field_set set = of(json, time);
    ms_sent_fields_remove(sent, UNCHANGED, now, &set);
    char *begin = ms_text_begin(&arena);
    ms_field_set_write(&set, &arena);
    ms_slice left = ms_text_end(&arena, begin);
    if (!ms_slice_equal(left, ms_slice_from(expected))) {
        fail_msg("expected %s, got %.*s", expected, (int)left.len, left.ptr);
    }
}

static void
test_sent(void **state)
{
    (void)state;
    ms_slice sent = add(nothing, "{\"Phone\":1,\"Title\":\"x\"}", 5, 10);
    assert_left(sent, "{\"Phone\":1,\"Title\":\"y\",\"City\":2}", 6, 11,
                "{\"City\":2,\"Title\":\"y\"}");
    /* Older ones, and such as are sent again after a while. */
    assert_left(sent, "{\"Phone\":2}", 4, 11, "{}");
    assert_left(sent, "{\"Phone\":1}", 6, 10 + UNCHANGED, "{\"Phone\":1}");
    /* It came again at 6: what is of 5 does not take its place. */
    assert_left(sent, "{\"Phone\":2}", 5, 11, "{}");
    assert_left(nothing, "{\"Phone\":1}", 6, 11, "{\"Phone\":1}");
    sent = add(sent, "{\"Phone\":2}", 7, 12);
    assert_left(sent, "{\"Phone\":1,\"Title\":\"x\"}", 8, 13, "{\"Phone\":1}");
}

static void
test_names_by_case(void **state)
{
    (void)state;
    ms_slice sent = add(nothing, "{\"Phone\":1}", 5, 10);
    assert_left(sent, "{\"PHONE\":1}", 6, 11, "{}");
    assert_left(sent, "{\"phone\":2}", 4, 11, "{}");
    sent = add(sent, "{\"PHONE\":3}", 7, 12);
    assert_left(sent, "{\"Phone\":1}", 8, 13, "{\"Phone\":1}");
    const char *letters =
        "\"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz_abcdefghijklmnop\"";
    const char *capitals =
        "\"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ_ABCDEFGHIJKLMNOP\"";
    char json[200];
    (void)snprintf(json, sizeof json, "{%s:%s}", letters, letters);
    sent = add(sent, json, 5, 12);
    (void)snprintf(json, sizeof json, "{%s:%s}", capitals, letters);
    assert_left(sent, json, 6, 13, "{}");
    (void)snprintf(json, sizeof json, "{%s:%s}", letters, capitals); /* values are what they are */
    assert_left(sent, json, 6, 13, json);
}

/* Two leads that turned out to be one. Marketo has what was sent later; a value that both have was
 * said when the later of them says. */
static void
test_merged(void **state)
{
    (void)state;
    ms_slice early = add(nothing, "{\"Phone\":1,\"City\":1}", 9, 10);
    ms_slice late = add(nothing, "{\"Phone\":1,\"Title\":1}", 5, 11);
    for (int turned = 0; turned < 2; turned++) {
        ms_slice both = turned ? ms_sent_fields_merge(&arena, late, early)
                               : ms_sent_fields_merge(&arena, early, late);
        assert_left(both, "{\"City\":1,\"Phone\":1,\"Title\":1}", 9, 12, "{}");
        assert_left(both, "{\"City\":2,\"Phone\":2}", 7, 12, "{}");
        assert_left(both, "{\"Phone\":1}", 9, 10 + UNCHANGED, "{}");
        assert_left(both, "{\"Phone\":1}", 9, 11 + UNCHANGED, "{\"Phone\":1}");
        assert_left(both, "{\"Phone\":2}", 10, 12, "{\"Phone\":2}");
    }
    /* An older value that was sent later is what Marketo has: what is newer than it goes there. */
    late = add(nothing, "{\"Phone\":2}", 5, 11);
    for (int turned = 0; turned < 2; turned++) {
        ms_slice both = turned ? ms_sent_fields_merge(&arena, late, early)
                               : ms_sent_fields_merge(&arena, early, late);
        assert_left(both, "{\"Phone\":2}", 9, 12, "{}");
        both = turned ? ms_sent_fields_merge(&arena, late, early)
                      : ms_sent_fields_merge(&arena, early, late);
        assert_left(both, "{\"Phone\":1}", 8, 12, "{\"Phone\":1}");
        assert_left(both, "{\"Phone\":3}", 4, 12, "{}");
    }
}

/* The same of one that was in flight while its lead turned out to be another. */
static void
test_sent_older(void **state)
{
    (void)state;
    ms_slice sent = add(nothing, "{\"Phone\":1}", 9, 10);
    assert_left(add(sent, "{\"Phone\":1}", 5, 11), "{\"Phone\":2}", 7, 12, "{}");
    assert_left(add(sent, "{\"Phone\":2}", 5, 11), "{\"Phone\":1}", 7, 12, "{\"Phone\":1}");
    /* The clock was set back. */
    sent = add(nothing, "{\"Phone\":1}", 5, 500);
    sent = add(sent, "{\"Phone\":2}", 6, 11);
    assert_left(sent, "{\"Phone\":1}", 7, 12, "{\"Phone\":1}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sent, start),
        cmocka_unit_test_setup(test_names_by_case, start),
        cmocka_unit_test_setup(test_merged, start),
        cmocka_unit_test_setup(test_sent_older, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
