/*
 * Numbers and their text. Core declares these two functions and its host answers
 * them: the JavaScript engine in WebAssembly, the C library in the server. That
 * keeps printf and strtod, three times the size of the rest, out of the wasm module.
 */
#ifndef MS_NUMBER_H
#define MS_NUMBER_H

#include <stddef.h>

/* Room for any number's text: "-2.2250738585072014e-308" and a NUL byte. */
#define MS_NUMBER_TEXT 32

/*
 * Writes `value` as ECMAScript's Number::toString does (the shortest digits
 * that read back as the same number; 1e21 and up and below 1e-6 with an
 * exponent) and returns its length. No NUL byte is written.
 */
size_t ms_number_format(double value, char text[MS_NUMBER_TEXT]);

/*
 * As strtod in the C locale, of a text that is all a number; one that is too
 * large for a double is no number. Then `*end` is `text`.
 */
double ms_number_parse(const char *text, char **end);

#endif
