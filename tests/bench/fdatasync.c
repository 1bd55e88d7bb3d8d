/*
 * How often a second this disk syncs: appends a kilobyte to a file in the folder, and syncs it, one
 * after the other. A server that makes each event durable alone cannot be faster.
 *
 *     build/bench-fdatasync FOLDER SECONDS      prints {"perSecond":…,"p50":…,"p99":…}, as wrk's
 *                                               scripts do
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENT_BYTES 1024
#define SYNCS_MAX 1000000

static double
now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How long each sync took; returns how many there were, 0 if the disk fails. */
static size_t
measure(int file, double milliseconds, long pause, double took[SYNCS_MAX])
{
    char event[EVENT_BYTES];
    const struct timespec wait = {.tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000};
    double start = now_ms();
    double before = start;
    size_t syncs = 0;
    memset(event, 'e', sizeof event);
    while (before - start < milliseconds && syncs < SYNCS_MAX) {
        if (pause > 0) {
            (void)nanosleep(&wait, NULL);
            before = now_ms();
        }
        if (write(file, event, sizeof event) != (ssize_t)sizeof event || fdatasync(file) != 0) {
            return 0;
        }
        double after = now_ms();
        took[syncs++] = after - before;
        before = after;
    }
    return syncs;
}

static void
print(double took[], size_t syncs)
{
    double sum = 0;
    for (size_t i = 0; i < syncs; i++) {
        sum += took[i];
    }
    qsort(took, syncs, sizeof *took, compare);
    (void)printf("{\"perSecond\":%f,\"p50\":%f,\"p99\":%f,\"most\":%f}\n",
                 1e3 * (double)syncs / sum, took[syncs / 2], took[syncs * 99 / 100],
                 took[syncs - 1]);
}

int
main(int argc, char **argv)
{
    static double took[SYNCS_MAX];
    char path[4096];
    double seconds = argc == 3 || argc == 4 ? strtod(argv[2], NULL) : 0;
    long pause = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    if (seconds <= 0 || pause < 0 ||
        snprintf(path, sizeof path, "%s/fdatasync", argv[1]) >= (int)sizeof path) {
        (void)fputs("usage: bench-fdatasync FOLDER SECONDS [PAUSE]\n", stderr);
        return EXIT_FAILURE;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    size_t syncs = file < 0 ? 0 : measure(file, seconds * 1e3, pause, took);
    if (syncs == 0) {
        perror(path);
        return EXIT_FAILURE;
    }
    (void)close(file);
    (void)unlink(path);
    print(took, syncs);
    return EXIT_SUCCESS;
}
