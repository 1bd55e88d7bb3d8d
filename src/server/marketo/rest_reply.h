/*
 * What an answer of Marketo's REST API means. Marketo says 200 for errors too; what counts is the
 * code in the body, and the HTTP status where that has none that we know. Anything that is not what
 * Marketo's documentation describes counts as no answer.
 */
#ifndef MS_REST_REPLY_H
#define MS_REST_REPLY_H

#include "../../core/arena.h"
#include "http_client.h"

#include <cJSON.h>

typedef enum {
    MS_REPLY_OK,
    MS_REPLY_NONE,        /* no answer, or "later" (604 608 611 614 713 719 502 5xx): try again */
    MS_REPLY_TOKEN,       /* 601 602: the token is not good any more */
    MS_REPLY_RATE,        /* 606: too many calls in 20 s */
    MS_REPLY_CONCURRENCY, /* 615: too many at once */
    MS_REPLY_QUOTA,       /* 607: too many today */
    MS_REPLY_TOO_LARGE,   /* 413 */
    MS_REPLY_RECORD,      /* 1001 … 1099: the record's own fault */
    MS_REPLY_FAULT        /* 603 609 610 612 and all others: configuration, or our own fault */
} ms_rest_meaning;

typedef struct {
    ms_rest_meaning meaning;
    ms_slice code;       /* Marketo's, else the HTTP status, else "" */
    ms_slice message;    /* Marketo's, else libcurl's or "" */
    const cJSON *object; /* the whole body if MS_REPLY_OK */
    const cJSON *result; /* its member "result" if that is an array, else NULL */
    ms_slice body;       /* as it came */
    int64_t retry_after; /* ms; 0: not said */
} ms_rest_reply;

/* Room in an arena that ms_rest_reply_read needs for an answer of so many bytes. */
size_t ms_rest_reply_room(size_t len);

/* Reads an answer; what the reply points to lives in the arena, or as long as the answer. */
ms_rest_reply ms_rest_reply_read(ms_arena *arena, const ms_http_answer *answer);

/* What a code means, of a whole answer or of one record in it. */
ms_rest_meaning ms_rest_meaning_of(ms_slice code);

/* Does it say that Marketo has no lead of an id any more (1004 1013)? It may have been merged into
 * another, or deleted. */
bool ms_rest_is_gone(ms_slice code);

/* How one record of an answer's result ended. */
typedef struct {
    bool understood;    /* false: a wrong shape */
    bool taken;         /* created, updated, added, associated */
    int64_t marketo_id; /* 0: not said */
    ms_slice code;      /* if it was not taken; may be empty */
    ms_slice message;
} ms_rest_record;

ms_rest_record ms_rest_record_read(ms_arena *arena, const cJSON *record);

/* A whole number from 1 to 2^53; 0 if `value` is none. */
int64_t ms_rest_id(const cJSON *value);

#endif
