/*
 * What is answered under each path.
 */
#ifndef MS_ANSWER_H
#define MS_ANSWER_H

#include "request.h"
#include "service.h"

/* Answers a request whose whole body is there, or suspends it; then it is called again. */
enum MHD_Result ms_answer(ms_service *service, ms_request *request, const char *path,
                          const char *method);

#endif
