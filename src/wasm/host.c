/* What core asks of its host (number.h, date.h), by the JavaScript engine. */

#include "../core/date.h"
#include "../core/number.h"

#include <math.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("env"), import_name(name)))

/* Writes String(value) as ASCII at `text`, returns its length. */
IMPORT("format") size_t js_number_format(double value, char *text);

/* Number(text) of `len` ASCII bytes; NaN if it is no number. */
IMPORT("parse") double js_number_parse(const char *text, size_t len);

/* Writes new Date(ms).toISOString() if it has MS_DATE_TEXT characters; else returns 0. */
IMPORT("date") int js_date_format(double ms, char *text);

size_t
ms_number_format(double value, char text[MS_NUMBER_TEXT])
{
    return js_number_format(value, text);
}

bool
ms_date_format(double ms, char text[MS_DATE_TEXT])
{
    return js_date_format(ms, text) != 0;
}

double
ms_number_parse(const char *text, char **end)
{
    size_t len = strlen(text);
    double value = js_number_parse(text, len);
    *end = (char *)text + (isfinite(value) ? len : 0);
    return value;
}
