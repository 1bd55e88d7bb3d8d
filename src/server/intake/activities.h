/*
 * Which events are custom activities of Marketo's: the file of --activities.
 *
 *     {"Signed up": {"activityTypeId": 100001,
 *                    "primaryAttribute": "plan",
 *                    "attributes": {"seats": "numberOfSeats"},
 *                    "visit": false}}
 *
 * `primaryAttribute` names the property that becomes the primary attribute's value; without it, or
 * where an event lacks it, that is the event's name. `attributes` tells which properties go along,
 * and under which names of Marketo's. With "visit": true the event is a visit too. Anything
 * else there is refused, since it would be one of these, misspelt.
 */
#ifndef MS_ACTIVITIES_H
#define MS_ACTIVITIES_H

#include "../../core/json.h"

#include <stdint.h>

typedef struct ms_activities ms_activities;

typedef struct {
    int64_t type;
    ms_slice primary_value;
    ms_slice attributes; /* JSON, [{"apiName": …, "value": …}, …] */
    bool visit;
} ms_activity;

/* Reads a file's text. NULL with a sentence in `problem`, which has room for 256 bytes. */
ms_activities *ms_activities_parse(ms_slice text, char *problem);

/* The same from a file of at most 1 MB. */
ms_activities *ms_activities_load(const char *path, char *problem);

/* NULL is let pass. */
void ms_activities_free(ms_activities *activities);

/*
 * Is the event one of them? `activities` may be NULL, and knows none then. The slices of `activity`
 * live in `arena` or are the event's; the arena is exhausted if they do not fit.
 */
bool ms_activities_find(const ms_activities *activities, ms_slice event, const cJSON *properties,
                        ms_arena *arena, ms_activity *activity);

#define MS_ACTIVITIES_PROBLEM 256

#endif
