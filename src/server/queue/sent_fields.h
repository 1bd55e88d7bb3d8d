/*
 * What was sent of a lead, kept as hashes: so that a field which has its value in Marketo already
 * costs no call, and the queue does not keep what it has done with.
 *
 * A record has the hash of the name, the hash of name and value, and the time when it was sent;
 * eight bytes each.
 */
#ifndef MS_SENT_FIELDS_H
#define MS_SENT_FIELDS_H

#include "field_set.h"

/* Records of fields that were sent later than `since`, those of `fields` as sent `now`. Allocated
 * in the arena; empty if that is exhausted. */
ms_slice ms_sent_fields_add(ms_arena *arena, ms_slice sent, const ms_field_set *fields,
                            int64_t since, int64_t now);

/* Both together; the later record of each name. */
ms_slice ms_sent_fields_merge(ms_arena *arena, ms_slice a, ms_slice b);

/* Takes out of `fields` those that were sent with this value later than `since`. */
void ms_sent_fields_remove(ms_slice sent, int64_t since, ms_field_set *fields);

#endif
