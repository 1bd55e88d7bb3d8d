/* The fields of leads as the queue holds them: names in any case are one field. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/queue/field_set.h"

static unsigned char memory[1 << 16];
static ms_arena arena;

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

static ms_field_set
kept(const char *text)
{
    ms_field_set set;
    assert_true(ms_field_set_load(&arena, ms_slice_from(text), &set));
    return set;
}

static ms_field_set
together(ms_field_set older, ms_field_set newer)
{
    ms_field_set merged;
    assert_true(ms_field_set_merge(&arena, &older, &newer, &merged));
    return merged;
}

static void
assert_kept(ms_field_set set, const char *expected)
{
    ms_slice text = ms_field_set_keep(&set, &arena);
    if (!ms_slice_equal(text, ms_slice_from(expected))) {
        fail_msg("expected %s, got %.*s", expected, (int)text.len, text.ptr);
    }
}

/* Of one message that says a name twice, in whatever case, the last counts. */
static void
test_said_twice(void **state)
{
    (void)state;
    assert_kept(of("{\"Phone\":1,\"Title\":3,\"PHONE\":2}", 5),
                "{\"PHONE\":[5,2],\"Title\":[5,3]}");
    assert_kept(of("{\"PHONE\":2,\"Phone\":1}", 5), "{\"Phone\":[5,1]}");
    assert_kept(of("{\"phone\":1,\"PHONE\":2,\"Phone\":3}", 5), "{\"Phone\":[5,3]}");
    /* Not ASCII; and no letters. */
    assert_kept(of("{\"\xC3\x89\":1,\"\xC3\xA9\":2}", 5),
                "{\"\xC3\x89\":[5,1],\"\xC3\xA9\":[5,2]}");
    assert_kept(of("{\"a_\":1,\"a\x7F\":2}", 5), "{\"a_\":[5,1],\"a\x7F\":[5,2]}");
}

static void
test_newest(void **state)
{
    (void)state;
    assert_kept(together(of("{\"Phone\":1}", 5), of("{\"PHONE\":2}", 6)), "{\"PHONE\":[6,2]}");
    assert_kept(together(of("{\"Phone\":1}", 6), of("{\"PHONE\":2}", 5)), "{\"Phone\":[6,1]}");
    assert_kept(together(of("{\"Phone\":1}", 5), of("{\"PHONE\":2}", 5)), "{\"PHONE\":[5,2]}");
    assert_kept(together(of("{\"b\":1,\"C\":1}", 5), of("{\"A\":2,\"B\":2,\"c\":2}", 6)),
                "{\"A\":[6,2],\"B\":[6,2],\"c\":[6,2]}");
}

/* As they were kept while names in another case were others, and in another order. */
static void
test_older_order(void **state)
{
    (void)state;
    const char *older = "{\"PHONE\":[6,2],\"Phone\":[5,1],\"Title\":[5,3],\"address\":[5,4]}";
    assert_kept(kept(older), "{\"address\":[5,4],\"PHONE\":[6,2],\"Title\":[5,3]}");
    assert_kept(kept("{\"PHONE\":[5,2],\"Phone\":[6,1]}"), "{\"Phone\":[6,1]}");
    assert_kept(kept("{\"PHONE\":[5,2],\"Phone\":[5,1]}"), "{\"Phone\":[5,1]}");
    assert_kept(together(kept(older), of("{\"ADDRESS\":7,\"phone\":8,\"TITLE\":9}", 7)),
                "{\"ADDRESS\":[7,7],\"phone\":[7,8],\"TITLE\":[7,9]}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_said_twice, start),
        cmocka_unit_test_setup(test_newest, start),
        cmocka_unit_test_setup(test_older_order, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
