/*
 * Reading JSON, and writing it (src/core/json.c); and what JSON is to dead letters
 * (src/server/intake/payload.c).
 */

#include "../../../src/core/json.h"
#include "../../../src/server/exact_json.h"
#include "../../../src/server/intake/payload.h"
#include "../../unit/vectors.h"
#include "../fuzz.h"
#include "../standards.h"

#include <math.h>

/* cJSON's limit, as core has it compiled. */
#define DEPTH_MAX 64

/* What was read, written, and read again is the same; and it is JSON to others. */
static void
check_written(const cJSON *object, const json_shape *shape)
{
    cJSON *again = NULL;
    ms_arena arena = fuzz_large_arena();
    ms_slice first = fuzz_copy(json_text(&arena, object));
    EXPECT(json_shape_of(first).object);
    EXPECT(!shape->object || json_shape_of(first).has_nul == shape->has_nul);
    arena.used = 0;
    EXPECT(ms_json_parse(&arena, first, &again) == MS_OK);
    EXPECT(ms_slice_equal(json_text(&arena, again), first));
}

/* Read with the digits of long numbers kept, it is JSON if it was before, and says the same but for
 * these, which are texts then. */
static void
check_exact(ms_slice text, ms_status status, const cJSON *object)
{
    cJSON *exact = NULL;
    ms_arena arena = fuzz_arena(text.len * 130 + 2048);
    EXPECT(ms_json_parse_exact(&arena, text, &exact) == status);
    if (status != MS_OK) {
        return;
    }
    const cJSON *other = object->child;
    for (const cJSON *member = exact->child; member != NULL; member = member->next) {
        EXPECT(strcmp(member->string, other->string) == 0);
        bool is_long = cJSON_IsNumber(other) && cJSON_IsString(member);
        if (is_long) {
            char *end = NULL;
            EXPECT(ms_number_parse(member->valuestring, &end) == other->valuedouble);
            EXPECT(*end == '\0' && fabs(other->valuedouble) > 9007199254740991.0);
        }
        EXPECT(is_long || (member->type & 0xFF) == (other->type & 0xFF));
        other = other->next;
    }
    EXPECT(other == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    size_t little = fuzz_short(&in);
    ms_slice text = fuzz_rest(&in);
    ms_arena arena = fuzz_arena(text.len * 128 + 1024);
    json_shape shape = json_shape_of(text);
    cJSON *object = NULL;
    ms_status status = ms_json_parse(&arena, text, &object);
    EXPECT(status == MS_OK || status == MS_JSON_INVALID);
    if (shape.object && shape.depth <= DEPTH_MAX && !shape.too_large) {
        EXPECT(status == MS_OK);
    }
    EXPECT(ms_payload_is_object(text) == (shape.object && shape.depth <= MS_PAYLOAD_DEPTH));
    if (shape.valid && !shape.object) {
        EXPECT(status == MS_JSON_INVALID);
    }
    if (status == MS_OK) {
        EXPECT(cJSON_IsObject(object) && is_utf8(text));
        EXPECT(text.len == 0 || memchr(text.ptr, '\0', text.len) == NULL);
        check_written(object, &shape);
    }
    check_exact(text, status, object);
    ms_arena small = fuzz_arena(little % (arena.used + 1));
    ms_status then = ms_json_parse(&small, text, &object);
    EXPECT(then == status || then == MS_OUT_OF_MEMORY ||
           (then == MS_JSON_INVALID && status != MS_OK));
    fuzz_forget();
    return 0;
}
