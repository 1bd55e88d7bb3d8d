#include "traits.h"

#include "date.h"
#include "json.h"
#include "list.h"
#include "value.h"

#include <math.h>

/* What the steps below hand on to each other. */
typedef struct {
    ms_arena *arena;
    ms_fields *fields;
    ms_warnings *warnings;
} gathering;

ms_slice
ms_trait_field_name(ms_arena *arena, ms_slice trait)
{
    const char *name = ms_text_begin(arena);
    bool word_starts = true;
    for (size_t i = 0; i < trait.len; i++) {
        char c = trait.ptr[i];
        if (c != ' ') {
            ms_text_byte(arena, (char)(word_starts ? ms_to_upper(c) : c));
        }
        word_starts = c == ' ';
    }
    ms_slice field = ms_text_end(arena, name);
    return field.len == 0 || ms_is_digit(field.ptr[0]) ? MS_SLICE("") : field;
}

static ms_slice
copied(ms_arena *arena, const char *text, size_t len)
{
    const char *copy = ms_text_begin(arena);
    ms_text_append(arena, (ms_slice){text, len});
    return ms_text_end(arena, copy);
}

static ms_slice
joined(ms_arena *arena, const cJSON *array)
{
    const char *out = ms_text_begin(arena);
    for (const cJSON *child = array->child; child != NULL; child = child->next) {
        char number[MS_NUMBER_TEXT];
        ms_text_append(arena, ms_value_text(child, number));
        if (child->next != NULL) {
            ms_text_byte(arena, ',');
        }
    }
    return ms_text_end(arena, out);
}

/* Adds `value` under `name`, unless it is null or of a kind that no field can hold. */
static void
add(gathering *to, ms_slice name, const cJSON *value, ms_field_source source)
{
    char number[MS_NUMBER_TEXT];
    ms_field field = {.name = name, .source = source, .is_text = true};
    if (cJSON_IsString(value)) {
        field.value = ms_slice_from(value->valuestring);
    } else if (cJSON_IsArray(value) && ms_value_is_plain_array(value)) {
        field.value = joined(to->arena, value);
    } else if (cJSON_IsNumber(value) || cJSON_IsBool(value)) {
        ms_slice text = ms_value_text(value, number);
        field.value = copied(to->arena, text.ptr, text.len);
        field.is_text = false;
    } else {
        if (!cJSON_IsNull(value)) {
            ms_warn(to->warnings, MS_TRAIT_UNSUPPORTED, name);
        }
        return;
    }
    ms_fields_add(to->fields, field);
}

/* Segment's libraries take a smaller number for seconds, any other for milliseconds. */
#define SECONDS_BELOW 31557600000.0

/* Adds a number as the date that it stands for. False if it cannot. */
static bool
add_date(gathering *to, ms_slice name, const cJSON *value, ms_field_source source)
{
    char text[MS_DATE_TEXT];
    double time = cJSON_IsNumber(value) ? value->valuedouble : NAN;
    if (!ms_date_format(time < SECONDS_BELOW ? time * 1000 : time, text)) {
        return false;
    }
    ms_fields_add(to->fields, (ms_field){.name = name,
                                         .value = copied(to->arena, text, sizeof text),
                                         .is_text = true,
                                         .source = source});
    return true;
}

/* First word and the rest, as Segment's libraries split a full name. */
static void
add_parts_of_name(gathering *to, ms_slice name)
{
    name = ms_slice_trim(name);
    const char *space = name.len == 0 ? NULL : memchr(name.ptr, ' ', name.len);
    size_t first_len = space == NULL ? name.len : (size_t)(space - name.ptr);
    ms_slice last = ms_slice_trim((ms_slice){name.ptr + first_len, name.len - first_len});
    ms_field field = {.is_text = true, .source = MS_FIELD_DERIVED};
    if (first_len > 0) {
        field.name = MS_SLICE("FirstName");
        field.value = (ms_slice){name.ptr, first_len};
        ms_fields_add(to->fields, field);
    }
    if (last.len > 0) {
        field.name = MS_SLICE("LastName");
        field.value = last;
        ms_fields_add(to->fields, field);
    }
}

/* Members of a company or an address, each followed by the standard field that it goes to. */
static const char company_fields[] = "name\0Company\0"
                                     "industry\0Industry\0"
                                     "employee_count\0NumberOfEmployees\0"
                                     "website\0Website\0"
                                     "phone\0MainPhone\0";
static const char address_fields[] = "street\0Address\0"
                                     "city\0City\0"
                                     "state\0State\0"
                                     "zip\0PostalCode\0"
                                     "postalCode\0PostalCode\0"
                                     "country\0Country\0";

static ms_slice
member_field_name(ms_arena *arena, const char *object, const char *member)
{
    const char *words = ms_text_begin(arena);
    ms_text_append(arena, ms_slice_from(object));
    ms_text_byte(arena, ' ');
    ms_text_append(arena, ms_slice_from(member));
    return ms_trait_field_name(arena, ms_text_end(arena, words));
}

/* Adds the members of a company or an address. */
static void
add_members(gathering *to, const cJSON *object, ms_list standard)
{
    for (const cJSON *child = object->child; child != NULL; child = child->next) {
        ms_list pair = standard;
        while (*pair != '\0' && strcmp(pair, child->string) != 0) {
            pair = ms_list_next(ms_list_next(pair));
        }
        add(to,
            *pair != '\0' ? ms_slice_from(ms_list_next(pair))
                          : member_field_name(to->arena, object->string, child->string),
            child, MS_FIELD_DERIVED);
    }
}

static bool
is_blank(const cJSON *value)
{
    return cJSON_IsNull(value) ||
           (cJSON_IsString(value) && ms_slice_trim(ms_slice_from(value->valuestring)).len == 0);
}

static void
add_email(gathering *to, const cJSON *trait)
{
    if (!is_blank(trait)) {
        ms_field field = {.name = MS_SLICE("Email"),
                          .value = ms_slice_trim(ms_slice_from(cJSON_GetStringValue(trait))),
                          .is_text = true,
                          .source = strcmp(trait->string, "Email") == 0 ? MS_FIELD_EXACT
                                                                        : MS_FIELD_TRANSFORMED};
        ms_fields_add(to->fields, field);
    }
}

static bool
is_full_name(ms_slice key)
{
    return ms_slice_equal_fold(key, MS_SLICE("name"));
}

/* Traits that are dates. */
static const char dates[] = "created\0createdAt\0created_at\0birthday\0";

static void
add_trait(gathering *to, const cJSON *trait)
{
    ms_slice key = ms_slice_from(trait->string);
    ms_slice name = ms_trait_field_name(to->arena, ms_slice_trim(key));
    /* Marketo tells no two fields apart by the case of their names: what would become EMail is the
     * e-mail address, too. */
    if (ms_slice_equal_fold(name, MS_SLICE("id"))) {
        return;
    }
    if (ms_slice_equal_fold(name, MS_SLICE("email"))) {
        add_email(to, trait);
        return;
    }
    if (cJSON_IsObject(trait) && ms_slice_equal(key, MS_SLICE("company"))) {
        add_members(to, trait, company_fields);
        return;
    }
    if (cJSON_IsObject(trait) && ms_slice_equal(key, MS_SLICE("address"))) {
        add_members(to, trait, address_fields);
        return;
    }
    if (name.len == 0) {
        ms_warn(to->warnings, MS_TRAIT_NAME_INVALID, key);
        return;
    }
    ms_field_source source = ms_slice_equal(name, key) ? MS_FIELD_EXACT : MS_FIELD_TRANSFORMED;
    if (!ms_list_holds(dates, key) || !add_date(to, name, trait, source)) {
        add(to, name, trait, source);
    }
    if (cJSON_IsString(trait) && is_full_name(key)) {
        add_parts_of_name(to, ms_slice_from(trait->valuestring));
    }
}

static size_t
member_count(const cJSON *object)
{
    size_t count = 0;
    for (const cJSON *child = object == NULL ? NULL : object->child; child != NULL;
         child = child->next) {
        count++;
    }
    return count;
}

size_t
ms_traits_room(const cJSON *traits)
{
    if (!cJSON_IsObject(traits)) {
        return 0;
    }
    size_t room = 0;
    for (const cJSON *trait = traits->child; trait != NULL; trait = trait->next) {
        room += cJSON_IsObject(trait) ? member_count(trait) : 1;
        room += is_full_name(ms_slice_from(trait->string)) ? 2 : 0;
    }
    return room;
}

void
ms_traits_to_fields(ms_arena *arena, const cJSON *traits, ms_fields *fields, ms_warnings *warnings)
{
    gathering to = {arena, fields, warnings};
    if (!cJSON_IsObject(traits)) {
        return;
    }
    for (const cJSON *trait = traits->child; trait != NULL; trait = trait->next) {
        add_trait(&to, trait);
    }
}
