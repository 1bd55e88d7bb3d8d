#include "rest_reply.h"

#include "../../core/json.h"
#include "../../core/value.h"

/* cJSON's nodes are many times what they are read from: "0," is two bytes. What would need more is
 * no answer of Marketo's. */
#define ROOM_PER_BYTE 16
#define ROOM_LEAST 65536

#define ID_MAX 9007199254740991.0

size_t
ms_rest_reply_room(size_t len)
{
    return ROOM_LEAST + len * ROOM_PER_BYTE;
}

int64_t
ms_rest_id(const cJSON *value)
{
    double number = cJSON_IsNumber(value) ? value->valuedouble : 0;
    bool whole = number >= 1 && number <= ID_MAX && (double)(int64_t)number == number;
    return whole ? (int64_t)number : 0;
}

/* The code as a number, 0 if it is none. */
static int
number_of(ms_slice code)
{
    int number = 0;
    for (size_t i = 0; i < code.len; i++) {
        if (!ms_is_digit(code.ptr[i]) || i >= 5) {
            return 0;
        }
        number = number * 10 + (code.ptr[i] - '0');
    }
    return number;
}

/* What a code means; `otherwise` if it is none that we know. */
static ms_rest_meaning
meaning_of_code(ms_slice code, ms_rest_meaning otherwise)
{
    int number = number_of(code);
    switch (number) {
    case 601:
    case 602:
        return MS_REPLY_TOKEN;
    case 606:
        return MS_REPLY_RATE;
    case 607:
        return MS_REPLY_QUOTA;
    case 615:
        return MS_REPLY_CONCURRENCY;
    case 413:
        return MS_REPLY_TOO_LARGE;
    case 604:
    case 608:
    case 611:
    case 614:
    case 713:
    case 719:
        return MS_REPLY_NONE;
    case 603:
    case 605:
    case 609:
    case 610:
    case 612:
        return MS_REPLY_FAULT;
    default:
        break;
    }
    if (number >= 500 && number <= 599) {
        return MS_REPLY_NONE;
    }
    return number > 1000 && number <= 1099 ? MS_REPLY_RECORD : otherwise;
}

ms_rest_meaning
ms_rest_meaning_of(ms_slice code)
{
    return meaning_of_code(code, MS_REPLY_FAULT);
}

static ms_rest_meaning
meaning_of_status(long status)
{
    switch (status) {
    case 401:
        return MS_REPLY_TOKEN;
    case 408:
        return MS_REPLY_NONE;
    case 413:
        return MS_REPLY_TOO_LARGE;
    case 429:
        return MS_REPLY_RATE;
    default:
        return status >= 300 && status <= 499 ? MS_REPLY_FAULT : MS_REPLY_NONE;
    }
}

/* Marketo writes codes as text; a number is taken as well. */
static ms_slice
code_of(ms_arena *arena, const cJSON *error)
{
    char number[MS_NUMBER_TEXT];
    ms_slice text = ms_value_text(ms_json_member(error, "code"), number);
    char *start = ms_text_begin(arena);
    ms_text_append(arena, text);
    return ms_text_end(arena, start);
}

/* The first error, if the body has any. */
static const cJSON *
first_error(const cJSON *object)
{
    const cJSON *errors = ms_json_member(object, "errors");
    const cJSON *first = cJSON_IsArray(errors) ? errors->child : NULL;
    return cJSON_IsObject(first) ? first : NULL;
}

static ms_slice
status_text(ms_arena *arena, long status)
{
    char digits[MS_NUMBER_TEXT];
    char *start = ms_text_begin(arena);
    if (status != 0) {
        ms_text_append(arena, (ms_slice){digits, ms_number_format((double)status, digits)});
    }
    return ms_text_end(arena, start);
}

ms_rest_reply
ms_rest_reply_read(ms_arena *arena, const ms_http_answer *answer)
{
    ms_rest_reply reply = {
        .meaning = meaning_of_status(answer->status),
        .code = status_text(arena, answer->status),
        .message = ms_slice_from(answer->problem),
        .body = answer->body,
        .retry_after = answer->retry_after,
    };
    cJSON *object = NULL;
    if (answer->status == 0 || ms_json_parse(arena, answer->body, &object) != MS_OK) {
        return reply;
    }
    const cJSON *error = first_error(object);
    ms_slice code = error == NULL ? MS_SLICE("") : code_of(arena, error);
    if (code.len > 0 && !cJSON_IsTrue(ms_json_member(object, "success"))) {
        /* A gateway in between writes codes of its own: then its HTTP status says more. */
        bool well = answer->status >= 200 && answer->status <= 299;
        reply.meaning = meaning_of_code(code, well ? MS_REPLY_FAULT : reply.meaning);
        reply.code = code;
        reply.message = ms_json_string(error, "message");
    } else if (answer->status == 200 && cJSON_IsTrue(ms_json_member(object, "success")) &&
               error == NULL) {
        const cJSON *result = ms_json_member(object, "result");
        reply.meaning = MS_REPLY_OK;
        reply.object = object;
        reply.result = cJSON_IsArray(result) ? result : NULL;
    }
    return reply;
}

bool
ms_rest_is_gone(ms_slice code)
{
    return ms_slice_equal(code, MS_SLICE("1004")) || ms_slice_equal(code, MS_SLICE("1013"));
}

/* Marketo calls them reasons for leads, errors for activities. */
static const cJSON *
first_reason(const cJSON *record)
{
    const cJSON *reasons = ms_json_member(record, "reasons");
    if (!cJSON_IsArray(reasons)) {
        reasons = ms_json_member(record, "errors");
    }
    const cJSON *first = cJSON_IsArray(reasons) ? reasons->child : NULL;
    return cJSON_IsObject(first) ? first : NULL;
}

ms_rest_record
ms_rest_record_read(ms_arena *arena, const cJSON *record)
{
    ms_rest_record read = {.code = {"", 0}, .message = {"", 0}};
    ms_slice status = ms_json_string(record, "status");
    read.marketo_id = ms_rest_id(ms_json_member(record, "id"));
    read.taken = ms_slice_equal(status, MS_SLICE("created")) ||
                 ms_slice_equal(status, MS_SLICE("updated")) ||
                 ms_slice_equal(status, MS_SLICE("added"));
    read.understood = read.taken || ms_slice_equal(status, MS_SLICE("skipped"));
    const cJSON *reason = read.taken ? NULL : first_reason(record);
    if (reason != NULL) {
        read.code = code_of(arena, reason);
        read.message = ms_json_string(reason, "message");
    }
    return read;
}
