#include "field_set.h"

#include <stdio.h>
#include <stdlib.h>

/* Where a text is being read. What it holds has been read as JSON before, by whoever put it there;
 * so here it is only taken apart, within its bounds. */
typedef struct {
    const char *p;
    const char *end;
} reader;

static bool
is_next(const reader *text, char c)
{
    return text->p < text->end && *text->p == c;
}

static bool
skip(reader *text, char c)
{
    while (is_next(text, ' ')) {
        text->p++;
    }
    if (!is_next(text, c)) {
        return false;
    }
    text->p++;
    return true;
}

/* What stands between the quotes that come next. */
static bool
read_string(reader *text, ms_slice *inside)
{
    if (!skip(text, '"')) {
        return false;
    }
    const char *start = text->p;
    while (text->p < text->end && *text->p != '"') {
        text->p += *text->p == '\\' && text->end - text->p > 1 ? 2 : 1;
    }
    if (text->p >= text->end) {
        return false;
    }
    *inside = (ms_slice){start, (size_t)(text->p - start)};
    text->p++;
    return true;
}

/* A value that holds no others. */
static bool
read_value(reader *text, ms_slice *value)
{
    while (is_next(text, ' ')) {
        text->p++;
    }
    const char *start = text->p;
    ms_slice inside;
    if (is_next(text, '"')) {
        if (!read_string(text, &inside)) {
            return false;
        }
    } else {
        while (text->p < text->end && strchr(",}] [{\"", *text->p) == NULL) {
            text->p++;
        }
    }
    *value = (ms_slice){start, (size_t)(text->p - start)};
    return value->len > 0;
}

/* [time,value */
static bool
read_kept_value(reader *text, ms_waiting_field *field)
{
    ms_slice time;
    char digits[24];
    if (!skip(text, '[') || !read_value(text, &time) || time.len >= sizeof digits ||
        !skip(text, ',') || !read_value(text, &field->value) || !skip(text, ']')) {
        return false;
    }
    memcpy(digits, time.ptr, time.len);
    digits[time.len] = '\0';
    field->time = strtoll(digits, NULL, 10);
    return true;
}

/* By name, and of one name by time, of one time as they stood. */
static int
compare_fields(const void *left, const void *right)
{
    const ms_waiting_field *a = left;
    const ms_waiting_field *b = right;
    int order = ms_slice_compare_fold(a->name, b->name);
    if (order == 0) {
        order = (a->time > b->time) - (a->time < b->time);
    }
    return order != 0 ? order : (a->name.ptr > b->name.ptr) - (a->name.ptr < b->name.ptr);
}

/* Sets are written in order, so there is nearly always nothing to do. Of one name the
 * newest stays, of one time the last. */
static void
put_in_order(ms_field_set *set)
{
    size_t kept = 0;
    bool ordered = true;
    for (size_t i = 1; i < set->count && ordered; i++) {
        ordered = ms_slice_compare_fold(set->list[i - 1].name, set->list[i].name) < 0;
    }
    if (ordered) {
        return;
    }
    qsort(set->list, set->count, sizeof *set->list, compare_fields);
    for (size_t i = 0; i < set->count; i++) {
        if (kept > 0 && ms_slice_equal_fold(set->list[kept - 1].name, set->list[i].name)) {
            kept--;
        }
        set->list[kept++] = set->list[i];
    }
    set->count = kept;
}

/* No set has more fields than it has colons, of which values may have many, nor than `"":1,` fit in
 * it. */
static size_t
most_fields(ms_slice json)
{
    size_t most = json.len / 5 + 1;
    size_t colons = 0;
    for (size_t i = 0; i < json.len; i++) {
        colons += json.ptr[i] == ':';
    }
    return colons < most ? colons : most;
}

static bool
read_members(ms_arena *arena, ms_slice json, bool kept, int64_t time, ms_field_set *set)
{
    reader text = {json.ptr, json.ptr + json.len};
    *set = (ms_field_set){.count = 0};
    set->list = ms_arena_alloc(arena, (most_fields(json) + 1) * sizeof *set->list);
    if (set->list == NULL || !skip(&text, '{')) {
        return false;
    }
    bool more = !skip(&text, '}');
    while (more) {
        ms_waiting_field field = {.time = time};
        if (!read_string(&text, &field.name) || !skip(&text, ':') ||
            !(kept ? read_kept_value(&text, &field) : read_value(&text, &field.value))) {
            return false;
        }
        set->list[set->count++] = field;
        more = skip(&text, ',');
        if (!more && !skip(&text, '}')) {
            return false;
        }
    }
    put_in_order(set);
    return text.p == text.end;
}

bool
ms_field_set_read(ms_arena *arena, ms_slice json, int64_t time, ms_field_set *set)
{
    return read_members(arena, json, false, time, set);
}

bool
ms_field_set_load(ms_arena *arena, ms_slice kept, ms_field_set *set)
{
    if (kept.len == 0) {
        *set = (ms_field_set){.count = 0};
        return true;
    }
    return read_members(arena, kept, true, 0, set);
}

void
ms_field_set_write(const ms_field_set *set, ms_arena *out)
{
    ms_text_byte(out, '{');
    for (size_t i = 0; i < set->count; i++) {
        ms_text_append(out, i == 0 ? MS_SLICE("\"") : MS_SLICE(",\""));
        ms_text_append(out, set->list[i].name);
        ms_text_append(out, MS_SLICE("\":"));
        ms_text_append(out, set->list[i].value);
    }
    ms_text_byte(out, '}');
}

size_t
ms_field_set_size(const ms_field_set *set)
{
    size_t size = 1 + (set->count == 0);
    for (size_t i = 0; i < set->count; i++) {
        size += 4 + set->list[i].name.len + set->list[i].value.len;
    }
    return size;
}

ms_slice
ms_field_set_keep(const ms_field_set *set, ms_arena *arena)
{
    if (set->count == 0) {
        return MS_SLICE("");
    }
    char *start = ms_text_begin(arena);
    char time[32];
    int len = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (i == 0 || set->list[i].time != set->list[i - 1].time) { /* mostly all are of one */
            len = snprintf(time, sizeof time, "\":[%lld,", (long long)set->list[i].time);
        }
        ms_text_append(arena, i == 0 ? MS_SLICE("{\"") : MS_SLICE(",\""));
        ms_text_append(arena, set->list[i].name);
        ms_text_append(arena, (ms_slice){time, (size_t)len});
        ms_text_append(arena, set->list[i].value);
        ms_text_byte(arena, ']');
    }
    ms_text_byte(arena, '}');
    return ms_text_end(arena, start);
}

bool
ms_field_set_merge(ms_arena *arena, const ms_field_set *older, const ms_field_set *newer,
                   ms_field_set *merged)
{
    size_t a = 0;
    size_t b = 0;
    *merged = (ms_field_set){.count = 0};
    merged->list = ms_arena_alloc(arena, (older->count + newer->count + 1) * sizeof *merged->list);
    if (merged->list == NULL) {
        return false;
    }
    while (a < older->count || b < newer->count) {
        int order = a == older->count ? 1
                    : b == newer->count
                        ? -1
                        : ms_slice_compare_fold(older->list[a].name, newer->list[b].name);
        const ms_waiting_field *field = order < 0 ? &older->list[a] : &newer->list[b];
        if (order == 0 && older->list[a].time > newer->list[b].time) {
            field = &older->list[a];
        }
        a += order <= 0;
        b += order >= 0;
        merged->list[merged->count++] = *field;
    }
    return true;
}
