/*
 * A JSON value as one piece of text: what a URL parameter or a lead's field holds.
 */
#ifndef MS_VALUE_H
#define MS_VALUE_H

#include "number.h"
#include "slice.h"

#include <cJSON.h>

/*
 * The text that JavaScript's String() gives for a string, a number, true or
 * false; the empty slice for everything else, as in an array that is joined.
 * A number's text is written into `number`, other text is the value's own.
 */
ms_slice ms_value_text(const cJSON *value, char number[MS_NUMBER_TEXT]);

/* Does the array hold no arrays and no objects? */
bool ms_value_is_plain_array(const cJSON *array);

#endif
