#include "clock.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VARIABLE "MUNCHKIN_TEST_CLOCK"

/* The test's file, in memory; NULL without one. */
static const _Atomic int64_t *ahead;

bool
ms_clock_start(void)
{
    const char *path = getenv(VARIABLE);
    if (path == NULL) {
        return true;
    }
    struct stat about;
    void *mapped = MAP_FAILED;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0 && fstat(file, &about) == 0 && about.st_size >= (off_t)sizeof *ahead) {
        mapped = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    }
    if (file >= 0) {
        (void)close(file);
    }
    if (mapped == MAP_FAILED) {
        (void)fprintf(stderr, "munchkin-server: " VARIABLE " names no file of eight bytes.\n");
        return false;
    }
    ahead = mapped;
    return true;
}

int64_t
ms_clock_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t moved = ahead == NULL ? 0 : atomic_load_explicit(ahead, memory_order_relaxed);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + moved;
}

bool
ms_clock_is_moved(void)
{
    return ahead != NULL;
}
