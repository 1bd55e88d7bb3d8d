/*
 * POST /v1/hash: {"email": "…"} → {"hash": "…"}, for pages of allowed origins; with a `token`
 * beside the e-mail, where tokens are needed (token.h).
 */
#ifndef MS_HASH_ENDPOINT_H
#define MS_HASH_ENDPOINT_H

#include "request.h"
#include "service.h"

/* The longest body. */
#define MS_HASH_BODY_MAX 16384

/* Answers a request whose whole body is there. */
enum MHD_Result ms_hash_answer(ms_service *service, ms_request *request, const char *method);

/* Answers with the hash of an e-mail. */
enum MHD_Result ms_hash_respond(const ms_service *service, const ms_exchange *exchange,
                                ms_slice email);

#endif
