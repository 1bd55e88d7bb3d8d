/*
 * Munchkin's cookies: whose they are, and what Marketo has yet to be asked or told of them.
 */
#ifndef MS_COOKIE_ROW_H
#define MS_COOKIE_ROW_H

#include "lead_row.h"

/* Numbers are on disk, and in queries.h. */
typedef enum {
    MS_COOKIE_SETTLED,
    MS_COOKIE_LOOKUP, /* Marketo is to be asked whose it is */
    MS_COOKIE_LOOKUP_FLYING,
    MS_COOKIE_WAITS, /* to be tied to its lead once that has an id */
    MS_COOKIE_READY, /* to be tied to its lead */
    MS_COOKIE_FLYING
} ms_cookie_state;

typedef struct {
    int64_t id; /* 0: there is none */
    int64_t lead;
    int64_t state; /* ms_cookie_state */
    int64_t due;
    int64_t attempts;
    int64_t tied_to;   /* the Marketo id with which Marketo has it; 0: none, or not known */
    int64_t flying_to; /* that of the association under way */
    ms_slice cookie;   /* lives in the scratch memory */
} ms_cookie_row;

ms_cookie_row ms_cookie_find(ms_store *store, ms_slice cookie);
ms_cookie_row ms_cookie_get(ms_store *store, int64_t id);

/* The newest of the lead's that waits for it to have a Marketo id; without id if none does. */
ms_cookie_row ms_cookie_waiting(ms_store *store, const ms_lead_row *lead);

/* Gives it another state, and writes it. */
void ms_cookie_set(ms_store *store, ms_cookie_row *cookie, ms_cookie_state state, int64_t due);

/* The state of one that is to be tied to this lead, or is already. */
ms_cookie_state ms_cookie_state_with(const ms_cookie_row *cookie, const ms_lead_row *lead);

/*
 * The lead is the cookie's. `known` is the cookie's row, without id if it is new: then, if it came
 * `cookie_first`, Marketo is asked whose it is. One that has another lead moves. Returns the id of
 * the lead that it was taken from while that waited for Marketo's answer, else 0.
 */
int64_t ms_cookie_tie(ms_store *store, ms_lead_row *lead, ms_slice cookie, ms_cookie_row *known,
                      bool cookie_first, int64_t now);

/* The lead has this Marketo id from now on, 0: none. Its cookies that wait for one, or have been
 * tied to another, follow. A lead may have very many, so they are not read. */
void ms_cookies_follow(ms_store *store, int64_t lead, int64_t marketo_id, int64_t now);

/* Marketo is to be asked whose the lead's cookies are, those aside that are on their way: nothing
 * else tells who it is. `lead` is yet to be saved. */
void ms_cookies_ask(ms_store *store, ms_lead_row *lead, int64_t now);

#endif
