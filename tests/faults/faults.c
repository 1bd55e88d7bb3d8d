#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* As faults.mjs writes and reads it. */
typedef struct {
    char name[24]; /* empty: none */
    _Atomic int32_t error;
    int32_t unused;
    _Atomic int64_t countdown;
    _Atomic int64_t times;
    _Atomic int64_t calls;
    _Atomic int64_t failed;
} faults;

static faults own;
static faults *told = &own;

/* The real one: a sanitizer's where it has one, else the C library's. */
#define REAL(function)                                                                             \
    static __typeof__(function) *real;                                                             \
    if (real == NULL && __interceptor_##function != NULL) {                                        \
        real = __interceptor_##function;                                                           \
    } else if (real == NULL) {                                                                     \
        *(void **)&real = dlsym(RTLD_NEXT, #function); /* as POSIX has it */                       \
    }

#define SANITIZERS(function)                                                                       \
    extern __typeof__(function) __interceptor_##function __attribute__((weak))

/* Not strcmp: a sanitizer has its own, and may not be ready. */
static bool
is_told(const char *name)
{
    const char *of = told->name;
    while (*of != '\0' && *of == *name) {
        of++;
        name++;
    }
    return *of == *name;
}

static bool
fails(const char *name)
{
    if (told->name[0] == '\0' || !is_told(name)) {
        return false;
    }
    int64_t call = atomic_fetch_add(&told->calls, 1) + 1;
    int64_t countdown = atomic_load(&told->countdown);
    if (countdown == 0 || call < countdown || call - countdown >= atomic_load(&told->times)) {
        return false;
    }
    atomic_fetch_add(&told->failed, 1);
    return true;
}

/* Whether the call fails whole, with errno set; otherwise `*size` is what is left of it. */
static bool
fails_or_cut(const char *name, size_t *size)
{
    if (!fails(name)) {
        return false;
    }
    int error = atomic_load(&told->error);
    if (error == FAULTS_SHORT) {
        *size = *size > 1 ? *size / 2 : *size;
        return false;
    }
    errno = error;
    return true;
}

static bool
fails_whole(const char *name)
{
    size_t nothing = 0;
    return fails_or_cut(name, &nothing);
}

void
faults_arm(const char *name, int error, int64_t countdown, int64_t times)
{
    faults_disarm();
    own.error = error;
    own.countdown = countdown;
    own.times = times;
    own.calls = 0;
    own.failed = 0;
    strncpy(own.name, name, sizeof own.name - 1);
}

void
faults_disarm(void)
{
    memset(own.name, 0, sizeof own.name);
}

int64_t
faults_calls(void)
{
    return own.calls;
}

int64_t
faults_failed(void)
{
    return own.failed;
}

__attribute__((constructor)) static void
listen_to_file(void)
{
    const char *path = getenv("MUNCHKIN_TEST_FAULTS");
    int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (file >= 0) {
        void *memory = mmap(NULL, sizeof(faults), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        told = memory == MAP_FAILED ? &own : memory;
        (void)close(file);
    }
}

/* ---- memory ------------------------------------------------------------------------------------
 */

/* The C library's, by names that finding them needs no memory for. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
SANITIZERS(malloc);
SANITIZERS(calloc);
SANITIZERS(realloc);

/* A sanitizer asks for this as a thread begins, and takes a failure for its own end. */
static _Thread_local bool spared;

SANITIZERS(pthread_getattr_np);
int
pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    spared = true;
    REAL(pthread_getattr_np)
    int result = real(thread, attributes);
    spared = false;
    return result;
}

static bool
fails_for_memory(void)
{
    if (spared || !fails("memory")) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *
malloc(size_t size)
{
    if (fails_for_memory()) {
        return NULL;
    }
    return __interceptor_malloc != NULL ? __interceptor_malloc(size) : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
    if (fails_for_memory()) {
        return NULL;
    }
    return __interceptor_calloc != NULL ? __interceptor_calloc(count, size)
                                        : __libc_calloc(count, size);
}

void *
realloc(void *memory, size_t size)
{
    if (fails_for_memory()) {
        return NULL;
    }
    return __interceptor_realloc != NULL ? __interceptor_realloc(memory, size)
                                         : __libc_realloc(memory, size);
}

/* One more allocation like the others; a sanitizer's own would pass them by. */
char *
strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

/* ---- files -------------------------------------------------------------------------------------
 */

#define FAILING(result, name, function, parameters, arguments)                                     \
    SANITIZERS(function);                                                                          \
    result function parameters                                                                     \
    {                                                                                              \
        REAL(function)                                                                             \
        return fails_whole(name) ? -1 : real arguments;                                            \
    }

/* Those that may also do less than was asked for. */
#define CUTTING(name, function, parameters, arguments)                                             \
    SANITIZERS(function);                                                                          \
    ssize_t function parameters                                                                    \
    {                                                                                              \
        REAL(function)                                                                             \
        return fails_or_cut(name, &size) ? -1 : real arguments;                                    \
    }

#define OPENING(function)                                                                          \
    SANITIZERS(function);                                                                          \
    int function(const char *path, int flags, ...)                                                 \
    {                                                                                              \
        REAL(function)                                                                             \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;                           \
        va_end(more);                                                                              \
        return fails_whole("open") ? -1 : real(path, flags, mode);                                 \
    }

/* Locks, and flags: what it is given is one word, whichever. */
#define CONTROLLING(function)                                                                      \
    SANITIZERS(function);                                                                          \
    int function(int file, int what, ...)                                                          \
    {                                                                                              \
        REAL(function)                                                                             \
        va_list more;                                                                              \
        va_start(more, what);                                                                      \
        void *argument = va_arg(more, void *);                                                     \
        va_end(more);                                                                              \
        return fails_whole("fcntl") ? -1 : real(file, what, argument);                             \
    }

#define MAPPING(function)                                                                          \
    SANITIZERS(function);                                                                          \
    void *function(void *at, size_t size, int protection, int flags, int file, off_t from)         \
    {                                                                                              \
        REAL(function)                                                                             \
        return fails_whole("mmap") ? MAP_FAILED : real(at, size, protection, flags, file, from);   \
    }

OPENING(open)
OPENING(open64)
CONTROLLING(fcntl)
CONTROLLING(fcntl64)
MAPPING(mmap)
MAPPING(mmap64)
CUTTING("read", read, (int file, void *to, size_t size), (file, to, size))
CUTTING("write", write, (int file, const void *from, size_t size), (file, from, size))
CUTTING("pread", pread, (int file, void *to, size_t size, off_t at), (file, to, size, at))
CUTTING("pread", pread64, (int file, void *to, size_t size, off_t at), (file, to, size, at))
CUTTING("pwrite", pwrite, (int file, const void *from, size_t size, off_t at),
        (file, from, size, at))
CUTTING("pwrite", pwrite64, (int file, const void *from, size_t size, off_t at),
        (file, from, size, at))
FAILING(int, "fsync", fsync, (int file), (file))
FAILING(int, "fdatasync", fdatasync, (int file), (file))
FAILING(int, "ftruncate", ftruncate, (int file, off_t size), (file, size))
FAILING(int, "ftruncate", ftruncate64, (int file, off_t size), (file, size))
FAILING(int, "fstat", fstat, (int file, struct stat *status), (file, status))
FAILING(int, "fstat", fstat64, (int file, struct stat64 *status), (file, status))
FAILING(int, "stat", stat, (const char *path, struct stat *status), (path, status))
FAILING(int, "stat", stat64, (const char *path, struct stat64 *status), (path, status))
FAILING(int, "lstat", lstat64, (const char *path, struct stat64 *status), (path, status))
FAILING(int, "unlink", unlink, (const char *path), (path))
FAILING(int, "flock", flock, (int file, int how), (file, how))

/* ---- sockets -----------------------------------------------------------------------------------
 */

CUTTING("recv", recv, (int socket, void *to, size_t size, int flags), (socket, to, size, flags))
CUTTING("send", send, (int socket, const void *from, size_t size, int flags),
        (socket, from, size, flags))
FAILING(int, "socket", socket, (int domain, int type, int protocol), (domain, type, protocol))
FAILING(int, "connect", connect, (int socket, const struct sockaddr *to, socklen_t size),
        (socket, to, size))
FAILING(int, "bind", bind, (int socket, const struct sockaddr *to, socklen_t size),
        (socket, to, size))
FAILING(int, "listen", listen, (int socket, int waiting), (socket, waiting))
FAILING(int, "accept", accept4, (int socket, struct sockaddr *from, socklen_t *size, int flags),
        (socket, from, size, flags))
FAILING(int, "getsockname", getsockname, (int socket, struct sockaddr *to, socklen_t *size),
        (socket, to, size))
FAILING(int, "getsockopt", getsockopt,
        (int socket, int level, int option, void *value, socklen_t *size),
        (socket, level, option, value, size))
FAILING(int, "setsockopt", setsockopt,
        (int socket, int level, int option, const void *value, socklen_t size),
        (socket, level, option, value, size))
FAILING(int, "socketpair", socketpair, (int domain, int type, int protocol, int both[2]),
        (domain, type, protocol, both))
FAILING(int, "poll", poll, (struct pollfd * files, nfds_t count, int wait), (files, count, wait))
FAILING(int, "eventfd", eventfd, (unsigned int count, int flags), (count, flags))
FAILING(int, "epoll_create", epoll_create1, (int flags), (flags))
/* Only what needs memory: taking out of a set cannot fail. */
SANITIZERS(epoll_ctl);
int
epoll_ctl(int epoll, int what, int file, struct epoll_event *event)
{
    REAL(epoll_ctl)
    return what == EPOLL_CTL_ADD && fails_whole("epoll_ctl") ? -1 : real(epoll, what, file, event);
}

FAILING(int, "epoll_wait", epoll_wait, (int epoll, struct epoll_event *events, int room, int wait),
        (epoll, events, room, wait))

SANITIZERS(sendmsg);
ssize_t
sendmsg(int socket, const struct msghdr *message, int flags)
{
    REAL(sendmsg)
    struct iovec first = message->msg_iovlen > 0 ? message->msg_iov[0] : (struct iovec){NULL, 0};
    struct msghdr cut = *message;
    size_t size = first.iov_len;
    if (fails_or_cut("send", &size)) {
        return -1;
    }
    if (size < first.iov_len) {
        first.iov_len = size;
        cut.msg_iov = &first;
        cut.msg_iovlen = 1;
    }
    return real(socket, &cut, flags);
}

/* As with a nameserver that is gone: what fails takes as long as faults are told of it. */
SANITIZERS(getaddrinfo);
int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
            struct addrinfo **found)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    REAL(getaddrinfo)
    if (!fails("getaddrinfo")) {
        return real(name, service, hints, found);
    }
    while (is_told("getaddrinfo")) {
        (void)nanosleep(&moment, NULL);
    }
    return EAI_AGAIN;
}

/* ---- the rest ----------------------------------------------------------------------------------
 */

CUTTING("getrandom", getrandom, (void *to, size_t size, unsigned int flags), (to, size, flags))
FAILING(int, "clock_gettime", clock_gettime, (clockid_t clock, struct timespec *now), (clock, now))
FAILING(int, "nanosleep", nanosleep, (const struct timespec *time, struct timespec *left),
        (time, left))

SANITIZERS(pthread_create);
int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
               void *argument)
{
    REAL(pthread_create)
    return fails_whole("pthread_create") ? atomic_load(&told->error)
                                         : real(thread, attributes, start, argument);
}
