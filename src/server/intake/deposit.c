#include "deposit.h"

#include <stdlib.h>

ms_deposit *
ms_deposit_open(ms_request *request, size_t size)
{
    ms_deposit *deposit = malloc(sizeof *deposit + size);
    if (deposit != NULL) {
        *deposit = (ms_deposit){.connection = request->exchange.connection};
        ms_arena_init(&deposit->arena, deposit + 1, size);
        request->deposit = deposit;
    }
    return deposit;
}

/* In the acceptor's thread. Once the connection is resumed, the deposit may be gone. */
static void
done(ms_job *job, bool stored)
{
    ms_deposit *deposit = (ms_deposit *)job;
    ms_service *service = deposit->service;
    deposit->state = stored ? MS_DEPOSIT_STORED : MS_DEPOSIT_FAILED;
    MHD_resume_connection(deposit->connection);
    atomic_fetch_sub(&service->deposits, 1);
}

enum MHD_Result
ms_deposit_send(ms_service *service, ms_request *request)
{
    ms_deposit *deposit = request->deposit;
    deposit->service = service;
    deposit->job = (ms_job){.commands = deposit->commands.first, .done = done};
    MHD_suspend_connection(deposit->connection);
    /* In this order: who stops the server waits until there are none, after saying that it stops.
     */
    atomic_fetch_add(&service->deposits, 1);
    if (atomic_load(&service->stopping) || !ms_worker_submit(service->worker, &deposit->job)) {
        deposit->state = MS_DEPOSIT_REFUSED;
        MHD_resume_connection(deposit->connection);
        atomic_fetch_sub(&service->deposits, 1);
    }
    return MHD_YES;
}

ms_status
ms_deposit_status(const ms_deposit *deposit)
{
    switch (deposit->state) {
    case MS_DEPOSIT_STORED:
        return MS_OK;
    case MS_DEPOSIT_REFUSED:
        return MS_QUEUE_FULL;
    default:
        return MS_NOT_STORED;
    }
}

void
ms_deposit_free(ms_deposit *deposit)
{
    free(deposit);
}
