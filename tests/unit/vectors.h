/*
 * The vectors of tests/vectors, read for a test in C. README.md there describes the files.
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "../../src/core/call.h"
#include "../../src/core/json.h"

/* The files that hold calls, without ".json"; NULL ends the list. */
extern const char *const vector_files[];

typedef struct {
    ms_arena arena;       /* everything below lives in it */
    const cJSON *root;    /* the file as a whole */
    const cJSON *vectors; /* the first one, the others behind it through `next` */
} vector_file;

typedef struct {
    const char *name;
    ms_call_kind kind;
    ms_slice request;
    const cJSON *result;     /* the whole result expected; NULL if it is an error: */
    const char *error;       /* its code */
    const char *fingerprint; /* of the lead; NULL if it is not stated */
} vector;

/* Reads DIRECTORY/NAME.json. A file that cannot be read ends the program. */
vector_file vector_file_read(const char *directory, const char *name);

void vector_file_free(vector_file *file);

/* Understands one vector. One that says no call or no request ends the program. */
vector vector_read(vector_file *file, const cJSON *source);

/* The text that a vector's `name` is, or the pieces of `namePieces` joined. */
ms_slice vector_text(vector_file *file, const cJSON *source, const char *name);

/*
 * The JSON of `value` as JSON.stringify gives it, NUL-terminated; of an object,
 * the members in their order, so that equal text is the same value in the same
 * order.
 */
ms_slice json_text(ms_arena *arena, const cJSON *value);

#endif
