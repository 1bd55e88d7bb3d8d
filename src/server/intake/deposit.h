/*
 * ms_deposit: a request's commands on their way to disk. Meanwhile the request waits, without
 * holding a thread up; it is answered only when they are there.
 */
#ifndef MS_DEPOSIT_H
#define MS_DEPOSIT_H

#include "../request.h"
#include "../service.h"

typedef enum {
    MS_DEPOSIT_OPEN,
    MS_DEPOSIT_STORED, /* it is on disk */
    MS_DEPOSIT_FAILED, /* the disk would not take it */
    MS_DEPOSIT_REFUSED /* the queue would not */
} ms_deposit_state;

struct ms_deposit {
    ms_job job;
    ms_service *service;
    struct MHD_Connection *connection;
    ms_deposit_state state;
    ms_commands commands;
    unsigned int events[MS_TYPE_COUNT]; /* how many there are of each type, for the metrics */
    ms_arena arena;                     /* in which the commands live */
};

/* Gives the request a deposit with so many bytes for commands. NULL without memory. */
ms_deposit *ms_deposit_open(ms_request *request, size_t size);

/*
 * Sends the commands to the queue: the request is handled anew, with another state, once they have
 * arrived or cannot. To be returned from the handler of the request.
 */
enum MHD_Result ms_deposit_send(ms_service *service, ms_request *request);

/* MS_OK if they are on disk; else what to answer. */
ms_status ms_deposit_status(const ms_deposit *deposit);

/* NULL is let pass. */
void ms_deposit_free(ms_deposit *deposit);

#endif
