#include "rate_limit.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>

void
ms_rate_limit_init(ms_rate_limit *limit, unsigned int per_minute)
{
    memset(limit, 0, sizeof *limit);
    (void)pthread_mutex_init(&limit->lock, NULL);
    limit->per_second = per_minute / 60.0;
    limit->burst = per_minute;
    if (getrandom(&limit->seed, sizeof limit->seed, 0) != (ssize_t)sizeof limit->seed) {
        limit->seed = (uint64_t)(uintptr_t)limit;
    }
}

/* What a client is told from others by; never 0. */
static uint64_t
identity(const struct sockaddr *client)
{
    uint64_t id = 0;
    if (client->sa_family == AF_INET6) {
        const struct in6_addr *address = &((const struct sockaddr_in6 *)client)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(address);
        memcpy(&id, address->s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
        id ^= mapped ? 0 : UINT64_C(1) << 63; /* apart from IPv4 */
    } else if (client->sa_family == AF_INET) {
        memcpy(&id, &((const struct sockaddr_in *)client)->sin_addr, 4);
    }
    return id == 0 ? UINT64_MAX : id;
}

/* The finishing steps of the hash function splitmix64. */
static uint64_t
mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static double
tokens_at(const ms_rate_limit *limit, const ms_bucket *bucket, double now)
{
    double tokens = bucket->tokens + (now - bucket->updated) * limit->per_second;
    return tokens < limit->burst ? tokens : limit->burst;
}

/* The client's bucket, made if it has none. */
static ms_bucket *
bucket_of(ms_rate_limit *limit, uint64_t client, double now)
{
    ms_bucket *row = limit->table[mixed(client ^ limit->seed) % MS_RATE_ROWS];
    ms_bucket *fullest = &row[0];
    for (int i = 0; i < MS_RATE_BUCKETS; i++) {
        if (row[i].client == client) {
            return &row[i];
        }
        if (fullest->client != 0 && (row[i].client == 0 || tokens_at(limit, &row[i], now) >
                                                               tokens_at(limit, fullest, now))) {
            fullest = &row[i];
        }
    }
    *fullest = (ms_bucket){.client = client, .tokens = limit->burst, .updated = now};
    return fullest;
}

unsigned int
ms_rate_limit_take(ms_rate_limit *limit, const struct sockaddr *client, double now)
{
    if (limit->burst == 0) {
        return 0;
    }
    (void)pthread_mutex_lock(&limit->lock);
    ms_bucket *bucket = bucket_of(limit, identity(client), now);
    bucket->tokens = tokens_at(limit, bucket, now);
    bucket->updated = now;
    double missing = 1 - bucket->tokens;
    if (missing <= 0) {
        bucket->tokens -= 1;
    }
    (void)pthread_mutex_unlock(&limit->lock);
    return missing <= 0 ? 0 : (unsigned int)(missing / limit->per_second) + 1;
}
