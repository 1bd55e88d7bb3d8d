#ifndef MS_EMAIL_H
#define MS_EMAIL_H

#include "slice.h"

#define MS_EMAIL_MAX 254

/*
 * Is `text` an e-mail address by the HTML Standard's rule for <input
 * type=email>, and no longer than MS_EMAIL_MAX bytes? Such an address is ASCII.
 */
bool ms_email_is_valid(ms_slice text);

#endif
