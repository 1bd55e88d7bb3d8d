#include "timestamp.h"

#define MS_PER_SECOND INT64_C(1000)
#define MS_PER_MINUTE INT64_C(60000)
#define MS_PER_DAY INT64_C(86400000)

typedef struct {
    const char *p;
    const char *end;
} reader;

/* Exactly `count` digits. */
static bool
read_digits(reader *from, int count, int *value)
{
    *value = 0;
    for (int i = 0; i < count; i++) {
        if (from->p == from->end || !ms_is_digit(*from->p)) {
            return false;
        }
        *value = *value * 10 + (*from->p++ - '0');
    }
    return true;
}

static bool
read_byte(reader *from, char byte)
{
    bool is_there = from->p < from->end && *from->p == byte;
    from->p += is_there;
    return is_there;
}

/* Days since 1970 of a date of the Gregorian calendar. Years begin in March here, so that the
 * day that comes and goes is the last. */
static int64_t
days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return 365 * y + y / 4 - y / 100 + y / 400 + in_year - 719468;
}

static int
days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool
read_date(reader *from, int64_t *ms)
{
    int year = 0;
    int month = 0;
    int day = 0;
    if (!read_digits(from, 4, &year) || !read_byte(from, '-') || !read_digits(from, 2, &month) ||
        !read_byte(from, '-') || !read_digits(from, 2, &day) || year == 0 || month < 1 ||
        month > 12 || day < 1 || day > days_in(year, month)) {
        return false;
    }
    *ms = days_of(year, month, day) * MS_PER_DAY;
    return true;
}

static void
read_fraction(reader *from, int64_t *ms)
{
    int64_t unit = 100;
    while (from->p < from->end && ms_is_digit(*from->p)) {
        *ms += (*from->p++ - '0') * unit;
        unit /= 10;
    }
}

static bool
read_time(reader *from, int64_t *ms)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!read_digits(from, 2, &hour) || !read_byte(from, ':') || !read_digits(from, 2, &minute)) {
        return false;
    }
    if (read_byte(from, ':') && !read_digits(from, 2, &second)) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    *ms += (int64_t)hour * 60 * MS_PER_MINUTE + minute * MS_PER_MINUTE + second * MS_PER_SECOND;
    if (read_byte(from, '.') || read_byte(from, ',')) {
        read_fraction(from, ms);
    }
    return true;
}

/* Z, +01:00, +0100, +01, or nothing. */
static bool
read_offset(reader *from, int64_t *ms)
{
    int hours = 0;
    int minutes = 0;
    if (from->p == from->end || read_byte(from, 'Z') || read_byte(from, 'z')) {
        return true;
    }
    bool east = read_byte(from, '+');
    if ((!east && !read_byte(from, '-')) || !read_digits(from, 2, &hours)) {
        return false;
    }
    bool colon = read_byte(from, ':');
    if ((colon || from->p < from->end) && !read_digits(from, 2, &minutes)) {
        return false;
    }
    int64_t offset = (int64_t)hours * 60 * MS_PER_MINUTE + minutes * MS_PER_MINUTE;
    *ms += east ? -offset : offset;
    return hours < 24 && minutes < 60;
}

bool
ms_timestamp_parse(ms_slice text, int64_t *ms)
{
    reader from = {text.ptr, text.ptr + text.len};
    int64_t read = 0;
    if (!read_date(&from, &read)) {
        return false;
    }
    if (from.p < from.end) {
        if ((!read_byte(&from, 'T') && !read_byte(&from, 't') && !read_byte(&from, ' ')) ||
            !read_time(&from, &read) || !read_offset(&from, &read) || from.p < from.end) {
            return false;
        }
    }
    *ms = read;
    return true;
}

/* So late a batch may be that is sent again; a clock that is further behind is wrong. */
#define SENT_AGAIN_MS ((int64_t)3600 * 1000)

int64_t
ms_timestamp_corrected(ms_slice happened, ms_slice sent, int64_t received)
{
    int64_t at = 0;
    int64_t sent_at = 0;
    if (!ms_timestamp_parse(happened, &at)) {
        return received;
    }
    if (ms_timestamp_parse(sent, &sent_at) &&
        (sent_at > received || received - sent_at > SENT_AGAIN_MS)) {
        at = received - (sent_at - at);
    }
    return at > received ? received : at;
}
