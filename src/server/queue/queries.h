/*
 * All that the queue asks SQLite, by name. The tables are in schema.c.
 *
 * Each finds its rows by a key or an index, so that none is slower with a million rows; tests look
 * at SQLite's plans.
 */
#ifndef MS_QUERIES_H
#define MS_QUERIES_H

#define MS_LEAD_COLUMNS                                                                            \
    "id, class, marketo_id, since, earliest, due, ended, retry, attempts, flying, lookups, "       \
    "heard, "                                                                                      \
    "email, user_id, fields, sent, email_unasked"

#define MS_COOKIE_COLUMNS "id, lead, state, due, attempts, tied_to, flying_to, cookie"

/* One of six ordered lists, which SQLite merges as far as is asked for. */
#define MS_DUE_OF(class)                                                                           \
    "SELECT id, due FROM lead WHERE class = " #class " AND due > 0 AND due <= ?1 AND earliest <= " \
                                                     "?2"

/* The first half week, if it is before this one. */
#define MS_MESSAGES_FIRST "(SELECT min(period) FROM message WHERE period < ?1)"

/* When an activity is due: at this time, or, as long as ms_lead_target names nobody, never. */
#define MS_UNLESS_NOBODY(time)                                                                     \
    "iif((SELECT marketo_id = 0 OR email_unasked FROM lead WHERE lead.id = activity.lead), "       \
    "0, " time ")"

/* clang-format off */
#define MS_QUERIES(X)                                                                              \
    X(MS_BEGIN, "BEGIN IMMEDIATE")                                                                 \
    X(MS_COMMIT, "COMMIT")                                                                         \
    X(MS_SAVE, "SAVEPOINT request")                                                                \
    X(MS_SAVE_BACK, "ROLLBACK TO request")                                                         \
    X(MS_SAVE_END, "RELEASE request")                                                              \
                                                                                                   \
    X(MS_COUNTER_GET, "SELECT count FROM counter WHERE id = ?1")                                   \
    X(MS_COUNTER_ADD, "INSERT INTO counter VALUES (?1, ?2)"                                        \
        " ON CONFLICT (id) DO UPDATE SET count = count + ?2")                                      \
                                                                                                   \
    /* Of the file of what was accepted. */                                                        \
    X(MS_VIEW, "BEGIN")                                                                            \
    X(MS_REQUEST_ADD, "INSERT INTO request VALUES (?1, ?2, ?3)")                                   \
    X(MS_REQUEST_AFTER, "SELECT number, at, commands FROM request WHERE number > ?1"               \
        " ORDER BY number LIMIT 1")                                                                \
    X(MS_REQUEST_LAST, "SELECT max(number) FROM request")                                        \
    X(MS_REQUESTS_FORGET, "DELETE FROM request WHERE number <= ?1")                                \
    X(MS_LINEAGE, "SELECT id FROM lineage WHERE row = 1")                                          \
    X(MS_LINEAGE_SET, "INSERT OR REPLACE INTO lineage VALUES (1, ?1)")                             \
    X(MS_LINEAGE_TOUCH, "UPDATE lineage SET id = id WHERE row = 1")                                \
    /* The same, beside a database of version 2. */                                                \
    X(MS_JOURNAL_IS_COPIED, "SELECT 1 FROM request WHERE number = ?1 AND (at, commands) ="         \
        " (SELECT at, commands FROM queue.journal ORDER BY id DESC LIMIT 1)")                      \
    X(MS_JOURNAL_COPY, "INSERT INTO request SELECT ?1 + sum(messages) OVER (ORDER BY id),"         \
        " at, commands FROM queue.journal")                                                        \
                                                                                                   \
    X(MS_MESSAGE_SEEN, "SELECT max(at) FROM message WHERE period IN (?1 - 2, ?1 - 1) AND hash = ?2") \
    X(MS_MESSAGE_ADD, "INSERT OR IGNORE INTO message VALUES (?1, ?2, ?3)")                         \
    /* A range of one half week's keys: (period, hash) IN would look at all of its rows. */        \
    X(MS_MESSAGES_FORGET, "DELETE FROM message WHERE period = " MS_MESSAGES_FIRST                  \
        " AND hash <= (SELECT max(hash) FROM (SELECT hash FROM message"                            \
        " WHERE period = " MS_MESSAGES_FIRST " ORDER BY hash LIMIT ?2))")                          \
                                                                                                   \
    X(MS_ALIAS_FIND, "SELECT lead FROM alias WHERE kind = ?1 AND name = ?2")                       \
    X(MS_ALIAS_PUT, "INSERT INTO alias VALUES (?1, ?2, ?3)"                                        \
        " ON CONFLICT (kind, name) DO UPDATE SET lead = ?3")                                       \
    X(MS_ALIAS_DELETE, "DELETE FROM alias WHERE kind = ?1 AND name = ?2 AND lead = ?3")            \
    X(MS_ALIASES_MOVE, "UPDATE alias SET lead = ?1 WHERE lead = ?2")                               \
    X(MS_ALIASES_DELETE, "DELETE FROM alias WHERE lead = ?1")                                      \
                                                                                                   \
    X(MS_LEAD_GET, "SELECT " MS_LEAD_COLUMNS " FROM lead WHERE id = ?1")                           \
    X(MS_LEAD_BY_MARKETO_ID, "SELECT id FROM lead WHERE marketo_id = ?1 AND marketo_id > 0")       \
    X(MS_LEAD_ADD, "INSERT INTO lead (" MS_LEAD_COLUMNS ") VALUES"                                 \
        " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)")                \
    X(MS_LEAD_SET, "UPDATE lead SET ended = ?7, retry = ?8, attempts = ?9, flying = ?10,"          \
        " lookups = ?11, heard = ?12, email = ?13, user_id = ?14, fields = ?15, sent = ?16,"        \
        " email_unasked = ?17 WHERE id = ?1")                                                      \
    X(MS_LEAD_PLACE, "UPDATE lead SET class = ?2, since = ?4, earliest = ?5, due = ?6 WHERE id = ?1") \
    X(MS_LEAD_NAME, "UPDATE lead SET marketo_id = ?2 WHERE id = ?1")                               \
    /* The flight's; its lead may have become another's. */                                        \
    X(MS_LEAD_SUSPECT, "UPDATE lead SET attempts = attempts + ?2"                                  \
        " WHERE id = (SELECT lead FROM flight WHERE flight.id = ?1)")                              \
    X(MS_LEAD_DELETE, "DELETE FROM lead WHERE id = ?1")                                            \
    X(MS_LEADS_DUE, "SELECT id, due FROM lead WHERE class = ?1 AND due > 0 AND due <= ?2"          \
        " AND earliest <= ?3 ORDER BY due LIMIT ?4")                                               \
    X(MS_LEADS_DUE_ANY, MS_DUE_OF(0) " UNION ALL " MS_DUE_OF(1) " UNION ALL " MS_DUE_OF(2)         \
        " UNION ALL " MS_DUE_OF(3) " UNION ALL " MS_DUE_OF(4) " UNION ALL " MS_DUE_OF(5) " ORDER BY due LIMIT ?3")            \
    X(MS_LEADS_NEXT, "SELECT due FROM lead WHERE class = ?1 AND due > 0 ORDER BY due LIMIT 1")     \
    X(MS_LEADS_OLDEST, "SELECT since FROM lead WHERE class = ?1 AND since > 0"                     \
        " ORDER BY since LIMIT 1")                                                                 \
    X(MS_LEADS_HELD, "SELECT id FROM lead WHERE class = ?1 AND since > 0 AND since <= ?2"          \
        " ORDER BY since LIMIT ?3")                                                                \
    X(MS_LEADS_AFTER, "SELECT id, since, flying, heard FROM lead WHERE id > ?1 ORDER BY id LIMIT ?2") \
                                                                                                   \
    X(MS_FLIGHT_ADD, "INSERT INTO flight VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6)")                     \
    X(MS_FLIGHT_GET, "SELECT lead, since, cookie, email, fields, marketo_id FROM flight WHERE id = ?1") \
    X(MS_FLIGHT_DELETE, "DELETE FROM flight WHERE id = ?1")                                        \
    X(MS_FLIGHTS_MOVE, "UPDATE flight SET lead = ?1 WHERE lead = ?2")                              \
    X(MS_FLIGHT_OF_EMAIL, "SELECT count(*) FROM flight WHERE email = ?1 AND email <> ''")          \
    /* Of a row, or to its Marketo id: it may be another row's by now. */                          \
    X(MS_FLIGHT_OF_LEAD, "SELECT count(*) FROM flight WHERE id = ?1"                               \
        " OR (marketo_id = ?2 AND marketo_id > 0)")                                                \
    X(MS_FLIGHTS, "SELECT id FROM flight LIMIT ?1")                                                         \
    X(MS_FLIGHTS_OLDEST, "SELECT min(since) FROM flight WHERE since > 0")                          \
                                                                                                   \
    X(MS_COOKIE_FIND, "SELECT " MS_COOKIE_COLUMNS " FROM cookie WHERE cookie = ?1")                \
    X(MS_COOKIE_GET, "SELECT " MS_COOKIE_COLUMNS " FROM cookie WHERE id = ?1")                     \
    X(MS_COOKIE_ADD, "INSERT INTO cookie VALUES (NULL, ?1, 0, 0, 0, 0, 0, 0)")                     \
    X(MS_COOKIE_SET, "UPDATE cookie SET lead = ?2, state = ?3, due = ?4, attempts = ?5,"           \
        " tied_to = ?6, flying_to = ?7 WHERE id = ?1")                                             \
    X(MS_COOKIE_SUSPECT, "UPDATE cookie SET attempts = attempts + ?2 WHERE id = ?1")               \
    X(MS_COOKIES_MOVE, "UPDATE cookie SET lead = ?1 WHERE lead = ?2")                              \
    /* Of lead ?1, which has Marketo id ?2 from now on: ms_cookies_follow. */                       \
    X(MS_COOKIES_SETTLE, "UPDATE cookie SET state = 0, due = ?3 WHERE lead = ?1"                   \
        " AND state IN (3, 4) AND tied_to = ?2 AND ?2 <> 0")                                       \
    X(MS_COOKIES_UNSETTLE, "UPDATE cookie SET state = iif(?2 = 0, 3, 4), due = ?3"                 \
        " WHERE lead = ?1 AND state = 0 AND tied_to NOT IN (0, ?2)")                               \
    X(MS_COOKIES_TURN, "UPDATE cookie SET state = iif(?2 = 0, 3, 4), due = ?3"                     \
        " WHERE lead = ?1 AND state = iif(?2 = 0, 4, 3)")                                          \
    /* Of a lead that nothing else tells. */                                                       \
    X(MS_COOKIES_ASK_SETTLED, "UPDATE cookie SET state = 1, due = ?2, attempts = 0"                \
        " WHERE lead = ?1 AND state = 0")                                                          \
    X(MS_COOKIES_ASK, "UPDATE cookie SET state = 1, due = ?2, attempts = 0"                        \
        " WHERE lead = ?1 AND state IN (3, 4)")                                                    \
    X(MS_COOKIES_DELETE, "DELETE FROM cookie WHERE lead = ?1")                                     \
    X(MS_COOKIES_OF_LEAD, "SELECT " MS_COOKIE_COLUMNS " FROM cookie WHERE lead = ?1")              \
    X(MS_COOKIE_WAITING, "SELECT " MS_COOKIE_COLUMNS " FROM cookie WHERE lead = ?1 AND state = 3"  \
        " ORDER BY id DESC LIMIT 1")                                                               \
    X(MS_COOKIE_UNTIED, "SELECT id, cookie FROM cookie"                                            \
        " WHERE lead = ?1 AND (state IN (1, 4) OR ?2) ORDER BY id DESC LIMIT 1")                   \
    /* Few fly at once, and one lead may have very many. */                                        \
    X(MS_COOKIES_FLYING_OF, "SELECT count(*) FROM cookie WHERE state = 5 AND state > 0"            \
        " AND (+lead = ?1 OR (flying_to = ?2 AND ?2 <> 0))")                                       \
    X(MS_COOKIES_BUSY, "SELECT count(*) FROM cookie WHERE lead = ?1 AND state NOT IN (0, 3)")      \
    X(MS_COOKIES_IDLE, "SELECT count(*) FROM cookie WHERE lead = ?1 AND state = 3")                \
    X(MS_COOKIES_DUE, "SELECT id, due FROM cookie WHERE state = ?1 AND state > 0 AND due <= ?2"    \
        " AND (due <= ?3 OR attempts = 0) ORDER BY due LIMIT ?4")                                  \
    X(MS_COOKIES_READY, "SELECT id, due FROM cookie WHERE state = 4 AND state > 0 AND due <= ?1"   \
        " AND NOT EXISTS (SELECT 1 FROM flight WHERE flight.lead = cookie.lead)"                   \
        " AND NOT EXISTS (SELECT 1 FROM flight, lead ON lead.id = cookie.lead"                     \
        " WHERE flight.marketo_id = lead.marketo_id AND flight.marketo_id > 0)"                    \
        " AND NOT EXISTS (SELECT 1 FROM cookie AS other, lead ON lead.id = cookie.lead"           \
        " WHERE other.state = 5 AND other.state > 0"                                              \
        " AND (+other.lead = lead.id OR other.flying_to = lead.marketo_id))"                      \
        " ORDER BY due LIMIT ?2")                                                                  \
    X(MS_COOKIES_NEXT, "SELECT due FROM cookie WHERE state = ?1 AND state > 0 AND NOT EXISTS"      \
        " (SELECT 1 FROM flight WHERE flight.lead = cookie.lead) AND NOT EXISTS"                   \
        " (SELECT 1 FROM flight, lead ON lead.id = cookie.lead"                                    \
        " WHERE flight.marketo_id = lead.marketo_id AND flight.marketo_id > 0)"                    \
        " ORDER BY due LIMIT 1")                                                                   \
    X(MS_COOKIES_FLYING, "SELECT id FROM cookie WHERE state IN (2, 5) AND state > 0 LIMIT ?1")     \
                                                                                                   \
    X(MS_VISIT_ADD, "INSERT INTO visit VALUES (NULL, ?1, ?2, ?3, 0, ?4, ?5)")                      \
    X(MS_VISITS_DUE, "SELECT id, time, attempts, query, user_agent FROM visit"                     \
        " WHERE due > 0 AND due <= ?1 ORDER BY due, id LIMIT ?2")                                  \
    /* Not by when they are due: those that were refused are due again after those that come. */   \
    X(MS_VISITS_DUE_LAST, "SELECT id, time, attempts, query, user_agent FROM visit"                \
        " WHERE id > 0 AND +due > 0 AND +due <= ?1 ORDER BY id DESC LIMIT ?2")                     \
    X(MS_VISITS_NEXT, "SELECT due FROM visit WHERE due > 0 ORDER BY due LIMIT 1")                  \
    X(MS_VISITS_OLDEST, "SELECT at FROM visit ORDER BY id LIMIT 1")                                \
    X(MS_VISIT_GET, "SELECT time, query, user_agent FROM visit WHERE id = ?1 AND due = 0")         \
    X(MS_VISIT_FLY, "UPDATE visit SET due = 0 WHERE id = ?1")                                      \
    X(MS_VISIT_AGAIN, "UPDATE visit SET due = ?2, attempts = attempts + 1"                         \
        " WHERE id = ?1 AND due = 0")                                                              \
    X(MS_VISIT_SUSPECT, "UPDATE visit SET attempts = attempts + ?2 WHERE id = ?1")                 \
    X(MS_VISIT_DELETE, "DELETE FROM visit WHERE id = ?1 AND due = 0")                              \
    X(MS_VISITS_RECOVER, "UPDATE visit SET due = ?1 WHERE due = 0")                                \
                                                                                                   \
    X(MS_ACTIVITY_ADD, "INSERT INTO activity VALUES (NULL, ?1, ?2, ?3, 0, 0, ?4, ?5, ?6, ?7)")     \
    X(MS_ACTIVITIES_DUE, "SELECT id, due FROM activity WHERE due > 0 AND due <= ?1"                \
        " AND (due <= ?2 OR attempts = 0) ORDER BY due, id LIMIT ?3")                              \
    X(MS_ACTIVITIES_NEXT, "SELECT due FROM activity WHERE due > 0 ORDER BY due LIMIT 1")           \
    X(MS_ACTIVITIES_OLDEST, "SELECT at FROM activity ORDER BY id LIMIT 1")                         \
    X(MS_ACTIVITY_GET, "SELECT lead.marketo_id, lead.id, activity.time, activity.type,"            \
        " activity.attempts, activity.primary_value, activity.attributes, lead.email,"             \
        " lead.user_id, activity.flying FROM activity"                                                  \
        " JOIN lead ON lead.id = activity.lead WHERE activity.id = ?1")                            \
    X(MS_ACTIVITY_COOKIE, "SELECT cookie.cookie FROM activity"                                     \
        " JOIN lead ON lead.id = activity.lead AND lead.marketo_id = 0"                            \
        " JOIN cookie ON cookie.lead = lead.id WHERE activity.id = ?1"                             \
        " ORDER BY cookie.id DESC LIMIT 1")                                                        \
    X(MS_ACTIVITY_FLY, "UPDATE activity SET due = 0, flying = 1 WHERE id = ?1")                    \
    X(MS_ACTIVITY_AGAIN, "UPDATE activity SET flying = 0, attempts = attempts + ?3,"               \
        " due = " MS_UNLESS_NOBODY("?2") " WHERE id = ?1 AND flying = 1")                          \
    X(MS_ACTIVITY_SUSPECT, "UPDATE activity SET attempts = attempts + ?2 WHERE id = ?1")           \
    X(MS_ACTIVITY_SENT, "DELETE FROM activity WHERE id = ?1 AND flying = 1")                       \
    X(MS_ACTIVITY_DELETE, "DELETE FROM activity WHERE id = ?1")                                    \
    X(MS_ACTIVITY_WAITING, "SELECT id FROM activity WHERE due = 0 AND flying = 0 AND lead = ?1"    \
        " LIMIT 1")                                                                                \
    X(MS_ACTIVITY_OF_LEAD, "SELECT id FROM activity WHERE lead = ?1 LIMIT 1")                      \
    X(MS_ACTIVITIES_READY, "UPDATE activity SET due = ?2"                                          \
        " WHERE lead = ?1 AND due = 0 AND flying = 0")                                             \
    /* One lead's may be few, and all that are due very many. */                                   \
    X(MS_ACTIVITIES_WAIT, "UPDATE activity SET due = 0 WHERE lead = ?1 AND flying = 0 AND +due > 0") \
    X(MS_ACTIVITIES_MOVE, "UPDATE activity SET lead = ?1 WHERE lead = ?2")             \
    X(MS_ACTIVITIES_RECOVER, "UPDATE activity SET flying = 0, due = " MS_UNLESS_NOBODY("?1")       \
        " WHERE flying > 0")                                                                       \
                                                                                                   \
    X(MS_DEAD_ADD, "INSERT INTO dead VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)")                       \
    X(MS_DEAD_LIST, "SELECT id, at, kind, who, code, reason, payload FROM dead"                    \
        " WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1")                                                 \
    X(MS_DEAD_LAST, "SELECT ifnull(max(id), 0) FROM dead")                                         \
    X(MS_DEAD_AFTER, "SELECT id FROM dead WHERE id > ?1 ORDER BY id LIMIT 1")                      \
    X(MS_DEAD_GET, "SELECT kind, payload, at FROM dead WHERE id = ?1")                             \
    X(MS_DEAD_DELETE, "DELETE FROM dead WHERE id = ?1")                                            \
                                                                                                   \
    X(MS_CALL_COUNT, "INSERT INTO call VALUES (?1, 1) ON CONFLICT (day) DO UPDATE SET calls = calls + 1") \
    X(MS_CALLS_OF_DAY, "SELECT calls FROM call WHERE day = ?1")                                    \
    X(MS_CALLS_FORGET, "DELETE FROM call WHERE day NOT IN (SELECT day FROM call ORDER BY day DESC LIMIT 30)") \
    X(MS_KEEP, "INSERT INTO kept VALUES (?1, ?2, ?3)"                                              \
        " ON CONFLICT (name) DO UPDATE SET value = ?2, at = ?3")                                   \
    X(MS_KEPT, "SELECT value, at FROM kept WHERE name = ?1")                                       \
                                                                                                   \
    /* After the clock was set back; these look at all rows. */                                    \
    X(MS_LEADS_SHIFT, "UPDATE lead SET since = max(since - ?1, since > 0),"                        \
        " earliest = max(earliest - ?1, 0), due = max(due - ?1, due > 0),"                         \
        " ended = max(ended - ?1, 0), retry = max(retry - ?1, 0), heard = min(heard, ?2)"          \
        " WHERE since > 0 OR due > 0 OR ended > ?2 OR retry > ?2 OR heard > ?2")                   \
    X(MS_FLIGHTS_SHIFT, "UPDATE flight SET since = max(since - ?1, since > 0)")                    \
    X(MS_COOKIES_SHIFT, "UPDATE cookie SET due = max(due - ?1, due > 0) WHERE state > 0")          \
    X(MS_VISITS_SHIFT, "UPDATE visit SET at = max(at - ?1, 0), due = max(due - ?1, due > 0)")      \
    X(MS_ACTIVITIES_SHIFT, "UPDATE activity SET at = max(at - ?1, 0), due = max(due - ?1, due > 0)") \
    X(MS_VISITS_LAST, "SELECT at FROM visit WHERE id = (SELECT max(id) FROM visit)")                           \
    X(MS_ACTIVITIES_LAST, "SELECT at FROM activity WHERE id = (SELECT max(id) FROM activity)") \
    X(MS_LEADS_RECOVER_CLOCK, "SELECT max(max(ended, heard)) FROM lead")                           \
    X(MS_LEADS_NEWEST, "SELECT since FROM lead WHERE class = ?1 AND since > 0"                     \
        " ORDER BY since DESC LIMIT 1")                                                            \
                                                                                                   \
    X(MS_COUNTER_SET, "INSERT INTO counter VALUES (?1, ?2)")                                       \
    X(MS_LEADS_LAST, "SELECT max(id) FROM lead")                                                   \
    X(MS_RECOUNT_LEADS, "SELECT count(*) FROM lead WHERE class = ?1 AND due > 0")                  \
    X(MS_RECOUNT_COOKIES, "SELECT count(*) FROM cookie WHERE state IN (1, 3, 4) AND state > 0")    \
    X(MS_RECOUNT_FLIGHTS, "SELECT count(*) FROM flight")                                           \
    X(MS_RECOUNT_VISITS, "SELECT count(*) FROM visit WHERE due > 0")                               \
    X(MS_RECOUNT_ACTIVITIES, "SELECT (SELECT count(*) FROM activity)"                                    \
        " - (SELECT count(*) FROM activity WHERE flying > 0)")                                     \
    X(MS_RECOUNT_DEAD, "SELECT count(*) FROM dead")                                                \
    X(MS_COUNTERS_CLEAR, "DELETE FROM counter")
/* clang-format on */

#endif
