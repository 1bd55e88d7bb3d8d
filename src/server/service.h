/*
 * What the endpoints share while the server runs.
 */
#ifndef MS_SERVICE_H
#define MS_SERVICE_H

#include "client_address.h"
#include "origin.h"
#include "rate_limit.h"

typedef struct {
    ms_origins allowed;
    ms_proxies proxies;
    ms_slice private_key;
    ms_rate_limit rate_limit;
} ms_service;

#endif
