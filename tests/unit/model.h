/*
 * A small model of a few people, who say things of themselves in messages, and of Marketo, which
 * gets them by the queue's calls: what is to be there in the end, and what is. For
 * store_model_test.c.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include "queue.h"

#define PEOPLE 4
#define FIELDS 3
#define LEADS (3 * PEOPLE)
#define COOKIES_EACH 3
#define COOKIES (PEOPLE * COOKIES_EACH)
#define MESSAGES 400
#define VALUES_EACH 10
#define CALLS 400

/* What comes, and what is true then. */
typedef struct {
    bool user_ids;      /* people have them too */
    bool lent_browsers; /* pages come with anybody's cookie */
    bool anybody;       /* an address, a user id and a cookie may be of three people, and two
                           people's addresses are of one lead; each message brings a field of its
                           own, so that none takes another's place */
    bool two_leads; /* Marketo makes one of a user id alone, and has another of the address; pages
                       say the cookies */
    bool server_cookies; /* and server libraries say them too */
    bool merges;         /* in Marketo somebody merges leads */
    bool soap;           /* leads are taken by whatever they have, with their cookies */
    bool clock_moves;    /* back, too */
    bool newest_wins;    /* else some value that was said */
    bool one_call_each;  /* else as far as the queue can know who they are */
} model_setting;

/* A message: of a field, or an activity, which has the message's number as its attribute. */
typedef struct {
    int person;
    int field; /* -1: it is an activity */
    int value; /* by which can be told whose it is */
    int64_t time;
    bool says_email;
    bool says_user_id;
    bool arrived; /* an activity, or a field that no other message brings */
} model_message;

typedef enum { SYNC, LOOKUP, TIE, ACTIVITY, EMAIL_LOOKUP } call_kind;

/* A call that is under way. */
typedef struct {
    call_kind kind;
    int64_t id;         /* the queue's */
    int64_t marketo_id; /* as the queue knows it; 0: not */
    int person;         /* whose it is, or the address that is looked up; -1: a cookie's lookup */
    int cookie;         /* that is looked up or tied; -1: none */
    int message;        /* of an activity */
    char email[16];
    char fields[8192];
} model_call;

extern struct model {
    const model_setting *setting;
    uint64_t seed;
    int64_t now;
    bool is_told;                 /* step by step */
    model_message said[MESSAGES]; /* from 1 on */
    int said_count;
    model_call calls[CALLS];
    int call_count;
    /* Marketo's: its leads' fields, 0 for none, and whose user id they have, from 1 on; as ids, who
     * has people's addresses, where it may be one of two, and their cookies. */
    int value[LEADS][FIELDS];
    int user_of[LEADS];
    bool gone[LEADS];      /* merged into another */
    bool made[LEADS];      /* by a sync */
    int64_t synced[LEADS]; /* when the last answer came; 0: none */
    int64_t address_of[PEOPLE];
    int64_t cookie_of[COOKIES];
} model;

#define tell(...)                                                                                  \
    do {                                                                                           \
        if (model.is_told) {                                                                       \
            print_message("%lld s: ", (long long)((model.now - START) / SECOND));                  \
            print_message(__VA_ARGS__);                                                            \
        }                                                                                          \
    } while (0)

/* Nothing is said yet; Marketo has some of the cookies. */
void model_begin(const model_setting *setting, uint64_t seed);

unsigned int random_below(unsigned int limit);
bool one_in(unsigned int count);

/* A message of anybody's, carried out. */
void say_something(void);

/* Everybody says who they are with each of their browsers, so that nothing is held. */
void introduce_everybody(void);

int64_t marketo_id_of(int person);
int64_t marketo_id_of_user(int person);
int person_of(int64_t marketo_id);

/* The Marketo id of the lead that has the person's address; 0 if nobody has it. */
int64_t marketo_id_of_address(int person);

/* From 0 on; -1 if there is none. */
int cookie_number(ms_slice cookie);

int person_of_address(ms_slice email);

/* Whom Marketo finds, or makes. */
int person_of_lead(const ms_due_lead *lead);

/* The call is under way from now on; fails if one is already that may not be at the same time. */
void start_call(const model_call *call);

/* The call has come to Marketo; it fails if that is not whose it was. Returns the id of the lead
 * that it came to, if it is a sync. */
int64_t happen(const model_call *call);

/* Marketo has answered that the sync has come to this lead: the next one is not too soon after. */
void note_sync(int64_t marketo_id);

/* In Marketo a person's two leads are made one, or, of anybody, a lead becomes one of a new id. */
void merge_somebody(void);
bool is_gone(int64_t marketo_id);

/* In the end: nothing that was said is lost, and Marketo has what it is to have. */
void check_marketo(void);

#endif
