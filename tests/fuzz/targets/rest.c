/*
 * What is made of answers of Marketo's REST API: of any call's, of a token's, and of the list of
 * fields, with which a lead is written then. An input is a byte for the HTTP status, a lead, a NUL
 * byte, and the answer's body.
 */

#include "../../../src/server/marketo/rest.h"
#include "../../../src/core/json.h"
#include "../fuzz.h"
#include "../standards.h"

static ms_http_answer
answer_of(unsigned int byte, ms_slice body)
{
    static const long statuses[] = {200, 0, 400, 401, 403, 408, 413, 429, 500, 502, 301, 204};
    return (ms_http_answer){.status = statuses[byte % (sizeof statuses / sizeof *statuses)],
                            .body = body,
                            .problem = "a problem"};
}

static void
check_record(const cJSON *record)
{
    ms_arena arena = fuzz_arena(1024);
    ms_rest_record read = ms_rest_record_read(&arena, record);
    EXPECT(read.understood || !read.taken);
    EXPECT(!read.taken || read.code.len == 0);
    EXPECT(read.marketo_id >= 0 && read.marketo_id <= INT64_C(9007199254740991));
    EXPECT(is_core_text(read.code) && is_core_text(read.message));
}

static void
check_reply(const ms_http_answer *answer)
{
    ms_arena arena = fuzz_arena(ms_rest_reply_room(answer->body.len));
    ms_rest_reply reply = ms_rest_reply_read(&arena, answer);
    json_shape shape = json_shape_of(answer->body);
    EXPECT(reply.meaning >= MS_REPLY_OK && reply.meaning <= MS_REPLY_FAULT);
    EXPECT((reply.meaning == MS_REPLY_OK) == (reply.object != NULL));
    EXPECT(is_core_text(reply.code) && is_core_text(reply.message));
    if (reply.meaning == MS_REPLY_OK) {
        EXPECT(answer->status == 200 && cJSON_IsTrue(ms_json_member(reply.object, "success")));
        EXPECT(reply.result == NULL || cJSON_IsArray(reply.result));
    } else {
        EXPECT(reply.result == NULL);
    }
    if (!shape.object && !is_utf8(answer->body)) {
        EXPECT(reply.meaning != MS_REPLY_OK); /* rubbish */
    }
    for (const cJSON *record = reply.result == NULL ? NULL : reply.result->child; record != NULL;
         record = record->next) {
        check_record(record);
    }
}

static void
check_token(const ms_http_answer *answer)
{
    ms_slice token = {"", 0};
    int64_t life = 0;
    ms_arena arena = fuzz_arena(65536);
    int read = ms_rest_token_read(&arena, answer, &token, &life);
    EXPECT(read == 1 || read == 0 || read == -1);
    if (read == 1) {
        EXPECT(answer->status == 200 && token.len > 0 && token.len < MS_REST_TOKEN_MAX);
        EXPECT(is_graphic(token) && life >= 0 && life <= INT64_C(86400000));
    }
}

/* How many members of a lead were left out. */
static void
count_left_out(void *argument, ms_slice name, ms_rest_reason why)
{
    EXPECT(why <= MS_FIELD_TOO_LONG);
    EXPECT(is_core_text(name));
    ++*(size_t *)argument;
}

static size_t
count_members(const cJSON *object)
{
    size_t count = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        count++;
    }
    return count;
}

/* A name that Marketo's list gives to two fields does not tell which of them was written. */
static bool
is_of_one_field(const ms_rest_fields *fields, ms_slice rest)
{
    size_t count = 0;
    for (size_t i = 0; i < fields->count; i++) {
        count += ms_slice_equal_fold(fields->list[i].rest, rest);
    }
    return count == 1;
}

static void
check_written(const ms_rest_fields *fields, ms_slice json, size_t members, size_t left_out)
{
    cJSON *record = NULL;
    ms_arena arena = fuzz_arena(json.len * 64 + 4096);
    EXPECT(json_shape_of(json).object);
    EXPECT(ms_json_parse(&arena, json, &record) == MS_OK);
    EXPECT(count_members(record) <= 1 + members - left_out);
    for (const cJSON *member = record->child->next; member != NULL; member = member->next) {
        const ms_rest_field *field = ms_rest_fields_find(fields, ms_slice_from(member->string));
        EXPECT(field != NULL);
        EXPECT(strcmp(member->string, "lookup") != 0);
        if (cJSON_IsString(member) && field->may_cut && field->length > 0 &&
            ms_slice_equal(field->rest, ms_slice_from(member->string)) &&
            is_of_one_field(fields, field->rest)) {
            ms_slice value = ms_slice_from(member->valuestring);
            EXPECT((field->in_bytes ? value.len : count_characters(value)) <= field->length);
        }
    }
}

static void
check_fields(ms_slice describe, ms_slice lead)
{
    ms_rest_fields fields;
    cJSON *source = NULL;
    if (!ms_rest_fields_read(&fields, describe)) {
        EXPECT(fields.count == 0 && fields.memory == NULL);
        return;
    }
    EXPECT(fields.count > 0 && fields.name_count <= 2 * fields.count);
    for (size_t i = 0; i < fields.count; i++) {
        EXPECT(fields.list[i].rest.len > 0);
        EXPECT(ms_rest_fields_find(&fields, fields.list[i].rest) != NULL);
    }
    ms_arena arena = fuzz_arena(lead.len * 128 + 4096);
    if (ms_json_parse(&arena, lead, &source) == MS_OK) {
        ms_arena out = fuzz_arena(lead.len * 8 + (describe.len + 16) * (count_members(source) + 1));
        size_t left_out = 0;
        const char *start = ms_text_begin(&out);
        ms_text_byte(&out, '{');
        ms_rest_fields_write(&fields, &out, MS_SLICE("lookup"), MS_SLICE("\"a@b.c\""), source,
                             count_left_out, &left_out);
        ms_text_byte(&out, '}');
        ms_slice json = ms_text_end(&out, start);
        EXPECT(!out.exhausted);
        check_written(&fields, json, count_members(source), left_out);
    }
    ms_rest_fields_free(&fields);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    unsigned int status = fuzz_byte(&in);
    size_t length = fuzz_byte(&in);
    ms_slice lead = fuzz_text(&in, '\0');
    ms_slice body = fuzz_rest(&in);
    ms_http_answer answer = answer_of(status, body);
    check_reply(&answer);
    check_token(&answer);
    check_fields(body, lead);
    ms_slice cut = ms_rest_cut(lead, length, (status & 1) != 0);
    EXPECT(cut.ptr == lead.ptr && cut.len <= lead.len);
    EXPECT(!is_utf8(lead) ||
           (is_utf8(cut) && ((status & 1) != 0 ? cut.len : count_characters(cut)) <= length));
    fuzz_forget();
    return 0;
}
