/*
 * Times and numbers: the timestamps of messages, dates and numbers as core's host writes them, and
 * the days of Marketo's quota. Eight bytes are a number; the text behind them a timestamp, a line
 * break, and another one.
 */

#include "../../../src/core/date.h"
#include "../../../src/core/number.h"
#include "../../../src/server/intake/timestamp.h"
#include "../../../src/server/marketo/central_time.h"
#include "../fuzz.h"
#include "../standards.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define YEAR_0 INT64_C(-62167219200000)
#define YEAR_1 INT64_C(-62135596800000)
#define YEAR_2007 INT64_C(1167609600000)
#define YEAR_10000 INT64_C(253402300800000)

/* Central time since 2007, in POSIX's words. */
#define CENTRAL "CST6CDT,M3.2.0,M11.1.0"

static void
check_number(double value)
{
    char text[MS_NUMBER_TEXT + 1];
    size_t len = ms_number_format(value, text);
    EXPECT(len > 0 && len < MS_NUMBER_TEXT);
    text[len] = '\0';
    if (!isfinite(value)) {
        EXPECT(strtod(text, NULL) == value || isnan(value));
        return;
    }
    char *end = NULL;
    double read = ms_number_parse(text, &end);
    EXPECT(end == text + len && read == value);
    EXPECT(is_json((ms_slice){text, len}));
    /* No fewer digits tell it. */
    int digits = 0;
    int zeros = 0; /* of which it is not known yet whether another digit follows */
    for (const char *p = text; *p != '\0' && *p != 'e'; p++) {
        if (*p >= '1' && *p <= '9') {
            digits += zeros + 1;
            zeros = 0;
        } else if (*p == '0' && digits > 0) {
            zeros++;
        }
    }
    for (int precision = 1; precision < 17; precision++) {
        char shorter[MS_NUMBER_TEXT];
        (void)snprintf(shorter, sizeof shorter, "%.*e", precision - 1, value);
        if (strtod(shorter, NULL) == value) {
            EXPECT(digits <= precision);
            break;
        }
    }
}

/* What the C library says of the time, in UTC. */
static void
check_date(int64_t ms)
{
    char text[MS_DATE_TEXT + 1] = "";
    char expected[64];
    int64_t read = 0;
    bool in_range = ms >= YEAR_0 && ms < YEAR_10000;
    EXPECT(ms_date_format((double)ms, text) == in_range);
    if (!in_range) {
        return;
    }
    int64_t in_second = ((ms % 1000) + 1000) % 1000;
    time_t seconds = (time_t)((ms - in_second) / 1000);
    struct tm utc;
    EXPECT(gmtime_r(&seconds, &utc) != NULL);
    (void)snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                   utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                   utc.tm_sec, (int)in_second);
    EXPECT(strcmp(text, expected) == 0);
    if (ms >= YEAR_1) {
        EXPECT(ms_timestamp_parse(fuzz_copy(ms_slice_from(text)), &read) && read == ms);
    }
}

/* A day that there is comes out as it went in. */
static void
check_day(ms_slice text)
{
    char date[MS_DATE_TEXT];
    int64_t ms = 0;
    EXPECT(ms_timestamp_parse(text, &ms) && ms_date_format((double)ms, date));
    EXPECT(memcmp(date, text.ptr, text.len) == 0);
}

static void
check_timestamps(ms_slice happened, ms_slice sent, int64_t now)
{
    int64_t at = 0;
    int64_t sent_at = 0;
    bool known = ms_timestamp_parse(happened, &at);
    bool sent_known = ms_timestamp_parse(sent, &sent_at);
    if (known) {
        EXPECT(at >= YEAR_1 - DAY && at < YEAR_10000 + DAY);
        EXPECT(happened.len >= 10 && is_core_text(happened));
        check_date(at);
        check_day((ms_slice){happened.ptr, 10});
    }
    int64_t corrected = ms_timestamp_corrected(happened, sent, now);
    EXPECT(corrected <= now);
    if (!known) {
        EXPECT(corrected == now);
    } else if (!sent_known) {
        EXPECT(corrected == (at < now ? at : now));
    } else {
        EXPECT(sent_at < at ? corrected == now : now - corrected == sent_at - at);
    }
}

static void
local_day(int64_t ms, char day[MS_CENTRAL_DAY])
{
    static bool set;
    struct tm central;
    if (!set) {
        set = setenv("TZ", CENTRAL, 1) == 0;
        tzset();
    }
    time_t seconds = (time_t)(ms / 1000);
    EXPECT(set && localtime_r(&seconds, &central) != NULL);
    EXPECT(strftime(day, MS_CENTRAL_DAY, "%Y-%m-%d", &central) == MS_CENTRAL_DAY - 1);
}

static void
check_central(int64_t ms)
{
    char day[MS_CENTRAL_DAY];
    char expected[MS_CENTRAL_DAY];
    char other[MS_CENTRAL_DAY];
    ms_central_day(ms, day);
    EXPECT(strlen(day) == MS_CENTRAL_DAY - 1);
    if (ms < YEAR_2007 || ms >= YEAR_10000 - 2 * DAY) {
        return;
    }
    local_day(ms, expected);
    EXPECT(strcmp(day, expected) == 0);
    int64_t midnight = ms_central_next_midnight(ms);
    EXPECT(midnight > ms && midnight - ms <= 25 * HOUR);
    ms_central_day(midnight, other);
    EXPECT(strcmp(day, other) < 0);
    ms_central_day(midnight - 1, other);
    EXPECT(strcmp(day, other) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_input in = {bytes, size};
    uint64_t bits = 0;
    double value = 0;
    for (int i = 0; i < 8; i++) {
        bits = bits << 8 | fuzz_byte(&in);
    }
    memcpy(&value, &bits, sizeof value);
    ms_slice happened = fuzz_text(&in, '\n');
    ms_slice sent = fuzz_rest(&in);
    /* Within the years that there are, and a few on either side. */
    int64_t span = YEAR_10000 - YEAR_0 + 20 * DAY;
    int64_t ms = YEAR_0 - 10 * DAY + (int64_t)(bits % (uint64_t)span);
    check_number(value);
    check_date(ms);
    check_timestamps(happened, sent, ms);
    check_central(ms);
    check_central(YEAR_2007 + (int64_t)(bits % (uint64_t)(INT64_C(50) * 365 * DAY)));
    fuzz_forget();
    return 0;
}
