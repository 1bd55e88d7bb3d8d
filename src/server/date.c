/* Dates as text for core (core/date.h), where there is no JavaScript engine to ask. */

#include "../core/date.h"

#include <math.h>
#include <stdint.h>

#define MS_PER_DAY 86400000
#define FIRST_MS (-62167219200000.0) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS 253402300799999.0    /* 9999-12-31T23:59:59.999Z */

/* Writes `value` in `width` decimal digits. */
static void
put_digits(char *place, int width, int value)
{
    while (width > 0) {
        place[--width] = (char)('0' + value % 10);
        value /= 10;
    }
}

static bool
is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool
ms_date_format(double ms, char text[MS_DATE_TEXT])
{
    static const char template[] = "0000-00-00T00:00:00.000Z";
    static const char month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    ms = trunc(ms);
    if (!(ms >= FIRST_MS && ms <= LAST_MS)) {
        return false;
    }
    /* From the year 0 on, so that everything below is positive. */
    int64_t since = (int64_t)ms - (int64_t)FIRST_MS;
    int day = (int)(since / MS_PER_DAY);
    int in_day = (int)(since % MS_PER_DAY);
    int year = day / 146097 * 400; /* the calendar repeats after 146,097 days */
    day %= 146097;
    while (day >= 365 + is_leap_year(year)) {
        day -= 365 + is_leap_year(year);
        year++;
    }
    int month = 0;
    for (;; month++) {
        int days = month_days[month] + (month == 1 && is_leap_year(year));
        if (day < days) {
            break;
        }
        day -= days;
    }
    memcpy(text, template, MS_DATE_TEXT);
    put_digits(text, 4, year);
    put_digits(text + 5, 2, month + 1);
    put_digits(text + 8, 2, day + 1);
    put_digits(text + 11, 2, in_day / 3600000);
    put_digits(text + 14, 2, in_day / 60000 % 60);
    put_digits(text + 17, 2, in_day / 1000 % 60);
    put_digits(text + 20, 3, in_day % 1000);
    return true;
}
