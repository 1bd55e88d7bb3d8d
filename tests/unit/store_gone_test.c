/*
 * Leads that Marketo has no more, merged or deleted: what waits for them goes to whom their names
 * tell.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "known_leads.h"

/* The call to the lead is under way, and ends: Marketo has none of this id. */
static void
end_gone(int64_t marketo_id, const char *line, int64_t now)
{
    assert_string_equal(take(MS_BY_MARKETO_ID, now), line);
    ok(ms_store_forget_marketo_id(queue, marketo_id, now));
    ok(ms_store_lead_again(queue, taken[0].id, now));
}

/* Its address, which a cookie has given it, is another lead's here. */
static void
test_its_address_is_anothers(void **state)
{
    (void)state;
    known("a@x.com", NULL, 8);
    identify(NULL, NULL, COOKIE, NULL, START);
    answer(7, NULL, LATER);
    identify("a@x.com", NULL, COOKIE, "{\"A\":1,\"B\":1}", LATER);
    identify("a@x.com", NULL, NULL, "{\"A\":2}", LATER + SECOND);
    end_gone(7, "#7 a@x.com {\"A\":1,\"B\":1}\n", LATER + 5 * SECOND);
    assert_string_equal(take(MS_BY_EMAIL, MUCH_LATER), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#8 a@x.com {\"A\":2,\"B\":1}\n");
    ok(ms_store_lead_sent(queue, taken[0].id, 8, MUCH_LATER));
    assert_string_equal(associations(MUCH_LATER + 5 * SECOND), COOKIE ">8\n");
    assert_int_equal(leads(), 1);
}

static void
test_its_user_id_is_anothers(void **state)
{
    (void)state;
    known_by_user_id("u2", 8);
    identify(NULL, "u1", COOKIE, "{\"A\":1}", START);
    answer(7, NULL, LATER);
    identify(NULL, "u2", COOKIE, "{\"A\":1,\"B\":1}", LATER);
    end_gone(7, "#7 @u2  {\"A\":1,\"B\":1}\n", LATER + 5 * SECOND);
    identify(NULL, "u2", NULL, "{\"A\":2}", LATER + 6 * SECOND);
    assert_string_equal(take(MS_BY_USER_ID, MUCH_LATER), "");
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER), "#8 @u2  {\"A\":2,\"B\":1}\n");
    assert_int_equal(leads(), 1);
}

/* Nothing but its cookies tells who it is. */
static void
test_only_its_cookie_tells(void **state)
{
    (void)state;
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    answer(7, NULL, LATER);
    end_gone(7, "#7  {\"A\":1}\n", MUCH_LATER);
    assert_string_equal(lookups(MUCH_LATER + 5 * SECOND), COOKIE ">0\n");
    ok(ms_store_looked_up(queue, cookies[0].id, 8, slice(""), MUCH_LATER + 5 * SECOND));
    assert_string_equal(take(MS_BY_MARKETO_ID, MUCH_LATER + DAY), "#8  {\"A\":1}\n");
    assert_string_equal(associations(MUCH_LATER + DAY), "");
}

/* And is nobody's by now. */
static void
test_its_cookie_tells_nobody(void **state)
{
    (void)state;
    identify(NULL, NULL, COOKIE, "{\"A\":1}", START);
    answer(7, NULL, LATER);
    end_gone(7, "#7  {\"A\":1}\n", MUCH_LATER);
    answer(0, NULL, MUCH_LATER + 5 * SECOND);
    identify("a@x.com", NULL, COOKIE, "{\"B\":1}", MUCH_LATER + 6 * SECOND);
    sync_one(MS_BY_EMAIL, 8, MUCH_LATER + DAY);
    assert_string_equal(associations(MUCH_LATER + DAY), COOKIE ">8\n");
    ok(ms_store_associated(queue, cookies[0].id, MUCH_LATER + DAY));
    assert_int_equal(leads(), 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_its_address_is_anothers),
        TEST(test_its_user_id_is_anothers),
        TEST(test_only_its_cookie_tells),
        TEST(test_its_cookie_tells_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
