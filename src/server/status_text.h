/*
 * The codes and sentences of status.h that the server tells, whichever list they are of.
 */
#ifndef MS_STATUS_TEXT_H
#define MS_STATUS_TEXT_H

#include "../core/status.h"

/* Static storage; "" of a status that the server never has. */
const char *ms_code_of(ms_status status);
const char *ms_sentence_of(ms_status status);

/* The sentence of a code; "" if there is none. */
const char *ms_sentence_of_code(const char *code);

#endif
