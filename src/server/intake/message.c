#include "message.h"

#include "../../core/lead.h"
#include "../exact_json.h"
#include "../status_text.h"
#include "cookie.h"
#include "payload.h"
#include "timestamp.h"
#include "visit_query.h"

#define USER_AGENT_MAX 1024

/* A message while it is read. */
typedef struct {
    const ms_message_rules *rules;
    const cJSON *message;
    const cJSON *context;
    ms_slice text;
    ms_slice id;
    int64_t time;
    ms_slice cookie;         /* empty if there is none that can be used */
    ms_status cookie_status; /* why not; MS_OK if none came */
    ms_arena *scratch;
    ms_arena *out;
    ms_commands *commands;
} reading;

ms_message_type
ms_message_type_of(ms_slice name)
{
    static const char *const names[] = {
        [MS_TYPE_IDENTIFY] = "identify", [MS_TYPE_TRACK] = "track", [MS_TYPE_PAGE] = "page",
        [MS_TYPE_SCREEN] = "screen",     [MS_TYPE_GROUP] = "group", [MS_TYPE_ALIAS] = "alias"};
    for (size_t type = 0; type < sizeof names / sizeof *names; type++) {
        if (ms_slice_equal(name, ms_slice_from(names[type]))) {
            return (ms_message_type)type;
        }
    }
    return MS_TYPE_OTHER;
}

static ms_command *
append(ms_arena *out, ms_commands *commands, ms_command_kind kind, ms_slice id, int64_t time)
{
    static const ms_slice none = {"", 0};
    ms_command *command = ms_arena_alloc(out, sizeof *command);
    if (command == NULL) {
        return NULL;
    }
    *command = (ms_command){.kind = kind,
                            .message_id = id,
                            .who = {none, none, none, true},
                            .time = time,
                            .fields = none,
                            .query = none,
                            .user_agent = none,
                            .primary_value = none,
                            .attributes = none,
                            .code = none,
                            .payload = none};
    if (commands->last == NULL) {
        commands->first = command;
    } else {
        commands->last->next = command;
    }
    commands->last = command;
    return command;
}

void
ms_message_dead(ms_status why, ms_slice message_id, ms_slice text, int64_t time, ms_arena *out,
                ms_commands *commands)
{
    ms_command *command = append(out, commands, MS_COMMAND_DEAD, message_id, time);
    if (command != NULL) {
        command->code = ms_slice_from(ms_code_of(why));
        command->payload = ms_payload_of(out, text);
    }
}

static ms_slice
kept(ms_arena *out, ms_slice text)
{
    const char *start = ms_text_begin(out);
    ms_text_append(out, text);
    return ms_text_end(out, start);
}

/* As JavaScript's `if` sees it. */
static bool
is_truthy(const cJSON *value)
{
    if (cJSON_IsString(value)) {
        return value->valuestring[0] != '\0';
    }
    if (cJSON_IsNumber(value)) {
        return value->valuedouble != 0;
    }
    return !cJSON_IsFalse(value);
}

/* Do the integrations choose Marketo, as js-glue/delivery.js has it? */
static bool
is_destination(const cJSON *integrations)
{
    static const char *const names[] = {"Marketo", "Marketo V2", "All"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const cJSON *choice = ms_json_member(integrations, names[i]);
        if (choice != NULL && !cJSON_IsNull(choice)) {
            return is_truthy(choice);
        }
    }
    return true;
}

static void
read_cookie(reading *from)
{
    static const char *const names[] = {"Marketo", "Marketo V2"};
    for (size_t i = 0; i < sizeof names / sizeof *names && from->cookie.len == 0; i++) {
        ms_slice text = ms_json_string(ms_json_member(from->context, names[i]), "marketoCookie");
        if (text.len > 0) {
            from->cookie_status =
                ms_cookie_read(from->out, text, from->rules->munchkin_id, &from->cookie);
        }
    }
}

/* The text of a string or a number, as ids may be. */
static ms_slice
id_text(ms_arena *out, const cJSON *id)
{
    char number[MS_NUMBER_TEXT];
    return kept(out, ms_id_text(id, number));
}

static ms_slice
user_id(const reading *from)
{
    ms_slice id = id_text(from->out, ms_json_member(from->message, "userId"));
    if (id.len == 0) {
        id = id_text(from->out, ms_json_member(from->message, "sessionId"));
    }
    return id.len > 0 ? id : id_text(from->out, ms_json_member(from->context, "sessionId"));
}

static void
append_dead_as(const reading *from, ms_slice id, ms_status why)
{
    ms_command *before = from->commands->last;
    ms_message_dead(why, id, from->text, from->time, from->out, from->commands);
    if (from->commands->last != before) {
        /* For people to see whose it was. */
        from->commands->last->who.user_id = user_id(from);
        from->commands->last->who.cookie = from->cookie;
    }
}

static void
append_dead(const reading *from, ms_status why)
{
    append_dead_as(from, from->id, why);
}

/*
 * Whose lead it is, and its fields. Anything but MS_OK if it cannot be told: a wrong e-mail is let
 * pass only beside a cookie, since what else came with it may be as wrong.
 */
static ms_status
read_lead(const reading *from, ms_lead *lead, ms_identity *who)
{
    ms_status status = ms_lead_from_message(from->scratch, ms_json_member(from->message, "userId"),
                                            ms_json_member(from->message, "traits"),
                                            ms_json_member(from->context, "traits"), lead);
    if (status == MS_OUT_OF_MEMORY || (status == MS_EMAIL_INVALID && from->cookie.len == 0)) {
        return status;
    }
    *who = (ms_identity){.email = kept(from->out, lead->email),
                         .user_id = user_id(from),
                         .cookie = from->cookie,
                         .cookie_first = true};
    if (who->email.len > 0 || who->user_id.len > 0 || who->cookie.len > 0) {
        return MS_OK;
    }
    return from->cookie_status != MS_OK ? from->cookie_status : MS_EMAIL_MISSING;
}

static void
read_identify(const reading *from)
{
    ms_lead lead;
    ms_identity who;
    ms_status status = read_lead(from, &lead, &who);
    if (status != MS_OK) {
        append_dead(from, status);
        return;
    }
    ms_command *command = append(from->out, from->commands, MS_COMMAND_LEAD, from->id, from->time);
    if (command != NULL) {
        const char *start = ms_text_begin(from->out);
        ms_fields_write(&lead.fields, true, from->out);
        command->fields = ms_text_end(from->out, start);
        command->who = who;
    }
}

static void
read_activity(const reading *from, const ms_activity *activity)
{
    ms_lead lead;
    ms_identity who;
    ms_status status = read_lead(from, &lead, &who);
    if (status != MS_OK) {
        append_dead(from, status);
        return;
    }
    ms_command *command =
        append(from->out, from->commands, MS_COMMAND_ACTIVITY, from->id, from->time);
    if (command != NULL) {
        command->who = who;
        command->activity_type = activity->type;
        command->primary_value = activity->primary_value;
        command->attributes = activity->attributes;
    }
}

/* Where there is no page: a URL of the cookie's domain, for a path to stand on. */
static ms_slice
cookie_base(const reading *from)
{
    ms_slice domain = ms_cookie_domain(from->cookie);
    if (domain.len == 0) {
        return domain;
    }
    const char *start = ms_text_begin(from->scratch);
    ms_text_append(from->scratch, MS_SLICE("https://"));
    ms_text_append(from->scratch, domain);
    ms_text_byte(from->scratch, '/');
    return ms_text_end(from->scratch, start);
}

static ms_slice
first_of(ms_slice a, ms_slice b)
{
    return a.len > 0 ? a : b;
}

/* It goes into a header line. */
static ms_slice
user_agent(const reading *from)
{
    ms_slice text = ms_json_string(from->context, "userAgent");
    const char *start = ms_text_begin(from->out);
    for (size_t i = 0; i < text.len && i < USER_AGENT_MAX; i++) {
        char c = text.ptr[i];
        ms_text_byte(from->out, (char)(c >= ' ' && c <= '~' ? c : ' '));
    }
    return ms_text_end(from->out, start);
}

static ms_status
read_visit(const reading *from, ms_message_type type, ms_visit *visit, ms_visitor_page *on)
{
    const cJSON *properties = ms_json_member(from->message, "properties");
    const cJSON *page = ms_json_member(from->context, "page");
    ms_slice url = ms_json_string(properties, "url");
    const ms_visit_options options = {
        .base = first_of(ms_json_string(page, "url"), cookie_base(from)),
        .url_limit = MS_URL_LIMIT,
        .params_limit = MS_PARAMS_LIMIT,
    };
    if (type == MS_TYPE_PAGE) {
        url = first_of(
            url, first_of(ms_json_string(page, "url"), first_of(ms_json_string(properties, "path"),
                                                                ms_json_string(page, "path"))));
        if (url.len == 0) {
            return MS_URL_INVALID;
        }
    }
    ms_status status = type == MS_TYPE_PAGE
                           ? ms_visit_page(from->scratch, url, &options, visit)
                           : ms_visit_track(from->scratch, ms_json_string(from->message, "event"),
                                            properties, &options, visit);
    if (status != MS_OK) {
        return status;
    }
    /* Unlike in a browser, the host may be the visited URL's own. */
    ms_url visited = {.host = {"", 0}, .secure = true};
    if (ms_url_parse(from->scratch, first_of(url, options.base), options.base, false, &visited) !=
        MS_OK) {
        visited = (ms_url){.host = ms_cookie_domain(from->cookie), .secure = true};
    }
    *on = (ms_visitor_page){.munchkin_id = from->rules->munchkin_id,
                            .token = ms_cookie_token(from->cookie),
                            .host = visited.host,
                            .secure = visited.secure,
                            .referrer = ms_json_string(page, "referrer")};
    return from->scratch->exhausted ? MS_OUT_OF_MEMORY : MS_OK;
}

/* `id`: beside an activity, whose message id is its own. */
static void
append_visit(const reading *from, ms_message_type type, ms_slice id)
{
    ms_visit visit;
    ms_visitor_page on;
    ms_status status =
        from->cookie.len > 0 ? read_visit(from, type, &visit, &on) : from->cookie_status;
    if (status != MS_OK) {
        append_dead_as(from, id, status);
        return;
    }
    if (from->cookie.len == 0) {
        (void)append(from->out, from->commands, MS_COMMAND_NOTHING, id, from->time);
        return;
    }
    ms_slice query = kept(from->out, ms_visit_query(from->scratch, &on, &visit));
    if (from->scratch->exhausted) {
        append_dead_as(from, id, MS_OUT_OF_MEMORY);
        return;
    }
    ms_command *command = append(from->out, from->commands, MS_COMMAND_VISIT, id, from->time);
    if (command != NULL) {
        command->who.cookie = from->cookie;
        command->query = query;
        command->user_agent = user_agent(from);
    }
}

static void
read_track(const reading *from)
{
    ms_activity activity;
    ms_slice event = ms_json_string(from->message, "event");
    if (event.len == 0) {
        append_dead(from, MS_EVENT_MISSING);
        return;
    }
    if (!ms_activities_find(from->rules->activities, event,
                            ms_json_member(from->message, "properties"), from->out, &activity)) {
        append_visit(from, MS_TYPE_TRACK, from->id);
        return;
    }
    read_activity(from, &activity);
    if (activity.visit && from->cookie.len > 0) {
        ms_slice id = from->id;
        if (id.len > 0) {
            const char *start = ms_text_begin(from->out);
            ms_text_append(from->out, id);
            ms_text_append(from->out, MS_SLICE("#visit"));
            id = ms_text_end(from->out, start);
        }
        append_visit(from, MS_TYPE_TRACK, id);
    }
}

static const cJSON *
own_or(const cJSON *message, const char *name, const cJSON *otherwise)
{
    const cJSON *own = ms_json_member(message, name);
    return cJSON_IsObject(own) ? own : otherwise;
}

void
ms_message_read(const ms_message_rules *rules, const ms_message_envelope *envelope,
                ms_message_type type, const cJSON *message, ms_slice text, ms_arena *scratch,
                ms_arena *out, ms_commands *commands)
{
    reading from = {
        .rules = rules,
        .message = message,
        .context = own_or(message, "context", envelope->context),
        .text = text,
        .id = id_text(out, ms_json_member(message, "messageId")),
        .time = ms_timestamp_corrected(
            first_of(ms_json_string(message, "originalTimestamp"),
                     ms_json_string(message, "timestamp")),
            first_of(ms_json_string(message, "sentAt"), envelope->sent_at), envelope->received),
        .cookie = {"", 0},
        .scratch = scratch,
        .out = out,
        .commands = commands,
    };
    if (!is_destination(own_or(message, "integrations", envelope->integrations))) {
        type = MS_TYPE_GROUP;
    }
    read_cookie(&from);
    switch (type) {
    case MS_TYPE_IDENTIFY:
        read_identify(&from);
        break;
    case MS_TYPE_TRACK:
        read_track(&from);
        break;
    case MS_TYPE_PAGE:
        append_visit(&from, type, from.id);
        break;
    case MS_TYPE_OTHER:
        append_dead(&from, MS_TYPE_UNKNOWN);
        break;
    default:
        (void)append(out, commands, MS_COMMAND_NOTHING, from.id, from.time);
    }
}
