#include "vectors.h"

#include "../../src/core/hex.h"
#include "../../src/core/number.h"

#include <stdio.h>
#include <stdlib.h>

/* Plenty for the largest file: its text, its tree, and requests of more than 64 KB. */
#define FILE_ARENA ((size_t)64 << 20)

const char *const vector_files[] = {"page", "url", "track", "traits", "identify", "hostile", NULL};

static void
give_up(const char *about, const char *reason)
{
    (void)fprintf(stderr, "%s: %s\n", about, reason);
    exit(2);
}

static void *
allocate(ms_arena *arena, size_t size)
{
    void *memory = ms_arena_alloc(arena, size);
    if (memory == NULL) {
        give_up("vectors", "larger than FILE_ARENA");
    }
    return memory;
}

static ms_slice
file_text(ms_arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        give_up(path, "cannot be read");
        return MS_SLICE("");
    }
    long size = ftell(file);
    rewind(file);
    size_t len = size < 0 ? 0 : (size_t)size;
    char *text = allocate(arena, len);
    if (fread(text, 1, len, file) != len) {
        give_up(path, "cannot be read");
    }
    (void)fclose(file);
    return (ms_slice){text, len};
}

vector_file
vector_file_read(const char *directory, const char *name)
{
    vector_file file = {.vectors = NULL};
    char path[4096];
    cJSON *root = NULL;
    void *memory = malloc(FILE_ARENA);
    if (memory == NULL) {
        give_up(name, "no memory");
    }
    ms_arena_init(&file.arena, memory, FILE_ARENA);
    (void)snprintf(path, sizeof path, "%s/%s.json", directory, name);
    if (ms_json_parse(&file.arena, file_text(&file.arena, path), &root) != MS_OK) {
        give_up(path, "is no JSON object");
    }
    file.root = root;
    const cJSON *list = ms_json_member(root, "vectors");
    file.vectors = list == NULL ? NULL : list->child;
    if (file.vectors == NULL) {
        give_up(path, "holds no vectors");
    }
    return file;
}

void
vector_file_free(vector_file *file)
{
    free(file->arena.memory);
    *file = (vector_file){.vectors = NULL};
}

static void
append_repeated(ms_arena *arena, ms_slice text, int times)
{
    for (; times > 0; times--) {
        ms_text_append(arena, text);
    }
}

static void
append_hex(ms_arena *arena, ms_slice hex)
{
    for (size_t i = 0; i < hex.len; i += 2) {
        int byte = ms_hex_value(hex.ptr + i, hex.ptr + hex.len, 2);
        if (byte < 0) {
            give_up(hex.ptr, "is not hexadecimal");
        }
        ms_text_byte(arena, (char)byte);
    }
}

/* Text, {"text": …, "times": n} or {"hex": …}. */
static void
append_piece(ms_arena *arena, const cJSON *piece)
{
    if (cJSON_IsString(piece)) {
        ms_text_append(arena, ms_slice_from(piece->valuestring));
        return;
    }
    const cJSON *times = ms_json_member(piece, "times");
    append_repeated(arena, ms_json_string(piece, "text"),
                    cJSON_IsNumber(times) ? times->valueint : 1);
    append_hex(arena, ms_json_string(piece, "hex"));
}

ms_slice
vector_text(vector_file *file, const cJSON *source, const char *name)
{
    char name_of_pieces[64];
    (void)snprintf(name_of_pieces, sizeof name_of_pieces, "%sPieces", name);
    const cJSON *text = ms_json_member(source, name);
    const cJSON *pieces = ms_json_member(source, name_of_pieces);
    if (text != NULL) {
        return ms_slice_from(cJSON_GetStringValue(text));
    }
    if (pieces == NULL) {
        give_up(cJSON_GetStringValue(ms_json_member(source, "name")), "lacks what it is about");
    }
    const char *start = ms_text_begin(&file->arena);
    for (const cJSON *piece = pieces->child; piece != NULL; piece = piece->next) {
        append_piece(&file->arena, piece);
    }
    return ms_text_end(&file->arena, start);
}

static ms_slice
request_of(vector_file *file, const cJSON *source)
{
    const cJSON *request = ms_json_member(source, "request");
    if (request != NULL) {
        return json_text(&file->arena, request);
    }
    return ms_json_member(source, "requestText") != NULL ? ms_json_string(source, "requestText")
                                                         : vector_text(file, source, "request");
}

static ms_call_kind
kind_of(const cJSON *source)
{
    static const char *const names[] = {
        [MS_PAGE] = "page", [MS_TRACK] = "track", [MS_IDENTIFY] = "identify"};
    const char *call = cJSON_GetStringValue(ms_json_member(source, "call"));
    for (size_t kind = 0; kind < sizeof names / sizeof *names; kind++) {
        if (call != NULL && strcmp(call, names[kind]) == 0) {
            return (ms_call_kind)kind;
        }
    }
    give_up(cJSON_GetStringValue(ms_json_member(source, "name")), "has no call");
    return MS_PAGE;
}

vector
vector_read(vector_file *file, const cJSON *source)
{
    vector read = {.name = cJSON_GetStringValue(ms_json_member(source, "name")),
                   .kind = kind_of(source),
                   .result = ms_json_member(source, "result"),
                   .error = cJSON_GetStringValue(ms_json_member(source, "error")),
                   .fingerprint = cJSON_GetStringValue(ms_json_member(source, "fingerprint"))};
    if (read.name == NULL || (read.result == NULL) == (read.error == NULL)) {
        give_up(read.name == NULL ? "a vector" : read.name,
                "needs a name, and a result or an error");
    }
    read.request = request_of(file, source);
    return read;
}

static void
write_value(ms_arena *out,
            const cJSON *value) /* NOLINT(misc-no-recursion): as deep as cJSON reads */
{
    char number[MS_NUMBER_TEXT];
    bool object = cJSON_IsObject(value);
    if (cJSON_IsString(value)) {
        ms_json_write_string(out, ms_slice_from(value->valuestring));
    } else if (cJSON_IsNumber(value)) {
        ms_text_append(out, (ms_slice){number, ms_number_format(value->valuedouble, number)});
    } else if (!object && !cJSON_IsArray(value)) {
        ms_text_append(out, cJSON_IsNull(value)   ? MS_SLICE("null")
                            : cJSON_IsTrue(value) ? MS_SLICE("true")
                                                  : MS_SLICE("false"));
    } else {
        ms_text_byte(out, object ? '{' : '[');
        for (const cJSON *child = value->child; child != NULL; child = child->next) {
            if (object) {
                ms_json_write_string(out, ms_slice_from(child->string));
                ms_text_byte(out, ':');
            }
            write_value(out, child);
            ms_text_append(out, child->next != NULL ? MS_SLICE(",") : MS_SLICE(""));
        }
        ms_text_byte(out, object ? '}' : ']');
    }
}

ms_slice
json_text(ms_arena *arena, const cJSON *value)
{
    const char *start = ms_text_begin(arena);
    write_value(arena, value);
    ms_slice text = ms_text_end(arena, start);
    if (arena->exhausted) {
        give_up("json_text", "does not fit");
    }
    return text;
}
