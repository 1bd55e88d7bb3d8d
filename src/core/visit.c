#include "visit.h"

#include "json.h"
#include "params.h"

static const char event_path[] = "/event/";

static bool
is_event_path(ms_slice event)
{
    size_t len = sizeof event_path - 1;
    return event.len >= len && memcmp(event.ptr, event_path, len) == 0;
}

static void
set_url(ms_visit *visit, ms_slice path, size_t limit)
{
    visit->url = ms_url_truncate(path, limit);
    if (visit->url.len < path.len) {
        ms_warn(&visit->warnings, MS_URL_TRUNCATED, MS_SLICE(""));
    }
}

static void
set_params(ms_visit *visit, ms_params *params)
{
    bool truncated = false;
    visit->params = ms_params_end(params, &truncated);
    if (truncated) {
        ms_warn(&visit->warnings, MS_PARAMS_TRUNCATED, MS_SLICE(""));
    }
}

/* Parses `url`, or the page's, and sets the visit's path; warns if it is of another host. */
static ms_status
visit_url(ms_arena *arena, ms_slice url, const ms_visit_options *options, ms_url *parsed,
          ms_visit *visit)
{
    ms_url page;
    ms_slice base = options->base;
    if (url.len == 0) {
        url = base;
        base = MS_SLICE("");
    }
    ms_status status = ms_url_parse(arena, url, base, options->hash_routing, parsed);
    if (status != MS_OK) {
        return status;
    }
    if (ms_url_parse(arena, options->base, MS_SLICE(""), false, &page) == MS_OK &&
        !ms_slice_equal_fold(page.host, parsed->host)) {
        ms_warn(&visit->warnings, MS_HOST_DIFFERS, MS_SLICE(""));
    }
    set_url(visit, parsed->path, options->url_limit);
    return MS_OK;
}

ms_status
ms_visit_page(ms_arena *arena, ms_slice url, const ms_visit_options *options, ms_visit *visit)
{
    ms_url parsed;
    *visit = (ms_visit){.name = {"", 0}};
    ms_status status = visit_url(arena, url, options, &parsed, visit);
    if (status != MS_OK) {
        return status;
    }
    ms_params params = ms_params_begin(arena, options->params_limit);
    ms_params_add_query(&params, parsed.query);
    set_params(visit, &params);
    return arena->exhausted ? MS_OUT_OF_MEMORY : MS_OK;
}

/* The path of an event that is not itself a path. */
static ms_slice
path_of_event(ms_arena *arena, ms_slice event)
{
    const char *path = ms_text_begin(arena);
    ms_text_append(arena, MS_SLICE(event_path));
    for (size_t i = 0; i < event.len; i++) {
        char c = event.ptr[i];
        if (c == '%') {
            ms_text_append(arena, MS_SLICE("%25"));
        } else {
            ms_text_byte(arena, (char)(c == ' ' || c == '_' ? '-' : c));
        }
    }
    return ms_text_end(arena, path);
}

ms_status
ms_visit_track(ms_arena *arena, ms_slice event, const cJSON *properties,
               const ms_visit_options *options, ms_visit *visit)
{
    *visit = (ms_visit){.name = {"", 0}};
    if (event.len == 0) {
        return MS_EVENT_MISSING;
    }
    ms_url parsed = {.query = {"", 0}};
    ms_slice url = ms_json_string(properties, "url");
    if (url.len > 0) {
        ms_status status = visit_url(arena, url, options, &parsed, visit);
        if (status != MS_OK) {
            return status;
        }
        visit->name = event;
    } else {
        ms_slice path = is_event_path(event) ? event : path_of_event(arena, event);
        set_url(visit, path, options->url_limit);
    }
    ms_params params = ms_params_begin(arena, options->params_limit);
    ms_params_add_query(&params, parsed.query);
    ms_params_add_properties(&params, properties, url.len > 0 ? "url" : NULL);
    set_params(visit, &params);
    return arena->exhausted ? MS_OUT_OF_MEMORY : MS_OK;
}
