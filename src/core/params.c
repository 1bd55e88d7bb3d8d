#include "params.h"

#include "list.h"
#include "value.h"

/* A key and those of the objects around it. */
typedef struct key_path {
    const struct key_path *around;
    ms_slice key;
} key_path;

ms_params
ms_params_begin(ms_arena *arena, size_t limit)
{
    return (ms_params){.arena = arena,
                       .start = ms_text_begin(arena),
                       .limit = limit,
                       .attribution_complete = true,
                       .other_complete = true};
}

static bool
is_utm(ms_slice key)
{
    return key.len >= 4 && memcmp(key.ptr, "utm_", 4) == 0;
}

static bool
is_attribution(ms_slice pair)
{
    const char *equals = memchr(pair.ptr, '=', pair.len);
    ms_slice key = {pair.ptr, equals == NULL ? pair.len : (size_t)(equals - pair.ptr)};
    return is_utm(key) || ms_list_holds("mkt_tok\0gclid\0msclkid\0fbclid\0", key);
}

/* The pair written since `start` is whole: keep it, unless its kind is already full. */
static void
end_pair(ms_params *params, const char *start)
{
    bool attribution = is_attribution(ms_text_since(params->arena, start));
    size_t *kept = attribution ? &params->attribution_len : &params->other_len;
    bool *complete = attribution ? &params->attribution_complete : &params->other_complete;

    ms_text_byte(params->arena, '&');
    size_t len = ms_text_since(params->arena, start).len;
    if (*complete && *kept + len <= params->limit + 1) {
        *kept += len;
    } else {
        *complete = false;
        params->arena->used -= len;
    }
}

void
ms_params_add_query(ms_params *params, ms_slice query)
{
    const char *p = query.ptr;
    const char *end = p + query.len;
    while (query.len > 0) {
        const char *ampersand = memchr(p, '&', (size_t)(end - p));
        const char *pair_end = ampersand == NULL ? end : ampersand;
        const char *start = ms_text_begin(params->arena);
        ms_text_append(params->arena, (ms_slice){p, (size_t)(pair_end - p)});
        end_pair(params, start);
        if (ampersand == NULL) {
            return;
        }
        p = ampersand + 1;
    }
}

static void
append_key(ms_params *params, const key_path *path)
{
    if (path->around != NULL) {
        append_key(params, path->around);
        ms_text_byte(params->arena, '.');
    }
    ms_text_encoded(params->arena, path->key, ms_component_set);
}

static void
append_value(ms_params *params, const cJSON *value)
{
    char number[MS_NUMBER_TEXT];
    ms_text_encoded(params->arena, ms_value_text(value, number), ms_component_set);
}

/* Has a pair of this kind been too many? What is in an object has the kind of its outermost key. */
static bool
is_full(const ms_params *params, const key_path *path)
{
    while (path->around != NULL) {
        path = path->around;
    }
    return !(is_utm(path->key) ? params->attribution_complete : params->other_complete);
}

static void
add(ms_params *params, const key_path *path, const cJSON *value)
{
    bool array = cJSON_IsArray(value);
    bool plain_array = array && ms_value_is_plain_array(value);
    if ((array && !plain_array) || cJSON_IsObject(value)) {
        size_t index = 0;
        /* Then the rest is not written: a long key may be around all. */
        for (const cJSON *child = value->child; child != NULL && !is_full(params, path);
             child = child->next) {
            char number[MS_NUMBER_TEXT];
            key_path inner = {path, ms_slice_from(child->string)};
            if (array) {
                inner.key = (ms_slice){number, ms_number_format((double)index++, number)};
            }
            add(params, &inner, child);
        }
        return;
    }
    if (cJSON_IsNull(value)) {
        return;
    }
    const char *start = ms_text_begin(params->arena);
    append_key(params, path);
    ms_text_byte(params->arena, '=');
    if (plain_array) {
        for (const cJSON *child = value->child; child != NULL; child = child->next) {
            append_value(params, child);
            if (child->next != NULL) {
                ms_text_append(params->arena, MS_SLICE("%2C"));
            }
        }
    } else {
        append_value(params, value);
    }
    end_pair(params, start);
}

void
ms_params_add_properties(ms_params *params, const cJSON *properties, const char *except)
{
    if (!cJSON_IsObject(properties)) {
        return;
    }
    for (const cJSON *member = properties->child; member != NULL; member = member->next) {
        if (except == NULL || strcmp(member->string, except) != 0) {
            add(params, &(key_path){NULL, ms_slice_from(member->string)}, member);
        }
    }
}

/* Leaves out the last of the other pairs, until the attribution fits in beside them. */
static void
make_room_for_attribution(ms_params *params, size_t room_for_others)
{
    char *kept = params->start;
    const char *p = params->start;
    const char *end = ms_text_begin(params->arena);
    while (p < end) {
        const char *next = (const char *)memchr(p, '&', (size_t)(end - p)) + 1;
        size_t len = (size_t)(next - p);
        bool attribution = is_attribution((ms_slice){p, len - 1});
        if (attribution || len <= room_for_others) {
            memmove(kept, p, len);
            kept += len;
        }
        if (!attribution) {
            /* Once one is out, so are all that follow it. */
            room_for_others = len <= room_for_others ? room_for_others - len : 0;
        }
        p = next;
    }
    params->arena->used -= (size_t)(end - kept);
}

ms_slice
ms_params_end(ms_params *params, bool *truncated)
{
    *truncated = !params->attribution_complete || !params->other_complete;
    if (params->arena->exhausted) {
        return (ms_slice){"", 0};
    }
    size_t room_for_others = params->limit + 1 - params->attribution_len;
    if (params->other_len > room_for_others) {
        *truncated = true;
        make_room_for_attribution(params, room_for_others);
    }
    ms_slice text = ms_text_end(params->arena, params->start);
    text.len -= text.len > 0 ? 1 : 0; /* the last "&" */
    return text;
}
