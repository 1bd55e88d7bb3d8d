/*
 * What standards say, a second time and without any code of ours, to hold the project's answers
 * against.
 */
#ifndef TESTS_STANDARDS_H
#define TESTS_STANDARDS_H

#include "../../src/core/slice.h"

/* UTF-8 of RFC 3629. */
bool is_utf8(ms_slice text);

/* The same, in which core's MS_NUL may stand. */
bool is_core_text(ms_slice text);

/* How many characters there are in UTF-8: one that is not ASCII is one. */
size_t count_characters(ms_slice text);

/* Is it one JSON value of RFC 8259, in UTF-8, with no more than spaces around? */
bool is_json(ms_slice text);

typedef struct {
    bool valid;     /* as is_json has it */
    bool object;    /* and an object */
    size_t depth;   /* of objects and arrays */
    bool has_nul;   /* "\u0000" somewhere */
    bool too_large; /* a number that no double can hold */
} json_shape;

json_shape json_shape_of(ms_slice text);

/* The regular expression that the HTML Standard gives for <input type=email>, and at most 254
 * bytes. */
bool is_html_email(ms_slice text);

/* Printable ASCII without the space. */
bool is_graphic(ms_slice text);

/* What decodeURIComponent makes of it, in `out`, which has room for as many bytes. False where that
 * would throw. */
bool decode_component(ms_slice text, char *out, size_t *len);

#endif
