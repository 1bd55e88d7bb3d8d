/*
 * ms_rest_fields: the fields of a lead that Marketo knows, from describe.json. The queue has them
 * by their SOAP names (PascalCase), REST wants its own.
 */
#ifndef MS_REST_FIELDS_H
#define MS_REST_FIELDS_H

#include "../../core/arena.h"

#include <cJSON.h>
#include <stdint.h>

typedef struct {
    ms_slice soap; /* either may be empty */
    ms_slice rest;
    size_t length; /* 0: no limit */
    bool in_bytes; /* the length, of a text area; else in characters */
    bool may_cut;  /* a text; half an e-mail address is none */
    bool is_date;  /* Marketo refuses the whole lead for a moment in it */
    bool read_only;
    bool of_company; /* which Marketo may keep to itself: code 1021 */
    uint64_t seen;   /* the last record it was written to; see ms_rest_fields_write */
} ms_rest_field;

typedef struct {
    ms_rest_field *list;
    size_t count;
    struct ms_rest_name *names; /* sorted without regard to case */
    size_t name_count;
    uint64_t records;
    bool without_company; /* of the records that are written from now on */
    void *memory;         /* of all of it; freed by ms_rest_fields_free */
} ms_rest_fields;

/* Reads the body of describe.json. False, with `fields` empty, if it is not one, or without memory.
 */
bool ms_rest_fields_read(ms_rest_fields *fields, ms_slice describe);

void ms_rest_fields_free(ms_rest_fields *fields);

/*
 * The field of this name: by its SOAP name, else by its REST name, else by either in other case.
 * NULL if there is none.
 */
ms_rest_field *ms_rest_fields_find(const ms_rest_fields *fields, ms_slice name);

/* Why a field is left out. */
typedef enum { MS_FIELD_UNKNOWN, MS_FIELD_READ_ONLY, MS_FIELD_TOO_LONG } ms_rest_reason;

/* Told of what is left out. */
typedef void ms_rest_left_out(void *argument, ms_slice name, ms_rest_reason why);

/*
 * Writes the members of a lead at the free end of `out`, without braces: first the key, with its
 * value as JSON, then `lead`'s fields that Marketo knows, by their REST names, each once, from what
 * is spelled as Marketo does rather than in other case; one that is the key is left out. Text is
 * cut to its field's length, or left out where a part of it is nothing, and a moment to its day
 * where the field is a date.
 */
void ms_rest_fields_write(ms_rest_fields *fields, ms_arena *out, ms_slice key, ms_slice json,
                          const cJSON *lead, ms_rest_left_out *left_out, void *argument);

/* `text` cut to so many characters or bytes, not within a character. */
ms_slice ms_rest_cut(ms_slice text, size_t length, bool in_bytes);

#endif
