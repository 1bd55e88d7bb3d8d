#include "activities.h"

#include "../../core/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 20)
/* A tree takes up to 32 times its text: a node for two bytes. */
#define ARENA_PER_BYTE 48
#define ARENA_LEAST 4096
#define TYPE_MAX 9007199254740991.0 /* all integers below are exact as numbers of JSON */

struct ms_activities {
    cJSON *events;
    unsigned char memory[];
};

static bool
is_type(const cJSON *type)
{
    return cJSON_IsNumber(type) && type->valuedouble >= 1 && type->valuedouble <= TYPE_MAX &&
           type->valuedouble == (double)(int64_t)type->valuedouble;
}

/* The first member of an event's entry that means nothing, misspelt maybe; NULL if there is none.
 */
static const cJSON *
unknown_member(const cJSON *entry)
{
    static const char *const known[] = {"activityTypeId", "primaryAttribute", "attributes",
                                        "visit"};
    for (const cJSON *member = entry->child; member != NULL; member = member->next) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(member->string, known[i]) != 0) {
            i++;
        }
        if (i == sizeof known / sizeof *known) {
            return member;
        }
    }
    return NULL;
}

/* What is wrong with an event's entry; NULL if nothing is. */
static const char *
problem_of(const cJSON *entry)
{
    const cJSON *primary = ms_json_member(entry, "primaryAttribute");
    const cJSON *attributes = ms_json_member(entry, "attributes");
    const cJSON *visit = ms_json_member(entry, "visit");
    if (!is_type(ms_json_member(entry, "activityTypeId"))) {
        return "needs activityTypeId, a number";
    }
    if (primary != NULL && !cJSON_IsString(primary)) {
        return "has a primaryAttribute that is no property's name";
    }
    if (visit != NULL && !cJSON_IsBool(visit)) {
        return "has a visit that is neither true nor false";
    }
    if (attributes != NULL && !cJSON_IsObject(attributes)) {
        return "has attributes that are no object of property and attribute names";
    }
    const cJSON *name = attributes == NULL ? NULL : attributes->child;
    for (; name != NULL; name = name->next) {
        if (!cJSON_IsString(name)) {
            return "has an attribute whose name is no text";
        }
    }
    return NULL;
}

static ms_activities *
refuse(ms_activities *activities, char *problem, const char *event, const char *sentence)
{
    (void)snprintf(problem, MS_ACTIVITIES_PROBLEM, "%s%s%s%s", event == NULL ? "" : "the event \"",
                   event == NULL ? "" : event, event == NULL ? "" : "\" ", sentence);
    free(activities);
    return NULL;
}

static ms_activities *
refuse_member(ms_activities *activities, char *problem, const char *event, const char *name)
{
    char sentence[MS_ACTIVITIES_PROBLEM];
    (void)snprintf(sentence, sizeof sentence,
                   "has a \"%.64s\", and may have activityTypeId, primaryAttribute, attributes and "
                   "visit alone",
                   name);
    return refuse(activities, problem, event, sentence);
}

ms_activities *
ms_activities_parse(ms_slice text, char *problem)
{
    if (text.len > FILE_MAX) {
        return refuse(NULL, problem, NULL, "it is larger than 1 MB");
    }
    size_t size = text.len * ARENA_PER_BYTE + ARENA_LEAST;
    ms_activities *activities = malloc(sizeof *activities + size);
    if (activities == NULL) {
        return refuse(NULL, problem, NULL, "there is no memory for it");
    }
    ms_arena arena;
    ms_arena_init(&arena, activities->memory, size);
    if (ms_json_parse(&arena, text, &activities->events) != MS_OK) {
        return refuse(activities, problem, NULL, "it is not a JSON object in UTF-8");
    }
    for (const cJSON *event = activities->events->child; event != NULL; event = event->next) {
        const cJSON *unknown = cJSON_IsObject(event) ? unknown_member(event) : NULL;
        if (unknown != NULL) {
            return refuse_member(activities, problem, event->string, unknown->string);
        }
        const char *wrong = problem_of(event);
        if (wrong != NULL) {
            return refuse(activities, problem, event->string, wrong);
        }
    }
    return activities;
}

ms_activities *
ms_activities_load(const char *path, char *problem)
{
    FILE *file = fopen(path, "rb");
    char *text = file == NULL ? NULL : malloc(FILE_MAX + 1);
    size_t len = text == NULL ? 0 : fread(text, 1, FILE_MAX + 1, file);
    bool complete = text != NULL && ferror(file) == 0;
    int why = errno;
    if (file != NULL) {
        (void)fclose(file);
    }
    ms_activities *activities = NULL;
    if (complete) {
        activities = ms_activities_parse((ms_slice){text, len}, problem);
    } else {
        (void)snprintf(problem, MS_ACTIVITIES_PROBLEM, "it cannot be read: %s", strerror(why));
    }
    free(text);
    return activities;
}

void
ms_activities_free(ms_activities *activities)
{
    free(activities);
}

static ms_slice
primary_value(const cJSON *entry, ms_slice event, const cJSON *properties, ms_arena *arena)
{
    char number[MS_NUMBER_TEXT];
    ms_slice name = ms_json_string(entry, "primaryAttribute");
    ms_slice value =
        name.len == 0 ? event : ms_value_text(ms_json_member(properties, name.ptr), number);
    const char *start = ms_text_begin(arena);
    ms_text_append(arena, value.len == 0 ? event : value);
    return ms_text_end(arena, start);
}

static void
write_value(ms_arena *arena, const cJSON *value)
{
    char number[MS_NUMBER_TEXT];
    if (cJSON_IsString(value)) {
        ms_json_write_string(arena, ms_slice_from(value->valuestring));
    } else {
        ms_text_append(arena, ms_value_text(value, number));
    }
}

/* What is no text, number, true or false cannot be an attribute's value, and is left out. */
static ms_slice
write_attributes(const cJSON *names, const cJSON *properties, ms_arena *arena)
{
    const char *start = ms_text_begin(arena);
    char before = '[';
    for (const cJSON *name = names == NULL ? NULL : names->child; name != NULL; name = name->next) {
        const cJSON *value = ms_json_member(properties, name->string);
        if (!cJSON_IsString(value) && !cJSON_IsNumber(value) && !cJSON_IsBool(value)) {
            continue;
        }
        ms_text_byte(arena, before);
        before = ',';
        ms_text_append(arena, MS_SLICE("{\"apiName\":"));
        ms_json_write_string(arena, ms_slice_from(name->valuestring));
        ms_text_append(arena, MS_SLICE(",\"value\":"));
        write_value(arena, value);
        ms_text_byte(arena, '}');
    }
    ms_text_append(arena, before == '[' ? MS_SLICE("[]") : MS_SLICE("]"));
    return ms_text_end(arena, start);
}

bool
ms_activities_find(const ms_activities *activities, ms_slice event, const cJSON *properties,
                   ms_arena *arena, ms_activity *activity)
{
    const cJSON *entry = activities == NULL ? NULL : ms_json_member(activities->events, event.ptr);
    if (entry == NULL) {
        return false;
    }
    *activity = (ms_activity){
        .type = (int64_t)ms_json_member(entry, "activityTypeId")->valuedouble,
        .primary_value = primary_value(entry, event, properties, arena),
        .attributes = write_attributes(ms_json_member(entry, "attributes"), properties, arena),
        .visit = cJSON_IsTrue(ms_json_member(entry, "visit")),
    };
    return true;
}
