/*
 * How often each may ask, be it a client's address or an e-mail address that is asked about: a
 * token bucket each, in a table of fixed size.
 *
 * When a row of the table is full, the fullest bucket makes room, since forgetting it gives its
 * owner the least; so nobody can get a new bucket by pushing a drained one out.
 */
#ifndef MS_RATE_LIMIT_H
#define MS_RATE_LIMIT_H

#include "../core/slice.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>

#define MS_RATE_ROWS 2048
#define MS_RATE_BUCKETS 8
#define MS_RATE_KEY 32

typedef struct {
    uint64_t who; /* 0: free */
    double tokens;
    double updated; /* seconds */
} ms_bucket;

typedef struct {
    pthread_mutex_t lock;
    double per_second;
    double burst;
    unsigned char key[MS_RATE_KEY]; /* random, so that nobody can choose who shares a row */
    ms_bucket table[MS_RATE_ROWS][MS_RATE_BUCKETS];
} ms_rate_limit;

/* `per_minute` requests, all at once or spread out; 0 for no limit. False if the system has no
 * random bytes. */
bool ms_rate_limit_init(ms_rate_limit *limit, unsigned int per_minute);

/*
 * Takes a token of the client's at `now`, in seconds of a clock that does not jump. 0 if there was
 * one; else the whole seconds until there is. An IPv6 client is its /64, which is what one customer
 * is given.
 */
unsigned int ms_rate_limit_take(ms_rate_limit *limit, const struct sockaddr *client, double now);

/*
 * The same for a valid e-mail address, in either case of its letters. In the table it is 64 bits of
 * an HMAC under a key that this process alone has: so no addresses are there, and whoever gets to
 * see it cannot find them by trying.
 */
unsigned int ms_rate_limit_take_email(ms_rate_limit *limit, ms_slice email, double now);

#endif
