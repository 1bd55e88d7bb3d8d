#include "rate_limit.h"

#include "../core/email.h"
#include "../core/sign.h"

#include <netinet/in.h>
#include <sys/random.h>

bool
ms_rate_limit_init(ms_rate_limit *limit, unsigned int per_minute)
{
    memset(limit, 0, sizeof *limit);
    (void)pthread_mutex_init(&limit->lock, NULL);
    limit->per_second = per_minute / 60.0;
    limit->burst = per_minute;
    return getrandom(limit->key, sizeof limit->key, 0) == (ssize_t)sizeof limit->key;
}

/* 0 is nobody's. */
static uint64_t
somebody(uint64_t who)
{
    return who == 0 ? UINT64_MAX : who;
}

static uint64_t
of_address(const struct sockaddr *client)
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
    return somebody(id);
}

static uint64_t
of_email(const ms_rate_limit *limit, ms_slice email)
{
    char folded[MS_EMAIL_MAX];
    unsigned char mac[MS_HS256];
    uint64_t who = 0;
    size_t len = email.len < sizeof folded ? email.len : sizeof folded;
    for (size_t i = 0; i < len; i++) {
        folded[i] = ms_to_lower(email.ptr[i]);
    }
    ms_sign_hs256((ms_slice){(const char *)limit->key, sizeof limit->key}, (ms_slice){folded, len},
                  mac);
    memcpy(&who, mac, sizeof who);
    return somebody(who);
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

/* Their bucket, made if they have none. */
static ms_bucket *
bucket_of(ms_rate_limit *limit, uint64_t who, double now)
{
    uint64_t seed = 0;
    memcpy(&seed, limit->key, sizeof seed);
    ms_bucket *row = limit->table[mixed(who ^ seed) % MS_RATE_ROWS];
    ms_bucket *fullest = &row[0];
    for (int i = 0; i < MS_RATE_BUCKETS; i++) {
        if (row[i].who == who) {
            return &row[i];
        }
        if (fullest->who != 0 &&
            (row[i].who == 0 || tokens_at(limit, &row[i], now) > tokens_at(limit, fullest, now))) {
            fullest = &row[i];
        }
    }
    *fullest = (ms_bucket){.who = who, .tokens = limit->burst, .updated = now};
    return fullest;
}

static unsigned int
take(ms_rate_limit *limit, uint64_t who, double now)
{
    (void)pthread_mutex_lock(&limit->lock);
    ms_bucket *bucket = bucket_of(limit, who, now);
    bucket->tokens = tokens_at(limit, bucket, now);
    bucket->updated = now;
    double missing = 1 - bucket->tokens;
    if (missing <= 0) {
        bucket->tokens -= 1;
    }
    (void)pthread_mutex_unlock(&limit->lock);
    return missing <= 0 ? 0 : (unsigned int)(missing / limit->per_second) + 1;
}

unsigned int
ms_rate_limit_take(ms_rate_limit *limit, const struct sockaddr *client, double now)
{
    return limit->burst == 0 ? 0 : take(limit, of_address(client), now);
}

unsigned int
ms_rate_limit_take_email(ms_rate_limit *limit, ms_slice email, double now)
{
    return limit->burst == 0 ? 0 : take(limit, of_email(limit, email), now);
}
