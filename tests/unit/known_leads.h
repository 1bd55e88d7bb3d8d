/*
 * Leads that Marketo knows, what it answers about others, and what follows: in short.
 */
#ifndef TESTS_KNOWN_LEADS_H
#define TESTS_KNOWN_LEADS_H

#include "queue.h"

#define COOKIE "id:561-HYG-937&token:_mch-a.com-1-1"
#define OTHER "id:561-HYG-937&token:_mch-a.com-2-2"
#define LATER (START + 10 * SECOND)
#define MUCH_LATER (START + 60 * SECOND)

/* What the lead that the user was before is told, Marketo's 7. */
#define LEFT "#7  {\"UserId\":null}\n"

/* Marketo has this lead already, and it waits for nothing. */
void known(const char *email, const char *user_id, int64_t marketo_id);

/* Marketo has made a lead of a user id alone, which waits for nothing. */
void known_by_user_id(const char *user_id, int64_t marketo_id);

/* The one cookie that waits for Marketo's answer gets this one. */
void answer(int64_t marketo_id, const char *email, int64_t now);

/* The address that is asked about is this lead's. */
void answer_email(const char *email, int64_t marketo_id, int64_t now);

void track(const char *email, const char *user_id, int64_t now);

/* To whom those go that are due: ">7", one a line. Static storage. */
const char *activities(int64_t now);

int64_t leads(void);

#endif
