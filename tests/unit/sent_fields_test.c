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

/* {"N<from>":"v",…} */
static const char *
many(int from, int fields, const char *value)
{
    static char json[200000];
    size_t len = 0;
    for (int i = 0; i < fields; i++) {
        len += (size_t)snprintf(json + len, sizeof json - len, "%c\"N%d\":\"%s\"",
                                i == 0 ? '{' : ',', from + i, value);
    }
    (void)snprintf(json + len, sizeof json - len, "}");
    return json;
}

static size_t
left_of(ms_slice sent, const char *json, int64_t time, int64_t now)
{
    ms_field_set set = of(json, time);
    ms_sent_fields_remove(sent, UNCHANGED, now, &set);
    return set.count;
}

/* The newest 1,024 are kept. */
static void
test_full(void **state)
{
    (void)state;
    ms_slice sent = nothing;
    for (int i = 0; i < 10; i++) {
        sent = add(sent, many(100 * i, 100, "v"), 5, 10 + i);
    }
    assert_int_equal(left_of(sent, many(0, 1000, "v"), 6, 30), 0);
    assert_int_equal(left_of(sent, many(0, 1000, "w"), 6, 30), 1000);
    sent = add(sent, many(1000, 100, "v"), 5, 20);
    assert_int_equal(sent.len, 1024 * 32);
    assert_int_equal(left_of(sent, many(0, 100, "v"), 6, 30), 76);
    assert_int_equal(left_of(sent, many(100, 1000, "v"), 6, 30), 0);
    sent = ms_sent_fields_merge(&arena, add(nothing, many(0, 600, "w"), 5, 21), sent);
    assert_int_equal(sent.len, 1024 * 32);
    assert_int_equal(left_of(sent, many(0, 600, "w"), 6, 30), 0);
    assert_int_equal(left_of(sent, many(600, 100, "v"), 6, 30), 76);
    assert_int_equal(left_of(sent, many(700, 400, "v"), 6, 30), 0);
    sent = add(sent, many(5000, 6900, "v"), 5, 22);
    assert_int_equal(sent.len, 1024 * 32);
    assert_int_equal(left_of(sent, many(5000, 6900, "v"), 6, 30), 6900 - 1024);
}

static void
test_doubt(void **state)
{
    (void)state;
    ms_slice sent = add(nothing, many(0, 600, "v"), 5, 10);
    ms_field_set some = of(many(500, 200, "w"), 7);
    sent = ms_sent_fields_doubt(&arena, sent, &some);
    assert_int_equal(left_of(sent, many(0, 600, "v"), 6, 1010), 600);
    assert_int_equal(left_of(sent, many(0, 600, "v"), 6, 1009), 100);
    assert_int_equal(left_of(sent, many(500, 100, "w"), 4, 12), 0);
    assert_int_equal(ms_sent_fields_doubt(&arena, nothing, &some).len, 0);
}

/* Whatever was on a damaged disk, nothing is read or written beyond it. */
static void
test_damaged(void **state)
{
    (void)state;
    for (size_t len = 0; len < 200; len++) {
        for (int byte = 0; byte < 256; byte += 255) {
            char *bytes = ms_arena_alloc(&arena, len);
            memset(bytes, byte, len);
            ms_slice sent = {bytes, len};
            ms_field_set set = of("{\"A\":1}", 5);
            (void)ms_sent_fields_merge(&arena, sent, sent);
            (void)ms_sent_fields_doubt(&arena, sent, &set);
            sent = ms_sent_fields_merge(&arena, sent, add(nothing, "{\"A\":1}", 5, 10));
            assert_int_equal(sent.len % 32, 0);
            (void)add(sent, "{\"A\":1}", 5, 10);
        }
    }
    ms_arena small;
    ms_field_set set = of("{\"A\":1}", 5);
    ms_slice sent = add(nothing, many(0, 10, "v"), 5, 10);
    unsigned char little[64];
    for (size_t room = 0; room < sizeof little; room += 16) {
        ms_arena_init(&small, little, room);
        assert_int_equal(ms_sent_fields_add(&small, sent, &set, 11).len, 0);
        assert_true(small.exhausted);
        assert_int_equal(ms_sent_fields_merge(&small, sent, sent).len, 0);
        assert_int_equal(ms_sent_fields_doubt(&small, sent, &set).len, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sent, start),
        cmocka_unit_test_setup(test_names_by_case, start),
        cmocka_unit_test_setup(test_merged, start),
        cmocka_unit_test_setup(test_sent_older, start),
        cmocka_unit_test_setup(test_full, start),
        cmocka_unit_test_setup(test_doubt, start),
        cmocka_unit_test_setup(test_damaged, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
