/*
 * The queue on disk: an SQLite database (WAL, synchronous=FULL) of what waits for Marketo, and
 * beside it another of what was accepted and is not yet carried out, of the database's name with
 * "-accepted" behind it.
 *
 * One thread uses it, the worker's (worker.h), and another writes what is accepted
 * (ms_store_accepting). Everything the worker does in one turn is one transaction, and what changes
 * the queue is called within one. What is committed survives a kill -9 at any moment. Every
 * function that can meet a full disk or a damaged file says so; after MS_STORE_FAILED in a
 * transaction the only call allowed is ms_store_rollback, which leaves all as it was before.
 */
#ifndef MS_STORE_H
#define MS_STORE_H

#include "../../core/arena.h"
#include "../command.h"

#include <stdint.h>

typedef struct ms_store ms_store;

typedef enum {
    MS_STORE_OK,
    MS_STORE_FAILED /* ms_store_problem tells why */
} ms_store_result;

/* How leads are held back and when they are the same; milliseconds. */
typedef struct {
    int64_t interval;  /* at least so long between two syncs of one lead: 30 s */
    int64_t linger;    /* a lead waits so long for others to share its call: 5 s */
    int64_t unchanged; /* a field that was sent within so long is not sent again: 24 h */
    int64_t
        hold; /* a lead without e-mail or Marketo id waits so long for one, then is dead: 7 days */
} ms_store_rules;

/*
 * Opens or creates both files, and migrates an older schema (PRAGMA user_version). NULL with a
 * sentence in `problem` (static storage) that says what is wrong and what to do: the file is
 * damaged, made by a newer version, in use by another process, not writable. A damaged file is left
 * as it is. Either may be a new one, beside the other. Symbolic links are followed, and files of
 * several names refused.
 */
ms_store *ms_store_open(const char *path, const ms_store_rules *rules, const char **problem);

/*
 * Opens the database for a person's command (status, dead …), whether a server uses it or not. It
 * is neither created nor migrated, and what was accepted may be missing. Then only these are
 * allowed, with or without a transaction to read, within one to write: ms_store_count,
 * ms_store_recall, ms_store_dead_*. NULL as above.
 */
ms_store *ms_store_attach(const char *path, const ms_store_rules *rules, const char **problem);

typedef enum {
    MS_STORE_REFUSED, /* it would not start */
    MS_STORE_NEW,     /* there is no database, and one would be made */
    MS_STORE_OLDER,   /* it would be migrated; an empty file, too */
    MS_STORE_CURRENT
} ms_store_state;

/* What would become of the database if a server started on it, whether another one uses it or not?
 * It is read as a whole, and left as it is. If it would be refused, `*problem` says why, as above.
 */
ms_store_state ms_store_examine(const char *path, const char **problem);

/* NULL is nothing to close. */
void ms_store_close(ms_store *store);

/* Why the last call failed; the store's until the next. "database or disk is full" and such. */
const char *ms_store_problem(const ms_store *store);

ms_store_result ms_store_begin(ms_store *store);
ms_store_result ms_store_commit(ms_store *store); /* on disk once it returns MS_STORE_OK */
void ms_store_rollback(ms_store *store);

/* Between two transactions, once those who wait for the last were answered: has the log copied into
 * the database if it is long, most of it by another thread (queue/checkpoint.h). */
void ms_store_checkpoint(ms_store *store);

/* ---- taking in
 * ----------------------------------------------------------------------------------------- */

/*
 * What is accepted has a file of its own, so that nobody who sends waits for what else the queue
 * has to do. It is a store, too, for another thread: ms_store_begin, ms_store_commit,
 * ms_store_rollback, ms_store_checkpoint and ms_store_problem are for it as they are for the queue,
 * and of all others those whose first parameter is `accepting`. It is closed with the queue, and
 * NULL beside a server.
 */
ms_store *ms_store_accepting(ms_store *store);

/*
 * Writes down what a request asks for, to be carried out later: much less work than that, and all
 * that the request has to wait for. `commands` is a list by `next`; NULL is nothing to do.
 */
ms_store_result ms_store_accept(ms_store *accepting, const ms_command *commands, int64_t now);

/* Writes what is there already: whether its commit goes well shows whether others would. */
ms_store_result ms_store_try(ms_store *accepting);

/*
 * Messages are numbered as they are accepted, from 1 on, and carried out in this order. These are
 * the numbers of the last that is on disk and of the last that is carried out for good.
 */
int64_t ms_store_last_accepted(const ms_store *accepting);
int64_t ms_store_carried_out(ms_store *store);

/* Deletes what was accepted and is carried out up to this number; a bounded amount each time, and
 * whether there is any. All up to ms_store_forgotten is deleted. */
ms_store_result ms_store_forget_carried_out(ms_store *accepting, int64_t carried_out);
bool ms_store_holds_carried_out(const ms_store *accepting, int64_t carried_out);
int64_t ms_store_forgotten(const ms_store *accepting);

/* From here to the transaction's end, no request is seen that was accepted later: so that not each
 * that is carried out takes a lock and looks for the end of the log. */
ms_store_result ms_store_view_accepted(ms_store *store);

/*
 * Carries out, of all requests that wait, the one that was accepted first, as of the time when it
 * came, or of `now` if that is earlier. `*found` is false if none waits.
 *
 * A message id that was seen before (within 7 days) changes nothing. New fields of a lead merge
 * into those that wait, the newest value of each wins (by the command's time; of equal ones the
 * later come); fields that were sent with this value within `unchanged` are not sent again. A lead
 * may go from its first waiting change on, and not before `interval` after its last sync; it
 * becomes due `linger` after that, so that it can share a call. Of a lead at most
 * MS_LEAD_FIELDS_MAX bytes of fields wait: what would make them more goes to the dead letters. When
 * a sync of it was in vain, or two leads are one, they may be twice as many, the newest.
 *
 * Which lead it is: queue/identity.c says it.
 */
ms_store_result ms_store_carry_out(ms_store *store, int64_t now, bool *found);

/*
 * For when ms_store_carry_out has failed again and again: tries once more, and if the store is well
 * but this request cannot be carried out, moves it to the dead letters with the reason, so that it
 * does not stand in the way of those behind it.
 */
ms_store_result ms_store_carry_out_or_bury(ms_store *store, int64_t now);

/* Bytes of JSON. */
#define MS_LEAD_FIELDS_MAX ((size_t)64 << 10)

/* ---- leads
 * ---------------------------------------------------------------------------------------------- */

/* A lead that is to be sent. */
typedef struct {
    int64_t id;         /* the queue's own */
    int64_t marketo_id; /* 0: not known */
    ms_slice email;     /* empty: none */
    ms_slice user_id;
    /*
     * BY_ANY: SOAP's marketoCookie, one that is not tied to the lead yet; empty: none. For SOAP a
     * cookie counts for more than an e-mail, so without a Marketo id it is only one that came
     * `cookie_first`: another may be a former visitor's, whose lead would be overwritten.
     */
    ms_slice cookie;
    ms_slice fields;       /* JSON object by SOAP names; may be {} */
    unsigned int attempts; /* how often its sync was tried again since it last went well */
    unsigned int suspicions;
} ms_due_lead;

/* Which leads a call takes: a call of leads.json has one lookupField. */
typedef enum { MS_BY_MARKETO_ID, MS_BY_EMAIL, MS_BY_USER_ID, MS_BY_ANY } ms_lead_selection;

/*
 * Takes up to `room` due leads, longest due first, and marks them in flight: what comes for them
 * from now on waits for the next sync. Leads whose cookie has yet to be looked up are not due,
 * unless BY_ANY. `*count` is how many; slices live in `arena`; no more are taken than whose fields
 * fit in `bytes`, which are MS_LEAD_FIELDS_MAX or more, and in the arena. Of one lead no more than
 * MS_LEAD_FIELDS_MAX go at once, the rest with its next sync. When fewer than `room` would be taken
 * and none has lingered its time, none is; when one has, those that still linger share the call.
 * Two leads of the same e-mail address are never in flight at once.
 */
ms_store_result ms_store_take_leads(ms_store *store, ms_lead_selection selection, int64_t now,
                                    size_t room, size_t bytes, ms_arena *arena, ms_due_lead *leads,
                                    size_t *count);

/* Marketo has the lead: remembers what was sent, its Marketo id, and that the cookie which was
 * taken with it is tied. Queues that other cookies be tied to it. Another lead of the queue with
 * the same Marketo id is merged into it. If it was another one of the queue when it was taken, and
 * the one that this is by now has another Marketo id, what was in flight waits again for that; and
 * a lead that Marketo has made of a user id alone is told that it has none (queue/left_lead.h). */
ms_store_result ms_store_lead_sent(ms_store *store, int64_t lead, int64_t marketo_id, int64_t now);

/* It was not sent, for no fault of its own: what was in flight waits again (newer values win),
 * until `due`. What becomes too much goes to the dead letters. */
ms_store_result ms_store_lead_again(ms_store *store, int64_t lead, int64_t due);

/* Marketo refuses it for its own fault: what was in flight goes to the dead letters, and with it
 * the lead's activities, unless something else is to give it a Marketo id. */
ms_store_result ms_store_lead_refused(ms_store *store, int64_t lead, ms_slice code, ms_slice reason,
                                      int64_t now);

/*
 * Leads of whose e-mail address Marketo is to be asked whose it is: it knows them by their user id,
 * the address came later, and another lead may have it. Taken as those to be sent are, without
 * their fields; until the answer has come they are not sent. The address lives in `arena`.
 */
ms_store_result ms_store_take_email_lookups(ms_store *store, int64_t now, size_t room,
                                            ms_arena *arena, ms_due_lead *leads, size_t *count);
/* The answer: the Marketo id of the lead that has the address, 0 if nobody. The lead is that one
 * from now on; what was sent before stays with the one that it was. If there is none,
 * ms_store_lead_again. */
ms_store_result ms_store_email_looked_up(ms_store *store, int64_t lead, int64_t marketo_id,
                                         int64_t now);

/*
 * Marketo has no lead of this id any more, merged or deleted: it is forgotten, and what waits for
 * that lead goes to whose its e-mail or user id is, or, where it has none, its cookies, about which
 * Marketo is asked again. Activities and cookies wait until that has given a new id. A lead that is
 * in flight has to be told of (ms_store_lead_again) as well.
 */
ms_store_result ms_store_forget_marketo_id(ms_store *store, int64_t marketo_id, int64_t now);

/* ---- cookies
 * -------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t id;
    ms_slice cookie;
    int64_t lead;       /* the queue's own id */
    int64_t marketo_id; /* of that lead; 0 for one to be looked up */
    unsigned int attempts;
    unsigned int gone; /* how often ms_store_cookie_gone was told of it in a row */
    unsigned int suspicions;
} ms_due_cookie;

/*
 * Cookies of which Marketo is to be asked whose they are: new ones that came `cookie_first`. Marked
 * in flight. They share a call, so they linger as leads do: none unless `room` are there or one has
 * lingered its time.
 */
ms_store_result ms_store_take_lookups(ms_store *store, int64_t now, size_t room, ms_arena *arena,
                                      ms_due_cookie *cookies, size_t *count);
/* The answer: the Marketo id and e-mail of the lead whose it is, 0 if nobody's. If the cookie has
 * moved to another lead meanwhile, it is too late and changes nothing. */
ms_store_result ms_store_looked_up(ms_store *store, int64_t cookie, int64_t marketo_id,
                                   ms_slice email, int64_t now);
/* It is to be asked again, or Marketo refuses to look it up: then it is nobody's. Too late, these
 * change nothing either. */
ms_store_result ms_store_lookup_again(ms_store *store, int64_t cookie, int64_t due);
ms_store_result ms_store_lookup_refused(ms_store *store, int64_t cookie, ms_slice code,
                                        ms_slice reason, int64_t now);

/* Cookies to be tied to a lead whose Marketo id is known. Marked in flight. One of a lead in flight
 * is not taken. */
ms_store_result ms_store_take_associations(ms_store *store, int64_t now, size_t room,
                                           ms_arena *arena, ms_due_cookie *cookies, size_t *count);
ms_store_result ms_store_associated(ms_store *store, int64_t cookie, int64_t now);
ms_store_result ms_store_cookie_again(ms_store *store, int64_t cookie, int64_t due);
ms_store_result ms_store_cookie_refused(ms_store *store, int64_t cookie, ms_slice code,
                                        ms_slice reason, int64_t now);
/* Marketo says that it has no lead of the id that a cookie was to be tied to:
 * ms_store_forget_marketo_id, and again once there is an id. */
ms_store_result ms_store_cookie_gone(ms_store *store, int64_t cookie, int64_t marketo_id,
                                     int64_t now);

/* ---- visits and activities
 * ------------------------------------------------------------------------------ */

typedef struct {
    int64_t id;
    int64_t time;
    ms_slice query;
    ms_slice user_agent;
    unsigned int attempts;
    unsigned int suspicions;
} ms_due_visit;

/* The longest due first, or those that came last. Marked in flight. */
ms_store_result ms_store_take_visits(ms_store *store, bool newest_first, int64_t now, size_t room,
                                     ms_arena *arena, ms_due_visit *visits, size_t *count);

typedef struct {
    int64_t id;
    int64_t marketo_id;
    int64_t time;
    int64_t type;
    ms_slice primary_value;
    ms_slice attributes;
    unsigned int attempts;
    unsigned int gone; /* how often ms_store_activity_gone was told of it */
    unsigned int suspicions;
} ms_due_activity;

/* Of leads whose Marketo id is known; those of others wait until it is. Marked in flight. They
 * linger as leads do. */
ms_store_result ms_store_take_activities(ms_store *store, int64_t now, size_t room, ms_arena *arena,
                                         ms_due_activity *activities, size_t *count);

typedef enum { MS_QUEUED_VISIT, MS_QUEUED_ACTIVITY } ms_queued;
ms_store_result ms_store_sent(ms_store *store, ms_queued kind, int64_t id);
ms_store_result ms_store_again(ms_store *store, ms_queued kind, int64_t id, int64_t due);
/* As ms_store_cookie_gone. */
ms_store_result ms_store_activity_gone(ms_store *store, int64_t id, int64_t marketo_id,
                                       int64_t now);
ms_store_result ms_store_refused(ms_store *store, ms_queued kind, int64_t id, ms_slice code,
                                 ms_slice reason, int64_t now);

/* ---- what calls are refused for
 * ------------------------------------------------------------------------------ */

typedef enum {
    MS_SUSPECT_LEAD,
    MS_SUSPECT_COOKIE,
    MS_SUSPECT_VISIT,
    MS_SUSPECT_ACTIVITY
} ms_suspect;

/* Notes of what is in flight, before it is told to go again, that a call of it alone failed, and
 * that it may be for what it says. Whoever takes it next is told how often, `suspicions`, until it
 * goes well. */
ms_store_result ms_store_suspect(ms_store *store, ms_suspect kind, int64_t id);

/* ---- time, counts, what is remembered
 * ------------------------------------------------------------------- */

/*
 * When something will be due next, in flight left out; INT64_MAX if nothing waits. Leads that can
 * be sent by a Marketo id or an e-mail address always count; other kinds do once they have been
 * taken since the store was opened, whether there were any or not: what nobody takes is not waited
 * for.
 */
ms_store_result ms_store_next_due(ms_store *store, int64_t *due);

/*
 * After a start: what was in flight when the process ended may have reached Marketo or be on its
 * way still, so it waits again, `pause` from now.
 */
ms_store_result ms_store_recover(ms_store *store, int64_t now, int64_t pause);

/* Before anything else is done at a time: if the clock was set back since the last call, what waits
 * waits no longer for that. */
ms_store_result ms_store_follow_clock(ms_store *store, int64_t now);

/* Forgets message ids older than 7 days, and leads that hold nothing and have not been heard of
 * for 30. A bounded amount each time; call it now and then. Leads held in vain go to the dead
 * letters. */
ms_store_result ms_store_tidy(ms_store *store, int64_t now);

typedef struct {
    uint64_t messages_waiting; /* accepted, to be carried out */
    uint64_t leads_waiting;
    uint64_t leads_in_flight;
    uint64_t leads_held; /* without an e-mail or a Marketo id */
    uint64_t cookies_waiting;
    uint64_t visits_waiting;
    uint64_t activities_waiting;
    uint64_t dead;
    int64_t oldest_waiting; /* ms since 1970; 0: nothing waits */
    uint64_t calls_today;
} ms_store_counts;

/* `day` names the quota's day, as in ms_store_count_call. */
ms_store_result ms_store_count(ms_store *store, const char *day, ms_store_counts *counts);

/* Counts a call to Marketo; `day` is "2026-11-24", US Central. */
ms_store_result ms_store_count_call(ms_store *store, const char *day);

/* Text kept by name, such as Marketo's list of fields; `*value` is empty if there is none, `*at`
 * when it was put. */
ms_store_result ms_store_remember(ms_store *store, const char *name, ms_slice value, int64_t now);
ms_store_result ms_store_recall(ms_store *store, const char *name, ms_arena *arena, ms_slice *value,
                                int64_t *at);

/* ---- dead letters, for people
 * --------------------------------------------------------------------------- */

typedef struct {
    int64_t id;
    int64_t at;
    ms_slice kind; /* lead, cookie, visit, activity, message */
    ms_slice who;  /* e-mail, else user id, else cookie */
    ms_slice code;
    ms_slice reason;
    ms_slice payload; /* JSON */
} ms_dead_letter;

/* Calls `each` for every dead letter, oldest first; of one id, or 0 for all that there are at the
 * begin. Outside a transaction nothing is kept from the log's copying while `each` is at work. */
ms_store_result ms_store_dead_list(ms_store *store, int64_t id,
                                   void (*each)(const ms_dead_letter *letter, void *argument),
                                   void *argument);
/* Puts it back into the queue, due now; 0 for all. `*count` says how many. A message that never
 * could be sent stays. */
ms_store_result ms_store_dead_retry(ms_store *store, int64_t id, int64_t now, uint64_t *count);
ms_store_result ms_store_dead_drop(ms_store *store, int64_t id, uint64_t *count);

#endif
