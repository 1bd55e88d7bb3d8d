/*
 * The functions below the calls, where JSON cannot reach: edges, and answers
 * known from elsewhere.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/core/date.h"
#include "../../src/core/email.h"
#include "../../src/core/hex.h"
#include "../../src/core/number.h"
#include "../../src/core/sign.h"
#include "../../src/core/status.h"
#include "../../src/core/url.h"

#include <math.h>

static void
assert_slice(ms_slice actual, const char *expected)
{
    if (!ms_slice_equal(actual, ms_slice_from(expected))) {
        fail_msg("expected \"%s\", got \"%.*s\"", expected, (int)actual.len, actual.ptr);
    }
}

static void
test_slice(void **state)
{
    (void)state;
    const ms_slice none = ms_slice_from(NULL);
    assert_int_equal(none.len, 0);
    assert_non_null(none.ptr);
    assert_true(ms_slice_equal(none, MS_SLICE("")));
    assert_true(ms_slice_equal(MS_SLICE("ab"), MS_SLICE("ab")));
    assert_false(ms_slice_equal(MS_SLICE("ab"), MS_SLICE("abc")));
    assert_false(ms_slice_equal(MS_SLICE("ab"), MS_SLICE("aB")));
    assert_true(ms_slice_equal((ms_slice){"a\0b", 3}, (ms_slice){"a\0b", 3}));
    assert_false(ms_slice_equal((ms_slice){"a\0b", 3}, (ms_slice){"a\0c", 3}));

    assert_true(ms_slice_equal_fold(none, MS_SLICE("")));
    assert_true(ms_slice_equal_fold(MS_SLICE("aZ09-"), MS_SLICE("Az09-")));
    assert_false(ms_slice_equal_fold(MS_SLICE("a"), MS_SLICE("ab")));
    /* 0x20 apart, but no letters. */
    assert_false(ms_slice_equal_fold(MS_SLICE("@"), MS_SLICE("`")));
    assert_false(ms_slice_equal_fold(MS_SLICE("["), MS_SLICE("{")));
    assert_false(ms_slice_equal_fold(MS_SLICE("\xC3\x89"), MS_SLICE("\xC3\xA9")));

    assert_int_equal(ms_slice_compare_fold(MS_SLICE("aZ09-"), MS_SLICE("Az09-")), 0);
    assert_true(ms_slice_compare_fold(MS_SLICE("B"), MS_SLICE("a")) > 0);
    assert_true(ms_slice_compare_fold(MS_SLICE("A"), MS_SLICE("b")) < 0);
    assert_true(ms_slice_compare_fold(MS_SLICE("AB"), MS_SLICE("a")) > 0);
    assert_true(ms_slice_compare_fold(none, MS_SLICE("a")) < 0);
    assert_true(ms_slice_compare_fold(MS_SLICE("\xC3\x89"), MS_SLICE("\xC3\xA9")) < 0);
    assert_true(ms_slice_compare_fold(MS_SLICE("\xC3"), MS_SLICE("z")) > 0);

    assert_slice(ms_slice_trim(MS_SLICE("  a b ")), "a b");
    assert_slice(ms_slice_trim(MS_SLICE("   ")), "");
    assert_slice(ms_slice_trim(none), "");
    assert_slice(ms_slice_trim(MS_SLICE("\ta\n")), "\ta\n");
}

static void
test_letters(void **state)
{
    (void)state;
    for (int c = -128; c < 128; c++) {
        char byte = (char)c;
        bool lower = c >= 'a' && c <= 'z';
        bool upper = c >= 'A' && c <= 'Z';
        assert_int_equal(ms_is_alpha(byte), lower || upper);
        assert_int_equal(ms_is_digit(byte), c >= '0' && c <= '9');
        assert_int_equal(ms_to_lower(byte), upper ? c + 32 : c);
        assert_int_equal(ms_to_upper(byte), lower ? c - 32 : c);
    }
}

static void
test_hex(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {0x00, 0x0F, 0xF0, 0xA5, 0xFF};
    char hex[11] = "##########";
    ms_hex(bytes, sizeof bytes, hex);
    assert_string_equal(hex, "000ff0a5ff");
    ms_hex(bytes, 0, hex);
    assert_string_equal(hex, "000ff0a5ff");

    const char *text = "0aFfg";
    assert_int_equal(ms_hex_value(text, text + 4, 4), 0x0AFF);
    assert_int_equal(ms_hex_value(text, text + 2, 2), 0x0A);
    assert_int_equal(ms_hex_value(text, text + 1, 2), -1);
    assert_int_equal(ms_hex_value(text, text, 1), -1);
    assert_int_equal(ms_hex_value(text + 3, text + 5, 2), -1);
    for (int c = -128; c < 128; c++) {
        char digit = (char)c;
        const char *found = c == 0 ? NULL : strchr("0123456789abcdefABCDEF", digit);
        assert_int_equal(ms_hex_value(&digit, &digit + 1, 1) >= 0, found != NULL);
    }
}

static void
assert_truncated(const char *path, size_t limit, const char *expected)
{
    assert_slice(ms_url_truncate(ms_slice_from(path), limit), expected);
}

static void
test_truncate(void **state)
{
    (void)state;
    assert_truncated("/abc", 4, "/abc");
    assert_truncated("/abc", SIZE_MAX, "/abc");
    assert_truncated("/abc", 0, "");
    assert_truncated("", 0, "");
    assert_truncated("", 5, "");
    assert_truncated("%41", 2, "");
    assert_truncated("%41", 3, "%41");
    assert_truncated("%C3%A9", 5, "");
    assert_truncated("%c3%a9x", 6, "%c3%a9");
    assert_truncated("%F0%9F%98%80", 11, "");
    assert_truncated("%F0%9F%98%80", 12, "%F0%9F%98%80");
    assert_truncated("%", 1, "%");
    assert_truncated("%4", 1, "%");
    /* Raw UTF-8 counts by character. */
    assert_truncated("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 0, "");
    assert_truncated("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 1, "\xC3\xA9");
    assert_truncated("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 2, "\xC3\xA9\xE2\x82\xAC");
    assert_truncated("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 3,
                     "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

static void
assert_date(double ms, const char *expected)
{
    char text[MS_DATE_TEXT + 1] = "untouched";
    if (expected == NULL) {
        assert_false(ms_date_format(ms, text));
        assert_string_equal(text, "untouched");
    } else {
        assert_true(ms_date_format(ms, text));
        text[MS_DATE_TEXT] = '\0';
        assert_string_equal(text, expected);
    }
}

static void
test_date(void **state)
{
    (void)state;
    assert_date(0, "1970-01-01T00:00:00.000Z");
    assert_date(-0.0, "1970-01-01T00:00:00.000Z");
    assert_date(0.9, "1970-01-01T00:00:00.000Z");
    assert_date(-0.9, "1970-01-01T00:00:00.000Z");
    assert_date(-1, "1969-12-31T23:59:59.999Z");
    assert_date(1370796294123, "2013-06-09T16:44:54.123Z");
    assert_date(951868799999, "2000-02-29T23:59:59.999Z");
    assert_date(951868800000, "2000-03-01T00:00:00.000Z");
    assert_date(4107542399999, "2100-02-28T23:59:59.999Z");
    assert_date(4107542400000, "2100-03-01T00:00:00.000Z");
    assert_date(1709164800000, "2024-02-29T00:00:00.000Z");
    assert_date(1735689599999, "2024-12-31T23:59:59.999Z");
    assert_date(-62167219200000, "0000-01-01T00:00:00.000Z");
    assert_date(-62135596800000, "0001-01-01T00:00:00.000Z");
    assert_date(-62167219200000.5, "0000-01-01T00:00:00.000Z");
    assert_date(-62167219200001, NULL);
    assert_date(253402300799999, "9999-12-31T23:59:59.999Z");
    assert_date(253402300799999.9, "9999-12-31T23:59:59.999Z");
    assert_date(253402300800000, NULL);
    assert_date(1e300, NULL);
    assert_date(-1e300, NULL);
    assert_date(INFINITY, NULL);
    assert_date(-INFINITY, NULL);
    assert_date(NAN, NULL);
}

static void
test_number(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } facts[] = {
        {0, "0"},
        {-0.0, "0"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {123456789012345680000.0, "123456789012345680000"},
        {-1.5e-7, "-1.5e-7"},
        {1e-6, "0.000001"},
        {0.1 + 0.2, "0.30000000000000004"},
        {5e-324, "5e-324"},
        {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {5e-7, "5e-7"},
        {1e23, "1e+23"},
        {9007199254740993.0, "9007199254740992"},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        char text[MS_NUMBER_TEXT];
        assert_slice((ms_slice){text, ms_number_format(facts[i].value, text)}, facts[i].text);
    }
}

static void
assert_parsed(const char *text, double value, bool is_number)
{
    char *end = NULL;
    double parsed = ms_number_parse(text, &end);
    assert_true((end == text + strlen(text)) == is_number);
    assert_true(!is_number || parsed == value);
}

static void
test_number_parse(void **state)
{
    (void)state;
    assert_parsed("-12.5e-1", -1.25, true);
    assert_parsed("1.7976931348623157e308", 1.7976931348623157e308, true);
    assert_parsed("1e309", 0, false);
    assert_parsed("-1e309", 0, false);
    assert_parsed("1e-999", 0, true);
    assert_parsed("-", 0, false);
}

static void
test_email(void **state)
{
    (void)state;
    assert_true(ms_email_is_valid(MS_SLICE("a@b")));
    assert_false(ms_email_is_valid(MS_SLICE("")));
    /* The slice ends it, not what is behind. */
    assert_true(ms_email_is_valid((ms_slice){"a@b.co!", 6}));
    assert_false(ms_email_is_valid((ms_slice){"a@b.co", 2}));
    assert_false(ms_email_is_valid((ms_slice){"a\0@b", 4}));
    assert_false(ms_email_is_valid((ms_slice){"a@b\0", 4}));
}

static void
test_status(void **state)
{
    (void)state;
    assert_string_equal(ms_status_code(MS_OK), "ok");
    assert_string_equal(ms_status_code(MS_EMAIL_MISSING), "email_missing");
    assert_string_equal(ms_status_code(MS_TRAIT_UNSUPPORTED), "trait_unsupported");
}

static void
assert_hash(ms_slice private_key, ms_slice email, const char *expected)
{
    char hash[MS_SHA1_HEX];
    ms_sign_associate_lead(private_key, email, hash);
    assert_slice((ms_slice){hash, sizeof hash}, expected);
}

static void
test_associate_lead(void **state)
{
    (void)state;
    /* RFC 3174 and FIPS 180, wherever the text is divided. */
    static const char *const abc = "a9993e364706816aba3e25717850c26c9cd0d89d";
    assert_hash(MS_SLICE(""), MS_SLICE("abc"), abc);
    assert_hash(MS_SLICE("a"), MS_SLICE("bc"), abc);
    assert_hash(MS_SLICE("abc"), MS_SLICE(""), abc);
    assert_hash(MS_SLICE("abcdbcdecdefdefgefghfghighij"), MS_SLICE("hijkijkljklmklmnlmnomnopnopq"),
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    assert_hash(MS_SLICE(""), MS_SLICE(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

static void
assert_signature(ms_slice key, ms_slice message, const char *expected)
{
    for (size_t divided = 0; divided <= message.len; divided++) {
        char signature[MS_SHA1_HEX];
        ms_sign_soap(key, (ms_slice){message.ptr, divided},
                     (ms_slice){message.ptr + divided, message.len - divided}, signature);
        assert_slice((ms_slice){signature, sizeof signature}, expected);
    }
}

static void
test_soap(void **state)
{
    (void)state;
    char bytes[80];
    /* RFC 2202. */
    memset(bytes, 0x0B, 20);
    assert_signature((ms_slice){bytes, 20}, MS_SLICE("Hi There"),
                     "b617318655057264e28bc0b6fb378c8ef146be00");
    assert_signature(MS_SLICE("Jefe"), MS_SLICE("what do ya want for nothing?"),
                     "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    memset(bytes, (char)0xAA, 80);
    assert_signature((ms_slice){bytes, 80},
                     MS_SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
                     "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slice),
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_truncate),
        cmocka_unit_test(test_date),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_number_parse),
        cmocka_unit_test(test_email),
        cmocka_unit_test(test_status),

        cmocka_unit_test(test_associate_lead),
        cmocka_unit_test(test_soap),
    };
    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
