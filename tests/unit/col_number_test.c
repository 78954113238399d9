/* SPDX-License-Identifier: Apache-2.0 */
/* Integers, decimals, booleans as text (text.h), held against PostgreSQL 15. */
#include "col_convert.h"

/* clang-format off */
static const struct conversion as_postgres[] = {
    {"smallint", "0", "0"},
    {"smallint", "-0", "0"},
    {"smallint", "+0", "0"},
    {"smallint", "1", "1"},
    {"smallint", "-1", "-1"},
    {"smallint", "007", "7"},
    {"smallint", " 12 ", "12"},
    {"smallint", "", "BAD"},
    {"smallint", "-", "BAD"},
    {"smallint", "+", "BAD"},
    {"smallint", "1 2", "BAD"},
    {"smallint", "1.0", "BAD"},
    {"smallint", "1e3", "BAD"},
    {"smallint", "0x10", "BAD"},
    {"smallint", "127", "127"},
    {"smallint", "128", "128"},
    {"smallint", "-128", "-128"},
    {"smallint", "-129", "-129"},
    {"smallint", "32767", "32767"},
    {"smallint", "32768", "RANGE"},
    {"smallint", "-32768", "-32768"},
    {"smallint", "-32769", "RANGE"},
    {"smallint", "2147483647", "RANGE"},
    {"smallint", "2147483648", "RANGE"},
    {"smallint", "-2147483648", "RANGE"},
    {"smallint", "-2147483649", "RANGE"},
    {"smallint", "9223372036854775807", "RANGE"},
    {"smallint", "9223372036854775808", "RANGE"},
    {"smallint", "-9223372036854775808", "RANGE"},
    {"smallint", "-9223372036854775809", "RANGE"},
    {"smallint", "99999999999999999999999", "RANGE"},
    {"smallint", "00000000000000000000000000000000012", "12"},
    {"smallint", "12345678", "RANGE"},
    {"smallint", "123456789", "RANGE"},
    {"smallint", "--1", "BAD"},
    {"smallint", "+-1", "BAD"},
    {"smallint", "12345678901234567", "RANGE"},
    {"smallint", "1234567890123456", "RANGE"},
    {"integer", "0", "0"},
    {"integer", "-0", "0"},
    {"integer", "+0", "0"},
    {"integer", "1", "1"},
    {"integer", "-1", "-1"},
    {"integer", "007", "7"},
    {"integer", " 12 ", "12"},
    {"integer", "", "BAD"},
    {"integer", "-", "BAD"},
    {"integer", "+", "BAD"},
    {"integer", "1 2", "BAD"},
    {"integer", "1.0", "BAD"},
    {"integer", "1e3", "BAD"},
    {"integer", "0x10", "BAD"},
    {"integer", "127", "127"},
    {"integer", "128", "128"},
    {"integer", "-128", "-128"},
    {"integer", "-129", "-129"},
    {"integer", "32767", "32767"},
    {"integer", "32768", "32768"},
    {"integer", "-32768", "-32768"},
    {"integer", "-32769", "-32769"},
    {"integer", "2147483647", "2147483647"},
    {"integer", "2147483648", "RANGE"},
    {"integer", "-2147483648", "-2147483648"},
    {"integer", "-2147483649", "RANGE"},
    {"integer", "9223372036854775807", "RANGE"},
    {"integer", "9223372036854775808", "RANGE"},
    {"integer", "-9223372036854775808", "RANGE"},
    {"integer", "-9223372036854775809", "RANGE"},
    {"integer", "99999999999999999999999", "RANGE"},
    {"integer", "00000000000000000000000000000000012", "12"},
    {"integer", "12345678", "12345678"},
    {"integer", "123456789", "123456789"},
    {"integer", "1234567a", "BAD"},
    {"integer", "--1", "BAD"},
    {"integer", "+-1", "BAD"},
    {"integer", "12345678901234567", "RANGE"},
    {"integer", "1234567890123456", "RANGE"},
    {"bigint", "0", "0"},
    {"bigint", "-0", "0"},
    {"bigint", "+0", "0"},
    {"bigint", "1", "1"},
    {"bigint", "-1", "-1"},
    {"bigint", "007", "7"},
    {"bigint", " 12 ", "12"},
    {"bigint", "", "BAD"},
    {"bigint", "-", "BAD"},
    {"bigint", "+", "BAD"},
    {"bigint", "1 2", "BAD"},
    {"bigint", "1.0", "BAD"},
    {"bigint", "1e3", "BAD"},
    {"bigint", "0x10", "BAD"},
    {"bigint", "127", "127"},
    {"bigint", "128", "128"},
    {"bigint", "-128", "-128"},
    {"bigint", "-129", "-129"},
    {"bigint", "32767", "32767"},
    {"bigint", "32768", "32768"},
    {"bigint", "-32768", "-32768"},
    {"bigint", "-32769", "-32769"},
    {"bigint", "2147483647", "2147483647"},
    {"bigint", "2147483648", "2147483648"},
    {"bigint", "-2147483648", "-2147483648"},
    {"bigint", "-2147483649", "-2147483649"},
    {"bigint", "9223372036854775807", "9223372036854775807"},
    {"bigint", "9223372036854775808", "RANGE"},
    {"bigint", "-9223372036854775808", "-9223372036854775808"},
    {"bigint", "-9223372036854775809", "RANGE"},
    {"bigint", "99999999999999999999999", "RANGE"},
    {"bigint", "00000000000000000000000000000000012", "12"},
    {"bigint", "12345678", "12345678"},
    {"bigint", "123456789", "123456789"},
    {"bigint", "1234567a", "BAD"},
    {"bigint", "--1", "BAD"},
    {"bigint", "+-1", "BAD"},
    {"bigint", "12345678901234567", "12345678901234567"},
    {"bigint", "1234567890123456", "1234567890123456"},
    {"boolean", "t", "true"},
    {"boolean", "f", "false"},
    {"boolean", "true", "true"},
    {"boolean", "FALSE", "false"},
    {"boolean", "tr", "true"},
    {"boolean", "tru", "true"},
    {"boolean", "y", "true"},
    {"boolean", "ye", "true"},
    {"boolean", "yes", "true"},
    {"boolean", "n", "false"},
    {"boolean", "no", "false"},
    {"boolean", "on", "true"},
    {"boolean", "off", "false"},
    {"boolean", "of", "false"},
    {"boolean", "o", "BAD"},
    {"boolean", "1", "true"},
    {"boolean", "0", "false"},
    {"boolean", " true ", "true"},
    {"boolean", "10", "BAD"},
    {"boolean", "", "BAD"},
    {"boolean", "tt", "BAD"},
    {"boolean", "yess", "BAD"},
    {"boolean", "2", "BAD"},
    {"boolean", "T", "true"},
    {"boolean", "oN", "true"},
    {"decimal(10,2)", "1", "1.00"},
    {"decimal(10,2)", "1.5", "1.50"},
    {"decimal(10,2)", "1.55", "1.55"},
    {"decimal(10,2)", "-1.25", "-1.25"},
    {"decimal(10,2)", "1e2", "100.00"},
    {"decimal(10,2)", "1e-2", "0.01"},
    {"decimal(10,2)", "1.50000", "1.50"},
    {"decimal(10,2)", ".5", "0.50"},
    {"decimal(10,2)", "5.", "5.00"},
    {"decimal(10,2)", ".", "BAD"},
    {"decimal(10,2)", "", "BAD"},
    {"decimal(10,2)", "1e", "BAD"},
    {"decimal(10,2)", " 12.5 ", "12.50"},
    {"decimal(10,2)", "0", "0.00"},
    {"decimal(10,2)", "-0", "0.00"},
    {"decimal(10,2)", "0.0", "0.00"},
    {"decimal(10,2)", "99999999.99", "99999999.99"},
    {"decimal(10,2)", "100000000", "RANGE"},
    {"decimal(10,2)", "-99999999.99", "-99999999.99"},
    {"decimal(10,2)", "123456789012345678901234567.8901234567", "RANGE"},
    {"decimal(10,2)", "1234567890123456789012345678", "RANGE"},
    {"decimal(10,2)", "12345678901234567890123456789", "RANGE"},
    {"decimal(10,2)", "00000000000000000000000000000000000000000000000000001", "1.00"},
    {"decimal(10,2)", "1.000000000000000000000000000000000000000000000000000000000000", "1.00"},
    {"decimal(10,2)", "1e5", "100000.00"},
    {"decimal(10,2)", "99999", "99999.00"},
    {"decimal(10,2)", "100000", "100000.00"},
    {"decimal(10,2)", "1e40", "RANGE"},
    {"decimal(10,2)", "0e99", "0.00"},
    {"decimal(10,2)", "0.5e1", "5.00"},
    {"decimal(10,2)", "12e-1", "1.20"},
    {"decimal(10,2)", "1..2", "BAD"},
    {"decimal(10,2)", "1.2.3", "BAD"},
    {"decimal(10,2)", "-", "BAD"},
    {"decimal(10,2)", "+5", "5.00"},
    {"decimal(10,2)", "1_0", "BAD"},
    {"decimal(5,0)", "1", "1"},
    {"decimal(5,0)", "1e2", "100"},
    {"decimal(5,0)", "5.", "5"},
    {"decimal(5,0)", ".", "BAD"},
    {"decimal(5,0)", "", "BAD"},
    {"decimal(5,0)", "1e", "BAD"},
    {"decimal(5,0)", "0", "0"},
    {"decimal(5,0)", "-0", "0"},
    {"decimal(5,0)", "0.0", "0"},
    {"decimal(5,0)", "99999999.99", "RANGE"},
    {"decimal(5,0)", "100000000", "RANGE"},
    {"decimal(5,0)", "-99999999.99", "RANGE"},
    {"decimal(5,0)", "123456789012345678901234567.8901234567", "RANGE"},
    {"decimal(5,0)", "1234567890123456789012345678", "RANGE"},
    {"decimal(5,0)", "12345678901234567890123456789", "RANGE"},
    {"decimal(5,0)", "00000000000000000000000000000000000000000000000000001", "1"},
    {"decimal(5,0)", "1.000000000000000000000000000000000000000000000000000000000000", "1"},
    {"decimal(5,0)", "1e5", "RANGE"},
    {"decimal(5,0)", "99999", "99999"},
    {"decimal(5,0)", "100000", "RANGE"},
    {"decimal(5,0)", "1e40", "RANGE"},
    {"decimal(5,0)", "0e99", "0"},
    {"decimal(5,0)", "0.5e1", "5"},
    {"decimal(5,0)", "1..2", "BAD"},
    {"decimal(5,0)", "1.2.3", "BAD"},
    {"decimal(5,0)", "-", "BAD"},
    {"decimal(5,0)", "+5", "5"},
    {"decimal(5,0)", "1_0", "BAD"},
    {"decimal(38,10)", "1", "1.0000000000"},
    {"decimal(38,10)", "1.5", "1.5000000000"},
    {"decimal(38,10)", "1.55", "1.5500000000"},
    {"decimal(38,10)", "-1.25", "-1.2500000000"},
    {"decimal(38,10)", "1e2", "100.0000000000"},
    {"decimal(38,10)", "1e-2", "0.0100000000"},
    {"decimal(38,10)", "1.50000", "1.5000000000"},
    {"decimal(38,10)", "0.001", "0.0010000000"},
    {"decimal(38,10)", ".5", "0.5000000000"},
    {"decimal(38,10)", "5.", "5.0000000000"},
    {"decimal(38,10)", ".", "BAD"},
    {"decimal(38,10)", "", "BAD"},
    {"decimal(38,10)", "1e", "BAD"},
    {"decimal(38,10)", " 12.5 ", "12.5000000000"},
    {"decimal(38,10)", "0", "0.0000000000"},
    {"decimal(38,10)", "-0", "0.0000000000"},
    {"decimal(38,10)", "0.0", "0.0000000000"},
    {"decimal(38,10)", "99999999.99", "99999999.9900000000"},
    {"decimal(38,10)", "100000000", "100000000.0000000000"},
    {"decimal(38,10)", "-99999999.99", "-99999999.9900000000"},
    {"decimal(38,10)", "0.999", "0.9990000000"},
    {"decimal(38,10)", "123456789012345678901234567.8901234567", "123456789012345678901234567.8901234567"},
    {"decimal(38,10)", "1234567890123456789012345678", "1234567890123456789012345678.0000000000"},
    {"decimal(38,10)", "12345678901234567890123456789", "RANGE"},
    {"decimal(38,10)", "00000000000000000000000000000000000000000000000000001", "1.0000000000"},
    {"decimal(38,10)", "1.000000000000000000000000000000000000000000000000000000000000", "1.0000000000"},
    {"decimal(38,10)", "1e5", "100000.0000000000"},
    {"decimal(38,10)", "99999", "99999.0000000000"},
    {"decimal(38,10)", "100000", "100000.0000000000"},
    {"decimal(38,10)", "1e40", "RANGE"},
    {"decimal(38,10)", "0e99", "0.0000000000"},
    {"decimal(38,10)", "0.5e1", "5.0000000000"},
    {"decimal(38,10)", "12e-1", "1.2000000000"},
    {"decimal(38,10)", "1..2", "BAD"},
    {"decimal(38,10)", "1.2.3", "BAD"},
    {"decimal(38,10)", "-", "BAD"},
    {"decimal(38,10)", "+5", "5.0000000000"},
    {"decimal(38,10)", "1_0", "BAD"},
    {"decimal(38,38)", "1", "RANGE"},
    {"decimal(38,38)", "1.5", "RANGE"},
    {"decimal(38,38)", "1.55", "RANGE"},
    {"decimal(38,38)", "-1.25", "RANGE"},
    {"decimal(38,38)", "1e2", "RANGE"},
    {"decimal(38,38)", "1e-2", "0.01000000000000000000000000000000000000"},
    {"decimal(38,38)", "1.50000", "RANGE"},
    {"decimal(38,38)", "0.001", "0.00100000000000000000000000000000000000"},
    {"decimal(38,38)", ".5", "0.50000000000000000000000000000000000000"},
    {"decimal(38,38)", "5.", "RANGE"},
    {"decimal(38,38)", ".", "BAD"},
    {"decimal(38,38)", "", "BAD"},
    {"decimal(38,38)", "1e", "BAD"},
    {"decimal(38,38)", " 12.5 ", "RANGE"},
    {"decimal(38,38)", "0", "0.00000000000000000000000000000000000000"},
    {"decimal(38,38)", "-0", "0.00000000000000000000000000000000000000"},
    {"decimal(38,38)", "0.0", "0.00000000000000000000000000000000000000"},
    {"decimal(38,38)", "99999999.99", "RANGE"},
    {"decimal(38,38)", "100000000", "RANGE"},
    {"decimal(38,38)", "-99999999.99", "RANGE"},
    {"decimal(38,38)", "0.999", "0.99900000000000000000000000000000000000"},
    {"decimal(38,38)", "1e-38", "0.00000000000000000000000000000000000001"},
    {"decimal(38,38)", "123456789012345678901234567.8901234567", "RANGE"},
    {"decimal(38,38)", "1234567890123456789012345678", "RANGE"},
    {"decimal(38,38)", "12345678901234567890123456789", "RANGE"},
    {"decimal(38,38)", "0.12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678"},
    {"decimal(38,38)", "00000000000000000000000000000000000000000000000000001", "RANGE"},
    {"decimal(38,38)", "1.000000000000000000000000000000000000000000000000000000000000", "RANGE"},
    {"decimal(38,38)", "1e5", "RANGE"},
    {"decimal(38,38)", "99999", "RANGE"},
    {"decimal(38,38)", "100000", "RANGE"},
    {"decimal(38,38)", "1e40", "RANGE"},
    {"decimal(38,38)", "0e99", "0.00000000000000000000000000000000000000"},
    {"decimal(38,38)", "0.5e1", "RANGE"},
    {"decimal(38,38)", "12e-1", "RANGE"},
    {"decimal(38,38)", "1..2", "BAD"},
    {"decimal(38,38)", "1.2.3", "BAD"},
    {"decimal(38,38)", "-", "BAD"},
    {"decimal(38,38)", "+5", "RANGE"},
    {"decimal(38,38)", "1_0", "BAD"},
    {"decimal(3,3)", "1", "RANGE"},
    {"decimal(3,3)", "1.5", "RANGE"},
    {"decimal(3,3)", "1.55", "RANGE"},
    {"decimal(3,3)", "-1.25", "RANGE"},
    {"decimal(3,3)", "1e2", "RANGE"},
    {"decimal(3,3)", "1e-2", "0.010"},
    {"decimal(3,3)", "1.50000", "RANGE"},
    {"decimal(3,3)", "0.001", "0.001"},
    {"decimal(3,3)", ".5", "0.500"},
    {"decimal(3,3)", "5.", "RANGE"},
    {"decimal(3,3)", ".", "BAD"},
    {"decimal(3,3)", "", "BAD"},
    {"decimal(3,3)", "1e", "BAD"},
    {"decimal(3,3)", " 12.5 ", "RANGE"},
    {"decimal(3,3)", "0", "0.000"},
    {"decimal(3,3)", "-0", "0.000"},
    {"decimal(3,3)", "0.0", "0.000"},
    {"decimal(3,3)", "99999999.99", "RANGE"},
    {"decimal(3,3)", "100000000", "RANGE"},
    {"decimal(3,3)", "-99999999.99", "RANGE"},
    {"decimal(3,3)", "0.999", "0.999"},
    {"decimal(3,3)", "123456789012345678901234567.8901234567", "RANGE"},
    {"decimal(3,3)", "1234567890123456789012345678", "RANGE"},
    {"decimal(3,3)", "12345678901234567890123456789", "RANGE"},
    {"decimal(3,3)", "00000000000000000000000000000000000000000000000000001", "RANGE"},
    {"decimal(3,3)", "1.000000000000000000000000000000000000000000000000000000000000", "RANGE"},
    {"decimal(3,3)", "1e5", "RANGE"},
    {"decimal(3,3)", "99999", "RANGE"},
    {"decimal(3,3)", "100000", "RANGE"},
    {"decimal(3,3)", "1e40", "RANGE"},
    {"decimal(3,3)", "0e99", "0.000"},
    {"decimal(3,3)", "0.5e1", "RANGE"},
    {"decimal(3,3)", "12e-1", "RANGE"},
    {"decimal(3,3)", "1..2", "BAD"},
    {"decimal(3,3)", "1.2.3", "BAD"},
    {"decimal(3,3)", "-", "BAD"},
    {"decimal(3,3)", "+5", "RANGE"},
    {"decimal(3,3)", "1_0", "BAD"},
};

/* Stricter: what PostgreSQL makes of them stands behind. */
static const struct conversion not_as_postgres[] = {
    {"smallint", "1234567a", "BAD"}, /* error 22003 */
    {"smallint", "99999999999999999999x", "BAD"}, /* error 22003 */
    {"integer", "99999999999999999999x", "BAD"}, /* error 22003 */
    {"bigint", "99999999999999999999x", "BAD"}, /* error 22003 */
    {"decimal(10,2)", "0.001", "RANGE"}, /* 0.00 */
    {"decimal(10,2)", "nan", "BAD"}, /* NaN */
    {"decimal(10,2)", "0.999", "RANGE"}, /* 1.00 */
    {"decimal(10,2)", "1e-38", "RANGE"}, /* 0.00 */
    {"decimal(10,2)", "0.12345678901234567890123456789012345678", "RANGE"}, /* 0.12 */
    {"decimal(5,0)", "1.5", "RANGE"}, /* 2 */
    {"decimal(5,0)", "1.55", "RANGE"}, /* 2 */
    {"decimal(5,0)", "-1.25", "RANGE"}, /* -1 */
    {"decimal(5,0)", "1e-2", "RANGE"}, /* 0 */
    {"decimal(5,0)", "1.50000", "RANGE"}, /* 2 */
    {"decimal(5,0)", "0.001", "RANGE"}, /* 0 */
    {"decimal(5,0)", ".5", "RANGE"}, /* 1 */
    {"decimal(5,0)", "nan", "BAD"}, /* NaN */
    {"decimal(5,0)", " 12.5 ", "RANGE"}, /* 13 */
    {"decimal(5,0)", "0.999", "RANGE"}, /* 1 */
    {"decimal(5,0)", "1e-38", "RANGE"}, /* 0 */
    {"decimal(5,0)", "0.12345678901234567890123456789012345678", "RANGE"}, /* 0 */
    {"decimal(5,0)", "12e-1", "RANGE"}, /* 1 */
    {"decimal(38,10)", "nan", "BAD"}, /* NaN */
    {"decimal(38,10)", "1e-38", "RANGE"}, /* 0.0000000000 */
    {"decimal(38,10)", "0.12345678901234567890123456789012345678", "RANGE"}, /* 0.1234567890 */
    {"decimal(38,38)", "nan", "BAD"}, /* NaN */
    {"decimal(3,3)", "nan", "BAD"}, /* NaN */
    {"decimal(3,3)", "1e-38", "RANGE"}, /* 0.000 */
    {"decimal(3,3)", "0.12345678901234567890123456789012345678", "RANGE"}, /* 0.123 */
};

/* Types that PostgreSQL does not have. */
static const struct conversion our_types[] = {
    {"tinyint", "127", "127"},
    {"tinyint", "-128", "-128"},
    {"tinyint", "128", "RANGE"},
    {"tinyint", "-129", "RANGE"},
    {"tinyint", "x", "BAD"},
    {"utinyint", "255", "255"},
    {"utinyint", "256", "RANGE"},
    {"utinyint", "-1", "RANGE"},
    {"utinyint", "-0", "0"},
    {"usmallint", "65535", "65535"},
    {"usmallint", "65536", "RANGE"},
    {"uinteger", " +4294967295 ", "4294967295"},
    {"uinteger", "4294967296", "RANGE"},
    {"ubigint", "18446744073709551615", "18446744073709551615"},
    {"ubigint", "18446744073709551616", "RANGE"},
    {"ubigint", "99999999999999999999999", "RANGE"},
    {"ubigint", "-1", "RANGE"},
    {"ubigint", "1.0", "BAD"},
    {"ubigint", "", "BAD"},
};
/* clang-format on */

static void numbers_are_read_and_written_as_postgres_does(void)
{
    check_conversions(as_postgres, BP_COUNT_OF(as_postgres));
}

static void decimals_are_never_rounded_to_fit(void)
{
    check_conversions(not_as_postgres, BP_COUNT_OF(not_as_postgres));
}

static void small_and_unsigned_integers_keep_their_ranges(void)
{
    check_conversions(our_types, BP_COUNT_OF(our_types));
}

static void integers_of_every_length_read_back(void)
{
    for (uint64_t v = 1, step = 0; step < 64; step++, v = v * 2 + (step & 1)) {
        char text[BP_TEXT_MAX];
        uint64_t u = 0;
        int64_t i = 0, negative = -(int64_t)(v >> 1);
        size_t n = bp_format_uint64(v, text);

        CHECK(bp_parse_uint64(text, n, &u) == BP_TEXT_OK && u == v);
        n = bp_format_int64(negative, text);
        CHECK(bp_parse_int64(text, n, &i) == BP_TEXT_OK && i == negative);
    }
}

static void a_wrong_byte_is_found_at_any_place(void)
{
    char text[32];

    for (size_t n = 1; n <= 18; n++)
        for (size_t at = 0; at < n; at++) {
            static const char wrong[] = {'/', ':', '\xb0', '.', 'a', 0, '\xff'};

            for (size_t w = 0; w < sizeof wrong; w++) {
                int64_t v;

                memset(text, '7', n);
                CHECK(bp_parse_int64(text, n, &v) == BP_TEXT_OK);
                text[at] = wrong[w];
                CHECK(bp_parse_int64(text, n, &v) == BP_TEXT_BAD);
            }
        }
}

static void decimals_of_every_scale_read_back(void)
{
    bp_int128 v = 1;

    for (int digits = 1; digits <= 38; digits++, v = v * 10 + digits % 10)
        for (int scale = 0; scale <= 38; scale++)
            for (int sign = -1; sign <= 1; sign += 2) {
                char text[BP_TEXT_MAX];
                bp_int128 again = 0;
                size_t n = bp_format_decimal(v * sign, scale, text);

                CHECK(bp_parse_decimal(text, n, 38, scale, &again) == BP_TEXT_OK);
                CHECK(again == v * sign);
                CHECK(digits == 1 ||
                      bp_parse_decimal(text, n, digits - 1, scale, &again) == BP_TEXT_RANGE);
            }
}

UNIT_MAIN(T(numbers_are_read_and_written_as_postgres_does), T(decimals_are_never_rounded_to_fit),
          T(small_and_unsigned_integers_keep_their_ranges), T(integers_of_every_length_read_back),
          T(a_wrong_byte_is_found_at_any_place), T(decimals_of_every_scale_read_back))
