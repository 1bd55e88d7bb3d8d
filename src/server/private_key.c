#include "private_key.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define VARIABLE "MARKETO_API_PRIVATE_KEY"
#define KEY_MAX 1024
#define PAGE 4096

static bool
refuse(const char *problem)
{
    (void)fprintf(stderr, "munchkin-server: %s.\n", problem);
    return false;
}

/* Reads a file of at most KEY_MAX bytes; -1 if it is longer or cannot be read. */
static ssize_t
read_file(const char *path, char *memory)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    struct stat about;
    if (fstat(file, &about) == 0 && (about.st_mode & (S_IRGRP | S_IROTH)) != 0) {
        ms_log("warning", "key_file_readable_by_others", "path", path);
    }
    size_t len = 0;
    ssize_t got = 0;
    do {
        got = read(file, memory + len, KEY_MAX + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    } while ((got > 0 && len <= KEY_MAX) || (got < 0 && errno == EINTR));
    int why = errno;
    (void)close(file);
    errno = why;
    return got < 0 || len > KEY_MAX ? -1 : (ssize_t)len;
}

/* Moves the variable's value into `memory`; its length, -1 if it is too long. */
static ssize_t
take_variable(char *value, char *memory)
{
    size_t len = strlen(value);
    if (len <= KEY_MAX) {
        memcpy(memory, value, len);
    }
    explicit_bzero(value, len);
    (void)unsetenv(VARIABLE);
    return len <= KEY_MAX ? (ssize_t)len : -1;
}

bool
ms_private_key_load(const char *path, ms_slice *key)
{
    char *value = getenv(VARIABLE);
    *key = MS_SLICE("");
    if (path != NULL && value != NULL) {
        return refuse("the key is both in " VARIABLE " and in --private-key-file; give one");
    }
    if (path == NULL && value == NULL) {
        return refuse("there is no private key; set " VARIABLE " or give --private-key-file. "
                      "Marketo shows it under Admin > Integration > Munchkin");
    }
    char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return refuse("there is no memory for the private key");
    }
    /* Both may be refused to an unprivileged process; the key works without. */
    (void)mlock(memory, PAGE);
    (void)madvise(memory, PAGE, MADV_DONTDUMP);

    ssize_t len = path != NULL ? read_file(path, memory) : take_variable(value, memory);
    if (len < 0) {
        (void)munmap(memory, PAGE);
        return refuse(path != NULL ? "the private key's file cannot be read, or is longer than "
                                     "1024 bytes"
                                   : VARIABLE " is longer than 1024 bytes");
    }
    while (len > 0 && (memory[len - 1] == '\n' || memory[len - 1] == '\r')) {
        len--;
    }
    if (len == 0) {
        (void)munmap(memory, PAGE);
        return refuse("the private key is empty");
    }
    *key = (ms_slice){memory, (size_t)len};
    return true;
}

void
ms_private_key_wipe(ms_slice *key)
{
    if (key->len > 0) {
        explicit_bzero((char *)key->ptr, PAGE);
        (void)munmap((char *)key->ptr, PAGE);
        *key = MS_SLICE("");
    }
}
