#ifndef MS_UTF8_H
#define MS_UTF8_H

#include <stddef.h>

/* The length of the UTF-8 sequence at `p`, which is not ASCII; 0 if it is not valid. */
size_t ms_utf8_sequence(const unsigned char *p, const unsigned char *end);

#endif
