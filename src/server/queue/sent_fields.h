/*
 * What was sent of a lead, kept as hashes: so that a field which has its value in Marketo already
 * costs no call, so that what is older does not take its place, and so that the queue does not keep
 * what it has done with.
 *
 * A record says what Marketo has, and how new that is: so an older value that was sent later makes
 * way for all that is newer than itself, though newer ones had been sent before it.
 *
 * A record has the hash of the name in lower case, the hash of that and the value, the time when it
 * was sent (0: perhaps never), and the value's own (field_set.h); eight bytes each. Records are in
 * the order of the names' hashes, each once.
 */
#ifndef MS_SENT_FIELDS_H
#define MS_SENT_FIELDS_H

#include "field_set.h"

/* The records with those of `fields`, as sent `now`. Allocated in the arena; empty if that is
 * exhausted. */
ms_slice ms_sent_fields_add(ms_arena *arena, ms_slice sent, const ms_field_set *fields,
                            int64_t now);

/* The records where it is not known any more what Marketo has of `fields`: something as new as
 * they say, but none of their values is taken for sent. */
ms_slice ms_sent_fields_doubt(ms_arena *arena, ms_slice sent, const ms_field_set *fields);

/* The records for another lead of Marketo's: it has nothing of all that, but what is older than
 * that is not for it either. */
ms_slice ms_sent_fields_to_another(ms_arena *arena, ms_slice sent);

/* Both together; of each name what was sent later. If both sent the same value, it is as new as
 * either says. */
ms_slice ms_sent_fields_merge(ms_arena *arena, ms_slice a, ms_slice b);

/* Was a newer value of this field sent? */
bool ms_sent_fields_outdate(ms_slice sent, int64_t now, const ms_waiting_field *field);

/*
 * Takes out of `fields` those that were sent with this value within `unchanged`, and those of which
 * a newer value was sent. The records note how new a value is that came again: `sent` is memory
 * that may be written, as that of a lead's row is. True if they note anything: then they are to be
 * kept.
 */
bool ms_sent_fields_remove(ms_slice sent, int64_t unchanged, int64_t now, ms_field_set *fields);

#endif
