#include "email.h"

#define LABEL_MAX 63

static bool
is_letter_or_digit(char c)
{
    return ms_is_alpha(c) || ms_is_digit(c);
}

static bool
is_local_character(char c)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

/* One part of a host name: letters, digits and inner hyphens. */
static bool
is_label(const char *p, const char *end)
{
    if (p == end || end - p > LABEL_MAX || *p == '-' || end[-1] == '-') {
        return false;
    }
    for (; p < end; p++) {
        if (!is_letter_or_digit(*p) && *p != '-') {
            return false;
        }
    }
    return true;
}

bool
ms_email_is_valid(ms_slice text)
{
    const char *p = text.ptr;
    const char *end = p + text.len;
    if (text.len > MS_EMAIL_MAX) {
        return false;
    }
    while (p < end && is_local_character(*p)) {
        p++;
    }
    if (p == text.ptr || p == end || *p != '@') {
        return false;
    }
    for (;;) {
        const char *label = ++p;
        while (p < end && *p != '.') {
            p++;
        }
        if (!is_label(label, p)) {
            return false;
        }
        if (p == end) {
            return true;
        }
    }
}
