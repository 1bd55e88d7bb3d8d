#include "refused_origins.h"

#include "log.h"
#include "origin.h"

#define MINUTE_US INT64_C(60000000)

void
ms_refused_origins_init(ms_refused_origins *refused)
{
    *refused = (ms_refused_origins){.last_word = -MINUTE_US};
    (void)pthread_mutex_init(&refused->lock, NULL);
}

/* Only what could be listed is worth showing, and nothing else of what strangers send belongs in
 * the log. */
static void
keep_example(char example[MS_ORIGIN_SHOWN], const char *origin)
{
    size_t len = strlen(origin);
    if (len >= MS_ORIGIN_SHOWN) {
        return;
    }
    memcpy(example, origin, len + 1);
    if (!ms_origin_normalize(example)) {
        example[0] = '\0';
    }
}

void
ms_refused_origins_note(ms_refused_origins *refused, const char *origin)
{
    (void)pthread_mutex_lock(&refused->lock);
    refused->count++;
    if (origin != NULL && refused->example[0] == '\0') {
        keep_example(refused->example, origin);
    }
    (void)pthread_mutex_unlock(&refused->lock);
}

void
ms_refused_origins_tell(ms_refused_origins *refused, int64_t now)
{
    char example[MS_ORIGIN_SHOWN];
    uint64_t count = 0;
    (void)pthread_mutex_lock(&refused->lock);
    if (refused->count > 0 && now - refused->last_word >= MINUTE_US) {
        count = refused->count;
        memcpy(example, refused->example, sizeof example);
        refused->count = 0;
        refused->example[0] = '\0';
        refused->last_word = now;
    }
    (void)pthread_mutex_unlock(&refused->lock);
    if (count > 0) { /* not under the lock: a log may be slow to write to */
        ms_log_counted("warning", "origin_not_allowed", count, example[0] == '\0' ? NULL : "origin",
                       example);
    }
}
