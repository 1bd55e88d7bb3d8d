/*
 * Secrets: from the environment or a file, in memory of their own that is kept out of swap and core
 * dumps, and wiped in the end. Never on the command line, where other users can read it.
 */
#ifndef MS_SECRET_H
#define MS_SECRET_H

#include "../core/slice.h"

/* Where a secret may be, and how messages to people name it. */
typedef struct {
    const char *name;     /* "private key" */
    const char *variable; /* of the environment */
    const char *flag;     /* the option that names its file */
    const char *hint;     /* where Marketo shows it; NULL: it is not Marketo's */
} ms_secret_source;

extern const ms_secret_source ms_secret_private_key;         /* MARKETO_API_PRIVATE_KEY */
extern const ms_secret_source ms_secret_client_secret;       /* MARKETO_CLIENT_SECRET */
extern const ms_secret_source ms_secret_soap_encryption_key; /* MARKETO_SOAP_ENCRYPTION_KEY */
extern const ms_secret_source ms_secret_tokens[2]; /* MUNCHKIN_TOKEN_SECRET, and _2 behind it */

/*
 * From now on this process leaves no core dump, and no other process of the same user can read its
 * memory: what libraries copy of a secret is not in memory of ours. Call it first of all.
 */
void ms_secret_guard(void);

/*
 * Pages of their own, full of zeros, that neither swap nor core dumps see; NULL without memory.
 * They end by ms_secret_memory_free, which overwrites them.
 */
void *ms_secret_memory(size_t size);
void ms_secret_memory_free(void *memory, size_t size);

/*
 * Takes the secret from the file `path`, or if that is NULL from the variable, which is wiped from
 * the environment. A line's end behind it is no part of it. If there is neither, `secret` is empty;
 * whoever cannot do without says so by ms_secret_missing. Call it before any thread.
 *
 * False if it is there twice, empty, too long or cannot be read: then `secret` is empty, and what
 * is wrong, never the secret, has been written to stderr. The secret ends by ms_secret_wipe.
 */
bool ms_secret_load(const ms_secret_source *source, const char *path, ms_slice *secret);

/* Warns, in the log, of a file with secrets that others than its owner can read. */
void ms_secret_file_check(int file, const char *path);

/* Writes to stderr that there is no such secret of Marketo's, and where to get it. */
void ms_secret_missing(const ms_secret_source *source);

/* Overwrites the secret and gives its memory back; `secret` is empty then. */
void ms_secret_wipe(ms_slice *secret);

#endif
