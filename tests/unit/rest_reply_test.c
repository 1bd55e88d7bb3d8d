/*
 * What answers of Marketo's REST API are taken for, the hostile ones above all; its fields and
 * their lengths; and how a kind of calls is held back.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/core/json.h"
#include "../../src/server/marketo/lane.h"
#include "../../src/server/marketo/rest.h"

#include <stdio.h>
#include <stdlib.h>

/* Reads an answer in memory of just its size, so that the sanitizers watch its end. */
static ms_rest_meaning
meaning(long status, const char *body, size_t len)
{
    char *copy = malloc(len + 1);
    size_t room = ms_rest_reply_room(len);
    void *memory = malloc(room);
    ms_arena arena;
    assert_non_null(copy);
    assert_non_null(memory);
    memcpy(copy, body, len);
    ms_arena_init(&arena, memory, room);
    const ms_http_answer answer = {.status = status, .body = {copy, len}};
    ms_rest_reply reply = ms_rest_reply_read(&arena, &answer);
    ms_rest_meaning read = reply.meaning;
    assert_non_null(reply.code.ptr);
    assert_non_null(reply.message.ptr);
    free(memory);
    free(copy);
    return read;
}

static ms_rest_meaning
meaning_of_code(const char *code)
{
    char body[256];
    int len = snprintf(body, sizeof body,
                       "{\"requestId\":\"e42b#1\",\"success\":false,\"errors\":[{\"code\":\"%s\","
                       "\"message\":\"x\"}]}",
                       code);
    return meaning(200, body, (size_t)len);
}

static void
test_every_code(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        ms_rest_meaning meaning;
    } codes[] = {
        {"601", MS_REPLY_TOKEN},      {"602", MS_REPLY_TOKEN},       {"603", MS_REPLY_FAULT},
        {"604", MS_REPLY_NONE},       {"605", MS_REPLY_FAULT},       {"606", MS_REPLY_RATE},
        {"607", MS_REPLY_QUOTA},      {"608", MS_REPLY_NONE},        {"609", MS_REPLY_FAULT},
        {"610", MS_REPLY_FAULT},      {"611", MS_REPLY_NONE},        {"612", MS_REPLY_FAULT},
        {"614", MS_REPLY_NONE},       {"615", MS_REPLY_CONCURRENCY}, {"713", MS_REPLY_NONE},
        {"719", MS_REPLY_NONE},       {"502", MS_REPLY_NONE},        {"500", MS_REPLY_NONE},
        {"599", MS_REPLY_NONE},       {"413", MS_REPLY_TOO_LARGE},   {"1003", MS_REPLY_RECORD},
        {"1004", MS_REPLY_RECORD},    {"1006", MS_REPLY_RECORD},     {"1007", MS_REPLY_RECORD},
        {"1099", MS_REPLY_RECORD},    {"1100", MS_REPLY_FAULT},      {"0", MS_REPLY_FAULT},
        {"nonsense", MS_REPLY_FAULT}, {"60 1", MS_REPLY_FAULT},      {"9999999999", MS_REPLY_FAULT},
        {"-601", MS_REPLY_FAULT},     {"601x", MS_REPLY_FAULT},
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (meaning_of_code(codes[i].code) != codes[i].meaning) {
            fail_msg("%s is %d", codes[i].code, (int)meaning_of_code(codes[i].code));
        }
    }
    static const char number[] = "{\"success\":false,\"errors\":[{\"code\":606}]}";
    assert_int_equal(meaning(200, number, sizeof number - 1), MS_REPLY_RATE);
}

static void
test_http_statuses(void **state)
{
    (void)state;
    static const struct {
        long status;
        ms_rest_meaning meaning;
    } statuses[] = {{0, MS_REPLY_NONE},    {200, MS_REPLY_NONE},  {204, MS_REPLY_NONE},
                    {301, MS_REPLY_FAULT}, {401, MS_REPLY_TOKEN}, {403, MS_REPLY_FAULT},
                    {404, MS_REPLY_FAULT}, {408, MS_REPLY_NONE},  {413, MS_REPLY_TOO_LARGE},
                    {414, MS_REPLY_FAULT}, {429, MS_REPLY_RATE},  {500, MS_REPLY_NONE},
                    {502, MS_REPLY_NONE},  {503, MS_REPLY_NONE},  {504, MS_REPLY_NONE},
                    {999, MS_REPLY_NONE}};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        assert_int_equal(meaning(statuses[i].status, "<html>", 6), statuses[i].meaning);
    }
    /* Marketo's own code counts for more. */
    static const char body[] = "{\"success\":false,\"errors\":[{\"code\":\"607\"}]}";
    assert_int_equal(meaning(403, body, sizeof body - 1), MS_REPLY_QUOTA);
    /* But success is only said with 200. */
    static const char well[] = "{\"success\":true,\"result\":[]}";
    assert_int_equal(meaning(200, well, sizeof well - 1), MS_REPLY_OK);
    assert_int_equal(meaning(500, well, sizeof well - 1), MS_REPLY_NONE);
    assert_int_equal(meaning(404, well, sizeof well - 1), MS_REPLY_FAULT);
}

/* A code that is not Marketo's is a gateway's, whose HTTP status tells what it means. */
static void
test_status_and_unknown_code(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *code;
        ms_rest_meaning meaning;
    } answers[] = {
        {401, "401", MS_REPLY_TOKEN}, {401, "Unauthorized", MS_REPLY_TOKEN},
        {408, "408", MS_REPLY_NONE},  {413, "PAYLOAD_TOO_LARGE", MS_REPLY_TOO_LARGE},
        {429, "429", MS_REPLY_RATE},  {503, "SERVICE_UNAVAILABLE", MS_REPLY_NONE},
        {503, "1100", MS_REPLY_NONE}, {403, "403", MS_REPLY_FAULT},
        {200, "429", MS_REPLY_FAULT}, {503, "610", MS_REPLY_FAULT},
        {401, "603", MS_REPLY_FAULT}, {400, "1003", MS_REPLY_RECORD},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        char body[128];
        int len = snprintf(body, sizeof body, "{\"errors\":[{\"code\":\"%s\"}]}", answers[i].code);
        ms_rest_meaning read = meaning(answers[i].status, body, (size_t)len);
        if (read != answers[i].meaning) {
            fail_msg("%ld with %s is %d", answers[i].status, answers[i].code, (int)read);
        }
    }
}

static void
test_rubbish_is_no_answer(void **state)
{
    (void)state;
    static const char *const rubbish[] = {
        "",
        " ",
        "null",
        "true",
        "[]",
        "{}",
        "{\"success\":\"true\",\"result\":[]}",
        "{\"success\":1}",
        "{\"success\":null}",
        "{\"success\":false}",
        "{\"success\":false,\"errors\":[]}",
        "{\"success\":false,\"errors\":{}}",
        "{\"success\":false,\"errors\":[null]}",
        "{\"success\":false,\"errors\":[\"601\"]}",
        "{\"success\":false,\"errors\":[{}]}",
        "{\"success\":false,\"errors\":[{\"code\":null}]}",
        "{\"success\":false,\"errors\":[{\"code\":[601]}]}",
        "{\"success\":false,\"errors\":[{\"code\":\"\"}]}",
        "{\"success\":true,\"result\":[]",
        "{\"success\":true,\"result\":[]}{}",
        "{\"success\":true,\"errors\":[{\"code\":\"601\"}]}",
        "{\"success\":true,\"x\":\"\xff\"}",
        "<!DOCTYPE html><title>502 Bad Gateway</title>",
        "\x1f\x8b\x08",
    };
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
        if (meaning(200, rubbish[i], strlen(rubbish[i])) != MS_REPLY_NONE) {
            fail_msg("%s is %d", rubbish[i], (int)meaning(200, rubbish[i], strlen(rubbish[i])));
        }
    }
    assert_int_equal(meaning(200, "{\"success\":true,\0\"result\":[]}", 29), MS_REPLY_NONE);
}

/* However much memory it would take, an answer never ends in more than no answer. */
static void
test_bombs(void **state)
{
    (void)state;
    static char bomb[1 << 20];
    int len = snprintf(bomb, sizeof bomb, "{\"success\":true,\"result\":[");
    for (size_t i = (size_t)len; i + 3 < sizeof bomb; i += 2) {
        memcpy(bomb + i, "0,", 2);
    }
    memcpy(bomb + sizeof bomb - 4, ",0]}", 4);
    assert_int_equal(meaning(200, bomb, sizeof bomb), MS_REPLY_NONE);
    memset(bomb, '[', sizeof bomb);
    assert_int_equal(meaning(200, bomb, sizeof bomb), MS_REPLY_NONE);
    memset(bomb, '"', sizeof bomb);
    assert_int_equal(meaning(200, bomb, sizeof bomb), MS_REPLY_NONE);
}

/* Every beginning of an answer, and every byte of it changed: no crash, and never well. */
static void
test_damaged(void **state)
{
    (void)state;
    static const char answer[] = "{\"requestId\":\"1\",\"success\":true,\"result\":[{\"id\":50,"
                                 "\"status\":\"created\"},{\"status\":\"skipped\",\"reasons\":[{"
                                 "\"code\":\"1007\",\"message\":\"x\"}]}]}";
    char damaged[sizeof answer];
    for (size_t len = 0; len < sizeof answer - 1; len++) {
        assert_int_equal(meaning(200, answer, len), MS_REPLY_NONE);
    }
    for (size_t i = 0; i < sizeof answer - 1; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(damaged, answer, sizeof answer);
            damaged[i] = (char)(damaged[i] ^ (1 << bit));
            (void)meaning(200, damaged, sizeof answer - 1);
        }
    }
}

static ms_rest_record
record(ms_arena *arena, const char *json)
{
    cJSON *object = NULL;
    assert_int_equal(ms_json_parse(arena, ms_slice_from(json), &object), MS_OK);
    return ms_rest_record_read(arena, object);
}

static void
assert_slice(ms_slice actual, const char *expected)
{
    if (!ms_slice_equal(actual, ms_slice_from(expected))) {
        fail_msg("expected \"%s\", got \"%.*s\"", expected, (int)actual.len, actual.ptr);
    }
}

static void
test_records(void **state)
{
    (void)state;
    static unsigned char memory[65536];
    ms_arena arena;
    ms_arena_init(&arena, memory, sizeof memory);
    ms_rest_record read = record(&arena, "{\"id\":50,\"status\":\"created\"}");
    assert_true(read.understood && read.taken && read.marketo_id == 50);
    read = record(&arena, "{\"status\":\"skipped\",\"reasons\":[{\"code\":\"1007\",\"message\":"
                          "\"Multiple lead match\"}]}");
    assert_true(read.understood && !read.taken);
    assert_slice(read.code, "1007");
    assert_slice(read.message, "Multiple lead match");
    read = record(&arena, "{\"status\":\"skipped\",\"errors\":[{\"code\":1003}]}");
    assert_slice(read.code, "1003");
    read = record(&arena, "{\"status\":\"skipped\",\"reasons\":[7]}");
    assert_true(read.understood && !read.taken && read.code.len == 0);
    assert_false(record(&arena, "{\"id\":50}").understood);
    assert_false(record(&arena, "{\"id\":50,\"status\":\"whatever\"}").understood);
    static const char *const ids[] = {"0", "-1", "1.5", "1e300", "\"50\"", "null", "[50]", "true"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char json[64];
        (void)snprintf(json, sizeof json, "{\"status\":\"updated\",\"id\":%s}", ids[i]);
        read = record(&arena, json);
        assert_true(read.taken && read.marketo_id == 0);
    }
}

/* ---- fields -------------------------------------------------------------------------------------
 */

static const char describe[] =
    "{\"success\":true,\"result\":["
    "{\"id\":1,\"dataType\":\"integer\",\"rest\":{\"name\":\"id\",\"readOnly\":true},"
    "\"soap\":{\"name\":\"Id\",\"readOnly\":true}},"
    "{\"id\":2,\"dataType\":\"email\",\"length\":5,\"rest\":{\"name\":\"email\",\"readOnly\":false}"
    ","
    "\"soap\":{\"name\":\"Email\",\"readOnly\":false}},"
    "{\"id\":3,\"dataType\":\"string\",\"length\":5,\"rest\":{\"name\":\"firstName\","
    "\"readOnly\":false},\"soap\":{\"name\":\"FirstName\"}},"
    "{\"id\":4,\"dataType\":\"text\",\"length\":5,\"rest\":{\"name\":\"about\"},"
    "\"soap\":{\"name\":\"AboutThem\"}},"
    "{\"id\":5,\"dataType\":\"string\",\"rest\":{\"name\":\"AboutThem2\"}},"
    "{\"id\":6,\"dataType\":\"string\",\"rest\":{\"name\":\"x\"},\"soap\":{\"name\":\"Two\"}},"
    "{\"id\":7,\"dataType\":\"string\",\"rest\":{\"name\":\"Two\"},\"soap\":{\"name\":\"X\"}},"
    "{\"id\":8,\"dataType\":\"string\",\"soap\":{\"name\":\"SoapOnly\"}},"
    "{\"id\":9,\"dataType\":\"boolean\",\"rest\":{\"name\":\"flag\"},\"soap\":{\"name\":\"Flag\"}},"
    "{\"id\":10,\"dataType\":\"date\",\"rest\":{\"name\":\"born\"}},"
    "{\"id\":11,\"dataType\":\"datetime\",\"rest\":{\"name\":\"met\"}},"
    "{\"id\":12,\"dataType\":\"url\",\"length\":5,\"rest\":{\"name\":\"website\"}},"
    "{\"id\":13,\"dataType\":\"text\",\"rest\":{\"name\":\"billingStreet\"}},"
    "null, 7, {}, {\"rest\":7}]}";

static char left_out_names[256];

static void
note_left_out(void *argument, ms_slice name, ms_rest_reason why)
{
    static const char *const marks[] = {
        [MS_FIELD_UNKNOWN] = "", [MS_FIELD_READ_ONLY] = "!", [MS_FIELD_TOO_LONG] = "<"};
    (void)argument;
    size_t len = strlen(left_out_names);
    (void)snprintf(left_out_names + len, sizeof left_out_names - len, "%s%.*s,", marks[why],
                   (int)name.len, name.ptr);
}

static void
assert_written(ms_rest_fields *fields, const char *lead, const char *expected,
               const char *expected_left_out)
{
    static unsigned char memory[65536];
    static char out_memory[4096];
    ms_arena arena;
    ms_arena out;
    cJSON *object = NULL;
    ms_arena_init(&arena, memory, sizeof memory);
    ms_arena_init(&out, out_memory, sizeof out_memory);
    assert_int_equal(ms_json_parse(&arena, ms_slice_from(lead), &object), MS_OK);
    left_out_names[0] = '\0';
    ms_rest_fields_write(fields, &out, MS_SLICE("email"), MS_SLICE("\"a@b.co\""), object,
                         note_left_out, NULL);
    assert_slice((ms_slice){out_memory, out.used}, expected);
    assert_string_equal(left_out_names, expected_left_out);
}

static void
test_fields(void **state)
{
    (void)state;
    ms_rest_fields fields;
    assert_true(ms_rest_fields_read(&fields, ms_slice_from(describe)));
    assert_int_equal(fields.count, 12);
    assert_slice(ms_rest_fields_find(&fields, MS_SLICE("FirstName"))->rest, "firstName");
    assert_slice(ms_rest_fields_find(&fields, MS_SLICE("firstName"))->rest, "firstName");
    assert_slice(ms_rest_fields_find(&fields, MS_SLICE("FIRSTNAME"))->rest, "firstName");
    assert_slice(ms_rest_fields_find(&fields, MS_SLICE("AboutThem2"))->rest, "AboutThem2");
    /* The SOAP name before another field's REST name; the exact case before another. */
    assert_slice(ms_rest_fields_find(&fields, MS_SLICE("Two"))->rest, "x");
    assert_slice(ms_rest_fields_find(&fields, MS_SLICE("X"))->rest, "Two");
    assert_slice(ms_rest_fields_find(&fields, MS_SLICE("x"))->rest, "x");
    assert_null(ms_rest_fields_find(&fields, MS_SLICE("SoapOnly")));
    assert_null(ms_rest_fields_find(&fields, MS_SLICE("")));
    assert_null(ms_rest_fields_find(&fields, MS_SLICE("FirstNam")));

    assert_written(&fields, "{}", "\"email\":\"a@b.co\"", "");
    assert_written(&fields,
                   "{\"Email\":\"other@b.co\",\"FirstName\":\"Ada\",\"Id\":7,\"Nope\":1,"
                   "\"Flag\":true,\"X\":1.5,\"AboutThem\":null,\"Two\":[1]}",
                   "\"email\":\"a@b.co\",\"firstName\":\"Ada\",\"flag\":true,\"Two\":1.5,"
                   "\"about\":null",
                   "!Id,Nope,");
    /* Two names of one field: once, the first. */
    assert_written(&fields, "{\"FirstName\":\"Ada\",\"firstName\":\"Bob\"}",
                   "\"email\":\"a@b.co\",\"firstName\":\"Ada\"", "");
    assert_written(&fields, "{\"FirstName\":\"\\u00e4\\u00f6\\u00fc\\u00df\\u20ac6\"}",
                   "\"email\":\"a@b.co\",\"firstName\":\"äöüß€\"", "");
    assert_written(&fields, "{\"AboutThem\":\"\\u00e4\\u00f6\\u00fc\"}",
                   "\"email\":\"a@b.co\",\"about\":\"äö\"", "");
    assert_written(&fields, "{\"FirstName\":\"a\\u0000\\\"b\"}",
                   "\"email\":\"a@b.co\",\"firstName\":\"a\\u0000\\\"b\"", "");
    /* The day of a moment, for a date alone, and of nothing that only resembles one. */
    assert_written(&fields,
                   "{\"born\":\"1990-05-05T00:00:00.000Z\",\"met\":\"1990-05-05T00:00:00Z\","
                   "\"FirstName\":\"1990-\"}",
                   "\"email\":\"a@b.co\",\"born\":\"1990-05-05\","
                   "\"met\":\"1990-05-05T00:00:00Z\",\"firstName\":\"1990-\"",
                   "");
    static const char *const kept[] = {"\"1990-05-05\"",
                                       "\"1990-05-05 T\"",
                                       "\"1990-5-05T00:00\"",
                                       "\"x990-05-05T\"",
                                       "\"\"",
                                       "641865600",
                                       "null",
                                       "true"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char lead[64];
        char expected[96];
        (void)snprintf(lead, sizeof lead, "{\"born\":%s}", kept[i]);
        (void)snprintf(expected, sizeof expected, "\"email\":\"a@b.co\",\"born\":%s", kept[i]);
        assert_written(&fields, lead, expected, "");
    }
    /* Half an address is none. */
    assert_written(&fields, "{\"website\":\"a.b/c\"}", "\"email\":\"a@b.co\",\"website\":\"a.b/c\"",
                   "");
    assert_written(&fields, "{\"website\":\"a.b/cd\",\"FirstName\":\"Ada\"}",
                   "\"email\":\"a@b.co\",\"firstName\":\"Ada\"", "<website,");
    fields.without_company = true;
    assert_written(&fields, "{\"website\":\"a.b/c\",\"FirstName\":\"Ada\"}",
                   "\"email\":\"a@b.co\",\"firstName\":\"Ada\"", "");
    /* Of text areas Marketo tells no length. */
    assert_int_equal(ms_rest_fields_find(&fields, MS_SLICE("billingStreet"))->length, 30000);
    ms_rest_fields_free(&fields);

    static const char *const none[] = {"",
                                       "{}",
                                       "{\"success\":true}",
                                       "{\"success\":true,\"result\":[]}",
                                       "{\"success\":true,\"result\":[{},7,null]}",
                                       "{\"success\":false,\"errors\":[{\"code\":\"603\"}]}"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_false(ms_rest_fields_read(&fields, ms_slice_from(none[i])));
        assert_int_equal(fields.count, 0);
        assert_null(ms_rest_fields_find(&fields, MS_SLICE("Email")));
    }
}

static void
test_cut(void **state)
{
    (void)state;
    assert_slice(ms_rest_cut(MS_SLICE("abc"), 2, false), "ab");
    assert_slice(ms_rest_cut(MS_SLICE("abc"), 3, true), "abc");
    assert_slice(ms_rest_cut(MS_SLICE("a\xF0\x9F\x98\x80z"), 2, false), "a\xF0\x9F\x98\x80");
    assert_slice(ms_rest_cut(MS_SLICE("a\xF0\x9F\x98\x80z"), 4, true), "a");
    assert_slice(ms_rest_cut(MS_SLICE("a\xF0\x9F\x98\x80z"), 5, true), "a\xF0\x9F\x98\x80");
    assert_slice(ms_rest_cut(MS_SLICE(""), 5, true), "");
    assert_slice(ms_rest_cut(MS_SLICE("\xE2\x82\xAC"), 2, true), "");
}

/* ---- lanes --------------------------------------------------------------------------------------
 */

static void
test_lane(void **state)
{
    (void)state;
    ms_lane lane;
    int64_t wake = INT64_MAX;
    ms_lane_init(&lane, "leads", 300);
    assert_true(ms_lane_allows(&lane, 1000, &wake));
    lane.under_way = 3;
    /* Three that were under way together failed together. */
    for (int i = 0; i < 3; i++) {
        (void)ms_lane_failed(&lane, 1000, 0, 0, 2000, 0);
    }
    assert_int_equal(lane.attempts, 1);
    assert_int_equal(lane.not_before, 3000);
    assert_false(ms_lane_allows(&lane, 2999, &wake));
    assert_int_equal(wake, 3000);
    assert_false(ms_lane_allows(&lane, 3000, &wake)); /* there are others under way */
    lane.under_way = 0;
    assert_true(ms_lane_allows(&lane, 3000, &wake));
    /* What failed often waits for longer than the lane. */
    assert_int_equal(ms_lane_failed(&lane, 3000, 9, 0, 3000, 299000), 303000);
    assert_true(lane.not_before < 10000);
    /* One record a call, to find the one that it was for: of a call of several, then of one alone;
     * the next is not for what it says, unless others have gone well. */
    ms_lane_init(&lane, "leads", 300);
    const ms_slice code = MS_SLICE("610");
    assert_false(ms_lane_fault(&lane, 300, code, 10, 10));
    ms_lane_went_well(&lane);
    assert_false(ms_lane_fault(&lane, 0, code, 10, 10)); /* of no record */
    ms_lane_went_well(&lane);
    assert_true(ms_lane_fault(&lane, 300, code, 10, 10));
    assert_int_equal(lane.size, 1);
    assert_true(ms_lane_fault(&lane, 1, code, 10, 10));
    assert_false(ms_lane_fault(&lane, 1, code, 10, 10));
    ms_lane_went_well(&lane);
    assert_true(ms_lane_fault(&lane, 1, code, 10, 10));
    assert_true(ms_lane_allows(&lane, 20, &wake));
    /* The pauses grow, since it may be for what one of them says. */
    for (int64_t pause = 1000; pause < 256000; pause *= 2) {
        assert_false(ms_lane_fault(&lane, 1, code, 20, 20));
        assert_int_equal(lane.not_before, 20 + pause);
    }
    assert_true(lane.fault); /* since the third */
    for (int i = 0; i < 3; i++) {
        assert_false(ms_lane_fault(&lane, 1, code, 20, 20));
    }
    assert_int_equal(lane.not_before, 20 + MS_FAULT_PAUSE);
    assert_int_equal(lane.size, 1);
    for (int i = 0; i < 9; i++) {
        ms_lane_went_well(&lane);
    }
    assert_int_equal(lane.size, 300);
    assert_true(ms_lane_allows(&lane, 20, &wake));

    ms_lane_split(&lane, 300);
    assert_int_equal(lane.size, 150);
    /* What one alone is refused for has nothing to do with how many they are. */
    ms_lane_split(&lane, 1);
    assert_int_equal(lane.size, 150);

    ms_lane_init(&lane, "leads", 300);
    assert_true(ms_lane_refused(&lane, 1000));
    assert_false(ms_lane_refused(&lane, 301000));
    assert_false(ms_lane_allows(&lane, 600999, &wake));
    assert_true(ms_lane_allows(&lane, 601000, &wake));
    ms_lane_went_well(&lane);
    assert_true(ms_lane_refused(&lane, 700000));
    /* A clock that was set back by a day holds it up for an hour at most. */
    assert_false(ms_lane_allows(&lane, 700000 - 86400000, &wake));
    assert_true(ms_lane_allows(&lane, 700000 - 86400000 + 3600000, &wake));
}

static void
test_tokens(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *body;
        int read;
        int64_t life;
    } answers[] = {
        {200, "{\"access_token\":\"abc:sj\",\"expires_in\":3599}", 1, 3599000},
        {200, "{\"access_token\":\"abc\",\"expires_in\":-5}", 1, 0},
        {200, "{\"access_token\":\"abc\",\"expires_in\":1e300}", 1, 3600000},
        {200, "{\"access_token\":\"abc\",\"expires_in\":\"60\"}", 1, 3600000},
        {200, "{\"access_token\":\"abc\"}", 1, 3600000},
        {200, "{\"access_token\":\"a b\"}", 0, 0},
        {200, "{\"access_token\":\"a\\r\\nX: y\"}", 0, 0},
        {200, "{\"access_token\":\"a\\u0000\"}", 0, 0},
        {200, "{\"access_token\":7}", 0, 0},
        {200, "{}", 0, 0},
        {200, "", 0, 0},
        {500, "{\"access_token\":\"abc\"}", 0, 0},
        {0, "", 0, 0},
        {401, "{\"error\":\"invalid_client\"}", -1, 0},
    };
    static unsigned char memory[65536];
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        ms_arena arena;
        ms_slice token;
        int64_t life = -1;
        ms_arena_init(&arena, memory, sizeof memory);
        const ms_http_answer answer = {.status = answers[i].status,
                                       .body = ms_slice_from(answers[i].body)};
        assert_int_equal(ms_rest_token_read(&arena, &answer, &token, &life), answers[i].read);
        assert_true(answers[i].read != 1 || life == answers[i].life);
    }
    char *longer = calloc(1, 8192);
    assert_non_null(longer);
    int len = snprintf(longer, 8192, "{\"access_token\":\"%04000d\"}", 1);
    ms_arena arena;
    ms_slice token;
    int64_t life = 0;
    ms_arena_init(&arena, memory, sizeof memory);
    const ms_http_answer answer = {.status = 200, .body = {longer, (size_t)len}};
    assert_int_equal(ms_rest_token_read(&arena, &answer, &token, &life), 0);
    free(longer);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_http_statuses),
        cmocka_unit_test(test_status_and_unknown_code),
        cmocka_unit_test(test_rubbish_is_no_answer),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_lane),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
