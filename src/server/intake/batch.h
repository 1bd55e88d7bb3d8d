/*
 * A batch, taken apart into its messages before any of them is read, so that a message that cannot
 * be read leaves those around it whole.
 */
#ifndef MS_BATCH_H
#define MS_BATCH_H

#include "../../core/json.h"

/* More than so many messages are not taken at once. */
#define MS_BATCH_MESSAGES_MAX 5000
/* What stands around the messages is read, and may be stored, with each of them: so many bytes in
 * all. For a thousand messages that is 2 KB. */
#define MS_BATCH_SHARED_MAX ((size_t)2 << 20)

typedef struct {
    ms_slice envelope; /* the JSON object, with an empty list for `batch`; in the arena */
    ms_slice messages; /* what stands in that list; a piece of the body */
    size_t count;
} ms_batch;

/*
 * Finds the list called batch. MS_OK, MS_BATCH_MISSING, MS_OUT_OF_MEMORY, or MS_JSON_INVALID where
 * it cannot be told where a message ends, or the body is cut off. Whether the envelope and each
 * message are JSON is left to who reads them.
 */
ms_status ms_batch_open(ms_arena *arena, ms_slice body, ms_batch *batch);

/*
 * Reads the envelope. MS_JSON_INVALID as well if it names batch more than once: what one of them
 * holds would be lost.
 */
ms_status ms_batch_envelope(ms_arena *arena, const ms_batch *batch, cJSON **envelope);

/* MS_OK; MS_BATCH_TOO_LONG of too many messages, MS_BATCH_SHARED_TOO_LARGE of too much around so
 * many. */
ms_status ms_batch_check_size(const ms_batch *batch);

/* Takes the next message off `messages`. False at their end. */
bool ms_batch_next(ms_slice *messages, ms_slice *message);

#endif
