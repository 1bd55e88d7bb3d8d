#include "rest_fields.h"

#include "../../core/json.h"
#include "../../core/value.h"
#include "rest_reply.h"

#include <stdlib.h>

/* Bytes of a text area, of which the list says no length. */
#define AREA_MAX 30000

/* One of a field's names. */
typedef struct ms_rest_name {
    ms_slice text;
    ms_rest_field *field;
    bool is_soap;
} ms_rest_name;

static int
compare_names(const void *a, const void *b)
{
    return ms_slice_compare_fold(((const ms_rest_name *)a)->text, ((const ms_rest_name *)b)->text);
}

/* Marketo's company, as a lead shows it; by REST names. */
static bool
is_of_company(ms_slice name)
{
    static const char *const names[] = {
        "annualRevenue", "billingCity",   "billingCountry",   "billingPostalCode",
        "billingState",  "billingStreet", "company",          "externalCompanyId",
        "industry",      "mainPhone",     "mktoCompanyNotes", "numberOfEmployees",
        "sicCode",       "site",          "website"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (ms_slice_equal(name, ms_slice_from(names[i]))) {
            return true;
        }
    }
    return false;
}

static ms_rest_field
read_field(const cJSON *source)
{
    const cJSON *rest = ms_json_member(source, "rest");
    ms_slice type = ms_json_string(source, "dataType");
    bool is_area = ms_slice_equal(type, MS_SLICE("text"));
    size_t length = (size_t)ms_rest_id(ms_json_member(source, "length"));
    return (ms_rest_field){
        .soap = ms_json_string(ms_json_member(source, "soap"), "name"),
        .rest = ms_json_string(rest, "name"),
        .length = length == 0 && is_area ? AREA_MAX : length,
        .in_bytes = is_area,
        .may_cut = is_area || ms_slice_equal(type, MS_SLICE("string")) ||
                   ms_slice_equal(type, MS_SLICE("phone")),
        .is_date = ms_slice_equal(type, MS_SLICE("date")),
        .read_only = cJSON_IsTrue(ms_json_member(rest, "readOnly")),
        .of_company = is_of_company(ms_json_string(rest, "name")),
    };
}

static void
add_name(ms_rest_fields *fields, ms_slice text, ms_rest_field *field, bool is_soap)
{
    if (text.len > 0) {
        fields->names[fields->name_count++] =
            (ms_rest_name){.text = text, .field = field, .is_soap = is_soap};
    }
}

static bool
read_all(ms_rest_fields *fields, ms_arena *arena, const cJSON *result)
{
    size_t count = 0;
    for (const cJSON *field = result->child; field != NULL; field = field->next) {
        count++;
    }
    fields->list = ms_arena_alloc(arena, count * sizeof *fields->list);
    fields->names = ms_arena_alloc(arena, 2 * count * sizeof *fields->names);
    if (fields->list == NULL || fields->names == NULL) {
        return false;
    }
    for (const cJSON *source = result->child; source != NULL; source = source->next) {
        ms_rest_field *field = &fields->list[fields->count];
        *field = read_field(source);
        if (field->rest.len == 0) {
            continue; /* SOAP's alone */
        }
        fields->count++;
        add_name(fields, field->soap, field, true);
        add_name(fields, field->rest, field, false);
    }
    qsort(fields->names, fields->name_count, sizeof *fields->names, compare_names);
    return fields->count > 0;
}

bool
ms_rest_fields_read(ms_rest_fields *fields, ms_slice describe)
{
    *fields = (ms_rest_fields){0};
    /* Its names and the index beside the tree. */
    size_t room = 2 * ms_rest_reply_room(describe.len);
    void *memory = malloc(room);
    if (memory == NULL) {
        return false;
    }
    ms_arena arena;
    ms_arena_init(&arena, memory, room);
    const ms_http_answer answer = {.status = 200, .body = describe};
    ms_rest_reply reply = ms_rest_reply_read(&arena, &answer);
    fields->memory = memory;
    if (reply.meaning != MS_REPLY_OK || reply.result == NULL || reply.result->child == NULL ||
        !read_all(fields, &arena, reply.result)) {
        ms_rest_fields_free(fields);
        return false;
    }
    return true;
}

void
ms_rest_fields_free(ms_rest_fields *fields)
{
    free(fields->memory);
    *fields = (ms_rest_fields){0};
}

/* How well a name fits; 0 is best. */
static int
distance(const ms_rest_name *candidate, ms_slice name)
{
    return (ms_slice_equal(candidate->text, name) ? 0 : 2) + (candidate->is_soap ? 0 : 1);
}

ms_rest_field *
ms_rest_fields_find(const ms_rest_fields *fields, ms_slice name)
{
    size_t low = 0;
    size_t high = fields->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ms_slice_compare_fold(fields->names[middle].text, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const ms_rest_name *best = NULL;
    for (size_t i = low; i < fields->name_count; i++) {
        const ms_rest_name *candidate = &fields->names[i];
        if (!ms_slice_equal_fold(candidate->text, name)) {
            break;
        }
        if (best == NULL || distance(candidate, name) < distance(best, name)) {
            best = candidate;
        }
    }
    return best == NULL ? NULL : best->field;
}

static bool
is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

ms_slice
ms_rest_cut(ms_slice text, size_t length, bool in_bytes)
{
    size_t end = 0;
    size_t characters = 0;
    for (size_t i = 0; i < text.len; characters++) {
        size_t next = i + 1;
        while (next < text.len && is_continuation(text.ptr[next])) {
            next++;
        }
        if (in_bytes ? next > length : characters + 1 > length) {
            break;
        }
        end = i = next;
    }
    return (ms_slice){text.ptr, end};
}

/* The day of a moment in ISO 8601; any other text as it is. */
static ms_slice
day_of(ms_slice text)
{
    static const char moment[] = "0000-00-00T";
    size_t len = sizeof moment - 1;
    for (size_t i = 0; i < len; i++) {
        bool fits = i < text.len &&
                    (moment[i] == '0' ? ms_is_digit(text.ptr[i]) : text.ptr[i] == moment[i]);
        if (!fits) {
            return text;
        }
    }
    return (ms_slice){text.ptr, len - 1};
}

static void
write_value(ms_arena *out, const ms_rest_field *field, const cJSON *value)
{
    char number[MS_NUMBER_TEXT];
    ms_slice text = ms_value_text(value, number);
    if (cJSON_IsNull(value)) {
        ms_text_append(out, MS_SLICE("null"));
    } else if (!cJSON_IsString(value)) {
        ms_text_append(out, text);
    } else if (field->may_cut && field->length > 0) {
        ms_json_write_string(out, ms_rest_cut(text, field->length, field->in_bytes));
    } else if (field->is_date) {
        ms_json_write_string(out, day_of(text));
    } else {
        ms_json_write_string(out, text);
    }
}

static bool
is_too_long(const ms_rest_field *field, const cJSON *value)
{
    if (!cJSON_IsString(value) || field->may_cut || field->length == 0) {
        return false;
    }
    ms_slice text = ms_slice_from(value->valuestring);
    return ms_rest_cut(text, field->length, field->in_bytes).len < text.len;
}

/* Is it spelled as Marketo does? */
static bool
is_own_name(const ms_rest_field *field, ms_slice name)
{
    return ms_slice_equal(name, field->soap) || ms_slice_equal(name, field->rest);
}

/* Do others of the lead's fields go to `field`, under one of its own names, while `name` is none?
 */
static bool
is_outdone(const ms_rest_field *field, ms_slice name, const cJSON *lead)
{
    if (is_own_name(field, name)) {
        return false;
    }
    for (const cJSON *member = lead->child; member != NULL; member = member->next) {
        if (is_own_name(field, ms_slice_from(member->string))) {
            return true;
        }
    }
    return false;
}

void
ms_rest_fields_write(ms_rest_fields *fields, ms_arena *out, ms_slice key, ms_slice json,
                     const cJSON *lead, ms_rest_left_out *left_out, void *argument)
{
    fields->records++;
    ms_json_write_string(out, key);
    ms_text_byte(out, ':');
    ms_text_append(out, json);
    for (const cJSON *member = lead->child; member != NULL; member = member->next) {
        ms_slice name = ms_slice_from(member->string);
        ms_rest_field *field = ms_rest_fields_find(fields, name);
        if (cJSON_IsArray(member) || cJSON_IsObject(member)) {
            continue;
        }
        if (field == NULL || field->read_only) {
            left_out(argument, name, field == NULL ? MS_FIELD_UNKNOWN : MS_FIELD_READ_ONLY);
            continue;
        }
        if (field->of_company && fields->without_company) {
            continue;
        }
        if (field->seen == fields->records || ms_slice_equal(field->rest, key) ||
            is_outdone(field, name, lead)) {
            continue;
        }
        if (is_too_long(field, member)) {
            left_out(argument, name, MS_FIELD_TOO_LONG);
            continue;
        }
        field->seen = fields->records;
        ms_text_byte(out, ',');
        ms_json_write_string(out, field->rest);
        ms_text_byte(out, ':');
        write_value(out, field, member);
    }
}
