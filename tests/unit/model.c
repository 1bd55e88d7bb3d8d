#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model.h"

#include <stdio.h>
#include <stdlib.h>

struct model model;

void
model_begin(const model_setting *setting, uint64_t seed)
{
    model.setting = setting;
    model.seed = seed;
    model.now = START;
    model.said_count = 1;
    model.call_count = 0;
    memset(model.value, 0, sizeof model.value);
    memset(model.user_of, 0, sizeof model.user_of);
    memset(model.gone, 0, sizeof model.gone);
    memset(model.made, 0, sizeof model.made);
    memset(model.synced, 0, sizeof model.synced);
    for (int i = 0; i < PEOPLE; i++) {
        model.address_of[i] = setting->two_leads && one_in(2) ? 0 : marketo_id_of(i);
    }
    for (int i = 0; i < COOKIES; i++) {
        model.cookie_of[i] = one_in(3) ? model.address_of[i / COOKIES_EACH] : 0;
    }
}

unsigned int
random_below(unsigned int limit)
{
    model.seed = model.seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned int)(model.seed >> 33) % limit;
}

bool
one_in(unsigned int count)
{
    return random_below(count) == 0;
}

static int
anyone(void)
{
    return (int)random_below(PEOPLE);
}

/* ---- messages -------------------------------------------------------------------------------- */

typedef struct {
    char email[16];
    char user_id[16];
    char cookie[16];
} names;

/* What a message says of who it is of; nothing is empty. */
static names
names_of(int person, bool email, bool user_id, bool cookie)
{
    names who = {"", "", ""};
    bool mixed = model.setting->anybody;
    if (email) {
        (void)snprintf(who.email, sizeof who.email, one_in(4) ? "E%d@x.com" : "e%d@x.com",
                       mixed ? anyone() : person);
    }
    if (user_id) {
        (void)snprintf(who.user_id, sizeof who.user_id, "u%d", mixed ? anyone() : person);
    }
    if (cookie) {
        (void)snprintf(who.cookie, sizeof who.cookie, "c%d%u",
                       mixed || model.setting->lent_browsers ? anyone() : person,
                       random_below(COOKIES_EACH));
    }
    return who;
}

static names
random_names(int person)
{
    enum { E = 1, U = 2, C = 4 };
    static const int without_user_ids[] = {E, E | C};
    static const int with_user_ids[] = {E, E, E | C, E | C, E | U, U, U | C, C};
    static const int with_two_leads[] = {E, E | C, E | U, E | U, E | U | C, U, U, U};
    static const int of_lent_browsers[] = {E, E | C, E | C, E | U, E | U | C, E | U | C, U, U};
    static const int of_servers[] = {E, E | C, E | U, E | U | C, E | U | C, U, U, U | C, U | C, C};
    const model_setting *setting = model.setting;
    int says;
    if (setting->anybody) {
        says = 1 + (int)random_below(7);
    } else if (setting->lent_browsers && (setting->user_ids || setting->two_leads)) {
        says = of_lent_browsers[random_below(8)];
    } else if (setting->server_cookies) {
        says = of_servers[random_below(10)];
    } else if (setting->two_leads) {
        says = with_two_leads[random_below(8)];
    } else {
        says =
            setting->user_ids ? with_user_ids[random_below(8)] : without_user_ids[random_below(2)];
    }
    return names_of(person, says & E, says & U, says & C);
}

/* Up to some time ago, and no other message's: of equal times it would be the order that counts. */
static int64_t
random_time(void)
{
    int64_t time = model.now - 1 - random_below(900);
    if (one_in(3)) {
        time -= random_below(100) * SECOND;
    }
    for (int i = 1; i < model.said_count; i++) {
        if (model.said[i].time == time) {
            time--;
            i = 0;
        }
    }
    return time;
}

/* May the cookie decide whose the message is? So it does if a server library says it, as of all
 * that has no address: pages say one. */
static bool
is_cookie_first(const names *who)
{
    const model_setting *setting = model.setting;
    if (who->email[0] == '\0') {
        return true;
    }
    bool by_page = setting->lent_browsers ||
                   (setting->two_leads && !setting->server_cookies && who->cookie[0] != '\0');
    return !by_page && one_in(2);
}

void
say_something(void)
{
    char text[48];
    int person = anyone();
    names who = random_names(person);
    bool is_activity = !model.setting->soap && one_in(6);
    assert_in_range(model.said_count, 1, MESSAGES - 1);
    int number = model.said_count;
    model_message *said = &model.said[number];
    /* Where anything may be anybody's, no field takes another's place. */
    int field = model.setting->anybody ? number : (int)random_below(FIELDS);
    /* One of few: what Marketo has may be said again, and after another it must not be left out. */
    int value = VALUES_EACH * person + 1 + (int)random_below(2);
    *said = (model_message){.person = person,
                            .field = is_activity ? -1 : field,
                            .value = value,
                            .time = random_time(),
                            .says_email = who.email[0] != '\0',
                            .says_user_id = who.user_id[0] != '\0'};
    model.said_count++;
    ms_command command = {
        .kind = is_activity ? MS_COMMAND_ACTIVITY : MS_COMMAND_LEAD,
        .who = {slice(who.email), slice(who.user_id), slice(who.cookie), is_cookie_first(&who)},
        .time = said->time};
    if (is_activity) {
        (void)snprintf(text, sizeof text, "[%d]", number);
        command.activity_type = 5;
        command.attributes = slice(text);
    } else if (model.setting->two_leads && said->says_user_id) {
        (void)snprintf(text, sizeof text, "{\"F%d\":%d,\"UserId\":%d}", field, value, person + 1);
        command.fields = slice(text);
    } else {
        (void)snprintf(text, sizeof text, "{\"F%d\":%d}", field, value);
        command.fields = slice(text);
    }
    tell("%s %s %s%s say %s of %lld\n", who.email, who.user_id, who.cookie,
         command.who.cookie_first ? " first" : "", text, (long long)(said->time - START));
    request(&command, model.now);
}

void
introduce_everybody(void)
{
    for (int cookie = 0; cookie < COOKIES; cookie++) {
        names who;
        int person = cookie / COOKIES_EACH;
        (void)snprintf(who.email, sizeof who.email, "e%d@x.com", person);
        (void)snprintf(who.user_id, sizeof who.user_id, "u%d", person);
        (void)snprintf(who.cookie, sizeof who.cookie, "c%d%d", person, cookie % COOKIES_EACH);
        bool says_user_id = model.setting->user_ids || model.setting->two_leads;
        identify_in_browser(who.email, says_user_id ? who.user_id : NULL, who.cookie, NULL,
                            model.now);
    }
}

/* ---- Marketo --------------------------------------------------------------------------------- */

int64_t
marketo_id_of(int person)
{
    int64_t id = 100 + (model.setting->anybody && person == PEOPLE - 1 ? person - 1 : person);
    return model.setting->anybody && model.gone[id - 100] ? id + PEOPLE : id;
}

int64_t
marketo_id_of_user(int person)
{
    return marketo_id_of(person) + PEOPLE;
}

int64_t
marketo_id_of_address(int person)
{
    return model.address_of[person];
}

static int
lead_number(int64_t marketo_id)
{
    assert_in_range(marketo_id, 100, 100 + LEADS - 1);
    return (int)(marketo_id - 100);
}

int
person_of(int64_t marketo_id)
{
    return lead_number(marketo_id) % PEOPLE;
}

static int
digit(char c)
{
    assert_in_range(c, '0', '9');
    return c - '0';
}

int
person_of_address(ms_slice email)
{
    assert_in_range(email.len, 2, 15);
    return digit(email.ptr[1]);
}

int
cookie_number(ms_slice cookie)
{
    return cookie.len == 0 ? -1 : digit(cookie.ptr[1]) * COOKIES_EACH + digit(cookie.ptr[2]);
}

int
person_of_lead(const ms_due_lead *lead)
{
    int cookie = cookie_number(lead->cookie);
    if (lead->marketo_id != 0) {
        return person_of(lead->marketo_id);
    }
    if (cookie >= 0 && model.cookie_of[cookie] != 0) {
        return person_of(model.cookie_of[cookie]);
    }
    if (lead->email.len > 0) {
        return person_of_address(lead->email);
    }
    return lead->user_id.len > 0 ? digit(lead->user_id.ptr[1]) : cookie / COOKIES_EACH;
}

/* The fields have come to the lead. */
static void
receive(int64_t marketo_id, const char *fields)
{
    int lead = lead_number(marketo_id);
    const char *user_id = strstr(fields, "\"UserId\":");
    for (const char *at = fields; (at = strstr(at, "\"F")) != NULL; at++) {
        char *end;
        int field = (int)strtol(at + 2, &end, 10);
        int value = (int)strtol(end + 2, NULL, 10);
        if (model.setting->anybody) {
            assert_in_range(field, 1, model.said_count - 1);
            model.said[field].arrived = true;
        } else {
            assert_in_range(field, 0, FIELDS - 1);
            assert_int_equal(value / VALUES_EACH, person_of(marketo_id));
            model.value[lead][field] = value;
        }
    }
    if (user_id != NULL) { /* or null, which is none */
        model.user_of[lead] = (int)strtol(strchr(user_id, ':') + 1, NULL, 10);
    }
}

/* The same by the user id alone: the lead of the address, if it got that by a merge. */
static int64_t
found_by_user_id(int person)
{
    int64_t of_address = model.address_of[person];
    int64_t made = marketo_id_of_user(person);
    if (model.setting->merges && of_address != 0 &&
        model.user_of[lead_number(of_address)] == person + 1) {
        return of_address;
    }
    return is_gone(made) ? made + PEOPLE : made;
}

/* Whom Marketo finds, or makes; from then on that lead has the address. */
static int64_t
reached(const model_call *sync)
{
    int64_t *address_of = &model.address_of[sync->person];
    if (!model.setting->two_leads) {
        bool is_named = model.setting->anybody && sync->marketo_id != 0;
        return is_named ? sync->marketo_id : marketo_id_of(sync->person);
    }
    if (sync->email[0] == '\0') {
        return sync->marketo_id != 0 ? sync->marketo_id : found_by_user_id(sync->person);
    }
    if (*address_of == 0) {
        *address_of = sync->marketo_id != 0 ? sync->marketo_id : marketo_id_of(sync->person);
    }
    return sync->marketo_id != 0 ? sync->marketo_id : *address_of;
}

int64_t
happen(const model_call *made)
{
    int64_t whose = made->marketo_id;
    if (made->kind == SYNC) {
        whose = reached(made);
        model.made[whose - 100] = true;
        receive(whose, made->fields);
    }
    if (made->kind == ACTIVITY) {
        model.said[made->message].arrived = true;
    }
    if (made->cookie >= 0 && made->kind != LOOKUP) {
        model.cookie_of[made->cookie] = whose;
    }
    return whose;
}

/* ---- calls ------------------------------------------------------------------------------- */

/* May these two not be under way together? */
static bool
are_in_conflict(const model_call *a, const model_call *b)
{
    bool change_leads = (a->kind == SYNC || a->kind == TIE) && (b->kind == SYNC || b->kind == TIE);
    if (!change_leads || model.setting->one_call_each) {
        return change_leads && a->person == b->person;
    }
    return (a->kind == b->kind && a->id == b->id) ||
           (a->marketo_id != 0 && a->marketo_id == b->marketo_id) ||
           (a->email[0] != '\0' && strcmp(a->email + 1, b->email + 1) == 0);
}

void
note_sync(int64_t marketo_id)
{
    model.synced[lead_number(marketo_id)] = model.now;
}

static bool
is_too_soon(const model_call *started)
{
    if (started->kind != SYNC || started->marketo_id == 0 || model.setting->clock_moves) {
        return false;
    }
    int64_t last = model.synced[lead_number(started->marketo_id)];
    return last != 0 && model.now - last < 30 * SECOND;
}

void
start_call(const model_call *started)
{
    static const char *const kinds[] = {"sync", "lookup", "tie", "activity", "email lookup"};
    tell("%s %lld starts: person %d, cookie %d, message %d, %s\n", kinds[started->kind],
         (long long)started->id, started->person, started->cookie, started->message,
         started->fields);
    if (is_too_soon(started)) {
        fail_msg("lead %lld was synced less than 30 s ago", (long long)started->marketo_id);
    }
    for (int i = 0; i < model.call_count; i++) {
        if (are_in_conflict(started, &model.calls[i])) {
            fail_msg("person %d is in two calls", started->person);
        }
    }
    assert_in_range(model.call_count, 0, CALLS - 1);
    model.calls[model.call_count++] = *started;
}

/* ---- the end ------------------------------------------------------------------------------- */

/* The newest message of the person's field; NULL if there is none. */
static const model_message *
newest(int person, int field)
{
    const model_message *found = NULL;
    for (int i = 1; i < model.said_count; i++) {
        const model_message *said = &model.said[i];
        if (said->person == person && said->field == field &&
            (found == NULL || said->time > found->time)) {
            found = said;
        }
    }
    return found;
}

static void
check_values(int person)
{
    for (int field = 0; field < FIELDS; field++) {
        const model_message *said = newest(person, field);
        int has = model.value[person][field];
        int must_have = said == NULL ? 0 : said->value;
        bool is_right =
            model.setting->newest_wins ? has == must_have : (has != 0) == (said != NULL);
        if (!is_right) {
            fail_msg("person %d's F%d is %d, not the newest, %d", person, field, has, must_have);
        }
    }
}

/* Nobody has the address: no field has come with it. */
static void
check_nothing_is_said(int person)
{
    for (int i = 1; i < model.said_count; i++) {
        const model_message *said = &model.said[i];
        if (said->person == person && said->field >= 0 && said->says_email) {
            fail_msg("person %d's address has not arrived", person);
        }
    }
}

/* What was said with the address is with whom has that, and so is the user id. What the user id
 * said alone is with one of the two. */
static void
check_two_leads(int person)
{
    if (model.address_of[person] == 0) {
        check_nothing_is_said(person);
        return;
    }
    int lead = lead_number(model.address_of[person]);
    bool is_told = false; /* of the user id, with the address */
    for (int field = 0; field < FIELDS; field++) {
        const model_message *said = newest(person, field);
        int has = model.value[lead][field];
        /* Where a cookie decides, what comes with the address is with whom it is of. */
        bool may_be_other = said != NULL && (model.setting->server_cookies || !said->says_email);
        bool other_has = may_be_other && (model.value[person][field] == said->value ||
                                          model.value[PEOPLE + person][field] == said->value ||
                                          model.value[2 * PEOPLE + person][field] == said->value);
        bool any_will_do = !model.setting->newest_wins && has != 0;
        if (said != NULL && has != said->value && !other_has && !any_will_do) {
            fail_msg("person %d's F%d is %d, not the newest, %d", person, field, has, said->value);
        }
    }
    for (int i = 1; i < model.said_count; i++) {
        const model_message *said = &model.said[i];
        is_told |=
            said->person == person && said->field >= 0 && said->says_email && said->says_user_id;
    }
    if (is_told && !model.setting->server_cookies && model.user_of[lead] != person + 1) {
        fail_msg("person %d's lead has no user id", person);
    }
}

void
check_marketo(void)
{
    for (int i = 1; i < model.said_count; i++) {
        const model_message *said = &model.said[i];
        /* Of a field not all values arrive. */
        bool may_be_replaced = said->field >= 0 && !model.setting->anybody;
        if (!may_be_replaced && !said->arrived) {
            fail_msg("message %d is lost", i);
        }
    }
    for (int person = 0; person < PEOPLE && !model.setting->anybody; person++) {
        if (model.setting->two_leads) {
            check_two_leads(person);
        } else {
            check_values(person);
        }
    }
    bool knows_cookies = !model.setting->anybody && !model.setting->server_cookies;
    for (int cookie = 0; cookie < COOKIES && knows_cookies; cookie++) {
        if (model.cookie_of[cookie] != marketo_id_of_address(cookie / COOKIES_EACH)) {
            fail_msg("cookie %d is lead %lld's", cookie, (long long)model.cookie_of[cookie]);
        }
    }
}
