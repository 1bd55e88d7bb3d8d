/*
 * identify as a lead (src/core/lead.c, traits.c, fields.c, email.c, fingerprint.c) and the e-mail
 * of a request for a hash (hash_request.c): {"userId": …, "traits": …, "background": …, "email":
 * …}.
 */

#include "../../../src/core/lead.h"
#include "../../../src/core/email.h"
#include "../../../src/core/fingerprint.h"
#include "../../../src/core/hash_request.h"
#include "../../../src/core/json.h"
#include "../../../src/core/traits.h"
#include "../fuzz.h"
#include "../standards.h"

static ms_slice
written(const ms_lead *lead, ms_arena *arena)
{
    const char *start = ms_text_begin(arena);
    ms_fields_write(&lead->fields, true, arena);
    return ms_text_end(arena, start);
}

/* Names in byte order and each once, of a form that Marketo could have; values that it can hold. */
static void
check_fields(const ms_lead *lead, ms_slice json)
{
    const ms_field *before = NULL;
    ms_arena arena = fuzz_arena(json.len + 64);
    for (size_t i = 0; i < lead->fields.count; i++) {
        const ms_field *field = lead->fields.sorted[i];
        if (field->dropped) {
            continue;
        }
        EXPECT(field->name.len > 0 && !ms_is_digit(field->name.ptr[0]));
        EXPECT(!(field->name.ptr[0] >= 'a' && field->name.ptr[0] <= 'z'));
        EXPECT(is_core_text(field->name) && is_core_text(field->value));
        EXPECT(ms_slice_equal(ms_trait_field_name(&arena, field->name), field->name));
        arena.used = 0;
        if (before != NULL) {
            size_t len = before->name.len < field->name.len ? before->name.len : field->name.len;
            int order = memcmp(before->name.ptr, field->name.ptr, len);
            EXPECT(order < 0 || (order == 0 && before->name.len < field->name.len));
        }
        before = field;
    }
    EXPECT(json_shape_of(json).object);
}

/* Such as EMail, of a trait "e mail": as a trait, that is the e-mail. And a name has parts. */
static bool
means_another(const ms_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        ms_slice name = fields->list[i].name;
        if (ms_slice_equal_fold(name, MS_SLICE("id")) ||
            ms_slice_equal_fold(name, MS_SLICE("name")) ||
            (ms_slice_equal_fold(name, MS_SLICE("email")) &&
             !ms_slice_equal(name, MS_SLICE("Email")))) {
            return true;
        }
    }
    return false;
}

/* Fields are traits too, and of themselves: they come out as they went in. */
static void
check_again(const ms_lead *lead, ms_slice json)
{
    ms_lead again;
    cJSON *traits = NULL;
    ms_arena arena = fuzz_arena(json.len * 128 + 4096);
    EXPECT(ms_json_parse(&arena, json, &traits) == MS_OK);
    ms_status status = ms_lead_from_identify(&arena, NULL, traits, &again);
    EXPECT(status == (lead->email.len > 0 ? MS_OK : MS_EMAIL_MISSING));
    if (status != MS_OK) {
        return;
    }
    char fingerprint[MS_SHA256_HEX];
    char other[MS_SHA256_HEX];
    EXPECT(ms_slice_equal(written(&again, &arena), json));
    EXPECT(again.warnings.count == 0 && ms_slice_equal(again.email, lead->email));
    EXPECT(ms_lead_fingerprint(&arena, lead, fingerprint) == MS_OK);
    EXPECT(ms_lead_fingerprint(&arena, &again, other) == MS_OK);
    EXPECT(memcmp(fingerprint, other, sizeof other) == 0);
}

static void
check_lead(ms_arena *arena, const cJSON *request)
{
    ms_lead lead;
    const cJSON *user_id = ms_json_member(request, "userId");
    ms_status status = ms_lead_from_message(arena, user_id, ms_json_member(request, "traits"),
                                            ms_json_member(request, "background"), &lead);
    EXPECT(status == MS_OK || status == MS_EMAIL_MISSING || status == MS_EMAIL_INVALID);
    EXPECT(lead.fields.count <= lead.fields.room && lead.warnings.count <= MS_WARNINGS_MAX);
    EXPECT(status == MS_OK ? is_html_email(lead.email) : lead.email.len == 0);
    ms_slice json = written(&lead, arena);
    check_fields(&lead, json);
    if (!means_another(&lead.fields)) {
        check_again(&lead, json);
    }
}

static void
check_hash_request(size_t size, const cJSON *request)
{
    ms_slice email;
    ms_arena arena = fuzz_arena(size * 128 + 4096);
    ms_status status = ms_hash_request_email(&arena, request, &email);
    const cJSON *member = ms_json_member(request, "email");
    if (status == MS_OK) {
        EXPECT(is_html_email(email));
    }
    if (cJSON_IsString(member)) {
        ms_slice asked = ms_slice_trim(ms_slice_from(member->valuestring));
        EXPECT(status == (asked.len == 0         ? MS_EMAIL_MISSING
                          : is_html_email(asked) ? MS_OK
                                                 : MS_EMAIL_INVALID));
        EXPECT(ms_slice_equal(email, asked));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    ms_slice body = fuzz_rest(&in);
    ms_arena arena = fuzz_large_arena();
    cJSON *request = NULL;
    EXPECT(ms_email_is_valid(body) == is_html_email(body));
    if (ms_json_parse(&arena, body, &request) == MS_OK) {
        check_hash_request(body.len, request);
        check_lead(&arena, request);
    }
    fuzz_forget();
    return 0;
}
