/*
 * The fields of leads as the queue holds them (src/server/queue/field_set.c): two sets, a NUL byte
 * between them, each with the time that its first byte says.
 */

#include "../../../src/server/queue/field_set.h"
#include "../fuzz.h"
#include "../standards.h"

static void
check_order(const ms_field_set *set)
{
    for (size_t i = 1; i < set->count; i++) {
        EXPECT(ms_slice_compare_fold(set->list[i - 1].name, set->list[i].name) < 0);
    }
}

static bool
same(const ms_field_set *a, const ms_field_set *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++) {
        equal = ms_slice_equal(a->list[i].name, b->list[i].name) &&
                ms_slice_equal(a->list[i].value, b->list[i].value) &&
                a->list[i].time == b->list[i].time;
    }
    return equal;
}

static const ms_waiting_field *
find(const ms_field_set *set, ms_slice name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (ms_slice_equal_fold(set->list[i].name, name)) {
            return &set->list[i];
        }
    }
    return NULL;
}

/* Written and read, kept and loaded: the same set. */
static void
check_again(ms_arena *arena, const ms_field_set *set, bool json)
{
    ms_field_set again;
    char *start = ms_text_begin(arena);
    ms_field_set_write(set, arena);
    ms_slice written = fuzz_copy(ms_text_end(arena, start));
    EXPECT(written.len == ms_field_set_size(set));
    EXPECT(!json || json_shape_of(written).object);
    ms_slice kept = fuzz_copy(ms_field_set_keep(set, arena));
    EXPECT(!arena->exhausted);
    EXPECT(set->count == 0 ? kept.len == 0 : !json || json_shape_of(kept).object);
    EXPECT(ms_field_set_load(arena, kept, &again));
    EXPECT(same(set, &again));
    EXPECT(ms_field_set_read(arena, written, 7, &again) && again.count == set->count);
    for (size_t i = 0; i < set->count; i++) {
        EXPECT(ms_slice_equal(again.list[i].name, set->list[i].name) && again.list[i].time == 7);
        EXPECT(ms_slice_equal(again.list[i].value, set->list[i].value));
    }
}

static void
check_merged(ms_arena *arena, const ms_field_set *older, const ms_field_set *newer)
{
    ms_field_set merged;
    ms_field_set again;
    EXPECT(ms_field_set_merge(arena, older, newer, &merged));
    check_order(&merged);
    EXPECT(merged.count <= older->count + newer->count);
    for (size_t i = 0; i < merged.count; i++) {
        const ms_waiting_field *a = find(older, merged.list[i].name);
        const ms_waiting_field *b = find(newer, merged.list[i].name);
        EXPECT(a != NULL || b != NULL);
        const ms_waiting_field *wins = b == NULL || (a != NULL && a->time > b->time) ? a : b;
        EXPECT(ms_slice_equal(wins->value, merged.list[i].value));
        EXPECT(wins->time == merged.list[i].time);
    }
    for (size_t i = 0; i < older->count; i++) {
        EXPECT(find(&merged, older->list[i].name) != NULL);
    }
    for (size_t i = 0; i < newer->count; i++) {
        EXPECT(find(&merged, newer->list[i].name) != NULL);
    }
    EXPECT(ms_field_set_merge(arena, &merged, newer, &again));
    EXPECT(older->count == 0 || newer->count == 0 || again.count == merged.count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    ms_arena arena = fuzz_arena(size * 256 + 4096);
    ms_field_set sets[2];
    bool read[2];
    size_t little = fuzz_short(&in);
    for (size_t i = 0; i < 2; i++) {
        int64_t time = (int64_t)fuzz_byte(&in) - 128;
        ms_slice text = fuzz_text(&in, '\0');
        ms_field_set small_set;
        json_shape shape = json_shape_of(text);
        read[i] = i == 0 ? ms_field_set_read(&arena, text, time, &sets[i])
                         : ms_field_set_load(&arena, text, &sets[i]);
        ms_arena small = fuzz_arena(little);
        (void)(i == 0 ? ms_field_set_read(&small, text, time, &small_set)
                      : ms_field_set_load(&small, text, &small_set));
        if (read[i]) {
            check_order(&sets[i]);
            check_again(&arena, &sets[i], shape.valid);
        }
    }
    if (read[0] && read[1]) {
        check_merged(&arena, &sets[0], &sets[1]);
        check_merged(&arena, &sets[1], &sets[0]);
    }
    fuzz_forget();
    return 0;
}
