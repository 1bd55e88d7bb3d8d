#include "lead.h"

#include "email.h"
#include "traits.h"
#include "value.h"

/* UserId and an Email made from it. */
#define FIELDS_OF_USER_ID 2

static const ms_slice email_field = {"Email", 5};

static ms_slice
user_id_text(ms_arena *arena, const cJSON *user_id)
{
    char number[MS_NUMBER_TEXT];
    if (!cJSON_IsString(user_id) && !cJSON_IsNumber(user_id)) {
        return MS_SLICE("");
    }
    const char *copy = ms_text_begin(arena);
    ms_text_append(arena, ms_value_text(user_id, number));
    return ms_text_end(arena, copy);
}

ms_status
ms_lead_from_identify(ms_arena *arena, const cJSON *user_id, const cJSON *traits, ms_lead *lead)
{
    *lead = (ms_lead){.email = {"", 0}};
    if (!ms_fields_init(&lead->fields, arena, ms_traits_room(traits) + FIELDS_OF_USER_ID)) {
        return MS_OUT_OF_MEMORY;
    }
    ms_traits_to_fields(arena, traits, &lead->fields, &lead->warnings);

    ms_slice id = user_id_text(arena, user_id);
    ms_field field = {.value = id, .is_text = true, .source = MS_FIELD_ARGUMENT};
    if (ms_fields_find(&lead->fields, email_field) == NULL &&
        ms_email_is_valid(ms_slice_trim(id))) {
        field.name = email_field;
        field.value = ms_slice_trim(id);
        ms_fields_add(&lead->fields, field);
    }
    if (id.len > 0) {
        field.name = MS_SLICE("UserId");
        field.value = id;
        ms_fields_add(&lead->fields, field);
    }
    if (arena->exhausted) {
        return MS_OUT_OF_MEMORY;
    }
    ms_fields_settle(&lead->fields, &lead->warnings);

    const ms_field *email = ms_fields_find(&lead->fields, email_field);
    if (email == NULL) {
        return MS_EMAIL_MISSING;
    }
    if (!ms_email_is_valid(email->value)) {
        return MS_EMAIL_INVALID;
    }
    lead->email = email->value;
    return MS_OK;
}

/* Adds the fields that were not dropped, as if they all came from `source`. */
static void
add_kept(ms_fields *to, const ms_fields *from, ms_field_source source)
{
    for (size_t i = 0; i < from->count; i++) {
        if (!from->list[i].dropped) {
            ms_field field = from->list[i];
            field.source = source;
            ms_fields_add(to, field);
        }
    }
}

/* Each field of `background` goes below the lead's own, wherever in the traits that comes from. */
static bool
add_background(ms_arena *arena, const cJSON *background, ms_lead *lead)
{
    ms_fields known;
    ms_fields all;
    if (!ms_fields_init(&known, arena, ms_traits_room(background)) ||
        !ms_fields_init(&all, arena, known.room + lead->fields.count)) {
        return false;
    }
    ms_traits_to_fields(arena, background, &known, &lead->warnings);
    ms_fields_settle(&known, &lead->warnings);
    add_kept(&all, &lead->fields, MS_FIELD_ARGUMENT);
    add_kept(&all, &known, MS_FIELD_DERIVED);
    ms_fields_settle(&all, &lead->warnings);
    lead->fields = all;
    return !arena->exhausted;
}

ms_status
ms_lead_from_message(ms_arena *arena, const cJSON *user_id, const cJSON *traits,
                     const cJSON *background, ms_lead *lead)
{
    ms_status status = ms_lead_from_identify(arena, user_id, traits, lead);
    if (status == MS_OUT_OF_MEMORY || !add_background(arena, background, lead)) {
        return MS_OUT_OF_MEMORY;
    }
    const ms_field *email = ms_fields_find(&lead->fields, email_field);
    if (email == NULL) {
        return MS_EMAIL_MISSING;
    }
    if (!ms_email_is_valid(email->value)) {
        lead->fields.list[email - lead->fields.list].dropped = true;
        return MS_EMAIL_INVALID;
    }
    lead->email = email->value;
    return MS_OK;
}
