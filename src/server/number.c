/* Numbers and their text for core (core/number.h), where there is no JavaScript engine to ask. */

#include "../core/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 17
/* So many digits, or fewer, tell any two numbers apart that are not subnormal. */
#define DIGITS_SAFE DBL_DIG

/*
 * The fewest digits that read back as `value`, which is positive and finite, without a point;
 * `*point` is where it belongs, counted from the first digit. Returns how many digits.
 *
 * Of so many digits the nearest to the value need not read back where its neighbour does: beside a
 * power of two the numbers below are closer together than those above.
 */
static int
shortest_digits(double value, char digits[DIGITS_MAX + 1], int *point)
{
    static const int neighbours[] = {0, 1, -1};
    char text[MS_NUMBER_TEXT];
    /* If 15 digits read back, they are the fewest with zeros behind them; if not, no fewer do. */
    int first = value >= DBL_MIN ? DIGITS_SAFE : 1;
    for (int precision = first; precision <= DIGITS_MAX; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision - 1, value);
        const char *end = strchr(text, 'e');
        int exponent = (int)strtol(end + 1, NULL, 10);
        long long nearest = 0;
        for (const char *p = text; p < end; p++) {
            if (*p >= '0' && *p <= '9') { /* whatever sign the locale has for the point */
                nearest = nearest * 10 + (*p - '0');
            }
        }
        for (size_t i = 0; i < sizeof neighbours / sizeof *neighbours; i++) {
            (void)snprintf(text, sizeof text, "%llde%d", nearest + neighbours[i],
                           exponent - precision + 1);
            if (strtod(text, NULL) == value) {
                int count = snprintf(digits, DIGITS_MAX + 1, "%lld", nearest + neighbours[i]);
                *point = exponent + 1 + count - precision;
                while (count > 1 && digits[count - 1] == '0') {
                    digits[--count] = '\0';
                }
                return count;
            }
        }
    }
    return 0; /* never: 17 digits always read back */
}

/* Lays the digits out as ECMAScript's Number::toString does. */
static int
lay_out(char *text, size_t size, const char *digits, int count, int point)
{
    if (count <= point && point <= 21) {
        return snprintf(text, size, "%s%.*s", digits, point - count, "000000000000000000000");
    }
    if (point > 0 && point <= 21) {
        return snprintf(text, size, "%.*s.%s", point, digits, digits + point);
    }
    if (point > -6 && point <= 0) {
        return snprintf(text, size, "0.%.*s%s", -point, "00000", digits);
    }
    return snprintf(text, size, "%c%s%se%+d", digits[0], count > 1 ? "." : "", digits + 1,
                    point - 1);
}

size_t
ms_number_format(double value, char text[MS_NUMBER_TEXT])
{
    char digits[DIGITS_MAX + 1];
    char written[MS_NUMBER_TEXT];
    int point = 0;
    int len = 0;
    if (isnan(value)) {
        len = snprintf(written, sizeof written, "NaN");
    } else if (isinf(value)) {
        len = snprintf(written, sizeof written, value < 0 ? "-Infinity" : "Infinity");
    } else if (value == 0) {
        len = snprintf(written, sizeof written, "0");
    } else {
        int count = shortest_digits(fabs(value), digits, &point);
        written[0] = '-';
        int sign = value < 0 ? 1 : 0;
        len = sign + lay_out(written + sign, sizeof written - 1, digits, count, point);
    }
    memcpy(text, written, (size_t)len);
    return (size_t)len;
}

double
ms_number_parse(const char *text, char **end)
{
    double value = strtod(text, end);
    if (!isfinite(value)) {
        *end = (char *)text;
    }
    return value;
}
