/*
 * A message of Segment's Tracking API as commands for the queue. Pure.
 *
 *   identify     LEAD. The lead is known by the e-mail (traits.email, else userId), userId, else
 *                sessionId, and the Marketo cookie.
 *   page, track  VISIT of the visitor whose cookie came along; nothing without one.
 *   track        of an event that is mapped (activities.h): ACTIVITY, of a lead known as above.
 *   all others   NOTHING, as whatever `integrations` keep from Marketo.
 *
 * What can never be sent becomes DEAD, with the code of status.h that says why.
 */
#ifndef MS_MESSAGE_H
#define MS_MESSAGE_H

#include "../command.h"
#include "activities.h"

/* The longest message. */
#define MS_MESSAGE_MAX 32768

typedef enum {
    MS_TYPE_IDENTIFY,
    MS_TYPE_TRACK,
    MS_TYPE_PAGE,
    MS_TYPE_SCREEN,
    MS_TYPE_GROUP,
    MS_TYPE_ALIAS,
    MS_TYPE_OTHER,
    MS_TYPE_COUNT
} ms_message_type;

/* MS_TYPE_OTHER if it is none of these. */
ms_message_type ms_message_type_of(ms_slice name);

/* The same for all messages. */
typedef struct {
    ms_slice munchkin_id;
    const ms_activities *activities; /* may be NULL */
} ms_message_rules;

/* What stands around a message, and counts where it says nothing itself. */
typedef struct {
    ms_slice sent_at; /* of the batch */
    const cJSON *context;
    const cJSON *integrations;
    int64_t received; /* ms since 1970 */
} ms_message_envelope;

/* A list that grows at its end. Filled with zeros it is empty. */
typedef struct {
    ms_command *first;
    ms_command *last;
} ms_commands;

/*
 * Appends the commands of a message. `message` is the tree of `text`. They live in `out`, which is
 * exhausted if they do not fit; `scratch` may be forgotten afterwards. `text` must live as long as
 * the commands.
 */
void ms_message_read(const ms_message_rules *rules, const ms_message_envelope *envelope,
                     ms_message_type type, const cJSON *message, ms_slice text, ms_arena *scratch,
                     ms_arena *out, ms_commands *commands);

/* Appends a DEAD command for a message that cannot be read; `text` need not be JSON. */
void ms_message_dead(ms_status why, ms_slice message_id, ms_slice text, int64_t time, ms_arena *out,
                     ms_commands *commands);

#endif
