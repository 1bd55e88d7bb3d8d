/*
 * ms_fields: the fields of a lead as they are gathered from traits, each
 * Marketo field name at most once.
 */
#ifndef MS_FIELDS_H
#define MS_FIELDS_H

#include "arena.h"
#include "warnings.h"

/* Where a value comes from; the higher one keeps the name. */
typedef enum {
    MS_FIELD_DERIVED,     /* out of name, company or address */
    MS_FIELD_TRANSFORMED, /* a trait whose name had to be changed */
    MS_FIELD_EXACT,       /* a trait that has the field's own name */
    MS_FIELD_ARGUMENT     /* identify's userId */
} ms_field_source;

typedef struct ms_field {
    ms_slice name;
    ms_slice value; /* text, or the JSON of a number, true or false */
    bool is_text;
    ms_field_source source;
    bool dropped; /* another field has the name */
} ms_field;

typedef struct {
    ms_field *list;    /* in the order they were added */
    ms_field **sorted; /* by name, byte for byte; the dropped ones too */
    size_t count;
    size_t room;
} ms_fields;

/* Makes room for `room` fields. False if the arena is exhausted. */
bool ms_fields_init(ms_fields *fields, ms_arena *arena, size_t room);

/* Adds a field; the caller has made enough room. */
void ms_fields_add(ms_fields *fields, ms_field field);

/*
 * Sorts the fields and drops all but one of each name: the highest source, of
 * equals the later one. Warns MS_TRAIT_COLLISION where two traits met. O(n log n).
 */
void ms_fields_settle(ms_fields *fields, ms_warnings *warnings);

/* The field of this name that was not dropped; NULL if there is none. Before or after settling. */
const ms_field *ms_fields_find(const ms_fields *fields, ms_slice name);

/* Writes the fields at the free end of `out` as a JSON object, in the order they were added or
 * sorted. */
void ms_fields_write(const ms_fields *fields, bool sorted, ms_arena *out);

#endif
