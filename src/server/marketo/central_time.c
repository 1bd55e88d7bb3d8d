#include "central_time.h"

#include "../../core/date.h"

#include <string.h>

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

/* Days from 1970-01-01 to the first of March, in the Gregorian calendar. */
static int64_t
days_to_march(int64_t year)
{
    int64_t past =
        year - 1; /* leap days up to this February are those of these years, and its own */
    int64_t leap_days = past / 4 - past / 100 + past / 400 - 477;
    int64_t own = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 1 : 0;
    return (year - 1970) * 365 + leap_days + 31 + 28 + own;
}

/* The first Sunday on or after a day; 1970-01-04 was one. */
static int64_t
sunday_from(int64_t day)
{
    return day + (6 - (day + 3 + 7000000) % 7);
}

static int64_t
year_of(int64_t ms)
{
    char text[MS_DATE_TEXT];
    int64_t year = 0;
    if (!ms_date_format((double)ms, text)) {
        return 1970;
    }
    for (int i = 0; i < 4; i++) {
        year = year * 10 + (text[i] - '0');
    }
    return year;
}

/* How far Central time is behind UTC. */
static int64_t
behind(int64_t ms)
{
    int64_t march = days_to_march(year_of(ms));
    /* 2:00 standard time is 8:00 UTC, 2:00 daylight saving time 7:00 UTC. */
    int64_t begin = sunday_from(march + 7) * DAY + 8 * HOUR;
    int64_t end = sunday_from(march + 245) * DAY + 7 * HOUR;
    return ms >= begin && ms < end ? 5 * HOUR : 6 * HOUR;
}

void
ms_central_day(int64_t ms, char day[MS_CENTRAL_DAY])
{
    char text[MS_DATE_TEXT];
    if (!ms_date_format((double)(ms - behind(ms)), text)) {
        memcpy(text, "1970-01-01", MS_CENTRAL_DAY - 1);
    }
    memcpy(day, text, MS_CENTRAL_DAY - 1);
    day[MS_CENTRAL_DAY - 1] = '\0';
}

int64_t
ms_central_next_midnight(int64_t ms)
{
    int64_t local = ms - behind(ms);
    int64_t next = local - local % DAY + DAY;
    /* At midnight itself the clocks may be others than now. */
    int64_t midnight = next + behind(ms);
    return next + behind(midnight);
}
