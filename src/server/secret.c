#include "secret.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 1024
#define PAGE 4096

const ms_secret_source ms_secret_private_key = {
    .name = "private key",
    .variable = "MARKETO_API_PRIVATE_KEY",
    .flag = "--private-key-file",
    .hint = "Admin > Integration > Munchkin",
};

const ms_secret_source ms_secret_client_secret = {
    .name = "client secret",
    .variable = "MARKETO_CLIENT_SECRET",
    .flag = "--client-secret-file",
    .hint = "Admin > Integration > LaunchPoint",
};

const ms_secret_source ms_secret_soap_encryption_key = {
    .name = "SOAP encryption key",
    .variable = "MARKETO_SOAP_ENCRYPTION_KEY",
    .flag = "--soap-encryption-key-file",
    .hint = "Admin > Integration > Web Services",
};

const ms_secret_source ms_secret_tokens[2] = {
    {.name = "token secret", .variable = "MUNCHKIN_TOKEN_SECRET", .flag = "--token-secret-file"},
    {.name = "second token secret",
     .variable = "MUNCHKIN_TOKEN_SECRET_2",
     .flag = "a second --token-secret-file"},
};

static void
tell(const char *before, const ms_secret_source *source, const char *after)
{
    (void)fprintf(stderr, "munchkin-server: %s%s%s.\n", before, source->name, after);
}

void
ms_secret_guard(void)
{
    const struct rlimit none = {0, 0};
    /* The limit alone does not stop dumps that the system pipes to a program. */
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void
ms_secret_file_check(int file, const char *path)
{
    struct stat about;
    if (fstat(file, &about) == 0 && (about.st_mode & (S_IRGRP | S_IROTH)) != 0) {
        ms_log("warning", "key_file_readable_by_others", "path", path);
    }
}

/* Reads a file, or as much of it as shows that it is longer than SECRET_MAX bytes; -1 with errno if
 * it cannot be read. */
static ssize_t
read_file(const char *path, char *memory)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    ms_secret_file_check(file, path);
    size_t len = 0;
    ssize_t got = 0;
    do {
        got = read(file, memory + len, SECRET_MAX + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && len <= SECRET_MAX) || (got < 0 && errno == EINTR));
    int why = errno;
    (void)close(file);
    errno = why;
    return got < 0 ? -1 : (ssize_t)len;
}

/* Moves the variable's value into `memory`, unless it is longer than SECRET_MAX bytes; its length.
 */
static ssize_t
take_variable(const char *name, char *value, char *memory)
{
    size_t len = strlen(value);
    if (len <= SECRET_MAX) {
        memcpy(memory, value, len);
    }
    explicit_bzero(value, len);
    (void)unsetenv(name);
    return (ssize_t)len;
}

/* "the private key's file PATH", or the variable's name. */
static void
tell_where(const ms_secret_source *source, const char *path, const char *problem)
{
    if (path == NULL) {
        (void)fprintf(stderr, "munchkin-server: %s %s.\n", source->variable, problem);
    } else {
        (void)fprintf(stderr, "munchkin-server: the %s's file %s %s.\n", source->name, path,
                      problem);
    }
}

void *
ms_secret_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    /* Both may be refused to an unprivileged process; the secret works without. */
    (void)mlock(memory, size);
    (void)madvise(memory, size, MADV_DONTDUMP);
    return memory;
}

void
ms_secret_memory_free(void *memory, size_t size)
{
    explicit_bzero(memory, size);
    (void)munmap(memory, size);
}

/* Reads it into `memory`, and cuts off the line's end; -1 once it was told what is wrong. */
static ssize_t
read_secret(const ms_secret_source *source, const char *path, char *value, char *memory)
{
    ssize_t len =
        path != NULL ? read_file(path, memory) : take_variable(source->variable, value, memory);
    if (len < 0) {
        char problem[128];
        (void)snprintf(problem, sizeof problem, "cannot be read: %s", strerror(errno));
        tell_where(source, path, problem);
        return -1;
    }
    if (len > SECRET_MAX) {
        tell_where(source, path, "is longer than 1024 bytes");
        return -1;
    }
    while (len > 0 && (memory[len - 1] == '\n' || memory[len - 1] == '\r')) {
        len--;
    }
    if (len == 0) {
        tell("the ", source, " is empty");
        return -1;
    }
    return len;
}

bool
ms_secret_load(const ms_secret_source *source, const char *path, ms_slice *secret)
{
    char *value = getenv(source->variable);
    *secret = MS_SLICE("");
    if (path == NULL && value == NULL) {
        return true;
    }
    if (path != NULL && value != NULL) {
        (void)fprintf(stderr, "munchkin-server: the %s is both in %s and in %s; give one.\n",
                      source->name, source->variable, source->flag);
        return false;
    }
    char *memory = ms_secret_memory(PAGE);
    if (memory == NULL) {
        tell("there is no memory for the ", source, "");
        return false;
    }
    ssize_t len = read_secret(source, path, value, memory);
    *secret = (ms_slice){memory, len < 0 ? 1 : (size_t)len};
    if (len < 0) {
        ms_secret_wipe(secret);
    }
    return len >= 0;
}

void
ms_secret_missing(const ms_secret_source *source)
{
    (void)fprintf(stderr,
                  "munchkin-server: there is no %s; set %s or give %s. Marketo shows it under "
                  "%s.\n",
                  source->name, source->variable, source->flag, source->hint);
}

void
ms_secret_wipe(ms_slice *secret)
{
    if (secret->len > 0) {
        ms_secret_memory_free((char *)secret->ptr, PAGE);
        *secret = MS_SLICE("");
    }
}
