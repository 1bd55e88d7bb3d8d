/*
 * Munchkin's cookie, _mkto_trk, as servers and pages pass it on:
 * id:561-HYG-937&token:_mch-example.com-1374552656411-90718, percent-encoded or not.
 */
#ifndef MS_COOKIE_H
#define MS_COOKIE_H

#include "../../core/arena.h"
#include "../../core/status.h"

/* The longest that is taken, decoded. */
#define MS_COOKIE_MAX 256

/* Does the text look like 561-HYG-937? Letters in either case. */
bool ms_munchkin_id_is_valid(ms_slice text);

/*
 * The cookie decoded, with `munchkin_id` as that is written; it lives in the arena. MS_OK;
 * MS_COOKIE_INVALID if it is no such cookie, MS_COOKIE_FOREIGN if it is another account's,
 * MS_OUT_OF_MEMORY: then `cookie` is empty.
 */
ms_status ms_cookie_read(ms_arena *arena, ms_slice text, ms_slice munchkin_id, ms_slice *cookie);

/* Of a cookie that was read: the visitor's token, _mch-example.com-1374552656411-90718. */
ms_slice ms_cookie_token(ms_slice cookie);

/* And the domain in it, example.com; empty if there is none. */
ms_slice ms_cookie_domain(ms_slice cookie);

#endif
