/*
 * Segment's HTTP Tracking API: POST /v1/identify, track, page, screen, group, alias, batch, import,
 * with a write key. What is answered with 200 is on disk.
 */
#ifndef MS_SEGMENT_ENDPOINT_H
#define MS_SEGMENT_ENDPOINT_H

#include "../request.h"
#include "../service.h"

/* The longest body, a batch's; before and after it was unpacked. */
#define MS_SEGMENT_BODY_MAX 512000

/* An empty body of a request with these headers. Who has shown a write key in them has room that no
 * stranger takes. */
void ms_segment_body_init(ms_body *body, ms_service *service, struct MHD_Connection *connection);

/* Answers a request whose whole body is there, and again once its deposit has arrived. */
enum MHD_Result ms_segment_answer(ms_service *service, ms_request *request, const char *method);

#endif
