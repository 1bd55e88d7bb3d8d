/*
 * Pages that were refused, since --allow-origin does not list their origin: who runs the server is
 * told of them, once a minute at most, since anybody can send such requests, as many as they like.
 */
#ifndef MS_REFUSED_ORIGINS_H
#define MS_REFUSED_ORIGINS_H

#include <pthread.h>
#include <stdint.h>

/* Longer origins are counted, and not shown. */
#define MS_ORIGIN_SHOWN 128

typedef struct {
    pthread_mutex_t lock;
    uint64_t count; /* since the last word of them */
    int64_t last_word;
    char example[MS_ORIGIN_SHOWN]; /* one of these; empty: none is known yet */
} ms_refused_origins;

void ms_refused_origins_init(ms_refused_origins *refused);

/* A request was refused. `origin` is what its header says, and may be anything; NULL: it has
 * several. Safe from every thread. */
void ms_refused_origins_note(ms_refused_origins *refused, const char *origin);

/* Writes into the log what was noted since the last time, unless that is less than a minute ago.
 * `now` is the steady clock's, in microseconds. */
void ms_refused_origins_tell(ms_refused_origins *refused, int64_t now);

#endif
