#include "call.h"

#include "json.h"
#include "lead.h"
#include "visit.h"

/* For a limit that the request does not set, or not to a number from 1 to this. */
#define LIMIT_MAX 65535

static size_t
limit_of(const cJSON *request, const char *name, size_t otherwise)
{
    const cJSON *limit = ms_json_member(request, name);
    if (cJSON_IsNumber(limit) && limit->valuedouble >= 1 && limit->valuedouble <= LIMIT_MAX) {
        return (size_t)limit->valuedouble;
    }
    return otherwise;
}

static ms_visit_options
visit_options(const cJSON *request)
{
    return (ms_visit_options){
        .base = ms_json_string(request, "base"),
        .hash_routing = cJSON_IsTrue(ms_json_member(request, "hashRouting")),
        .url_limit = limit_of(request, "urlLimit", MS_URL_LIMIT),
        .params_limit = limit_of(request, "paramsLimit", MS_PARAMS_LIMIT),
    };
}

/* Writes `,"name":"value"`. */
static void
write_member(ms_arena *out, const char *name, ms_slice value)
{
    ms_text_byte(out, ',');
    ms_json_write_string(out, ms_slice_from(name));
    ms_text_byte(out, ':');
    ms_json_write_string(out, value);
}

static void
write_warnings(ms_arena *out, const ms_warnings *warnings)
{
    ms_text_append(out, MS_SLICE(",\"warnings\":["));
    for (size_t i = 0; i < warnings->count; i++) {
        const ms_warning *warning = &warnings->list[i];
        ms_text_append(out, i == 0 ? MS_SLICE("{\"code\":") : MS_SLICE(",{\"code\":"));
        ms_json_write_string(out, ms_slice_from(ms_status_code(warning->status)));
        if (warning->name.len > 0) {
            write_member(out, "name", warning->name);
        }
        ms_text_byte(out, '}');
    }
    ms_text_append(out, MS_SLICE("]}"));
}

static ms_slice
visit_result(ms_arena *arena, const ms_visit *visit)
{
    const char *start = ms_text_begin(arena);
    ms_text_append(arena, MS_SLICE("{\"ok\":true,\"call\":[\"visitWebPage\",{\"url\":"));
    ms_json_write_string(arena, visit->url);
    write_member(arena, "params", visit->params);
    if (visit->name.len > 0) {
        write_member(arena, "name", visit->name);
    }
    ms_text_append(arena, MS_SLICE("}]"));
    write_warnings(arena, &visit->warnings);
    return ms_text_end(arena, start);
}

static ms_slice
lead_result(ms_arena *arena, const ms_lead *lead)
{
    const char *start = ms_text_begin(arena);
    ms_text_append(arena, MS_SLICE("{\"ok\":true,\"call\":[\"associateLead\","));
    ms_fields_write(&lead->fields, false, arena);
    ms_text_byte(arena, ']');
    write_member(arena, "email", lead->email);
    write_warnings(arena, &lead->warnings);
    return ms_text_end(arena, start);
}

static ms_slice
error_result(ms_arena *arena, ms_status status)
{
    const char *start = ms_text_begin(arena);
    ms_text_append(arena, MS_SLICE("{\"ok\":false"));
    write_member(arena, "error", ms_slice_from(ms_status_code(status)));
    ms_text_byte(arena, '}');
    return ms_text_end(arena, start);
}

static ms_status
call_visit(ms_arena *arena, ms_call_kind kind, const cJSON *request, ms_slice *result)
{
    ms_visit visit;
    ms_visit_options options = visit_options(request);
    ms_status status =
        kind == MS_PAGE ? ms_visit_page(arena, ms_json_string(request, "url"), &options, &visit)
                        : ms_visit_track(arena, ms_json_string(request, "event"),
                                         ms_json_member(request, "properties"), &options, &visit);
    if (status == MS_OK) {
        *result = visit_result(arena, &visit);
    }
    return status;
}

static ms_status
call_identify(ms_arena *arena, const cJSON *request, ms_slice *result)
{
    ms_lead lead;
    ms_status status = ms_lead_from_identify(arena, ms_json_member(request, "userId"),
                                             ms_json_member(request, "traits"), &lead);
    if (status == MS_OK) {
        *result = lead_result(arena, &lead);
    }
    return status;
}

/* Needs no memory. */
static const char out_of_memory_result[] = "{\"ok\":false,\"error\":\"out_of_memory\"}";

ms_status
ms_call(ms_arena *arena, ms_call_kind kind, ms_slice request, ms_slice *result)
{
    cJSON *object = NULL;
    ms_status status =
        request.len > MS_REQUEST_MAX ? MS_TOO_LARGE : ms_json_parse(arena, request, &object);
    if (status == MS_OK) {
        status = kind == MS_IDENTIFY ? call_identify(arena, object, result)
                                     : call_visit(arena, kind, object, result);
    }
    if (status != MS_OK) {
        *result = error_result(arena, status);
    }
    if (arena->exhausted) {
        *result = MS_SLICE(out_of_memory_result);
        return MS_OUT_OF_MEMORY;
    }
    return status;
}
