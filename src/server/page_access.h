/*
 * What pages may ask, at /v1/hash and /v1/lead: those of allowed origins, so often a minute, and
 * where tokens are needed (token.h) only for the e-mail address of who is signed in.
 */
#ifndef MS_PAGE_ACCESS_H
#define MS_PAGE_ACCESS_H

#include "../core/json.h"
#include "respond.h"
#include "service.h"

/*
 * Sets exchange->origin if the request's origin is allowed. MS_OK, MS_ORIGIN_MISSING or
 * MS_ORIGIN_NOT_ALLOWED.
 */
ms_status ms_page_check_origin(const ms_service *service, ms_exchange *exchange);

/* Answers with that error, which is noted for the log. */
enum MHD_Result ms_page_refuse_origin(ms_service *service, const ms_exchange *exchange,
                                      ms_status status);

/* Answers a CORS preflight of an allowed origin that may send these headers. */
enum MHD_Result ms_page_preflight(const ms_exchange *exchange, const char *headers);

/* Counts the request against its client's rate. 0 if it may go on; else how many seconds it must
 * wait. */
unsigned int ms_page_take_turn(ms_service *service, const ms_exchange *exchange);

typedef struct {
    unsigned int wait; /* seconds, of a request that comes too soon */
    bool by_token;     /* a token was needed, and is there */
    bool knows_user;   /* may the body's `userId` be taken for the visitor's? */
} ms_admission;

/*
 * May the request with this body be carried out for this e-mail address? Where tokens are needed,
 * if the body's `token` is of that address; which then has a rate of its own, whoever asks: who may
 * not ask cannot use it up. MS_OK, MS_TOKEN_MISSING and all that ms_token_read can say,
 * MS_TOKEN_EMAIL_DIFFERS; MS_RATE_LIMITED, and `wait` is how many seconds.
 *
 * A user id is taken for the visitor's only if the token says it too, or if it is the address.
 *
 * The addresses may differ in the case of ASCII letters, and in nothing else: to Marketo and to the
 * queue that is one lead, so a token opens no other, and what a visitor has typed need not be as
 * the site's database has it.
 */
ms_status ms_page_admit(ms_service *service, ms_arena *arena, const cJSON *body, ms_slice email,
                        ms_admission *admission);

/* Answers with an error; with MS_RATE_LIMITED also, how many seconds to wait. */
enum MHD_Result ms_page_refuse(const ms_exchange *exchange, ms_status status, unsigned int wait);

#endif
