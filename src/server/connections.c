#include "connections.h"

#include "clock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#define MS_PER_SECOND 1000

struct ms_connection {
    ms_connections *all;
    ms_connection *before;
    ms_connection *after;
    int socket;
    ms_turn turn;
    int64_t since; /* monotonic, ms: when its turn began */
    bool cut_off;
};

void
ms_connections_init(ms_connections *all, size_t enough, unsigned int request_seconds)
{
    int64_t limit = (int64_t)request_seconds * MS_PER_SECOND;
    *all = (ms_connections){.enough = enough};
    (void)pthread_mutex_init(&all->lock, NULL);
    all->lists[MS_CLIENT_SENDS].limit = limit;
    all->lists[MS_CLIENT_TAKES].limit = 2 * limit;
}

static void
append(ms_connection *one, ms_turn turn)
{
    one->turn = turn;
    if (turn == MS_CLIENT_WAITS) {
        return;
    }
    ms_connection_list *list = &one->all->lists[turn];
    one->since = ms_clock_steady_ms();
    one->before = list->last;
    one->after = NULL;
    if (list->last == NULL) {
        list->first = one;
    } else {
        list->last->after = one;
    }
    list->last = one;
}

static void
take_out(ms_connection *one)
{
    if (one->turn == MS_CLIENT_WAITS) {
        return;
    }
    ms_connection_list *list = &one->all->lists[one->turn];
    if (one->before == NULL) {
        list->first = one->after;
    } else {
        one->before->after = one->after;
    }
    if (one->after == NULL) {
        list->last = one->before;
    } else {
        one->after->before = one->before;
    }
}

/* Its thread sees the end of the connection, and closes it. Until it has told so, the socket is not
 * another connection's. */
static void
cut_off(ms_connection *one)
{
    take_out(one);
    one->turn = MS_CLIENT_WAITS;
    one->cut_off = true;
    one->all->count--;
    one->all->late++;
    (void)shutdown(one->socket, SHUT_RDWR);
}

/* Who sends nothing goes before who takes nothing. */
static void
make_room(ms_connections *all)
{
    for (int turn = 0; turn < MS_TURNS_TIMED && all->count > all->enough; turn++) {
        if (all->lists[turn].first != NULL) {
            cut_off(all->lists[turn].first);
        }
    }
}

static int
socket_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static ms_connection *
opened(ms_connections *all, struct MHD_Connection *connection)
{
    ms_connection *one = malloc(sizeof *one);
    if (one == NULL) {
        (void)shutdown(socket_of(connection), SHUT_RDWR); /* it could not be watched */
        return NULL;
    }
    *one = (ms_connection){.all = all, .socket = socket_of(connection)};
    (void)pthread_mutex_lock(&all->lock);
    all->count++;
    make_room(all);
    append(one, MS_CLIENT_SENDS);
    (void)pthread_mutex_unlock(&all->lock);
    return one;
}

static void
closed(ms_connections *all, ms_connection *one)
{
    (void)pthread_mutex_lock(&all->lock);
    if (!one->cut_off) {
        take_out(one);
        all->count--;
    }
    (void)pthread_mutex_unlock(&all->lock);
    free(one);
}

void
ms_connections_notify(void *cls, struct MHD_Connection *connection, void **context,
                      enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = opened(cls, connection);
    } else if (*context != NULL) {
        closed(cls, *context);
        *context = NULL;
    }
}

void
ms_connection_is_turn_of(struct MHD_Connection *connection, ms_turn turn)
{
    ms_connection *one =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (one == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&one->all->lock);
    if (!one->cut_off) {
        take_out(one);
        append(one, turn);
    }
    (void)pthread_mutex_unlock(&one->all->lock);
}

size_t
ms_connections_cut_off_late(ms_connections *all)
{
    int64_t now = ms_clock_steady_ms();
    (void)pthread_mutex_lock(&all->lock);
    for (int turn = 0; turn < MS_TURNS_TIMED; turn++) {
        ms_connection_list *list = &all->lists[turn];
        while (list->first != NULL && now - list->first->since >= list->limit) {
            cut_off(list->first);
        }
    }
    size_t late = all->late;
    all->late = 0;
    (void)pthread_mutex_unlock(&all->lock);
    return late;
}
