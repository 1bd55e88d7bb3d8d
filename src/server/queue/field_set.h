/*
 * The fields of a lead as the queue holds them: values in the JSON that they came in, each with the
 * time that its message says, so that the newest wins wherever two sets meet. Names that differ in
 * the case of ASCII letters alone are one field's, as they are to Marketo; it has the newest's.
 */
#ifndef MS_FIELD_SET_H
#define MS_FIELD_SET_H

#include "../../core/arena.h"

#include <stdint.h>

typedef struct {
    ms_slice name;  /* what stands between the quotes */
    ms_slice value; /* raw JSON */
    int64_t time;
} ms_waiting_field;

typedef struct {
    ms_waiting_field *list; /* by name without regard to case, each once */
    size_t count;
} ms_field_set;

/* Reads {"Email":"a@b.c",…}, all of one time; slices point into `json`. False if it is not a JSON
 * object of plain values, or the arena is exhausted. */
bool ms_field_set_read(ms_arena *arena, ms_slice json, int64_t time, ms_field_set *set);

/* Writes it, at the arena's free end (arena.h). */
void ms_field_set_write(const ms_field_set *set, ms_arena *out);

/* The same of the form in which they are kept, {"Email":[1790000000000,"a@b.c"],…}; nothing is the
 * empty text. */
bool ms_field_set_load(ms_arena *arena, ms_slice kept, ms_field_set *set);
ms_slice ms_field_set_keep(const ms_field_set *set, ms_arena *arena);

/* What `older` and `newer` have together; of one name the newer time, of equal ones that of
 * `newer`. False if the arena is exhausted. */
bool ms_field_set_merge(ms_arena *arena, const ms_field_set *older, const ms_field_set *newer,
                        ms_field_set *merged);

/* How long ms_field_set_write's text is. */
size_t ms_field_set_size(const ms_field_set *set);

#endif
