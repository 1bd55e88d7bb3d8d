/*
 * Core's calls: page, track and identify, from a request of any bytes to a result. The first byte
 * chooses the call, the next two how little memory there is the second time.
 */

#include "../../../src/core/call.h"
#include "../../../src/core/json.h"
#include "../../../src/core/visit.h"
#include "../fuzz.h"
#include "../standards.h"

/* As call.h has it: a limit that the request does not set to 1 … 65535 is the usual one. */
static size_t
limit_of(const cJSON *request, const char *name, size_t usual)
{
    const cJSON *limit = ms_json_member(request, name);
    bool sets = cJSON_IsNumber(limit) && limit->valuedouble >= 1 && limit->valuedouble < 65536;
    return sets && limit->valuedouble <= 65535 ? (size_t)limit->valuedouble : usual;
}

/* A "%" with one digit or none behind it was not in what page and track write: both encode it. */
static bool
ends_in_triplet(ms_slice text)
{
    return (text.len >= 1 && text.ptr[text.len - 1] == '%') ||
           (text.len >= 2 && text.ptr[text.len - 2] == '%');
}

static bool
was_cut(const cJSON *warnings, const char *code)
{
    for (const cJSON *warning = warnings->child; warning != NULL; warning = warning->next) {
        if (ms_slice_equal(ms_json_string(warning, "code"), ms_slice_from(code))) {
            return true;
        }
    }
    return false;
}

static void
check_visit(ms_call_kind kind, const cJSON *request, const cJSON *visit, const cJSON *warnings)
{
    ms_slice url = ms_json_string(visit, "url");
    ms_slice params = ms_json_string(visit, "params");
    bool of_url =
        kind == MS_PAGE || ms_json_string(ms_json_member(request, "properties"), "url").len > 0;
    EXPECT(count_characters(url) <= limit_of(request, "urlLimit", MS_URL_LIMIT));
    EXPECT(params.len <= limit_of(request, "paramsLimit", MS_PARAMS_LIMIT));
    EXPECT(is_graphic(params));
    EXPECT(of_url ? is_graphic(url) : is_core_text(url));
    EXPECT(url.len == 0 ? was_cut(warnings, "url_truncated") : url.ptr[0] == '/');
    if (!of_url && was_cut(warnings, "url_truncated") &&
        strncmp(ms_json_string(request, "event").ptr, "/event/", 7) != 0) {
        EXPECT(!ends_in_triplet(url));
    }
}

static void
check_lead(const cJSON *fields, ms_slice email)
{
    EXPECT(is_html_email(email));
    EXPECT(ms_slice_equal(ms_json_string(fields, "Email"), email));
    for (const cJSON *field = fields->child; field != NULL; field = field->next) {
        EXPECT(field->string[0] != '\0' && !ms_is_digit(field->string[0]));
        EXPECT(strchr(field->string, ' ') == NULL);
        EXPECT(cJSON_IsString(field) || cJSON_IsNumber(field) || cJSON_IsBool(field));
        EXPECT(ms_json_member(fields, field->string) == field); /* no other has its name */
    }
}

/* A result that was read back. `arena` is for reading the request as well. */
static void
check_result(ms_call_kind kind, ms_slice request, ms_status status, ms_slice result)
{
    cJSON *asked = NULL;
    cJSON *answer = NULL;
    EXPECT(json_shape_of(result).object);
    ms_arena arena = fuzz_arena(result.len * 64 + 4096);
    EXPECT(ms_json_parse(&arena, result, &answer) == MS_OK);
    EXPECT(cJSON_IsTrue(ms_json_member(answer, "ok")) == (status == MS_OK));
    if (status != MS_OK) {
        EXPECT(
            ms_slice_equal(ms_json_string(answer, "error"), ms_slice_from(ms_status_code(status))));
        EXPECT(ms_status_code(status)[0] != '\0');
        return;
    }
    arena = fuzz_large_arena();
    EXPECT(ms_json_parse(&arena, request, &asked) == MS_OK);
    const cJSON *call = ms_json_member(answer, "call");
    const cJSON *warnings = ms_json_member(answer, "warnings");
    EXPECT(cJSON_IsArray(call) && cJSON_IsArray(warnings));
    EXPECT(ms_slice_equal(ms_slice_from(call->child->valuestring), kind == MS_IDENTIFY
                                                                       ? MS_SLICE("associateLead")
                                                                       : MS_SLICE("visitWebPage")));
    if (kind == MS_IDENTIFY) {
        check_lead(call->child->next, ms_json_string(answer, "email"));
    } else {
        check_visit(kind, asked, call->child->next, warnings);
    }
}

/* With less memory it is the same result, or none, said without any. */
static void
check_with(size_t size, ms_call_kind kind, ms_slice request, ms_status expected, ms_slice before)
{
    ms_slice result;
    ms_arena arena = fuzz_arena(size);
    ms_status status = ms_call(&arena, kind, request, &result);
    EXPECT(json_shape_of(result).object);
    EXPECT(status == MS_OUT_OF_MEMORY
               ? ms_slice_equal(result, MS_SLICE("{\"ok\":false,\"error\":\"out_of_memory\"}"))
               : status == expected && ms_slice_equal(result, before));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    ms_call_kind kind = (ms_call_kind)(fuzz_byte(&in) % 3);
    size_t little = fuzz_short(&in);
    ms_slice request = fuzz_rest(&in);
    ms_arena arena = fuzz_large_arena();
    ms_slice result;
    ms_status status = ms_call(&arena, kind, request, &result);
    size_t used = arena.used;
    result = fuzz_copy(result);
    check_result(kind, request, status, result);
    check_with(used, kind, request, status, result);
    check_with(little % (used + 1), kind, request, status, result);
    fuzz_forget();
    return 0;
}
