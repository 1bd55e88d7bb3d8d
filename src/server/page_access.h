/*
 * What pages may ask, at /v1/hash and /v1/lead: those of allowed origins, so often a minute.
 */
#ifndef MS_PAGE_ACCESS_H
#define MS_PAGE_ACCESS_H

#include "respond.h"
#include "service.h"

/*
 * Sets exchange->origin if the request's origin is allowed. MS_OK, MS_ORIGIN_MISSING or
 * MS_ORIGIN_NOT_ALLOWED.
 */
ms_status ms_page_check_origin(const ms_service *service, ms_exchange *exchange);

/* Answers a CORS preflight of an allowed origin that may send these headers. */
enum MHD_Result ms_page_preflight(const ms_exchange *exchange, const char *headers);

/* Counts the request against its client's rate. 0 if it may go on; else how many seconds it must
 * wait. */
unsigned int ms_page_take_turn(ms_service *service, const ms_exchange *exchange);

/* Answers that it must wait so long. */
enum MHD_Result ms_page_rate_limited(const ms_exchange *exchange, unsigned int seconds);

#endif
