/*
 * A batch taken apart into its messages (src/server/intake/batch.c).
 */

#include "../../../src/server/intake/batch.h"
#include "../../../src/core/json.h"
#include "../fuzz.h"
#include "../standards.h"

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* From `p` on there are but spaces and, where `comma` says so, one comma. */
static void
expect_between(const char *p, const char *end, bool comma)
{
    size_t commas = 0;
    for (; p < end; p++) {
        EXPECT(is_space(*p) || *p == ',');
        commas += *p == ',';
    }
    EXPECT(commas == (comma ? 1 : 0));
}

/* Takes the messages one by one, and says whether each is JSON. */
static bool
check_messages(const ms_batch *batch)
{
    ms_slice left = batch->messages;
    ms_slice message;
    const char *behind = left.ptr;
    size_t count = 0;
    bool all_json = true;
    while (ms_batch_next(&left, &message)) {
        EXPECT(message.len > 0 && message.ptr >= behind);
        EXPECT(!is_space(message.ptr[0]) && !is_space(message.ptr[message.len - 1]));
        expect_between(behind, message.ptr, count > 0);
        behind = message.ptr + message.len;
        all_json = is_json(fuzz_copy(message)) && all_json;
        count++;
    }
    EXPECT(behind <= batch->messages.ptr + batch->messages.len);
    expect_between(behind, batch->messages.ptr + batch->messages.len, false);
    EXPECT(count == batch->count);
    return all_json;
}

/* The envelope is taken if it is JSON with one batch, by whatever spelling. */
static void
check_envelope(const ms_batch *batch)
{
    cJSON *object = NULL;
    cJSON *envelope = NULL;
    size_t named = 0;
    ms_arena arena = fuzz_large_arena();
    if (ms_json_parse(&arena, batch->envelope, &object) == MS_OK) {
        for (const cJSON *member = object->child; member != NULL; member = member->next) {
            named += strcmp(member->string, "batch") == 0;
        }
        EXPECT(named > 0);
    }
    arena = fuzz_large_arena();
    EXPECT(ms_batch_envelope(&arena, batch, &envelope) == (named == 1 ? MS_OK : MS_JSON_INVALID));
}

/* How many messages another reader finds; SIZE_MAX if it finds no list, or need not mean it. */
static size_t
count_of(ms_slice body)
{
    cJSON *object = NULL;
    ms_arena arena = fuzz_large_arena();
    if (memchr(body.ptr, '\\', body.len) != NULL || ms_json_parse(&arena, body, &object) != MS_OK) {
        return SIZE_MAX;
    }
    const cJSON *list = object->child;
    while (list != NULL && !(strcmp(list->string, "batch") == 0 && cJSON_IsArray(list))) {
        list = list->next;
    }
    size_t count = 0;
    for (const cJSON *message = list == NULL ? NULL : list->child; message != NULL;
         message = message->next) {
        count++;
    }
    return list == NULL ? SIZE_MAX : count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    size_t little = fuzz_short(&in);
    ms_slice body = fuzz_rest(&in);
    ms_batch batch;
    ms_batch again;
    ms_arena arena = fuzz_arena(body.len + 1);
    bool json = is_json(body);
    ms_status status = ms_batch_open(&arena, body, &batch);
    EXPECT(status == MS_OK || status == MS_BATCH_MISSING || status == MS_JSON_INVALID);
    EXPECT(!json || status != MS_JSON_INVALID);
    if (status == MS_OK) {
        const char *end = body.ptr + body.len;
        EXPECT(batch.messages.ptr > body.ptr && batch.messages.ptr + batch.messages.len < end);
        EXPECT(batch.messages.ptr[-1] == '[' && batch.messages.ptr[batch.messages.len] == ']');
        EXPECT(batch.envelope.len + batch.messages.len == body.len);
        bool all_json = check_messages(&batch);
        check_envelope(&batch);
        bool envelope = json_shape_of(batch.envelope).object;
        EXPECT(json == (envelope && all_json));
    }
    size_t count = json ? count_of(body) : SIZE_MAX;
    if (count != SIZE_MAX) {
        EXPECT(status == MS_OK && batch.count == count);
    }
    ms_arena small = fuzz_arena(little);
    ms_status then = ms_batch_open(&small, body, &again);
    EXPECT(then == status || (status == MS_OK && then == MS_OUT_OF_MEMORY));
    fuzz_forget();
    return 0;
}
