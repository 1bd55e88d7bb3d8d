#include "sent_fields.h"

#include <bearssl_hash.h>
#include <stdlib.h>

/* The newest are kept. What is forgotten is sent once more than it need be. */
#define RECORDS_MAX 1024

typedef struct {
    uint64_t name;
    uint64_t value;
    int64_t at;
    int64_t time;
} record;

static size_t
count(ms_slice sent)
{
    return sent.len / sizeof(record);
}

static record
get(ms_slice sent, size_t i)
{
    record found;
    memcpy(&found, sent.ptr + i * sizeof found, sizeof found);
    return found;
}

/* Of memory that may be written. */
static void
set(ms_slice sent, size_t i, record changed)
{
    memcpy((char *)sent.ptr + i * sizeof changed, &changed, sizeof changed);
}

static ms_slice
slice_of(const record *records, size_t len)
{
    return (ms_slice){(const char *)records, len * sizeof *records};
}

/* A name in any case is the same. */
static void
update_name(br_sha256_context *sha256, ms_slice name)
{
    char lower[64];
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++) {
        lower[len++] = ms_to_lower(name.ptr[i]);
        if (len == sizeof lower || i + 1 == name.len) {
            br_sha256_update(sha256, lower, len);
            len = 0;
        }
    }
}

static uint64_t
hash(ms_slice name, ms_slice value)
{
    unsigned char digest[br_sha256_SIZE];
    br_sha256_context sha256;
    uint64_t start;
    br_sha256_init(&sha256);
    update_name(&sha256, name);
    br_sha256_update(&sha256, "\"", 1); /* ends the name, as in JSON */
    br_sha256_update(&sha256, value.ptr, value.len);
    br_sha256_out(&sha256, digest);
    memcpy(&start, digest, sizeof start);
    return start;
}

static uint64_t
name_hash(ms_slice name)
{
    return hash(name, MS_SLICE(""));
}

static int
by_name(const void *left, const void *right)
{
    const record *a = left;
    const record *b = right;
    return (a->name > b->name) - (a->name < b->name);
}

/* The newest first. */
static int
by_age(const void *left, const void *right)
{
    const record *a = left;
    const record *b = right;
    return a->at != b->at ? (a->at < b->at) - (a->at > b->at) : by_name(left, right);
}

/* Where the record of this name is; count() if there is none. */
static size_t
find(ms_slice sent, uint64_t name)
{
    size_t low = 0;
    size_t high = count(sent);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (get(sent, middle).name < name) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count(sent) && get(sent, low).name == name ? low : count(sent);
}

/* The one record of what was sent twice: Marketo has what was sent later. If that is what was sent
 * before, too, it is as new as either says. */
static record
join(record before, record later)
{
    if (before.value == later.value && before.time > later.time) {
        later.time = before.time;
    }
    return later;
}

static size_t
forget_oldest(record *records, size_t len)
{
    if (len <= RECORDS_MAX) {
        return len;
    }
    qsort(records, len, sizeof *records, by_age);
    qsort(records, RECORDS_MAX, sizeof *records, by_name);
    return RECORDS_MAX;
}

/* Both together. `b_is_later`, whatever times they have; else that is by these. */
static ms_slice
unite(ms_arena *arena, ms_slice a, ms_slice b, bool b_is_later)
{
    size_t i = 0;
    size_t k = 0;
    size_t len = 0;
    record *records = ms_arena_alloc(arena, (count(a) + count(b)) * sizeof *records);
    while (records != NULL && (i < count(a) || k < count(b))) {
        if (k == count(b) || (i < count(a) && get(a, i).name < get(b, k).name)) {
            records[len++] = get(a, i++);
        } else if (i == count(a) || get(a, i).name > get(b, k).name) {
            records[len++] = get(b, k++);
        } else {
            record of_a = get(a, i++);
            record of_b = get(b, k++);
            bool b_last = b_is_later || of_b.at >= of_a.at;
            records[len++] = b_last ? join(of_a, of_b) : join(of_b, of_a);
        }
    }
    return slice_of(records, forget_oldest(records, len));
}

ms_slice
ms_sent_fields_add(ms_arena *arena, ms_slice sent, const ms_field_set *fields, int64_t now)
{
    record *added = ms_arena_alloc(arena, fields->count * sizeof *added);
    if (added == NULL) {
        return MS_SLICE("");
    }
    for (size_t i = 0; i < fields->count; i++) {
        const ms_waiting_field *field = &fields->list[i];
        added[i] =
            (record){name_hash(field->name), hash(field->name, field->value), now, field->time};
    }
    qsort(added, fields->count, sizeof *added, by_name);
    /* Also later than one of the future, from before the clock was set back. */
    return unite(arena, sent, slice_of(added, fields->count), true);
}

ms_slice
ms_sent_fields_merge(ms_arena *arena, ms_slice a, ms_slice b)
{
    return unite(arena, a, b, false);
}

/* The records in memory that may be written; empty if the arena is exhausted. */
static ms_slice
copy_of(ms_arena *arena, ms_slice sent)
{
    record *copy = ms_arena_alloc(arena, sent.len);
    if (copy == NULL) {
        return MS_SLICE("");
    }
    memcpy(copy, sent.ptr, sent.len);
    return slice_of(copy, count(sent));
}

/* Something as new is known, but not to be what Marketo has. */
static void
doubt(ms_slice sent, size_t place)
{
    record doubted = get(sent, place);
    doubted.at = 0;
    set(sent, place, doubted);
}

ms_slice
ms_sent_fields_doubt(ms_arena *arena, ms_slice sent, const ms_field_set *fields)
{
    ms_slice doubted = copy_of(arena, sent);
    for (size_t i = 0; i < fields->count; i++) {
        size_t place = find(doubted, name_hash(fields->list[i].name));
        if (place < count(doubted)) {
            doubt(doubted, place);
        }
    }
    return doubted;
}

ms_slice
ms_sent_fields_to_another(ms_arena *arena, ms_slice sent)
{
    ms_slice doubted = copy_of(arena, sent);
    for (size_t i = 0; i < count(doubted); i++) {
        doubt(doubted, i);
    }
    return doubted;
}

static bool
is_newer(record known, int64_t now, const ms_waiting_field *field)
{
    /* One that is of the future was noted before the clock was set back. */
    return known.time > field->time && known.time <= now;
}

bool
ms_sent_fields_outdate(ms_slice sent, int64_t now, const ms_waiting_field *field)
{
    size_t place = find(sent, name_hash(field->name));
    return place < count(sent) && is_newer(get(sent, place), now, field);
}

/* Was it sent with this value later than `since`, or a newer one? A value is known to hold as long
 * as it is said: that is noted. */
static bool
is_done(ms_slice sent, int64_t since, int64_t now, const ms_waiting_field *field, bool *noted)
{
    size_t place = find(sent, name_hash(field->name));
    if (place == count(sent)) {
        return false;
    }
    record known = get(sent, place);
    bool is_same = known.value == hash(field->name, field->value);
    if (is_same && known.at > since) {
        if (field->time > known.time) {
            known.time = field->time;
            set(sent, place, known);
            *noted = true;
        }
        return true;
    }
    /* The newest value may be said late to whom it may not have come. */
    bool may_lack = is_same && known.at == 0;
    return !may_lack && is_newer(known, now, field);
}

bool
ms_sent_fields_remove(ms_slice sent, int64_t unchanged, int64_t now, ms_field_set *fields)
{
    size_t kept = 0;
    bool noted = false;
    if (sent.len == 0) {
        return false;
    }
    for (size_t i = 0; i < fields->count; i++) {
        if (!is_done(sent, now - unchanged, now, &fields->list[i], &noted)) {
            fields->list[kept++] = fields->list[i];
        }
    }
    fields->count = kept;
    return noted;
}
