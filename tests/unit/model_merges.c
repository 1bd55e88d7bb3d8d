#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model.h"

bool
is_gone(int64_t marketo_id)
{
    return marketo_id >= 100 && model.gone[marketo_id - 100];
}

/* Cookies of the lead that is gone are the other's, or, as if it were deleted, nobody's. */
static void
give_cookies(int64_t gone, int64_t to, bool may_lose)
{
    for (int cookie = 0; cookie < COOKIES; cookie++) {
        if (model.cookie_of[cookie] == gone) {
            model.cookie_of[cookie] = may_lose && one_in(2) ? 0 : to;
        }
    }
}

/* Two people may have the one that gets a new id. */
static void
renew_one(int64_t id)
{
    if (id >= 100 + PEOPLE) {
        return; /* once is enough */
    }
    tell("Marketo merges %lld into %lld\n", (long long)id, (long long)id + PEOPLE);
    model.gone[id - 100] = true;
    for (int i = 0; i < PEOPLE; i++) {
        model.address_of[i] += model.address_of[i] == id ? PEOPLE : 0;
    }
    give_cookies(id, id + PEOPLE, true);
}

/* What the lead of the address has wins. */
static void
merge_user(int64_t user, int64_t winner)
{
    tell("Marketo merges %lld into %lld\n", (long long)user, (long long)winner);
    model.gone[user - 100] = true;
    for (int f = 0; f < FIELDS; f++) {
        if (model.value[winner - 100][f] == 0) {
            model.value[winner - 100][f] = model.value[user - 100][f];
        }
    }
    if (model.user_of[winner - 100] == 0) {
        model.user_of[winner - 100] = model.user_of[user - 100];
    }
    give_cookies(user, winner, false);
}

void
merge_somebody(void)
{
    int person = (int)random_below(PEOPLE);
    if (model.setting->anybody) {
        renew_one(marketo_id_of(person));
        return;
    }
    int64_t winner = model.address_of[person];
    int64_t user = marketo_id_of_user(person);
    if (winner != 0 && winner != user && !is_gone(user) && model.made[user - 100]) {
        merge_user(user, winner);
    }
}
