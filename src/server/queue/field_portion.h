/*
 * A lead's fields where they are too many at once: which go first, and which are kept.
 */
#ifndef MS_FIELD_PORTION_H
#define MS_FIELD_PORTION_H

#include "field_set.h"

/* Takes fields out of `left`, from its first on: as many as are written in `room` bytes, and if
 * there is any, at least one. Both stay in the set's memory. */
ms_field_set ms_field_portion(ms_field_set *left, size_t room);

/* The same for a call to Marketo: the lead's e-mail address goes in the first. The portion is no
 * longer in order. */
ms_field_set ms_field_portion_to_send(ms_field_set *left, size_t room);

/* The same of the newest values, and the e-mail address before them. */
ms_field_set ms_field_portion_to_keep(ms_field_set *left, size_t room);

#endif
