/* Core's numbers as text (number.h), and cJSON's text as numbers, by the JavaScript engine. */

#include "../core/number.h"
#include "../core/cjson_config.h"

#include <math.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("env"), import_name(name)))

/* Writes String(value) as ASCII at `text`, returns its length. */
IMPORT("format") size_t js_number_format(double value, char *text);

/* Number(text) of `len` ASCII bytes; NaN if it is no number. */
IMPORT("parse") double js_number_parse(const char *text, size_t len);

size_t
ms_number_format(double value, char text[MS_NUMBER_TEXT]) {
    return js_number_format(value, text);
}

double
ms_cjson_strtod(const char *text, char **end) {
    size_t len = strlen(text);
    double value = js_number_parse(text, len);
    *end = (char *)text + (isnan(value) ? 0 : len);
    return value;
}
