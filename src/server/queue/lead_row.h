/*
 * A lead's row: reading and writing it, and when it is due.
 */
#ifndef MS_LEAD_ROW_H
#define MS_LEAD_ROW_H

#include "field_set.h"
#include "statements.h"

/* By what Marketo can find a lead. Numbers are on disk. */
typedef enum {
    MS_CLASS_HELD,       /* only by a cookie: it waits for an e-mail */
    MS_CLASS_MARKETO_ID, /* by its id */
    MS_CLASS_EMAIL,
    MS_CLASS_USER_ID,
    MS_CLASS_LOOKUP,       /* Marketo has yet to say whose its cookie is */
    MS_CLASS_EMAIL_LOOKUP, /* the same of its e-mail address */
    MS_CLASSES
} ms_lead_class;

/* Times are 0 for never. Slices live in the scratch memory. */
typedef struct {
    int64_t id;
    int64_t class; /* ms_lead_class */
    int64_t marketo_id;
    int64_t since; /* its first change that waits; 0: nothing is to be synced */
    int64_t earliest;
    int64_t due;
    int64_t placed_since; /* `since` on disk */
    int64_t ended;        /* its last sync */
    int64_t retry;        /* not before, after a sync that failed */
    int64_t attempts;
    int64_t flying;  /* syncs under way */
    int64_t lookups; /* cookies of which Marketo has yet to say whose they are */
    int64_t heard;
    ms_slice email; /* the newest given */
    ms_slice user_id;
    ms_slice fields;    /* field_set.h: those that wait */
    ms_slice sent;      /* sent_fields.h */
    bool email_unasked; /* Marketo knows it by its user id, and may know another of its address */
    bool changed;       /* to be set by whoever changes it */
    bool is_new;        /* not on disk yet */
} ms_lead_row;

/* NULL if there is none. */
ms_lead_row *ms_lead_load(ms_store *store, int64_t id);

/* An empty one, on disk once it is saved; NULL if that failed. */
ms_lead_row *ms_lead_new(ms_store *store, int64_t now);

/* Decides when it is due, and writes it. */
void ms_lead_save(ms_store *store, ms_lead_row *lead);

/* There is something to be synced, since `now` if there was nothing. */
void ms_lead_wants_sync(ms_lead_row *lead, int64_t now);

/* Its waiting fields, and how to set them. */
ms_field_set ms_lead_fields(ms_store *store, const ms_lead_row *lead);
void ms_lead_set_fields(ms_store *store, ms_lead_row *lead, const ms_field_set *fields);

/* Of `older` and `newer`, which came apart, all that there is room for waits from now on: the
 * newest values. The others go to the dead letters. */
void ms_lead_set_together(ms_store *store, ms_lead_row *lead, const ms_field_set *older,
                          const ms_field_set *newer, int64_t now);

/* Fields that are kept in a row, or in a flight. Damaged ones make the call fail. */
ms_field_set ms_fields_of(ms_store *store, ms_slice kept);
ms_slice ms_fields_keep(ms_store *store, const ms_field_set *fields);
ms_field_set ms_fields_together(ms_store *store, const ms_field_set *older,
                                const ms_field_set *newer);

/* Does anybody take leads of this class? See ms_store_next_due. */
bool ms_class_is_taken(const ms_store *store, ms_lead_class class);

/* store->taken: bits. That of a selection is 1 << ms_lead_selection. */
#define MS_TAKEN_BY(selection) (1U << (unsigned int)(selection))
#define MS_TAKEN_LOOKUPS (1U << 4)
#define MS_TAKEN_ASSOCIATIONS (1U << 5)
#define MS_TAKEN_VISITS (1U << 6)
#define MS_TAKEN_ACTIVITIES (1U << 7)
#define MS_TAKEN_EMAIL_LOOKUPS (1U << 8)

/* The later of two times. */
static inline int64_t
ms_later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
