#include "batch.h"

#include "../exact_json.h"

/* Where the value at `p` ends: at the comma or the bracket behind it, or at `end`. */
static const char *
skip_value(const char *p, const char *end)
{
    size_t depth = 0;
    while (p < end) {
        switch (*p) {
        case '"':
            p = ms_json_skip_string(p, end);
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (depth == 0) {
                return p;
            }
            depth--;
            break;
        case ',':
            if (depth == 0) {
                return p;
            }
            break;
        default:
            break;
        }
        p++;
    }
    return end;
}

/* The inside of the list at the top level whose name is batch. MS_JSON_INVALID if what could be it
 * is cut off. */
static ms_status
find_list(ms_slice body, ms_slice *list)
{
    const char *end = body.ptr + body.len;
    const char *p = ms_json_skip_space(body.ptr, end);
    while (p < end && (*p == '{' || *p == ',')) {
        const char *name = ms_json_skip_space(p + 1, end);
        if (name < end && *name != '"') {
            break;
        }
        const char *behind = name < end ? ms_json_skip_string(name, end) : end;
        const char *value = ms_json_skip_space(behind, end);
        if (value < end && *value != ':') {
            break;
        }
        value = value < end ? ms_json_skip_space(value + 1, end) : end;
        p = skip_value(value, end);
        bool is_batch =
            ms_slice_equal((ms_slice){name, (size_t)(behind - name)}, MS_SLICE("\"batch\""));
        if (is_batch && value < end && *value == '[') {
            const char *last = p < end ? p : end - 1;
            while (last > value && *last != ']') {
                last--;
            }
            *list = (ms_slice){value + 1, last > value ? (size_t)(last - value - 1) : 0};
            return last > value ? MS_OK : MS_JSON_INVALID;
        }
        if (p == end) {
            return MS_JSON_INVALID;
        }
    }
    return MS_BATCH_MISSING;
}

bool
ms_batch_next(ms_slice *messages, ms_slice *message)
{
    const char *end = messages->ptr + messages->len;
    const char *start = ms_json_skip_space(messages->ptr, end);
    if (start == end) {
        return false;
    }
    const char *p = skip_value(start, end);
    const char *last = p;
    while (last > start &&
           (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\n' || last[-1] == '\r')) {
        last--;
    }
    *message = (ms_slice){start, (size_t)(last - start)};
    p += p < end;
    *messages = (ms_slice){p, (size_t)(end - p)};
    return true;
}

/* False if one of them is empty, or the list ends with a comma or another bracket. */
static bool
count_messages(ms_slice messages, size_t *count)
{
    ms_slice message;
    const char *end = messages.ptr + messages.len;
    *count = 0;
    while (ms_batch_next(&messages, &message)) {
        const char *behind = message.ptr + message.len;
        const char *comma = ms_json_skip_space(behind, end);
        bool last = comma == end;
        if (message.len == 0 || (!last && *comma != ',') ||
            (!last && ms_json_skip_space(comma + 1, end) == end)) {
            return false;
        }
        ++*count;
    }
    return true;
}

ms_status
ms_batch_open(ms_arena *arena, ms_slice body, ms_batch *batch)
{
    ms_slice messages = {"", 0};
    *batch = (ms_batch){.envelope = {"", 0}, .messages = {"", 0}};
    ms_status status = find_list(body, &messages);
    if (status != MS_OK) {
        return status;
    }
    if (!count_messages(messages, &batch->count)) {
        return MS_JSON_INVALID;
    }
    const char *behind = messages.ptr + messages.len;
    const char *start = ms_text_begin(arena);
    ms_text_append(arena, (ms_slice){body.ptr, (size_t)(messages.ptr - body.ptr)});
    ms_text_append(arena, (ms_slice){behind, (size_t)(body.ptr + body.len - behind)});
    batch->envelope = ms_text_end(arena, start);
    batch->messages = messages;
    return arena->exhausted ? MS_OUT_OF_MEMORY : MS_OK;
}

ms_status
ms_batch_check_size(const ms_batch *batch)
{
    if (batch->count > MS_BATCH_MESSAGES_MAX) {
        return MS_BATCH_TOO_LONG;
    }
    return batch->count * batch->envelope.len <= MS_BATCH_SHARED_MAX ? MS_OK
                                                                     : MS_BATCH_SHARED_TOO_LARGE;
}

ms_status
ms_batch_envelope(ms_arena *arena, const ms_batch *batch, cJSON **envelope)
{
    size_t count = 0;
    ms_status status = ms_json_parse_exact(arena, batch->envelope, envelope);
    if (status != MS_OK) {
        return status;
    }
    /* By their names as they are read: an escape in one makes it no other. */
    for (const cJSON *member = (*envelope)->child; member != NULL; member = member->next) {
        count += strcmp(member->string, "batch") == 0;
    }
    return count == 1 ? MS_OK : MS_JSON_INVALID;
}
