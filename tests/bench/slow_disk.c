/*
 * A disk that takes two milliseconds longer to sync, as volumes over a network do: loaded before
 * the C library (LD_PRELOAD), whose fdatasync it puts the pause in front of. Threads that sync at
 * once pause at once, which favours those that sync each event alone.
 */
#include <dlfcn.h>
#include <time.h>

#define PAUSE_NS 2000000L

typedef int syncing(int file);

static int
later(const char *name, int file)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    void *found = dlsym(RTLD_NEXT, name);
    syncing *sync_file = NULL;
    *(void **)&sync_file = found; /* as POSIX has it */
    (void)nanosleep(&pause, NULL);
    return found == NULL ? -1 : sync_file(file);
}

int
fdatasync(int file)
{
    return later("fdatasync", file);
}

int
fsync(int file)
{
    return later("fsync", file);
}
