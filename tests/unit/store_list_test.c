/* The list of dead letters, which a person may take their time to read. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/server/queue/statements.h"
#include "queue.h"

static void
look_at_letter(const ms_dead_letter *letter, void *argument)
{
    const ms_store *beside = argument;
    static int64_t last;
    assert_int_equal(letter->id, ++last);
    assert_int_equal(sqlite3_txn_state(beside->db, "main"), SQLITE_TXN_NONE);
    /* What is added meanwhile is not waited for. */
    identify(NULL, NULL, NULL, "{\"A\":1}", START);
    queue_commit();
}

/* It may be a pager, which waits for a person: the server's log is copied all the same. */
static void
test_who_reads_a_list_holds_up_nothing(void **state)
{
    const char *problem = NULL;
    (void)state;
    for (int i = 0; i < 3; i++) {
        identify(NULL, NULL, NULL, "{\"A\":1}", START);
    }
    queue_commit();
    ms_store *beside = ms_store_attach(queue_path, &queue_rules, &problem);
    assert_non_null(beside);
    ok(ms_store_dead_list(beside, 0, look_at_letter, beside));
    ms_store_close(beside);
    assert_int_equal(counts().dead, 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_reads_a_list_holds_up_nothing, queue_setup,
                                        queue_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
