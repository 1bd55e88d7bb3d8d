/*
 * The account's Munchkin API private key, in memory that is kept out of swap and core dumps.
 */
#ifndef MS_PRIVATE_KEY_H
#define MS_PRIVATE_KEY_H

#include "../core/slice.h"

/*
 * Takes the key from `path`, or if that is NULL from MARKETO_API_PRIVATE_KEY, which is wiped from
 * the environment. A line's end behind it is no part of it.
 *
 * On failure `key` is empty and what is wrong, never the key, has been written to stderr.
 */
bool ms_private_key_load(const char *path, ms_slice *key);

/* Overwrites the key. */
void ms_private_key_wipe(ms_slice *key);

#endif
