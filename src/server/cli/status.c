/* munchkin-server status */

#include "../clock.h"
#include "../marketo/central_time.h"
#include "cli.h"
#include "print.h"

#include <stdio.h>

typedef struct {
    const char *label;
    const char *name; /* in JSON */
    uint64_t count;
} figure;

static void
print_age(int64_t oldest)
{
    int64_t seconds = (ms_clock_now() - oldest) / 1000;
    (void)printf("%-28s", "oldest waiting since");
    ms_print_time(oldest);
    if (seconds >= 7200) {
        (void)printf(", %lld hours\n", (long long)(seconds / 3600));
    } else if (seconds >= 120) {
        (void)printf(", %lld minutes\n", (long long)(seconds / 60));
    } else {
        (void)printf(", %lld seconds\n", (long long)(seconds < 0 ? 0 : seconds));
    }
}

int
ms_cli_status(ms_store *store, bool as_json)
{
    char day[MS_CENTRAL_DAY];
    ms_store_counts counts;
    ms_central_day(ms_clock_now(), day);
    if (ms_store_count(store, day, &counts) != MS_STORE_OK) {
        (void)fprintf(stderr, "munchkin-server: %s\n", ms_store_problem(store));
        return 1;
    }
    const figure figures[] = {
        {"messages to sort in", "messagesWaiting", counts.messages_waiting},
        {"leads waiting", "leadsWaiting", counts.leads_waiting},
        {"leads on their way", "leadsInFlight", counts.leads_in_flight},
        {"leads held for an e-mail", "leadsHeld", counts.leads_held},
        {"cookies waiting", "cookiesWaiting", counts.cookies_waiting},
        {"visits waiting", "visitsWaiting", counts.visits_waiting},
        {"activities waiting", "activitiesWaiting", counts.activities_waiting},
        {"dead letters", "dead", counts.dead},
        {"calls to Marketo today", "callsToday", counts.calls_today},
    };
    if (as_json) {
        (void)printf("{\"day\":\"%s\",\"oldestWaiting\":%lld", day,
                     (long long)counts.oldest_waiting);
    }
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        unsigned long long count = figures[i].count;
        if (as_json) {
            (void)printf(",\"%s\":%llu", figures[i].name, count);
        } else {
            (void)printf("%-27s %llu\n", figures[i].label, count);
        }
    }
    if (as_json) {
        (void)puts("}");
    } else if (counts.oldest_waiting > 0) {
        print_age(counts.oldest_waiting);
    }
    return 0;
}
