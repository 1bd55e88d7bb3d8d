#include "sent_fields.h"

#include <bearssl_hash.h>

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
    size_t records = sent.len / sizeof(record);
    return records < RECORDS_MAX ? records : RECORDS_MAX;
}

static record
get(ms_slice sent, size_t i)
{
    record found;
    memcpy(&found, sent.ptr + i * sizeof found, sizeof found);
    return found;
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

/* The record of this name among the first `len`; `len` if there is none. */
static size_t
find(const record *records, size_t len, uint64_t name)
{
    size_t i = 0;
    while (i < len && records[i].name != name) {
        i++;
    }
    return i;
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

/* Puts `added` at `place`, which is behind the others if it is new; then it takes the place of the
 * oldest if all is full. */
static void
put(record *records, size_t *len, size_t place, record added)
{
    if (place == RECORDS_MAX) {
        place = 0;
        for (size_t i = 1; i < *len; i++) {
            place = records[i].at < records[place].at ? i : place;
        }
    } else if (place == *len) {
        ++*len;
    }
    records[place] = added;
}

static record *
copy(ms_arena *arena, ms_slice sent, size_t more, size_t *len)
{
    size_t room = count(sent) + more;
    record *records =
        ms_arena_alloc(arena, (room < RECORDS_MAX ? room : RECORDS_MAX) * sizeof *records);
    *len = records == NULL ? 0 : count(sent);
    if (*len > 0) {
        memcpy(records, sent.ptr, *len * sizeof *records);
    }
    return records;
}

ms_slice
ms_sent_fields_add(ms_arena *arena, ms_slice sent, const ms_field_set *fields, int64_t now)
{
    size_t len = 0;
    record *records = copy(arena, sent, fields->count, &len);
    if (records == NULL) {
        return MS_SLICE("");
    }
    for (size_t i = 0; i < fields->count; i++) {
        const ms_waiting_field *field = &fields->list[i];
        record added = {name_hash(field->name), hash(field->name, field->value), now, field->time};
        size_t place = find(records, len, added.name);
        /* Also after one of the future, from before the clock was set back. */
        put(records, &len, place, place < len ? join(records[place], added) : added);
    }
    return (ms_slice){(const char *)records, len * sizeof *records};
}

ms_slice
ms_sent_fields_merge(ms_arena *arena, ms_slice a, ms_slice b)
{
    size_t len = 0;
    record *records = copy(arena, a, count(b), &len);
    if (records == NULL) {
        return MS_SLICE("");
    }
    for (size_t i = 0; i < count(b); i++) {
        record added = get(b, i);
        size_t place = find(records, len, added.name);
        if (place == len) {
            put(records, &len, place, added);
        } else if (added.at >= records[place].at) {
            records[place] = join(records[place], added);
        } else {
            records[place] = join(added, records[place]);
        }
    }
    return (ms_slice){(const char *)records, len * sizeof *records};
}

ms_slice
ms_sent_fields_doubt(ms_arena *arena, ms_slice sent, const ms_field_set *fields)
{
    size_t len = 0;
    record *records = copy(arena, sent, 0, &len);
    if (records == NULL) {
        return MS_SLICE("");
    }
    for (size_t i = 0; i < fields->count; i++) {
        size_t place = find(records, len, name_hash(fields->list[i].name));
        if (place < len) {
            records[place].at = 0;
        }
    }
    return (ms_slice){(const char *)records, len * sizeof *records};
}

bool
ms_sent_fields_outdate(ms_slice sent, int64_t now, const ms_waiting_field *field)
{
    uint64_t name = name_hash(field->name);
    for (size_t i = 0; i < count(sent); i++) {
        record known = get(sent, i);
        if (known.name == name) {
            /* One that is of the future was noted before the clock was set back. */
            return known.time > field->time && known.time <= now;
        }
    }
    return false;
}

/* Was it sent with this value later than `since`? Then that is known to hold as long as this says.
 */
static bool
was_sent(ms_slice sent, int64_t since, const ms_waiting_field *field)
{
    uint64_t value = hash(field->name, field->value);
    for (size_t i = 0; i < count(sent); i++) {
        record known = get(sent, i);
        if (known.value == value && known.at > since) {
            known.time = field->time > known.time ? field->time : known.time;
            memcpy((char *)sent.ptr + i * sizeof known, &known, sizeof known);
            return true;
        }
    }
    return false;
}

void
ms_sent_fields_remove(ms_slice sent, int64_t unchanged, int64_t now, ms_field_set *fields)
{
    size_t kept = 0;
    if (sent.len == 0) {
        return;
    }
    for (size_t i = 0; i < fields->count; i++) {
        const ms_waiting_field *field = &fields->list[i];
        if (!was_sent(sent, now - unchanged, field) && !ms_sent_fields_outdate(sent, now, field)) {
            fields->list[kept++] = *field;
        }
    }
    fields->count = kept;
}
