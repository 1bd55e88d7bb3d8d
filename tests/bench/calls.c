/*
 * Times core's calls natively. Reads requests, one a line: the call's name, a space, the JSON.
 * Prints for each how many nanoseconds one takes, in lines of the same order.
 *
 *     build/bench-calls <requests
 */
#include "../../src/core/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LINE_BYTES (2 * MS_REQUEST_MAX)
#define ARENA_BYTES ((size_t)6 << 20)
#define MEASURED_NS 100e6

static double
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double
ns_per_call(ms_call_kind kind, ms_slice request, char *memory)
{
    double start = now_ns();
    double passed = 0;
    long calls = 0;
    while (passed < MEASURED_NS) {
        for (int i = 0; i < 10; i++) {
            ms_arena arena;
            ms_slice result;
            ms_arena_init(&arena, memory, ARENA_BYTES);
            (void)ms_call(&arena, kind, request, &result);
        }
        calls += 10;
        passed = now_ns() - start;
    }
    return passed / (double)calls;
}

int
main(void)
{
    static const char *const names[] = {
        [MS_PAGE] = "page", [MS_TRACK] = "track", [MS_IDENTIFY] = "identify"};
    static char line[LINE_BYTES];
    char *memory = malloc(ARENA_BYTES);
    while (memory != NULL && fgets(line, sizeof line, stdin) != NULL) {
        size_t len = strcspn(line, "\n");
        char *json = memchr(line, ' ', len);
        for (int kind = MS_PAGE; json != NULL && kind <= MS_IDENTIFY; kind++) {
            if (strlen(names[kind]) == (size_t)(json - line) &&
                memcmp(names[kind], line, (size_t)(json - line)) == 0) {
                ms_slice request = {json + 1, len - (size_t)(json + 1 - line)};
                (void)printf("%.0f\n", ns_per_call((ms_call_kind)kind, request, memory));
            }
        }
    }
    free(memory);
    return memory == NULL ? EXIT_FAILURE : EXIT_SUCCESS;
}
