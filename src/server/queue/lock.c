#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* -1 with errno. */
static int
open_file(const char *path, int more)
{
    char name[PATH_MAX];
    int len = snprintf(name, sizeof name, "%s.lock", path);
    if (len < 0 || (size_t)len >= sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(name, O_RDWR | O_CLOEXEC | more, S_IRUSR | S_IWUSR);
}

static bool
can_be_written(const char *folder_of)
{
    char copy[PATH_MAX];
    (void)snprintf(copy, sizeof copy, "%s", folder_of);
    return access(dirname(copy), W_OK | X_OK) == 0;
}

bool
ms_lock_can_be_taken(const char *path)
{
    int file = open_file(path, 0);
    if (file < 0) {
        return errno == ENOENT && can_be_written(path);
    }
    (void)close(file);
    return true;
}

int
ms_lock_take(const char *path)
{
    int file = open_file(path, O_CREAT);
    if (file < 0) {
        return MS_LOCK_FAILED;
    }
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        int held = errno == EWOULDBLOCK;
        (void)close(file);
        return held ? MS_LOCK_HELD : MS_LOCK_FAILED;
    }
    return file;
}
