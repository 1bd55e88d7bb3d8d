/*
 * How often each client address may ask: a token bucket each, in a table of fixed size.
 *
 * An IPv6 client is its /64, which is what one customer is given. When a row of the table is full,
 * the fullest bucket makes room, since forgetting it gives its owner the least; so a client cannot
 * get a new bucket by pushing its own, drained one out.
 */
#ifndef MS_RATE_LIMIT_H
#define MS_RATE_LIMIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define MS_RATE_ROWS 2048
#define MS_RATE_BUCKETS 8

typedef struct {
    uint64_t client; /* 0: free */
    double tokens;
    double updated; /* seconds */
} ms_bucket;

typedef struct {
    pthread_mutex_t lock;
    double per_second;
    double burst;
    uint64_t seed; /* so that nobody can choose who shares a row */
    ms_bucket table[MS_RATE_ROWS][MS_RATE_BUCKETS];
} ms_rate_limit;

/* `per_minute` requests, all at once or spread out; 0 for no limit. */
void ms_rate_limit_init(ms_rate_limit *limit, unsigned int per_minute);

/*
 * Takes a token of the client's at `now`, in seconds of a clock that does not jump. 0 if there was
 * one; else the whole seconds until there is.
 */
unsigned int ms_rate_limit_take(ms_rate_limit *limit, const struct sockaddr *client, double now);

#endif
