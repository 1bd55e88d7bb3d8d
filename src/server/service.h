/*
 * What the endpoints share while the server runs.
 */
#ifndef MS_SERVICE_H
#define MS_SERVICE_H

#include "client_address.h"
#include "intake/message.h"
#include "intake/write_keys.h"
#include "origin.h"
#include "rate_limit.h"
#include "refused_origins.h"
#include "token.h"
#include "worker.h"

#include <stdatomic.h>

typedef struct {
    ms_origins allowed;
    ms_refused_origins refused;
    ms_proxies proxies;
    ms_slice private_key; /* empty: no hashes */
    ms_token_rules tokens;
    ms_rate_limit rate_limit;       /* by the client's address */
    ms_rate_limit email_rate_limit; /* by the e-mail address that is asked about */
    const ms_write_keys *write_keys;
    ms_message_rules rules;
    ms_worker *worker;              /* NULL where there is no queue: backend `hash` */
    atomic_size_t body_bytes;       /* of all requests' bodies, but for the next */
    atomic_size_t known_body_bytes; /* of those whose write key is known before the body */
    atomic_size_t deposits;         /* that are on their way to disk */
    atomic_bool stopping;           /* no more of them are taken */
} ms_service;

#endif
