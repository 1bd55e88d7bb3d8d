#include "clock.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How many milliseconds ahead, in the file that a test writes to; NULL if none moves the clock. */
static const _Atomic int64_t *ahead;

/* Maps the file, so that reading it costs no system call. */
static const _Atomic int64_t *
map(const char *path)
{
    struct stat status;
    void *memory = MAP_FAILED;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return NULL;
    }
    if (fstat(file, &status) == 0 && status.st_size >= (off_t)sizeof *ahead) {
        memory = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    }
    (void)close(file);
    return memory == MAP_FAILED ? NULL : memory;
}

bool
ms_clock_start(void)
{
    const char *path = getenv("MUNCHKIN_TEST_CLOCK");
    if (path == NULL || *path == '\0') {
        ahead = NULL;
        return true;
    }
    ahead = map(path);
    return ahead != NULL;
}

int64_t
ms_clock_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    return ahead == NULL ? ms : ms + atomic_load_explicit(ahead, memory_order_relaxed);
}

int64_t
ms_clock_steady_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
ms_clock_steady_ms(void)
{
    return ms_clock_steady_us() / 1000;
}

bool
ms_clock_is_moved(void)
{
    return ahead != NULL;
}
