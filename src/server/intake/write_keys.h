/*
 * Write keys: what names a sender of events, as the user name of HTTP Basic or as `writeKey` in
 * the body.
 */
#ifndef MS_WRITE_KEYS_H
#define MS_WRITE_KEYS_H

#include "../../core/slice.h"

#define MS_WRITE_KEYS_MAX 64
#define MS_WRITE_KEY_MAX 128
#define MS_WRITE_KEYS_PROBLEM 160

typedef struct {
    char list[MS_WRITE_KEYS_MAX][MS_WRITE_KEY_MAX]; /* the rest of each is filled with zeros */
    size_t lens[MS_WRITE_KEYS_MAX];
    size_t count;
} ms_write_keys;

/* A list of none, in memory as secrets have it (secret.h); NULL without memory. */
ms_write_keys *ms_write_keys_open(void);

/* Overwrites them. NULL is nothing to close. */
void ms_write_keys_close(ms_write_keys *keys);

/* Adds a copy. False if it is empty, longer than MS_WRITE_KEY_MAX, has a colon or a space, or there
 * is no room. */
bool ms_write_keys_add(ms_write_keys *keys, ms_slice key);

/*
 * Adds those of a file, one a line; empty lines and what is behind a "#" count for nothing. False
 * if it cannot be read, or one of its keys not be added: then `problem` says which and why, without
 * the key.
 */
bool ms_write_keys_load(ms_write_keys *keys, const char *path,
                        char problem[static MS_WRITE_KEYS_PROBLEM]);

/* Is it one of them? Takes as long whichever it is, and wherever it differs. */
bool ms_write_keys_hold(const ms_write_keys *keys, ms_slice key);

/* Is an Authorization header's value of the scheme Basic, by which a key may be named? */
bool ms_write_keys_is_basic(const char *authorization);

/*
 * Is the user name in an Authorization header's value, "Basic " and base64, one of them? The
 * password does not count.
 */
bool ms_write_keys_authorize(const ms_write_keys *keys, const char *authorization);

#endif
