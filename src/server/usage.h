#ifndef MS_USAGE_H
#define MS_USAGE_H

/* The answer to --help. */
extern const char ms_usage[];

#endif
