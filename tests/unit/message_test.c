/*
 * Messages of Segment's API as commands: tests/vectors/segment.json, and what JSON cannot state.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/core/date.h"
#include "../../src/server/intake/activities.h"
#include "../../src/server/intake/cookie.h"
#include "../../src/server/intake/message.h"
#include "../../src/server/intake/timestamp.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

#define MUNCHKIN_ID "561-HYG-937"
#define RECEIVED INT64_C(1795521600000) /* 2026-11-24T12:00:00.000Z */
#define MINUTE INT64_C(60000)
#define SCRATCH ((size_t)1 << 20)

static const char *directory = "tests/vectors";

static void
write_text(ms_arena *out, const char *name, ms_slice value)
{
    if (value.len > 0) {
        ms_text_byte(out, ',');
        ms_json_write_string(out, ms_slice_from(name));
        ms_text_byte(out, ':');
        ms_json_write_string(out, value);
    }
}

static void
write_json(ms_arena *out, const char *name, ms_slice json)
{
    ms_text_byte(out, ',');
    ms_json_write_string(out, ms_slice_from(name));
    ms_text_byte(out, ':');
    ms_text_append(out, json);
}

static void
write_command(ms_arena *out, const ms_command *command, ms_slice text)
{
    static const char *const kinds[] = {[MS_COMMAND_LEAD] = "lead",
                                        [MS_COMMAND_VISIT] = "visit",
                                        [MS_COMMAND_ACTIVITY] = "activity",
                                        [MS_COMMAND_DEAD] = "dead",
                                        [MS_COMMAND_NOTHING] = "nothing"};
    ms_text_append(out, MS_SLICE("{\"kind\":"));
    ms_json_write_string(out, ms_slice_from(kinds[command->kind]));
    write_text(out, "messageId", command->message_id);
    write_text(out, "email", command->who.email);
    write_text(out, "userId", command->who.user_id);
    write_text(out, "cookie", command->who.cookie);
    assert_true(command->who.cookie_first);
    if (command->time != RECEIVED) {
        char date[MS_DATE_TEXT];
        assert_true(ms_date_format((double)command->time, date));
        write_text(out, "time", (ms_slice){date, sizeof date});
    }
    if (command->kind == MS_COMMAND_LEAD) {
        write_json(out, "fields", command->fields);
    }
    write_text(out, "query", command->query);
    write_text(out, "userAgent", command->user_agent);
    if (command->kind == MS_COMMAND_ACTIVITY) {
        char type[32];
        (void)snprintf(type, sizeof type, "%lld", (long long)command->activity_type);
        write_json(out, "type", ms_slice_from(type));
        write_text(out, "primary", command->primary_value);
        write_json(out, "attributes", command->attributes);
    }
    write_text(out, "code", command->code);
    if (command->payload.len > 0) {
        assert_true(ms_slice_equal(command->payload, text));
        write_json(out, "payload", MS_SLICE("true"));
    }
    ms_text_byte(out, '}');
}

static ms_slice
commands_json(ms_arena *out, const ms_commands *commands, ms_slice text)
{
    const char *start = ms_text_begin(out);
    ms_text_byte(out, '[');
    for (const ms_command *command = commands->first; command != NULL; command = command->next) {
        write_command(out, command, text);
        ms_text_append(out, command->next != NULL ? MS_SLICE(",") : MS_SLICE(""));
    }
    ms_text_byte(out, ']');
    return ms_text_end(out, start);
}

static ms_activities *
activities_of(vector_file *file, const cJSON *vector)
{
    char problem[MS_ACTIVITIES_PROBLEM];
    const cJSON *source = ms_json_member(vector, "activities");
    if (source == NULL) {
        return NULL;
    }
    ms_activities *activities = ms_activities_parse(json_text(&file->arena, source), problem);
    if (activities == NULL) {
        fail_msg("%s", problem);
    }
    return activities;
}

/* Carries out a vector in memory of exactly the given sizes; false if that was too little. */
static bool
run(vector_file *file, const cJSON *vector, size_t scratch_size, size_t out_size, ms_slice *result)
{
    const cJSON *around = ms_json_member(vector, "envelope");
    const ms_message_envelope envelope = {.sent_at = ms_json_string(around, "sentAt"),
                                          .context = ms_json_member(around, "context"),
                                          .integrations = ms_json_member(around, "integrations"),
                                          .received = RECEIVED};
    ms_slice text = json_text(&file->arena, ms_json_member(vector, "message"));
    void *scratch_memory = malloc(scratch_size);
    void *out_memory = malloc(out_size);
    ms_activities *activities = activities_of(file, vector);
    ms_arena scratch;
    ms_arena out;
    cJSON *message = NULL;
    ms_commands commands = {NULL, NULL};
    assert_non_null(scratch_memory);
    assert_non_null(out_memory);
    ms_arena_init(&scratch, scratch_memory, scratch_size);
    ms_arena_init(&out, out_memory, out_size);
    if (ms_json_parse(&scratch, text, &message) == MS_OK) {
        ms_message_read(&(ms_message_rules){MS_SLICE(MUNCHKIN_ID), activities}, &envelope,
                        ms_message_type_of(ms_json_string(vector, "type")), message, text, &scratch,
                        &out, &commands);
    }
    bool complete = !scratch.exhausted && !out.exhausted;
    *result = commands_json(&file->arena, &commands, text);
    ms_activities_free(activities);
    free(scratch_memory);
    free(out_memory);
    return complete;
}

static void
test_vectors(void **state)
{
    (void)state;
    vector_file file = vector_file_read(directory, "segment");
    for (const cJSON *vector = file.vectors; vector != NULL; vector = vector->next) {
        ms_slice result;
        ms_slice expected = json_text(&file.arena, ms_json_member(vector, "commands"));
        assert_true(run(&file, vector, SCRATCH, SCRATCH, &result));
        if (!ms_slice_equal(result, expected)) {
            fail_msg("%s\nexpected %s\ngot      %s", ms_json_string(vector, "name").ptr,
                     expected.ptr, result.ptr);
        }
    }
    vector_file_free(&file);
}

/* Whatever memory there is, nothing is read or written beyond it, and what is too little is told.
 */
static void
test_little_memory(void **state)
{
    (void)state;
    vector_file file = vector_file_read(directory, "segment");
    for (const cJSON *vector = file.vectors; vector != NULL; vector = vector->next) {
        ms_arena before = file.arena;
        ms_slice result;
        for (size_t size = 1; size < 4096; size += 61) {
            (void)run(&file, vector, size, SCRATCH, &result);
            file.arena = before;
            (void)run(&file, vector, SCRATCH, size, &result);
            file.arena = before;
        }
        assert_false(run(&file, vector, 16, SCRATCH, &result));
        assert_false(run(&file, vector, SCRATCH, 16, &result));
        file.arena = before;
    }
    vector_file_free(&file);
}

static void
assert_time(const char *text, int64_t expected)
{
    int64_t ms = -1;
    if (!ms_timestamp_parse(ms_slice_from(text), &ms) || ms != expected) {
        fail_msg("%s: %lld", text, (long long)ms);
    }
}

static void
test_timestamps(void **state)
{
    (void)state;
    assert_time("1970-01-01T00:00:00Z", 0);
    assert_time("1970-01-01", 0);
    assert_time("1969-12-31T23:59:59.999Z", -1);
    assert_time("2000-02-29T23:59:59.9Z", 951868799900);
    assert_time("2100-03-01T00:00:00", 4107542400000);
    assert_time("2026-11-24 12:00:00.1234567+0130", RECEIVED - 90 * MINUTE + 123);
    assert_time("2026-11-24T12:00-02", RECEIVED + 120 * MINUTE);
    assert_time("0001-01-01T00:00:00Z", -62135596800000);
    assert_time("9999-12-31T23:59:59.999Z", 253402300799999);
    assert_time("2016-12-31T23:59:60Z", 1483228800000);

    static const char *const wrong[] = {"",
                                        "2026",
                                        "2026-13-01",
                                        "2026-00-01",
                                        "2026-02-29",
                                        "2100-02-29",
                                        "2026-11-31",
                                        "2026-11-00",
                                        "0000-01-01",
                                        "2026-11-24T",
                                        "2026-11-24T24:00:00Z",
                                        "2026-11-24T12:60:00Z",
                                        "2026-11-24T12:00:61Z",
                                        "2026-11-24T12:00:00+24:00",
                                        "2026-11-24T12:00:00+01:60",
                                        "2026-11-24T12:00:00+1",
                                        "2026-11-24T12:00:00ZZ",
                                        "2026-11-24T12:00:00 Z",
                                        " 2026-11-24",
                                        "2026-11-24x",
                                        "2026-11-24T12:00:00.Z1",
                                        "-2026-11-24",
                                        "26-11-24",
                                        "1795521600000"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int64_t ms = 0;
        if (ms_timestamp_parse(ms_slice_from(wrong[i]), &ms)) {
            fail_msg("%s was taken for a time", wrong[i]);
        }
    }
}

static void
assert_cookie(const char *text, ms_status expected, const char *domain)
{
    char memory[1024];
    ms_arena arena;
    ms_slice cookie;
    ms_arena_init(&arena, memory, sizeof memory);
    ms_status status = ms_cookie_read(&arena, ms_slice_from(text), MS_SLICE(MUNCHKIN_ID), &cookie);
    if (status != expected) {
        fail_msg("%s: %d", text, (int)status);
    }
    if (status == MS_OK) {
        assert_true(ms_slice_equal(ms_cookie_domain(cookie), ms_slice_from(domain)));
    } else {
        assert_int_equal(cookie.len, 0);
    }
}

static void
test_cookies(void **state)
{
    (void)state;
    assert_cookie("id:561-HYG-937&token:_mch-example.com-1374552656411-90718", MS_OK,
                  "example.com");
    assert_cookie(" id:561-HYG-937%26token:_mch-my-shop.co.uk-1-2 ", MS_OK, "my-shop.co.uk");
    assert_cookie("id:561-HYG-937&token:_mch-a.b-0123456789abcdef0123456789abcdef", MS_OK, "a.b");
    assert_cookie("id:561-HYG-937&token:_mch-x", MS_OK, "");
    assert_cookie("id:561-HYG-938&token:_mch-a.b-1-2", MS_COOKIE_FOREIGN, NULL);
    static const char *const wrong[] = {"",
                                        "%",
                                        "id:561-HYG-937",
                                        "id:561-HYG-937&token:",
                                        "id:561-HYG-937&token:_mch-",
                                        "id:561-HYG-937&token:x-a.b-1-2",
                                        "id:561HYG937&token:_mch-a.b-1-2",
                                        "id:561-HYG-93&token:_mch-a.b-1-2",
                                        "id:5610HYG-937&token:_mch-a.b-1-2",
                                        "id:561-HYG-937&token:_mch-a.b-1-2&x",
                                        "id:561-HYG-937&token:_mch-a b",
                                        "id:561-HYG-937&token:_mch-%00",
                                        "id:561-HYG-937&token:_mch-%2526",
                                        "token:_mch-a.b-1-2",
                                        "ID:561-HYG-937&token:_mch-a.b-1-2",
                                        "_mkto_trk=id:561-HYG-937&token:_mch-a.b-1-2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_cookie(wrong[i], MS_COOKIE_INVALID, NULL);
    }
    char text[2048] = "id:561-HYG-937&token:_mch-";
    size_t start = strlen(text);
    memset(text + start, 'a', sizeof text - start - 1);
    assert_cookie(text, MS_COOKIE_INVALID, NULL);
    text[MS_COOKIE_MAX + 1] = '\0';
    assert_cookie(text, MS_COOKIE_INVALID, NULL);
    text[MS_COOKIE_MAX] = '\0';
    assert_cookie(text, MS_OK, "");
}

static void
test_activities(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *problem;
    } wrong[] = {
        {"[]", "it is not a JSON object in UTF-8"},
        {"{\"a\":1}", "the event \"a\" needs activityTypeId, a number"},
        {"{\"a\":{\"activityTypeId\":\"1\"}}", "the event \"a\" needs activityTypeId, a number"},
        {"{\"a\":{\"activityTypeId\":1.5}}", "the event \"a\" needs activityTypeId, a number"},
        {"{\"a\":{\"activityTypeId\":1e300}}", "the event \"a\" needs activityTypeId, a number"},
        {"{\"a\":{\"activityTypeId\":1,\"primaryAttribute\":1}}",
         "the event \"a\" has a primaryAttribute that is no property's name"},
        {"{\"a\":{\"activityTypeId\":1,\"visit\":1}}",
         "the event \"a\" has a visit that is neither true nor false"},
        {"{\"a\":{\"activityTypeId\":1,\"attributes\":[]}}",
         "the event \"a\" has attributes that are no object of property and attribute names"},
        {"{\"a\":{\"activityTypeId\":1,\"attributes\":{\"x\":1}}}",
         "the event \"a\" has an attribute whose name is no text"},
        {"{\"Signed up\":{\"activityTypeId\":1,\"foo\":2}}",
         "the event \"Signed up\" has a \"foo\", and may have activityTypeId, primaryAttribute, "
         "attributes and visit alone"},
        {"{\"a\":{\"activityTypeId\":1,\"primaryAtribute\":\"plan\"}}",
         "the event \"a\" has a \"primaryAtribute\", and may have activityTypeId, "
         "primaryAttribute, attributes and visit alone"},
        {"{\"a\":{\"activityTypeID\":1}}",
         "the event \"a\" has a \"activityTypeID\", and may have activityTypeId, "
         "primaryAttribute, attributes and visit alone"},
        {"{\"a\":{\"activityTypeId\":1},\"b\":{\"activityTypeId\":1,\"\":0}}",
         "the event \"b\" has a \"\", and may have activityTypeId, primaryAttribute, attributes "
         "and visit alone"},
    };
    char problem[MS_ACTIVITIES_PROBLEM];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_null(ms_activities_parse(ms_slice_from(wrong[i].text), problem));
        assert_string_equal(problem, wrong[i].problem);
    }
    assert_null(ms_activities_load("/nowhere", problem));
    assert_string_equal(problem, "it cannot be read: No such file or directory");
    assert_null(ms_activities_load("/", problem));
    assert_string_equal(problem, "it cannot be read: Is a directory");
    ms_activities_free(NULL);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),    cmocka_unit_test(test_little_memory),
        cmocka_unit_test(test_timestamps), cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_activities),
    };
    if (argc > 1) {
        directory = argv[1];
    }
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
