#include "fields.h"

#include "json.h"

bool
ms_fields_init(ms_fields *fields, ms_arena *arena, size_t room)
{
    *fields = (ms_fields){.room = room};
    fields->list = ms_arena_alloc(arena, room * sizeof(ms_field));
    /* Twice the room: merging needs a second array. */
    fields->sorted = ms_arena_alloc(arena, 2 * room * sizeof(ms_field *));
    return !arena->exhausted;
}

void
ms_fields_add(ms_fields *fields, ms_field field)
{
    if (fields->count < fields->room) {
        fields->list[fields->count++] = field;
    }
}

static int
compare_names(const ms_field *a, const ms_field *b)
{
    size_t len = a->name.len < b->name.len ? a->name.len : b->name.len;
    int order = memcmp(a->name.ptr, b->name.ptr, len);
    if (order != 0) {
        return order;
    }
    return (a->name.len > b->name.len) - (a->name.len < b->name.len);
}

/* Merges the sorted runs [from, middle) and [middle, to) of `in` into `out`. */
static void
merge(ms_field **in, ms_field **out, size_t from, size_t middle, size_t to)
{
    size_t left = from;
    size_t right = middle;
    for (size_t i = from; i < to; i++) {
        bool take_left = right >= to || (left < middle && compare_names(in[left], in[right]) <= 0);
        out[i] = take_left ? in[left++] : in[right++];
    }
}

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Stable, so that of two fields with one name the earlier stands first. */
static void
sort(ms_fields *fields)
{
    ms_field **in = fields->sorted;
    ms_field **out = fields->sorted + fields->room;
    for (size_t i = 0; i < fields->count; i++) {
        in[i] = &fields->list[i];
    }
    for (size_t width = 1; width < fields->count; width *= 2) {
        for (size_t from = 0; from < fields->count; from += 2 * width) {
            merge(in, out, from, smaller(from + width, fields->count),
                  smaller(from + 2 * width, fields->count));
        }
        ms_field **swap = in;
        in = out;
        out = swap;
    }
    fields->sorted = in;
}

static bool
is_trait(const ms_field *field)
{
    return field->source == MS_FIELD_TRANSFORMED || field->source == MS_FIELD_EXACT;
}

void
ms_fields_settle(ms_fields *fields, ms_warnings *warnings)
{
    sort(fields);
    ms_field *kept = NULL;
    for (size_t i = 0; i < fields->count; i++) {
        ms_field *field = fields->sorted[i];
        if (kept == NULL || !ms_slice_equal(kept->name, field->name)) {
            kept = field;
            continue;
        }
        if (is_trait(kept) && is_trait(field)) {
            ms_warn(warnings, MS_TRAIT_COLLISION, field->name);
        }
        ms_field *loser = field->source >= kept->source ? kept : field;
        kept = loser == kept ? field : kept;
        loser->dropped = true;
    }
}

const ms_field *
ms_fields_find(const ms_fields *fields, ms_slice name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (!fields->list[i].dropped && ms_slice_equal(fields->list[i].name, name)) {
            return &fields->list[i];
        }
    }
    return NULL;
}

void
ms_fields_write(const ms_fields *fields, bool sorted, ms_arena *out)
{
    char separator = '{';
    for (size_t i = 0; i < fields->count; i++) {
        const ms_field *field = sorted ? fields->sorted[i] : &fields->list[i];
        if (field->dropped) {
            continue;
        }
        ms_text_byte(out, separator);
        separator = ',';
        ms_json_write_string(out, field->name);
        ms_text_byte(out, ':');
        if (field->is_text) {
            ms_json_write_string(out, field->value);
        } else {
            ms_text_append(out, field->value);
        }
    }
    if (separator == '{') {
        ms_text_byte(out, '{');
    }
    ms_text_byte(out, '}');
}
