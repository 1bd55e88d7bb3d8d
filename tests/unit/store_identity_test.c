/*
 * Whose a message is: the rules of src/server/queue/identity.h, by what comes out of the queue.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "known_leads.h"

static void
test_email_in_any_case(void **state)
{
    (void)state;
    identify("Ann@X.com", NULL, NULL, "{\"A\":1}", START);
    identify("ann@x.COM", NULL, NULL, "{\"B\":2}", START);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "ann@x.COM {\"A\":1,\"B\":2}\n");
}

static void
test_user_id_stands_for_email(void **state)
{
    (void)state;
    identify("a@x.com", "u1", NULL, "{\"A\":1}", START);
    identify(NULL, "u1", NULL, "{\"B\":2}", START);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "@u1 a@x.com {\"A\":1,\"B\":2}\n");
    assert_int_equal(leads(), 1);
}

static void
test_user_id_before_email(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "");
    /* The address comes, and what waited is that lead's. */
    identify("a@x.com", "u1", NULL, "{\"B\":2}", START + SECOND);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "@u1 a@x.com {\"A\":1,\"B\":2}\n");
}

static void
test_user_id_joins_known_email(void **state)
{
    (void)state;
    identify("a@x.com", NULL, NULL, "{\"A\":1,\"C\":1}", START);
    identify(NULL, "u1", NULL, "{\"B\":2,\"C\":2}", START + SECOND);
    identify("a@x.com", "u1", NULL, "{\"D\":3}", START + 2 * SECOND);
    assert_string_equal(take(MS_BY_EMAIL, LATER),
                        "@u1 a@x.com {\"A\":1,\"B\":2,\"C\":2,\"D\":3}\n");
    assert_int_equal(leads(), 1);
}

static void
test_user_id_with_another_email(void **state)
{
    (void)state;
    /* Another address is another lead; the user id follows it. */
    known("a@x.com", "u1", 7);
    identify("b@x.com", "u1", NULL, "{\"A\":1}", START);
    identify(NULL, "u1", NULL, "{\"B\":2}", START);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "@u1 b@x.com {\"A\":1,\"B\":2}\n");
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "");
}

static void
test_new_cookie_is_looked_up_first(void **state)
{
    (void)state;
    identify("a@x.com", NULL, COOKIE, "{\"A\":1}", START);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "");
    assert_string_equal(associations(LATER), "");
    assert_string_equal(lookups(START + 5 * SECOND - 1), "");
    answer(0, NULL, LATER);
    /* Nobody's: the lead is sent, then the cookie tied to it, once. */
    assert_string_equal(lookups(LATER), "");
    sync_one(MS_BY_EMAIL, 7, LATER);
    assert_string_equal(associations(LATER), COOKIE ">7\n");
    ok(ms_store_associated(queue, cookies[0].id, LATER));
    identify("a@x.com", NULL, COOKIE, "{\"A\":2}", MUCH_LATER);
    assert_string_equal(associations(MUCH_LATER + DAY), "");
    assert_string_equal(lookups(MUCH_LATER + DAY), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + DAY), "#7 a@x.com {\"A\":2}\n");
}

static void
test_cookie_known_to_marketo(void **state)
{
    (void)state;
    identify(NULL, "u9", COOKIE, "{\"A\":1}", START);
    answer(7, "old@x.com", LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "#7 @u9 old@x.com {\"A\":1}\n");
    assert_string_equal(associations(LATER), ""); /* Marketo has it already */
    /* All of these are that lead now. */
    identify("old@x.com", NULL, NULL, "{\"B\":1}", LATER);
    identify(NULL, "u9", NULL, "{\"C\":1}", LATER);
    identify(NULL, NULL, COOKIE, "{\"D\":1}", LATER);
    assert_int_equal(leads(), 1);
}

static void
test_cookie_wins_over_email(void **state)
{
    (void)state;
    /* The cookie is lead 7's, the address is lead 8's: all goes to 7, the address too. */
    known("a@x.com", NULL, 8);
    identify("a@x.com", NULL, COOKIE, "{\"A\":1,\"Email\":\"a@x.com\"}", START);
    answer(7, "old@x.com", LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER),
                        "#7 a@x.com {\"A\":1,\"Email\":\"a@x.com\"}\n");
    assert_string_equal(take(MS_BY_EMAIL, LATER), "");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, LATER));
    /* The address alone still means lead 8. */
    identify("a@x.com", NULL, NULL, "{\"B\":2}", LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#8 a@x.com {\"B\":2}\n");
}

static void
test_known_cookie_wins_over_email(void **state)
{
    (void)state;
    known("b@x.com", NULL, 8);
    identify("a@x.com", NULL, COOKIE, "{\"A\":1}", START);
    answer(0, NULL, LATER);
    sync_one(MS_BY_EMAIL, 7, LATER);
    identify("b@x.com", NULL, COOKIE, "{\"B\":2}", LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#7 b@x.com {\"B\":2}\n");
    identify("b@x.com", NULL, NULL, "{\"C\":3}", MUCH_LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + 5 * SECOND), "");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, MUCH_LATER));
}

static void
test_nobodys_cookie_joins_email(void **state)
{
    (void)state;
    known("a@x.com", NULL, 8);
    identify("a@x.com", NULL, COOKIE, "{\"A\":1,\"B\":1}", START);
    /* Meanwhile the address alone is the lead that is known by it. */
    identify("a@x.com", NULL, NULL, "{\"B\":2,\"C\":2}", START + SECOND);
    answer(0, NULL, LATER);
    assert_int_equal(leads(), 1);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "#8 a@x.com {\"A\":1,\"B\":2,\"C\":2}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 8, LATER));
    assert_string_equal(associations(LATER), COOKIE ">8\n");
}

static void
test_cookie_alone_is_held_until_an_email_comes(void **state)
{
    (void)state;
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    answer(0, NULL, LATER);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "");
    assert_string_equal(take(MS_BY_USER_ID, LATER), "");
    assert_int_equal(counts().leads_held, 1);
    /* One that another row has: they are one. */
    identify("a@x.com", NULL, NULL, "{\"B\":2}", LATER);
    identify("a@x.com", NULL, COOKIE, "{\"C\":3}", LATER);
    assert_int_equal(leads(), 1);
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER), "a@x.com {\"A\":1,\"B\":2,\"C\":3}\n");
}

static void
test_browser_goes_by_email(void **state)
{
    (void)state;
    identify_in_browser("a@x.com", NULL, COOKIE, "{\"A\":1}", START);
    assert_string_equal(lookups(LATER), ""); /* nobody need be asked */
    sync_one(MS_BY_EMAIL, 7, LATER);
    assert_string_equal(associations(LATER), COOKIE ">7\n");
    ok(ms_store_associated(queue, cookies[0].id, LATER));
    /* Another person at the same browser: the cookie moves, and is tied anew. */
    identify_in_browser("b@x.com", NULL, COOKIE, "{\"B\":2}", LATER);
    sync_one(MS_BY_EMAIL, 8, MUCH_LATER);
    assert_string_equal(associations(MUCH_LATER), COOKIE ">8\n");
    ok(ms_store_associated(queue, cookies[0].id, MUCH_LATER));
    /* The first one again: Marketo has lead 7 already, and nothing of it is new. */
    identify_in_browser("a@x.com", NULL, COOKIE, "{\"A\":1}", MUCH_LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + 10 * SECOND), "");
    assert_string_equal(associations(MUCH_LATER), COOKIE ">7\n");
    ok(ms_store_associated(queue, cookies[0].id, MUCH_LATER));
    assert_string_equal(associations(MUCH_LATER), "");
}

static void
test_browser_without_email(void **state)
{
    (void)state;
    identify_in_browser("a@x.com", "u1", COOKIE, "{\"A\":1}", START);
    identify_in_browser("b@x.com", "u2", OTHER, "{\"B\":1}", START);
    /* The cookie tells it before the user id does. */
    identify_in_browser(NULL, "u2", COOKIE, "{\"C\":1}", START);
    identify_in_browser(NULL, "u2", NULL, "{\"D\":1}", START);
    assert_string_equal(take(MS_BY_EMAIL, LATER),
                        "@u2 a@x.com {\"A\":1,\"C\":1}\n@u2 b@x.com {\"B\":1,\"D\":1}\n");
}

static void
test_browser_tells_whose_a_held_cookie_is(void **state)
{
    (void)state;
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    answer(0, NULL, LATER);
    identify_in_browser("a@x.com", NULL, COOKIE, "{\"B\":2}", LATER);
    assert_int_equal(leads(), 1);
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER), "a@x.com {\"A\":1,\"B\":2}\n");
}

static void
test_browser_tells_whose_a_cookie_is_before_marketo_does(void **state)
{
    (void)state;
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    identify_in_browser("a@x.com", NULL, COOKIE, "{\"B\":2}", START);
    assert_int_equal(leads(), 1);
    assert_string_equal(lookups(LATER), ""); /* nobody need be asked any more */
    assert_string_equal(take(MS_BY_EMAIL, LATER), "a@x.com {\"A\":1,\"B\":2}\n");
}

/* Marketo's lead 7 is not whoever names its cookie: it has an address there that is not known here.
 */
static void
test_browser_does_not_become_a_cookies_lead(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, NULL, START);
    sync_one(MS_BY_USER_ID, 7, LATER);
    identify(NULL, "u1", COOKIE, "{\"A\":1}", MUCH_LATER);
    answer(0, NULL, MUCH_LATER + 5 * SECOND);
    identify_in_browser("b@x.com", NULL, COOKIE, "{\"B\":2}", MUCH_LATER + 10 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + DAY), "#7 @u1  {\"A\":1}\n");
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER + DAY), "b@x.com {\"B\":2}\n");
}

static void
test_browser_does_not_become_the_lead_that_is_looked_up(void **state)
{
    (void)state;
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    assert_string_equal(lookups(LATER), COOKIE ">0\n");
    identify_in_browser("b@x.com", NULL, COOKIE, "{\"B\":2}", LATER);
    ok(ms_store_looked_up(queue, cookies[0].id, 7, slice("a@x.com"), LATER));
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "");
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER), "b@x.com {\"A\":1,\"B\":2}\n");
}

static void
test_email_does_not_go_to_a_user_that_is_looked_up(void **state)
{
    (void)state;
    identify(NULL, "u1", COOKIE, "{\"A\":1}", START);
    identify("b@x.com", "u1", NULL, "{\"B\":2}", START);
    answer(7, "a@x.com", LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#7 @u1 a@x.com {\"A\":1}\n");
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER), "@u1 b@x.com {\"B\":2}\n");
}

/* Marketo says whose an address is, while the row that came with it waits for another answer. */
static void
test_an_address_that_waits_is_marketos_lead(void **state)
{
    (void)state;
    identify("a@x.com", NULL, OTHER, "{\"A\":1,\"B\":1}", START);
    assert_string_equal(lookups(LATER), OTHER ">0\n");
    int64_t waiting = cookies[0].id;
    identify("a@x.com", NULL, COOKIE, "{\"A\":2}", LATER);
    answer(7, "a@x.com", LATER + 5 * SECOND);
    sync_one(MS_BY_MARKETO_ID, 7, MUCH_LATER);
    ok(ms_store_looked_up(queue, waiting, 0, slice(""), MUCH_LATER + SECOND));
    /* It is that lead, so what is older is not sent after what is newer. */
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER + DAY / 2), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + DAY / 2), "#7 a@x.com {\"B\":1}\n");
}

static void
test_email_of_a_user_is_asked_about_first(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify("a@x.com", "u1", NULL, "{\"B\":2}", START);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "");
    assert_string_equal(email_lookups(START + 5 * SECOND - 1), "");
    answer_email("a@x.com", 0, LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "#7 @u1 a@x.com {\"B\":2}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, LATER));
    /* Once. */
    identify("a@x.com", "u1", NULL, "{\"B\":3}", MUCH_LATER);
    assert_string_equal(email_lookups(MUCH_LATER + DAY), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + DAY), "#7 @u1 a@x.com {\"B\":3}\n");
}

static void
test_email_of_a_user_is_another_leads(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify_in_browser(NULL, "u1", COOKIE, NULL, START);
    assert_string_equal(associations(LATER), COOKIE ">7\n");
    ok(ms_store_associated(queue, cookies[0].id, LATER));
    identify("a@x.com", "u1", NULL, "{\"A\":1,\"B\":2}", LATER);
    answer_email("a@x.com", 9, MUCH_LATER);
    /* What the other one had got already, and the cookie, too; and nobody else has the user id. */
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER),
                        "#9 @u1 a@x.com {\"A\":1,\"B\":2}\n" LEFT);
    ok(ms_store_lead_sent(queue, taken[0].id, 9, MUCH_LATER));
    ok(ms_store_lead_sent(queue, taken[1].id, 7, MUCH_LATER));
    assert_string_equal(associations(MUCH_LATER + 5 * SECOND), COOKIE ">9\n");
    ok(ms_store_associated(queue, cookies[0].id, MUCH_LATER + 5 * SECOND));
    identify(NULL, "u1", NULL, "{\"C\":3}", MUCH_LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + DAY), "#9 @u1 a@x.com {\"C\":3}\n");
    assert_int_equal(leads(), 2);
}

/* The cookie decides what lead it is, but it is the user id that Marketo knows it by. */
static void
test_email_of_a_user_with_a_cookie_of_nobodys(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    answer(0, "", LATER);
    identify("a@x.com", "u1", COOKIE, "{\"B\":2}", LATER);
    answer_email("a@x.com", 9, MUCH_LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER),
                        "#9 @u1 a@x.com {\"A\":1,\"B\":2}\n" LEFT);
    assert_int_equal(leads(), 2);
}

static void
test_email_of_a_user_is_a_lead_of_the_queue(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    known("old@x.com", NULL, 9); /* which has a new address in Marketo, that nobody has told here */
    identify("a@x.com", "u1", NULL, "{\"B\":2}", START);
    answer_email("a@x.com", 9, LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#9 @u1 a@x.com {\"B\":2}\n" LEFT);
    assert_int_equal(leads(), 2);
}

/* Both are known there already, each by its own name: the user is whose the address is, with all
 * that waits. */
static void
test_email_of_a_user_is_another_known_lead(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    known("a@x.com", NULL, 9);
    identify_in_browser(NULL, "u1", COOKIE, "{\"B\":1}", START);
    track("", "u1", START);
    identify("a@x.com", "u1", NULL, "{\"C\":1}", START + SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), LEFT "#9 @u1 a@x.com {\"B\":1,\"C\":1}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, LATER));
    ok(ms_store_lead_sent(queue, taken[1].id, 9, LATER));
    assert_string_equal(associations(LATER), COOKIE ">9\n");
    assert_string_equal(activities(LATER), ">9\n");
    identify(NULL, "u1", NULL, "{\"D\":1}", MUCH_LATER);
    identify_in_browser(NULL, "u1", COOKIE, "{\"E\":1}", MUCH_LATER);
    ok(ms_store_associated(queue, cookies[0].id, MUCH_LATER));
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + 10 * SECOND),
                        "#9 @u1 a@x.com {\"D\":1,\"E\":1}\n");
}

/* A new cookie that is nobody's changes nothing of that, either. */
static void
test_email_of_a_user_is_another_known_lead_by_a_new_cookie(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    known("a@x.com", NULL, 9);
    identify("a@x.com", "u1", COOKIE, "{\"B\":1}", START);
    identify(NULL, "u1", NULL, "{\"C\":1}", START + SECOND);
    answer(0, NULL, LATER);
    identify(NULL, "u1", NULL, "{\"D\":1}", LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER),
                        "#9 @u1 a@x.com {\"B\":1,\"C\":1,\"D\":1}\n" LEFT);
}

/* With an address that Marketo has not been told of, the user is asked about first, too. */
static void
test_email_of_a_user_is_a_lead_that_waits(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify("a@x.com", NULL, NULL, "{\"B\":1}", START);
    identify("a@x.com", "u1", NULL, "{\"C\":1}", START + SECOND);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "");
    answer_email("a@x.com", 9, LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "#9 @u1 a@x.com {\"B\":1,\"C\":1}\n" LEFT);
}

/* The address comes while the lead is being made. */
static void
test_email_of_a_user_in_flight(void **state)
{
    (void)state;
    identify(NULL, "u1", NULL, "{\"A\":1}", START);
    assert_string_equal(take(MS_BY_USER_ID, LATER), "@u1  {\"A\":1}\n");
    identify("a@x.com", "u1", NULL, "{\"B\":2}", LATER);
    ok(ms_store_lead_sent(queue, taken[0].id, 7, LATER));
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "");
    answer_email("a@x.com", 9, MUCH_LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#9 @u1 a@x.com {\"B\":2}\n" LEFT);
}

static void
test_email_is_asked_about_again(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify("a@x.com", "u1", NULL, "{\"B\":2}", START);
    assert_string_equal(email_lookups(LATER), "a@x.com\n");
    ok(ms_store_lead_again(queue, taken[0].id, LATER + 20 * SECOND));
    assert_string_equal(email_lookups(LATER + 20 * SECOND - 1), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER + 20 * SECOND), "");
    assert_string_equal(email_lookups(LATER + 20 * SECOND), "a@x.com\n");
    assert_int_equal(taken[0].attempts, 1);
    queue_close();
    queue_open();
    ok(ms_store_recover(queue, MUCH_LATER, 0));
    answer_email("a@x.com", 0, MUCH_LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#7 @u1 a@x.com {\"B\":2}\n");
    assert_int_equal(taken[0].attempts, 0);
}

/* An address that another takes the place of before it is asked about is nobody's. */
static void
test_email_of_a_user_that_is_not_asked_about(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify_in_browser(NULL, "u1", COOKIE, NULL, START);
    identify("a@x.com", "u1", NULL, "{\"B\":1}", LATER);
    identify("b@x.com", "u1", COOKIE, "{\"B\":2}", LATER + SECOND);
    answer_email("b@x.com", 0, MUCH_LATER);
    sync_one(MS_BY_MARKETO_ID, 7, MUCH_LATER);
    identify("a@x.com", NULL, NULL, "{\"B\":3}", MUCH_LATER);
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER + DAY), "a@x.com {\"B\":3}\n");
    identify("b@x.com", NULL, NULL, "{\"B\":4}", MUCH_LATER + DAY);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + 2 * DAY), "#7 @u1 b@x.com {\"B\":4}\n");
}

/* The lead is gone in Marketo while it is asked: then the address finds or makes one anyhow. */
static void
test_email_of_a_user_that_is_gone(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify("a@x.com", "u1", NULL, "{\"B\":2}", START);
    assert_string_equal(email_lookups(LATER), "a@x.com\n");
    ok(ms_store_forget_marketo_id(queue, 7, LATER));
    ok(ms_store_email_looked_up(queue, taken[0].id, 9, LATER));
    assert_string_equal(take(MS_BY_EMAIL, LATER), "@u1 a@x.com {\"B\":2}\n");
}

/* A cookie that decides gives its lead the address, whoever else has it. */
static void
test_email_that_comes_with_a_cookie_is_not_asked_about(void **state)
{
    (void)state;
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    answer(7, NULL, LATER);
    identify("a@x.com", "u1", COOKIE, "{\"B\":2}", LATER);
    assert_string_equal(email_lookups(MUCH_LATER), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#7 @u1 a@x.com {\"A\":1,\"B\":2}\n");
}

/* What hangs on the lead's Marketo id waits for the answer as well. */
static void
test_cookies_and_activities_wait_for_the_answer(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify_in_browser("a@x.com", "u1", COOKIE, NULL, START);
    track("a@x.com", "", START);
    track("a@x.com", "", LATER);
    assert_string_equal(associations(MUCH_LATER), "");
    assert_string_equal(activities(MUCH_LATER), "");
    answer_email("a@x.com", 9, MUCH_LATER);
    assert_string_equal(associations(MUCH_LATER), COOKIE ">9\n");
    assert_string_equal(activities(MUCH_LATER + 5 * SECOND), ">9\n>9\n");
}

/* An address that comes with an activity is one, too, though the lead has nothing to be sent. */
static void
test_email_that_comes_with_an_activity(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    track("a@x.com", "u1", START);
    assert_string_equal(activities(LATER), "");
    answer_email("a@x.com", 0, LATER);
    assert_string_equal(activities(LATER + 5 * SECOND), ">7\n");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "");
    assert_string_equal(email_lookups(MUCH_LATER + DAY), "");
}

/* A new cookie that is nobody's changes nothing of that. */
static void
test_email_of_a_user_with_a_new_cookie(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify("a@x.com", "u1", COOKIE, "{\"B\":2}", START);
    answer(0, NULL, LATER);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "");
    answer_email("a@x.com", 0, LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "#7 @u1 a@x.com {\"B\":2}\n");
    assert_int_equal(leads(), 1);
}

/* Nor does such a cookie that another address of the user's takes along. */
static void
test_two_emails_of_a_user_and_a_new_cookie(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify("a@x.com", "u1", COOKIE, "{\"B\":2}", START);
    identify_in_browser("b@x.com", "u1", COOKIE, "{\"C\":3}", START);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "@u1 a@x.com {\"B\":2}\n");
    answer_email("b@x.com", 0, LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "#7 @u1 b@x.com {\"C\":3}\n");
}

/* By SOAP nobody asks, and nothing waits for it. */
static void
test_email_of_a_user_by_soap(void **state)
{
    (void)state;
    known_by_user_id("u1", 7);
    identify_in_browser("a@x.com", "u1", COOKIE, "{\"B\":2}", START);
    assert_string_equal(take(MS_BY_ANY, LATER), "#7 @u1 %" COOKIE " a@x.com {\"B\":2}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, LATER));
    assert_int_equal(counts().cookies_waiting, 0);
    assert_string_equal(email_lookups(MUCH_LATER + DAY), "");
}

static void
test_answer_that_comes_too_late(void **state)
{
    (void)state;
    known("b@x.com", NULL, 8);
    identify("a@x.com", NULL, COOKIE, "{\"A\":1}", START);
    assert_string_equal(lookups(LATER), COOKIE ">0\n");
    /* Meanwhile somebody else is known to sit behind the cookie. */
    identify_in_browser("b@x.com", NULL, COOKIE, "{\"B\":2}", LATER);
    ok(ms_store_looked_up(queue, cookies[0].id, 9, slice("c@x.com"), LATER));
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER), "a@x.com {\"A\":1}\n");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#8 b@x.com {\"B\":2}\n");
}

/* A cookie is taken away from what waits for its answer: that is whose its address is, though the
 * user id goes over to another one. */
static void
test_what_a_cookie_leaves_is_whose_its_address_is(void **state)
{
    (void)state;
    known("a@x.com", NULL, 7);
    identify("a@x.com", "u1", COOKIE, "{\"A\":1,\"B\":1}", START);
    identify("a@x.com", NULL, NULL, "{\"A\":2}", START + SECOND);
    sync_one(MS_BY_MARKETO_ID, 7, LATER);
    identify_in_browser("b@x.com", "u1", COOKIE, "{\"C\":3}", LATER);
    /* Not by the address, as if nobody had it: the older A would take the newer one's place. */
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER), "@u1 b@x.com {\"C\":3}\n");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#7 @u1 a@x.com {\"B\":1}\n");
}

static void
test_same_marketo_id_is_one_lead(void **state)
{
    (void)state;
    /* Marketo knows both addresses as one lead's; a change came while they were in flight. */
    identify("a@x.com", "u1", NULL, "{\"A\":1}", START);
    identify("b@x.com", "u2", COOKIE, "{\"B\":1}", START);
    answer(0, NULL, LATER);
    (void)take(MS_BY_EMAIL, LATER);
    assert_int_equal(taken_count, 2);
    identify("a@x.com", NULL, NULL, "{\"C\":3}", LATER);
    identify("b@x.com", NULL, NULL, "{\"D\":4}", LATER);
    ok(ms_store_lead_sent(queue, taken[0].id, 7, LATER));
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER + 35 * SECOND), "#7 @u1 a@x.com {\"C\":3}\n");
    ok(ms_store_lead_again(queue, taken[0].id, LATER));
    (void)take(MS_BY_EMAIL, MUCH_LATER);
    ok(ms_store_lead_sent(queue, 2, 7, LATER));
    assert_int_equal(leads(), 1);
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#7 @u2 b@x.com {\"C\":3,\"D\":4}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, MUCH_LATER));
    assert_string_equal(associations(MUCH_LATER), COOKIE ">7\n");
    identify("a@x.com", NULL, NULL, "{\"E\":5}", MUCH_LATER);
    identify(NULL, "u1", NULL, "{\"F\":6}", MUCH_LATER);
    assert_int_equal(leads(), 1);
}

static void
email_at(const char *email, const char *fields, int64_t time, int64_t now)
{
    const ms_command command = {.kind = MS_COMMAND_LEAD,
                                .who = {slice(email), slice(""), slice(COOKIE), true},
                                .time = time,
                                .fields = slice(fields)};
    request(&command, now);
}

/* What a lead is looked up by is the newest address, as the field is: whatever comes late. */
static void
test_newest_email(void **state)
{
    (void)state;
    email_at("new@x.com", "{\"A\":2,\"Email\":\"new@x.com\"}", START - SECOND, START);
    email_at("old@x.com", "{\"A\":1,\"Email\":\"old@x.com\"}", START - 100 * SECOND, START);
    answer(0, NULL, LATER);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "new@x.com {\"A\":2,\"Email\":\"new@x.com\"}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 0, LATER));
    email_at("old@x.com", "{\"B\":1,\"Email\":\"old@x.com\"}", START - 90 * SECOND, LATER);
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER), "new@x.com {\"B\":1}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 0, MUCH_LATER));
    email_at("now@x.com", "{\"Email\":\"now@x.com\"}", MUCH_LATER, MUCH_LATER);
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER + DAY),
                        "now@x.com {\"Email\":\"now@x.com\"}\n");
}

/* A late message with a cookie that is new waits as a lead of its own; what it says is no newer
 * when that turns out to be a known one. */
static void
test_older_fields_of_another_lead(void **state)
{
    for (int64_t known_as = 0; known_as <= 7; known_as += 7) {
        (void)state;
        const char *email = known_as == 0 ? "a@x.com" : "b@x.com";
        known(email, NULL, known_as == 0 ? 8 : 7);
        const ms_command newer = {.kind = MS_COMMAND_LEAD,
                                  .who = {slice(email), slice(""), slice(""), false},
                                  .time = START,
                                  .fields = slice("{\"A\":2}")};
        request(&newer, START);
        sync_one(MS_BY_MARKETO_ID, known_as == 0 ? 8 : 7, LATER);
        ms_command late = newer;
        late.who.cookie = slice(known_as == 0 ? COOKIE : "other");
        late.who.cookie_first = true;
        late.time = START - SECOND;
        late.fields = slice("{\"A\":1,\"B\":1}");
        request(&late, LATER);
        answer(known_as, email, MUCH_LATER);
        (void)take(MS_BY_MARKETO_ID, MUCH_LATER + DAY / 2);
        assert_int_equal(taken_count, 1);
        assert_true(ms_slice_equal(taken[0].fields, slice("{\"B\":1}")));
        ok(ms_store_lead_sent(queue, taken[0].id, taken[0].marketo_id, MUCH_LATER + DAY / 2));
    }
}

static void
test_nobody(void **state)
{
    (void)state;
    identify(NULL, NULL, NULL, "{\"A\":1}", START);
    assert_string_equal(dead_letters(), "message  email_missing {\"A\":1}\n");
    assert_int_equal(leads(), 0);
}

/* At START; by START + 6 s Marketo has said that the cookie is nobody's. */
static void
identify_by_nobodys_cookie(const char *user_id, const char *cookie, const char *fields)
{
    identify(NULL, user_id, cookie, fields, START);
    (void)lookups(START + 6 * SECOND);
    ok(ms_store_looked_up(queue, cookies[0].id, 0, slice(""), START + 6 * SECOND));
}

/* Of whom Marketo knows nothing, an event's cookie does not make one of two people. */
static void
test_a_shared_cookie_does_not_make_one_of_two_users(void **state)
{
    (void)state;
    identify("bob@x.com", "bob", NULL, NULL, START - 3600 * SECOND);
    sync_one(MS_BY_EMAIL, 7, START - 3500 * SECOND);
    identify_by_nobodys_cookie("ann", "c1", "{\"A\":1}");
    identify("bob@x.com", "bob", "c1", "{\"B\":1}", START + 10 * SECOND);
    identify(NULL, "ann", NULL, "{\"D\":1}", START + 12 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, START + 100 * SECOND),
                        "#7 @bob bob@x.com {\"B\":1}\n");
    assert_string_equal(take(MS_BY_USER_ID, START + 100 * SECOND), "@ann  {\"A\":1,\"D\":1}\n");
}

/* Of two whom nobody knows, each gets their own. */
static void
test_a_held_cookie_of_two_new_users(void **state)
{
    (void)state;
    identify_by_nobodys_cookie("ann", "c1", "{\"A\":1}");
    identify("bob@x.com", "bob", "c1", "{\"B\":1}", START + 10 * SECOND);
    assert_string_equal(take(MS_BY_EMAIL, START + 100 * SECOND), "@bob bob@x.com {\"B\":1}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, START + 100 * SECOND));
    identify(NULL, "ann", NULL, "{\"D\":1}", START + 101 * SECOND);
    assert_string_equal(take(MS_BY_USER_ID, START + 200 * SECOND), "@ann  {\"A\":1,\"D\":1}\n");
}

/* Nor while Marketo is asked about it. */
static void
test_a_cookie_that_is_looked_up_is_not_another_users(void **state)
{
    (void)state;
    identify(NULL, "ann", COOKIE, "{\"A\":1}", START);
    identify(NULL, "bob", COOKIE, "{\"B\":1}", START + SECOND);
    answer(0, NULL, LATER);
    assert_string_equal(take(MS_BY_USER_ID, MUCH_LATER), "@ann  {\"A\":1}\n@bob  {\"B\":1}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 7, MUCH_LATER));
    ok(ms_store_lead_sent(queue, taken[1].id, 8, MUCH_LATER));
    assert_string_equal(associations(MUCH_LATER), COOKIE ">7\n");
}

/* Whomever it turns out to be of: that is who came with it first. */
static void
test_a_cookie_that_is_looked_up_and_known_is_not_another_users(void **state)
{
    (void)state;
    identify(NULL, "ann", COOKIE, "{\"A\":1}", START);
    identify("bob@x.com", "bob", COOKIE, "{\"B\":1}", START + SECOND);
    answer(7, "ann@x.com", LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "#7 @ann ann@x.com {\"A\":1}\n");
    assert_string_equal(take(MS_BY_EMAIL, LATER), "@bob bob@x.com {\"B\":1}\n");
}

/* But a cookie that came with an address decides, and the later user id is its lead's. */
static void
test_a_cookie_that_is_looked_up_is_the_addresses(void **state)
{
    (void)state;
    identify("ann@x.com", "ann", COOKIE, "{\"A\":1}", START);
    identify(NULL, "bob", COOKIE, "{\"B\":1}", START + SECOND);
    answer(0, NULL, LATER);
    assert_string_equal(take(MS_BY_EMAIL, LATER), "@bob ann@x.com {\"A\":1,\"B\":1}\n");
}

/* Of two addresses of which one is known to be a lead's, each is its own. */
static void
test_a_cookie_that_is_looked_up_is_not_another_addresses(void **state)
{
    (void)state;
    known("ann@x.com", NULL, 7);
    identify("ann@x.com", NULL, COOKIE, "{\"A\":1}", START);
    identify("bob@x.com", NULL, COOKIE, "{\"B\":1}", START + SECOND);
    answer(0, NULL, LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "#7 ann@x.com {\"A\":1}\n");
    assert_string_equal(take(MS_BY_EMAIL, LATER), "bob@x.com {\"B\":1}\n");
}

static void
test_a_cookie_that_is_looked_up_is_not_a_known_addresses(void **state)
{
    (void)state;
    known("ann@x.com", NULL, 7);
    identify("bob@x.com", NULL, COOKIE, "{\"B\":1}", START);
    identify("ann@x.com", NULL, COOKIE, "{\"A\":1}", START + SECOND);
    answer(0, NULL, LATER);
    assert_string_equal(take(MS_BY_MARKETO_ID, LATER), "#7 ann@x.com {\"A\":1}\n");
    assert_string_equal(take(MS_BY_EMAIL, LATER), "bob@x.com {\"B\":1}\n");
}

/* Nor are two leads of one user id in two calls at once. */
static void
test_a_held_cookie_of_another_user(void **state)
{
    (void)state;
    identify("a@x.com", "u1", NULL, NULL, START - 3600 * SECOND);
    sync_one(MS_BY_EMAIL, 7, START - 3500 * SECOND);
    identify_by_nobodys_cookie("u2", "c2", "{\"X\":1}");
    identify(NULL, "u1", "c2", "{\"A\":1}", START + 10 * SECOND);
    assert_string_equal(take(MS_BY_MARKETO_ID, START + 100 * SECOND), "#7 @u1 a@x.com {\"A\":1}\n");
    assert_string_equal(take(MS_BY_USER_ID, START + 100 * SECOND), "@u2  {\"X\":1}\n");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_email_in_any_case),
        TEST(test_user_id_stands_for_email),
        TEST(test_user_id_before_email),
        TEST(test_user_id_joins_known_email),
        TEST(test_user_id_with_another_email),
        TEST(test_new_cookie_is_looked_up_first),
        TEST(test_cookie_known_to_marketo),
        TEST(test_cookie_wins_over_email),
        TEST(test_known_cookie_wins_over_email),
        TEST(test_nobodys_cookie_joins_email),
        TEST(test_cookie_alone_is_held_until_an_email_comes),
        TEST(test_browser_goes_by_email),
        TEST(test_browser_without_email),
        TEST(test_browser_tells_whose_a_held_cookie_is),
        TEST(test_browser_tells_whose_a_cookie_is_before_marketo_does),
        TEST(test_browser_does_not_become_a_cookies_lead),
        TEST(test_browser_does_not_become_the_lead_that_is_looked_up),
        TEST(test_email_does_not_go_to_a_user_that_is_looked_up),
        TEST(test_an_address_that_waits_is_marketos_lead),
        TEST(test_email_of_a_user_is_asked_about_first),
        TEST(test_email_of_a_user_is_another_leads),
        TEST(test_email_of_a_user_with_a_cookie_of_nobodys),
        TEST(test_email_of_a_user_is_a_lead_of_the_queue),
        TEST(test_email_of_a_user_is_another_known_lead),
        TEST(test_email_of_a_user_is_another_known_lead_by_a_new_cookie),
        TEST(test_email_of_a_user_is_a_lead_that_waits),
        TEST(test_email_of_a_user_in_flight),
        TEST(test_email_is_asked_about_again),
        TEST(test_email_of_a_user_that_is_not_asked_about),
        TEST(test_email_of_a_user_that_is_gone),
        TEST(test_cookies_and_activities_wait_for_the_answer),
        TEST(test_email_that_comes_with_an_activity),
        TEST(test_email_of_a_user_with_a_new_cookie),
        TEST(test_two_emails_of_a_user_and_a_new_cookie),
        TEST(test_email_of_a_user_by_soap),
        TEST(test_email_that_comes_with_a_cookie_is_not_asked_about),

        TEST(test_answer_that_comes_too_late),
        TEST(test_what_a_cookie_leaves_is_whose_its_address_is),
        TEST(test_same_marketo_id_is_one_lead),
        TEST(test_newest_email),
        TEST(test_older_fields_of_another_lead),
        TEST(test_nobody),
        TEST(test_a_shared_cookie_does_not_make_one_of_two_users),
        TEST(test_a_cookie_that_is_looked_up_is_not_another_users),
        TEST(test_a_cookie_that_is_looked_up_and_known_is_not_another_users),
        TEST(test_a_cookie_that_is_looked_up_is_the_addresses),
        TEST(test_a_cookie_that_is_looked_up_is_not_another_addresses),
        TEST(test_a_cookie_that_is_looked_up_is_not_a_known_addresses),
        TEST(test_a_held_cookie_of_another_user),
        TEST(test_a_held_cookie_of_two_new_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
