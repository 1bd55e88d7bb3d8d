#ifndef MS_HEX_H
#define MS_HEX_H

#include "slice.h"

/* Writes `len` bytes as 2 * len lower-case hexadecimal digits, no NUL byte. */
void ms_hex(const unsigned char *bytes, size_t len, char *hex);

/* The number that `digits` hexadecimal digits at `p` make; -1 if there are not as many before
 * `end`. */
int ms_hex_value(const char *p, const char *end, int digits);

#endif
