/*
 * POST /v1/lead: {"userId": …, "traits": {…}, "cookie": "…"} from pages of allowed
 * origins. Where the server has a queue, 202 {"queued":true} once the lead is on disk; where it has
 * but the private key, {"hash": "…"} for Munchkin's associateLead.
 *
 * "age" says for how many ms the lead was kept in the browser, a day at most: its fields are as old
 * as that, and nothing else is. What is no number from 0 on counts as 0.
 */
#ifndef MS_LEAD_ENDPOINT_H
#define MS_LEAD_ENDPOINT_H

#include "../request.h"
#include "../service.h"

/* The longest body. */
#define MS_LEAD_BODY_MAX 65536

/* Answers a request whose whole body is there, and again once its deposit has arrived. */
enum MHD_Result ms_lead_answer(ms_service *service, ms_request *request, const char *method);

#endif
