/*
 * What the server has done, for GET /metrics in Prometheus' text format. Safe from every thread.
 */
#ifndef MS_METRICS_H
#define MS_METRICS_H

#include "intake/message.h"
#include "queue/store.h"

#include <stddef.h>

/* Where a request went. */
typedef enum {
    MS_ROUTE_HASH,
    MS_ROUTE_LEAD,
    MS_ROUTE_SEGMENT,
    MS_ROUTE_HEALTH,
    MS_ROUTE_METRICS,
    MS_ROUTE_STATIC,
    MS_ROUTE_OTHER,
    MS_ROUTE_COUNT
} ms_route;

void ms_metrics_start(void);
void ms_metrics_request_begins(void);
void ms_metrics_request_ends(void);
void ms_metrics_answered(ms_route route, unsigned int http_status);

/* Counts events that are on disk, by their type. */
void ms_metrics_events(const unsigned int events[MS_TYPE_COUNT]);

/* Requests that have begun and not ended. */
long ms_metrics_in_flight(void);

/* A field was left out of a lead, since Marketo does not have it or nobody may write it. */
void ms_metrics_field_left_out(void);

/* Marketo refused a record for its own fault; it is among the dead letters. */
void ms_metrics_record_refused(void);

/* One of the queue's threads cannot use its database, or can again. */
void ms_metrics_queue_failed(void);
void ms_metrics_queue_recovered(void);

#define MS_METRICS_TEXT 16384

/* Writes the page, returns its length. `queue` is NULL where there is none. */
size_t ms_metrics_write(char text[MS_METRICS_TEXT], const ms_store_counts *queue);

#endif
