/*
 * POST /v1/hash: {"email": "…"} → {"hash": "…"}, for pages of allowed origins.
 */
#ifndef MS_HASH_ENDPOINT_H
#define MS_HASH_ENDPOINT_H

#include "respond.h"
#include "service.h"

/* The longest body. */
#define MS_BODY_MAX 16384

/*
 * Sets exchange->origin if the request's origin is allowed. MS_OK, MS_ORIGIN_MISSING or
 * MS_ORIGIN_NOT_ALLOWED.
 */
ms_status ms_hash_check_origin(const ms_service *service, ms_exchange *exchange);

/* Answers a request whose origin is allowed, once its whole body is there. */
enum MHD_Result ms_hash_post(ms_service *service, const ms_exchange *exchange, ms_slice body);

/* Answers a CORS preflight of an allowed origin. */
enum MHD_Result ms_hash_preflight(const ms_exchange *exchange);

#endif
