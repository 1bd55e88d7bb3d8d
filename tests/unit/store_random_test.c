/*
 * The queue under anything that may come in any order: whatever two leads turn out to be one while
 * whatever is in flight, no field is lost, no lead is in two calls at once, and all counts are
 * right.
 *
 * Each message brings a field of its own, so that none takes another's place.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 60
#define STEPS 300
#define PEOPLE 5
#define FLIGHTS 1000

static uint64_t seed;
static int64_t now;
static bool
    arrived[ROUNDS * STEPS]; /* Marketo, or the dead letters, have the field of this number */
static int fields;
static ms_lead_selection ways[] = {MS_BY_MARKETO_ID, MS_BY_EMAIL, MS_BY_USER_ID, MS_BY_ANY};

static unsigned int
random_below(unsigned int limit)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned int)(seed >> 33) % limit;
}

/* "a1" and so on, in static storage; NULL half the time. */
static const char *
one_of(const char *format, char text[16])
{
    if (random_below(2) == 0) {
        return NULL;
    }
    (void)snprintf(text, 16, format, random_below(PEOPLE));
    return text;
}

static void
message(void)
{
    char email[16];
    char user[16];
    char cookie[16];
    char text[32];
    const char *e = one_of("e%u@x.com", email);
    const char *u = one_of("u%u", user);
    const char *c = one_of("c%u", cookie);
    if (e == NULL && u == NULL && c == NULL) {
        return;
    }
    (void)snprintf(text, sizeof text, "{\"F%d\":1}", fields++);
    if (random_below(2) == 0) {
        identify(e, u, c, text, now);
    } else {
        identify_in_browser(e, u, c, text, now);
    }
}

/* Notes the fields that have arrived. */
static void
arrive(ms_slice json)
{
    for (size_t i = 0; i + 2 < json.len; i++) {
        if (json.ptr[i] == '"' && json.ptr[i + 1] == 'F') {
            arrived[strtol(json.ptr + i + 2, NULL, 10)] = true;
        }
    }
}

typedef struct {
    int64_t id;
    int64_t marketo_id;
    char email[32];
    char fields[16384];
    bool over;
} flight;

static flight flights[FLIGHTS];
static size_t flight_count;

/* Marketo finds leads by their addresses: one for each but the last two, which are one lead's. */
static int64_t
marketo_id(const flight *lead)
{
    if (lead->marketo_id != 0) {
        return lead->marketo_id;
    }
    int64_t person = lead->email[0] == 'e' ? lead->email[1] - '0' : random_below(PEOPLE);
    return 100 + (person == PEOPLE - 1 ? person - 1 : person);
}

static void
start_flights(unsigned int way)
{
    (void)take(ways[way], now);
    for (size_t i = 0; i < taken_count && flight_count < FLIGHTS; i++) {
        flight *started = &flights[flight_count++];
        *started = (flight){.id = taken[i].id, .marketo_id = taken[i].marketo_id};
        (void)snprintf(started->email, sizeof started->email, "%.*s", (int)taken[i].email.len,
                       taken[i].email.ptr);
        (void)snprintf(started->fields, sizeof started->fields, "%.*s", (int)taken[i].fields.len,
                       taken[i].fields.ptr);
        for (size_t k = 0; k + 1 < flight_count; k++) {
            bool same =
                flights[k].id == started->id ||
                (started->email[0] != '\0' && strcmp(flights[k].email, started->email) == 0) ||
                (started->marketo_id != 0 && flights[k].marketo_id == started->marketo_id);
            assert_false(same && !flights[k].over);
        }
    }
}

static void
end_flights(bool well)
{
    for (size_t i = 0; i < flight_count; i++) {
        unsigned int how = well ? 0 : random_below(4);
        flight *ended = &flights[i];
        if (ended->over || (how == 3)) {
            continue;
        }
        ended->over = true;
        if (how == 1) {
            ok(ms_store_lead_again(queue, ended->id, now + random_below(40) * SECOND));
            continue;
        }
        arrive(slice(ended->fields));
        if (how == 0) {
            ok(ms_store_lead_sent(queue, ended->id, marketo_id(ended), now));
        } else {
            ok(ms_store_lead_refused(queue, ended->id, slice("1003"), slice(""), now));
        }
    }
    if (flight_count > FLIGHTS - 400) {
        for (size_t i = 0; i < flight_count; i++) {
            if (flights[i].over) {
                flights[i--] = flights[--flight_count];
            }
        }
    }
}

static void
cookie_calls(bool well)
{
    const char *asked = lookups(now);
    for (size_t i = 0; *asked != '\0'; i++) {
        unsigned int how = well ? 0 : random_below(4);
        if (how < 2) {
            ok(ms_store_looked_up(queue, cookies[i].id,
                                  how == 0 ? 0 : 100 + random_below(PEOPLE - 1),
                                  slice(random_below(2) ? "e1@x.com" : ""), now));
        } else if (how == 2) {
            ok(ms_store_cookie_again(queue, cookies[i].id, now + 10 * SECOND));
        } else {
            ok(ms_store_cookie_refused(queue, cookies[i].id, slice("1001"), slice(""), now));
        }
        asked = strchr(asked, '\n') + 1;
    }
    asked = associations(now);
    for (size_t i = 0; *asked != '\0'; i++) {
        assert_int_not_equal(cookies[i].marketo_id, 0);
        if (well || random_below(2) == 0) {
            ok(ms_store_associated(queue, cookies[i].id, now));
        } else {
            ok(ms_store_cookie_again(queue, cookies[i].id, now + 10 * SECOND));
        }
        asked = strchr(asked, '\n') + 1;
    }
}

static void
step(bool by_any)
{
    now += random_below(8) * SECOND;
    for (unsigned int i = random_below(4); i > 0; i--) {
        message();
    }
    if (by_any) {
        start_flights(3);
    } else {
        start_flights(random_below(3));
        cookie_calls(false);
    }
    end_flights(false);
}

/* Until nothing waits that can go. */
static void
drain(bool by_any)
{
    for (int i = 0; i < 12; i++) {
        now += 60 * SECOND;
        if (!by_any) {
            cookie_calls(true);
        }
        for (unsigned int way = by_any ? 3 : 0; way < (by_any ? 4U : 3U); way++) {
            start_flights(way);
        }
        end_flights(true);
    }
    ms_store_counts counted = counts();
    assert_int_equal(counted.leads_waiting + counted.leads_in_flight, 0);
    /* Those that no e-mail came for. */
    now += HOLD;
    ok(ms_store_tidy(queue, now));
    arrive(slice(dead_letters()));
    assert_int_equal(counts().leads_held, 0);
}

static void
run(bool by_any)
{
    for (int round = 0; round < ROUNDS; round++) {
        (void)queue_setup(NULL);
        seed = (uint64_t)round;
        now = START;
        fields = 0;
        flight_count = 0;
        memset(arrived, 0, sizeof arrived);
        for (int i = 0; i < STEPS / 4; i++) {
            step(by_any);
            if (i % 16 == 0) {
                queue_check();
            }
        }
        drain(by_any);
        for (int i = 0; i < fields; i++) {
            if (!arrived[i]) {
                fail_msg("round %d: field %d of %d is lost", round, i, fields);
            }
        }
        (void)queue_teardown(NULL);
    }
}

static void
test_rest(void **state)
{
    (void)state;
    run(false);
}

static void
test_soap(void **state)
{
    (void)state;
    run(true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_soap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
