/*
 * Who is connected, and whose turn it is. libmicrohttpd closes a connection on which nothing moves;
 * one that sends a byte now and then it keeps for ever. Here each client has so long to send a
 * request, from its connection or the last answer on, and so long to take the answer, however busy
 * it looks. When there are about to be too many, those go first who have let us wait the longest.
 */
#ifndef MS_CONNECTIONS_H
#define MS_CONNECTIONS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    MS_CLIENT_SENDS, /* a request, or nothing yet */
    MS_CLIENT_TAKES, /* the answer */
    MS_CLIENT_WAITS  /* for the disk: it is not to blame, and is not cut off */
} ms_turn;

#define MS_TURNS_TIMED MS_CLIENT_WAITS

typedef struct ms_connection ms_connection;

/* In the order in which they got their turn. */
typedef struct {
    ms_connection *first;
    ms_connection *last;
    int64_t limit; /* ms that a turn may take */
} ms_connection_list;

typedef struct {
    pthread_mutex_t lock; /* of all that follows */
    ms_connection_list lists[MS_TURNS_TIMED];
    size_t count;  /* of those that were not cut off */
    size_t enough; /* beyond so many, the one that has kept us waiting the longest goes */
    size_t late;   /* how many have been cut off */
} ms_connections;

/* `request_seconds` is what a client has for a request; for taking an answer it has twice that. */
void ms_connections_init(ms_connections *all, size_t enough, unsigned int request_seconds);

/* For MHD_OPTION_NOTIFY_CONNECTION, with the ms_connections as its `cls`. */
void ms_connections_notify(void *cls, struct MHD_Connection *connection, void **context,
                           enum MHD_ConnectionNotificationCode what);

/* Whose turn it is on this connection from now on. */
void ms_connection_is_turn_of(struct MHD_Connection *connection, ms_turn turn);

/* Cuts off those whose time is over; call it about every second, from any one thread. How many have
 * been cut off since the last call, for that or because there were too many. */
size_t ms_connections_cut_off_late(ms_connections *all);

#endif
