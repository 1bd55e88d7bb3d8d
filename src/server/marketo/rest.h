/*
 * The REST backend from within: what its parts share. To the outside it is an ms_backend.
 *
 *     rest.c              what is started when
 *     rest_call.c         a call, from its start to what its answer means for those to come
 *     rest_token.c        the access token
 *     rest_describe.c     Marketo's list of fields
 *     rest_leads.c        leads.json
 *     rest_lookups.c      asking for leads by values
 *     rest_cookies.c      whose cookie it is, and tying one to a lead
 *     rest_emails.c       whose e-mail address it is
 *     rest_activities.c   activities/external.json
 */
#ifndef MS_REST_H
#define MS_REST_H

#include "backend.h"
#include "calls.h"
#include "lane.h"
#include "pause.h"
#include "rest_fields.h"
#include "rest_reply.h"

/* Ms; from Marketo's documentation. */
#define MS_TIMEOUT_LEADS MS_CALL_LONGEST
#define MS_TIMEOUT_ASSOCIATE 60000L
#define MS_TIMEOUT_ACTIVITIES MS_CALL_LONGEST
#define MS_TIMEOUT_OTHERS 30000L

#define MS_REST_BODY_MAX ((size_t)1000000)
/* What leads of one call may have as fields: names may get longer, and there are keys beside. */
#define MS_REST_TAKE_MAX ((size_t)700000)
#define MS_REST_TOKEN_MAX 2048
/* So often something of a lead is sent that Marketo says it has not, though it gives its id again
 * each time. */
#define MS_REST_GONE_TRIES 5
#define MS_REST_LOOKUPS_MAX 50 /* a call */
#define MS_REST_WITHOUT_COMPANY 4096
/* Bytes of a code and a reason that a dead letter has. */
#define MS_REST_CODE_MAX 32
#define MS_REST_REASON_MAX 512

typedef enum {
    MS_LANE_TOKEN,
    MS_LANE_DESCRIBE,
    MS_LANE_LOOKUPS,     /* of cookies */
    MS_LANE_EMAILS,      /* lookups, too */
    MS_LANE_LEADS,       /* by their e-mail address */
    MS_LANE_KNOWN_LEADS, /* by their Marketo id */
    MS_LANE_USER_IDS,    /* leads, too, by a field that Marketo may not look leads up by */
    MS_LANE_ASSOCIATIONS,
    MS_LANE_ACTIVITIES,
    MS_LANE_COUNT
} ms_rest_lane_name;

typedef struct {
    ms_backend base; /* the first, so that one is the other */
    ms_marketo_settings settings;
    ms_limiter limiter;
    ms_lane lanes[MS_LANE_COUNT];

    ms_pause pause;
    char day[MS_CENTRAL_DAY]; /* of calls_today */
    uint64_t calls_today;

    char token[MS_REST_TOKEN_MAX];
    int64_t token_until;         /* 0: there is none */
    uint64_t token_number;       /* of those that Marketo gave */
    unsigned int tokens_refused; /* in a row */

    ms_rest_fields fields; /* count 0: not known */
    uint64_t fields_number;
    int64_t fields_at;
    bool fields_recalled;
    bool fields_doubted;     /* a record had a field that Marketo does not know after all */
    uint64_t fields_settled; /* the list that was fetched because of such doubt */
    uint64_t reported[512];  /* names that were left out, as hashes */
    size_t reported_count;
    /* Leads, by the queue's ids, whose company Marketo has refused: as many as the array has. */
    int64_t without_company[MS_REST_WITHOUT_COMPANY];
    size_t without_company_count;

    unsigned int tried; /* what was taken from the queue at all, MS_TRIED_…: only of that does it
                           tell when it is due */

    unsigned char *memory; /* for what is taken, and the body: one call at a time */
} ms_rest;

#define MS_TRIED_LOOKUPS 1U
#define MS_TRIED_LEADS 2U
#define MS_TRIED_ASSOCIATIONS 4U
#define MS_TRIED_ACTIVITIES 8U
#define MS_TRIED_EMAILS 16U
#define MS_TRIED_ALL 31U

#define MS_REST_MEMORY ((size_t)4 << 20)

/* One record of a call. */
typedef struct {
    int64_t id;         /* the queue's */
    int64_t marketo_id; /* 0: not known when the call was made */
    unsigned int attempts;
    unsigned int gone;       /* how often Marketo had no lead of its id before */
    unsigned int suspicions; /* how often a call of it alone was refused as none should be */
    bool without_company;    /* it was sent without */
    ms_slice name;           /* a cookie or an e-mail address, in the call's own memory */
} ms_rest_item;

typedef struct ms_rest_call ms_rest_call;

/* What a kind of call does with its records. */
typedef struct {
    ms_rest_lane_name lane;
    /* Is it an answer to this call? NULL: no more is asked than `success`. */
    bool (*fits)(const ms_rest_call *call, const ms_rest_reply *reply);
    /* It went well as a whole. `arena` is for reading records. */
    ms_store_result (*took)(ms_rest_call *call, const ms_rest_reply *reply, ms_arena *arena,
                            ms_store *store, int64_t now);
    /* One record has to go again. NULL for calls without records. */
    ms_store_result (*again)(ms_store *store, int64_t id, int64_t due);
    ms_suspect records; /* what they are */
    /* Until one went well, a whole call that is refused with a record's code is so for what it says
     * beside its records. */
    bool doubtful;
    /* Its records are answered each by itself: single ones that whole calls are refused for, one
     * after the other and none well between, are so for what the calls say beside them. */
    bool each_answered;
    /* One record was refused. */
    ms_store_result (*refused)(ms_rest_call *call, const ms_rest_item *item, ms_slice code,
                               ms_slice message, ms_store *store, int64_t now);
} ms_rest_kind;

struct ms_rest_call {
    ms_rest *rest;
    const ms_rest_kind *kind;
    int64_t started;
    uint64_t token_number;
    uint64_t fields_number;
    bool noted; /* what its answer means for other calls; once, though it may be handed out twice */
    bool suspected;  /* of being refused for what one of its records says */
    bool suspicious; /* so would another of its only record be, as far as is known */
    bool apart;      /* its records go again each by its own failures */
    bool ended;      /* it does not count as under way any more */
    size_t ticket;   /* the limiter's */
    int64_t again_at;
    size_t count;
    ms_rest_item items[]; /* and behind them their names */
};

/* Room for `count` records and `text` bytes beside. NULL without memory. */
ms_rest_call *ms_rest_call_new(ms_rest *rest, const ms_rest_kind *kind, size_t count, size_t text,
                               int64_t now);

/* Of these records, with copies of their names. NULL without memory. */
ms_rest_call *ms_rest_call_of(ms_rest *rest, const ms_rest_kind *kind, const ms_rest_item *items,
                              size_t count, int64_t now);

/* Are there calls left of those that it was told to make in a day? Else `*wake` is lowered to when
 * the next day begins. */
bool ms_rest_has_calls_left(const ms_rest *rest, int64_t now, int64_t *wake);

/* May a call of this lane begin? If it is a matter of time, `*wake` is lowered to that. */
bool ms_rest_may_call(ms_rest *rest, ms_rest_lane_name lane, int64_t now, int64_t *wake);

/*
 * Counts and starts the call, whose memory passes to the client; without memory its records go
 * again. `path` begins with a slash and lives until this returns.
 */
ms_store_result ms_rest_call_start(ms_rest_call *call, ms_store *store, ms_http_client *client,
                                   const char *method, ms_slice path, ms_slice body,
                                   long timeout_ms);

/*
 * Starts a lookup of the records' names: of as many as fit in a URI, the others go again. `query`
 * says by what, and which fields are wanted. The call is ended as by ms_rest_call_start.
 */
ms_store_result ms_rest_start_lookup(ms_rest_call *call, ms_slice query, ms_store *store,
                                     ms_http_client *client, int64_t now);

/* For `fits` of lookups: leads, each with its id. */
bool ms_rest_lookup_fits(const ms_rest_call *call, const ms_rest_reply *reply);

/* Frees a call that is not started. */
void ms_rest_call_drop(ms_rest_call *call);

/* Another may take its place, from its answer on, so that the same turn can start it. `sent` as
 * ms_limiter_end has it. */
void ms_rest_call_end(ms_rest_call *call, ms_rest_lane_name lane, int64_t sent);

/* For `answered`: does with a record of an answer what it says. */
ms_store_result ms_rest_settle(ms_rest_call *call, const ms_rest_item *item,
                               const ms_rest_record *record, ms_store *store, int64_t now);

/* Each starts what is due of its kind and allowed. */
ms_store_result ms_rest_start_token(ms_rest *rest, ms_http_client *client, int64_t now,
                                    int64_t *wake);
ms_store_result ms_rest_start_describe(ms_rest *rest, ms_store *store, ms_http_client *client,
                                       int64_t now, int64_t *wake);
ms_store_result ms_rest_start_lookups(ms_rest *rest, ms_store *store, ms_http_client *client,
                                      int64_t now, int64_t *wake);
ms_store_result ms_rest_start_emails(ms_rest *rest, ms_store *store, ms_http_client *client,
                                     int64_t now, int64_t *wake);
ms_store_result ms_rest_start_leads(ms_rest *rest, ms_store *store, ms_http_client *client,
                                    int64_t now, int64_t *wake);
ms_store_result ms_rest_start_associations(ms_rest *rest, ms_store *store, ms_http_client *client,
                                           int64_t now, int64_t *wake);
ms_store_result ms_rest_start_activities(ms_rest *rest, ms_store *store, ms_http_client *client,
                                         int64_t now, int64_t *wake);

/* Takes up the list of fields that is remembered in the store, if it is new enough to be of use. */
ms_store_result ms_rest_recall_fields(ms_rest *rest, ms_store *store, int64_t now);

/* The URL that a token is asked for with; NUL-terminated, and with a secret in it. */
ms_slice ms_rest_token_url(const ms_marketo_settings *settings, ms_arena *arena);

/* Reads a token's answer: 1 and the token and its life in ms, 0 if it is none, -1 if the
 * credentials were refused. What `token` points to lives in the arena. */
int ms_rest_token_read(ms_arena *arena, const ms_http_answer *answer, ms_slice *token,
                       int64_t *life);

#endif
