/*
 * Calls that fail when a test says so: linked into a program, it stands before what the C library,
 * or a sanitizer, has under the same names. So the calls of SQLite, libcurl, libxml2 and
 * libmicrohttpd fail, too.
 *
 * A program is told by the file that MUNCHKIN_TEST_FAULTS names (faults.mjs), a unit test by
 * faults_arm. Otherwise every call is what it always is.
 */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include <stdint.h>

/* Not an errno: read and written is less than was asked for. */
#define FAULTS_SHORT 0

/*
 * From now on counts the calls of `name`: "memory" for malloc, calloc and realloc together, else
 * the function's own, without the 64 of large files. The one that is `countdown`th, from 1, fails
 * with `error`, and `times` - 1 behind it; with a `countdown` of 0 none does. Of all threads.
 * A getaddrinfo that fails does not return before something else is armed, or nothing.
 */
void faults_arm(const char *name, int error, int64_t countdown, int64_t times);

/* None fails any more, and none is counted. */
void faults_disarm(void);

/* Of the calls since faults_arm: how many there were, and how many failed. */
int64_t faults_calls(void);
int64_t faults_failed(void);

#endif
