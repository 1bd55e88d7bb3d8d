#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

int
ms_lock_take(const char *path)
{
    char name[PATH_MAX];
    int len = snprintf(name, sizeof name, "%s.lock", path);
    if (len < 0 || (size_t)len >= sizeof name) {
        errno = ENAMETOOLONG;
        return MS_LOCK_FAILED;
    }
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
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
