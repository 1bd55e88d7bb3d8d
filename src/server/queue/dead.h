/*
 * Dead letters: what Marketo refuses for its own fault, or what can never be sent, kept for a
 * person.
 */
#ifndef MS_DEAD_H
#define MS_DEAD_H

#include "../../core/json.h"
#include "field_set.h"
#include "statements.h"

/* Of a lead, or of a cookie that was to be tied to it; the rest is empty where it is none. */
typedef struct {
    ms_slice email;
    ms_slice user_id;
    ms_slice cookie;
    int64_t marketo_id;
    const ms_field_set *fields;
} ms_dead_lead;

/* Many fields make several letters, so that each can be sent again. */
void ms_dead_add_lead(ms_store *store, const char *kind, const ms_dead_lead *lead, ms_slice code,
                      ms_slice reason, int64_t now);
/* One that is too much for a call, or with what waits already. */
void ms_dead_add_too_large(ms_store *store, const ms_dead_lead *lead, ms_slice reason, int64_t now);
void ms_dead_add_visit(ms_store *store, int64_t time, ms_slice query, ms_slice user_agent,
                       ms_slice code, ms_slice reason, int64_t now);
/* One of a command that could not be carried out. */
void ms_dead_add_activity(ms_store *store, const ms_command *command, ms_slice code,
                          ms_slice reason, int64_t now);
/* An activity that waits or is in flight, by its id; it is taken out of the queue. */
void ms_dead_move_activity(ms_store *store, int64_t id, ms_slice code, ms_slice reason,
                           int64_t now);
/* All activities that wait for the lead to have a Marketo id. */
void ms_dead_move_activities_of(ms_store *store, int64_t lead, ms_slice code, ms_slice reason,
                                int64_t now);
void ms_dead_add_message(ms_store *store, const ms_identity *who, ms_slice payload, ms_slice code,
                         ms_slice reason, int64_t now);

#endif
