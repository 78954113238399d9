/* SPDX-License-Identifier: Apache-2.0 */
/* Floats as text (text.h), held against PostgreSQL 15. */
#include <math.h>
#include <stdlib.h>

#include "col/pow10.h"
#include "col_convert.h"

/* clang-format off */
static const struct conversion as_postgres[] = {
    {"real", "0", "0"},
    {"real", "-0", "-0"},
    {"real", "+0", "0"},
    {"real", "1", "1"},
    {"real", "-1", "-1"},
    {"real", "007", "7"},
    {"real", " 12 ", "12"},
    {"real", "", "BAD"},
    {"real", "-", "BAD"},
    {"real", "+", "BAD"},
    {"real", "1 2", "BAD"},
    {"real", "1.0", "1"},
    {"real", "1e3", "1000"},
    {"real", "127", "127"},
    {"real", "128", "128"},
    {"real", "-128", "-128"},
    {"real", "-129", "-129"},
    {"real", "32767", "32767"},
    {"real", "32768", "32768"},
    {"real", "-32768", "-32768"},
    {"real", "-32769", "-32769"},
    {"real", "2147483647", "2.1474836e+09"},
    {"real", "2147483648", "2.1474836e+09"},
    {"real", "-2147483648", "-2.1474836e+09"},
    {"real", "-2147483649", "-2.1474836e+09"},
    {"real", "9223372036854775807", "9.223372e+18"},
    {"real", "9223372036854775808", "9.223372e+18"},
    {"real", "-9223372036854775808", "-9.223372e+18"},
    {"real", "-9223372036854775809", "-9.223372e+18"},
    {"real", "99999999999999999999999", "1e+23"},
    {"real", "00000000000000000000000000000000012", "12"},
    {"real", "12345678", "1.2345678e+07"},
    {"real", "123456789", "1.2345679e+08"},
    {"real", "1234567a", "BAD"},
    {"real", "--1", "BAD"},
    {"real", "+-1", "BAD"},
    {"real", "99999999999999999999x", "BAD"},
    {"real", "12345678901234567", "1.2345678e+16"},
    {"real", "1234567890123456", "1.234568e+15"},
    {"real", "1.5", "1.5"},
    {"real", ".5", "0.5"},
    {"real", "5.", "5"},
    {"real", ".", "BAD"},
    {"real", "1e", "BAD"},
    {"real", "1e+", "BAD"},
    {"real", "e5", "BAD"},
    {"real", "1e400", "RANGE"},
    {"real", "-1e400", "RANGE"},
    {"real", "1e-400", "RANGE"},
    {"real", "1e308", "RANGE"},
    {"real", "1.7976931348623157e308", "RANGE"},
    {"real", "1.7976931348623159e308", "RANGE"},
    {"real", "5e-324", "RANGE"},
    {"real", "2e-324", "RANGE"},
    {"real", "3e-324", "RANGE"},
    {"real", "2.4703282292062327e-324", "RANGE"},
    {"real", "2.4703282292062328e-324", "RANGE"},
    {"real", "1e-310", "RANGE"},
    {"real", "nan", "NaN"},
    {"real", "NaN", "NaN"},
    {"real", "-nan", "NaN"},
    {"real", "inf", "Infinity"},
    {"real", "-inf", "-Infinity"},
    {"real", "+inf", "Infinity"},
    {"real", "Infinity", "Infinity"},
    {"real", "-INFINITY", "-Infinity"},
    {"real", "infinit", "BAD"},
    {"real", "1e15", "1e+15"},
    {"real", "1e14", "1e+14"},
    {"real", "123456789012345", "1.2345679e+14"},
    {"real", "999999999999999", "1e+15"},
    {"real", "1e-4", "0.0001"},
    {"real", "1e-5", "1e-05"},
    {"real", "0.00012345", "0.00012345"},
    {"real", "1e23", "1e+23"},
    {"real", "9007199254740993", "9.007199e+15"},
    {"real", "9007199254740992", "9.007199e+15"},
    {"real", "9007199254740991", "9.007199e+15"},
    {"real", "0.1", "0.1"},
    {"real", "0.3", "0.3"},
    {"real", "2.2250738585072014e-308", "RANGE"},
    {"real", "2.2250738585072011e-308", "RANGE"},
    {"real", "4.35", "4.35"},
    {"real", "123.45", "123.45"},
    {"real", "-0.01", "-0.01"},
    {"real", "100", "100"},
    {"real", "1e5", "100000"},
    {"real", "1e6", "1e+06"},
    {"real", "123456", "123456"},
    {"real", "1234567", "1.234567e+06"},
    {"real", "0.000001", "1e-06"},
    {"real", "1e22", "1e+22"},
    {"real", "1e21", "1e+21"},
    {"real", "5.684341886080802e-14", "5.684342e-14"},
    {"real", "3.4028235e38", "3.4028235e+38"},
    {"real", "3.4028236e38", "RANGE"},
    {"real", "1e39", "RANGE"},
    {"real", "1e-45", "1e-45"},
    {"real", "7e-46", "RANGE"},
    {"real", "7.0064923216240853546186479164495e-46", "RANGE"},
    {"real", "7.0064923216240854e-46", "1e-45"},
    {"real", "1.17549435e-38", "1.1754944e-38"},
    {"real", "16777217", "1.6777216e+07"},
    {"real", "16777216.9999", "1.6777216e+07"},
    {"real", "1.00000017881393421514957253748434595763683319091796875001", "1.0000001"},
    {"real", "1.00000017881393432617187499", "1.0000001"},
    {"real", "8.5e7", "8.5e+07"},
    {"real", "111111111111111111111111111111", "1.1111111e+29"},
    {"real", "0.1111111111111111111111111111111111111111", "0.11111111"},
    {"real", "1e99999999999999999999", "RANGE"},
    {"real", "0e99999999999999999999", "0"},
    {"real", "1e-99999999999999999999", "RANGE"},
    {"real", "12345678901234567890", "1.2345679e+19"},
    {"real", "1234567890123456789012", "1.2345678e+21"},
    {"real", "  1.5  ", "1.5"},
    {"real", "1.5 x", "BAD"},
    {"double precision", "0", "0"},
    {"double precision", "-0", "-0"},
    {"double precision", "+0", "0"},
    {"double precision", "1", "1"},
    {"double precision", "-1", "-1"},
    {"double precision", "007", "7"},
    {"double precision", " 12 ", "12"},
    {"double precision", "", "BAD"},
    {"double precision", "-", "BAD"},
    {"double precision", "+", "BAD"},
    {"double precision", "1 2", "BAD"},
    {"double precision", "1.0", "1"},
    {"double precision", "1e3", "1000"},
    {"double precision", "127", "127"},
    {"double precision", "128", "128"},
    {"double precision", "-128", "-128"},
    {"double precision", "-129", "-129"},
    {"double precision", "32767", "32767"},
    {"double precision", "32768", "32768"},
    {"double precision", "-32768", "-32768"},
    {"double precision", "-32769", "-32769"},
    {"double precision", "2147483647", "2147483647"},
    {"double precision", "2147483648", "2147483648"},
    {"double precision", "-2147483648", "-2147483648"},
    {"double precision", "-2147483649", "-2147483649"},
    {"double precision", "9223372036854775807", "9.223372036854776e+18"},
    {"double precision", "9223372036854775808", "9.223372036854776e+18"},
    {"double precision", "-9223372036854775808", "-9.223372036854776e+18"},
    {"double precision", "-9223372036854775809", "-9.223372036854776e+18"},
    {"double precision", "99999999999999999999999", "9.999999999999999e+22"},
    {"double precision", "00000000000000000000000000000000012", "12"},
    {"double precision", "12345678", "12345678"},
    {"double precision", "123456789", "123456789"},
    {"double precision", "1234567a", "BAD"},
    {"double precision", "--1", "BAD"},
    {"double precision", "+-1", "BAD"},
    {"double precision", "99999999999999999999x", "BAD"},
    {"double precision", "12345678901234567", "1.2345678901234568e+16"},
    {"double precision", "1234567890123456", "1.234567890123456e+15"},
    {"double precision", "1.5", "1.5"},
    {"double precision", ".5", "0.5"},
    {"double precision", "5.", "5"},
    {"double precision", ".", "BAD"},
    {"double precision", "1e", "BAD"},
    {"double precision", "1e+", "BAD"},
    {"double precision", "e5", "BAD"},
    {"double precision", "1e400", "RANGE"},
    {"double precision", "-1e400", "RANGE"},
    {"double precision", "1e-400", "RANGE"},
    {"double precision", "1e308", "1e+308"},
    {"double precision", "1.7976931348623157e308", "1.7976931348623157e+308"},
    {"double precision", "1.7976931348623159e308", "RANGE"},
    {"double precision", "5e-324", "5e-324"},
    {"double precision", "2e-324", "RANGE"},
    {"double precision", "3e-324", "5e-324"},
    {"double precision", "2.4703282292062327e-324", "RANGE"},
    {"double precision", "2.4703282292062328e-324", "5e-324"},
    {"double precision", "1e-310", "1e-310"},
    {"double precision", "nan", "NaN"},
    {"double precision", "NaN", "NaN"},
    {"double precision", "-nan", "NaN"},
    {"double precision", "inf", "Infinity"},
    {"double precision", "-inf", "-Infinity"},
    {"double precision", "+inf", "Infinity"},
    {"double precision", "Infinity", "Infinity"},
    {"double precision", "-INFINITY", "-Infinity"},
    {"double precision", "infinit", "BAD"},
    {"double precision", "1e15", "1e+15"},
    {"double precision", "1e14", "100000000000000"},
    {"double precision", "123456789012345", "123456789012345"},
    {"double precision", "999999999999999", "999999999999999"},
    {"double precision", "1e-4", "0.0001"},
    {"double precision", "1e-5", "1e-05"},
    {"double precision", "0.00012345", "0.00012345"},
    {"double precision", "1e23", "9.999999999999999e+22"},
    {"double precision", "9007199254740993", "9.007199254740992e+15"},
    {"double precision", "9007199254740992", "9.007199254740992e+15"},
    {"double precision", "9007199254740991", "9.007199254740991e+15"},
    {"double precision", "0.1", "0.1"},
    {"double precision", "0.3", "0.3"},
    {"double precision", "2.2250738585072014e-308", "2.2250738585072014e-308"},
    {"double precision", "2.2250738585072011e-308", "2.225073858507201e-308"},
    {"double precision", "4.35", "4.35"},
    {"double precision", "123.45", "123.45"},
    {"double precision", "-0.01", "-0.01"},
    {"double precision", "100", "100"},
    {"double precision", "1e5", "100000"},
    {"double precision", "1e6", "1000000"},
    {"double precision", "123456", "123456"},
    {"double precision", "1234567", "1234567"},
    {"double precision", "0.000001", "1e-06"},
    {"double precision", "1e22", "1e+22"},
    {"double precision", "1e21", "1e+21"},
    {"double precision", "5.684341886080802e-14", "5.684341886080802e-14"},
    {"double precision", "3.4028235e38", "3.4028235e+38"},
    {"double precision", "3.4028236e38", "3.4028236e+38"},
    {"double precision", "1e39", "1e+39"},
    {"double precision", "1e-45", "1e-45"},
    {"double precision", "7e-46", "7e-46"},
    {"double precision", "7.0064923216240853546186479164495e-46", "7.006492321624085e-46"},
    {"double precision", "7.0064923216240854e-46", "7.006492321624085e-46"},
    {"double precision", "1.17549435e-38", "1.17549435e-38"},
    {"double precision", "16777217", "16777217"},
    {"double precision", "16777216.9999", "16777216.9999"},
    {"double precision", "1.00000017881393421514957253748434595763683319091796875001", "1.0000001788139343"},
    {"double precision", "1.00000017881393432617187499", "1.0000001788139343"},
    {"double precision", "8.5e7", "85000000"},
    {"double precision", "111111111111111111111111111111", "1.111111111111111e+29"},
    {"double precision", "0.1111111111111111111111111111111111111111", "0.1111111111111111"},
    {"double precision", "1e99999999999999999999", "RANGE"},
    {"double precision", "0e99999999999999999999", "0"},
    {"double precision", "1e-99999999999999999999", "RANGE"},
    {"double precision", "12345678901234567890", "1.2345678901234567e+19"},
    {"double precision", "1234567890123456789012", "1.2345678901234568e+21"},
    {"double precision", "  1.5  ", "1.5"},
    {"double precision", "1.5 x", "BAD"},
    {"double precision", "-nan", "NaN"},
};

/* What PostgreSQL makes of them stands behind. */
static const struct conversion not_as_postgres[] = {
    {"real", "0x10", "BAD"}, /* 16 */
    {"double precision", "0x10", "BAD"}, /* 16 */
};

/* clang-format on */

static void floats_are_read_and_written_as_postgres_does(void)
{
    check_conversions(as_postgres, BP_COUNT_OF(as_postgres));
}

static void hexadecimal_floats_are_refused(void)
{
    check_conversions(not_as_postgres, BP_COUNT_OF(not_as_postgres));
}

/* A generator of our own, so that every machine tests the same numbers. */
static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state ^ *state >> 29;
}

/* Reads back; true if 15 digits would have done and more were written. */
static bool check_double(double v)
{
    char text[BP_TEXT_MAX], few[64];
    size_t n = bp_format_float64(v, text);
    double again = 0;

    text[n] = 0;
    CHECK(bp_parse_float64(text, n, &again) == BP_TEXT_OK && memcmp(&v, &again, sizeof v) == 0);
    CHECK(strtod(text, NULL) == v);
    CHECK(n <= 24);
    snprintf(few, sizeof few, "%.15g", v);
    return strtod(few, NULL) == v && n > strlen(few) + 2;
}

static void doubles_of_any_bits_read_back(void)
{
    uint64_t state = 1;
    int longer = 0;

    for (int i = 0; i < 200000; i++) {
        uint64_t bits = next_random(&state);
        double v;

        memcpy(&v, &bits, sizeof v);
        if (isfinite(v))
            longer += check_double(v);
    }
    /* 324691324732860032, as PostgreSQL has it: of 15 digits it is just halfway */
    CHECK(longer == 1);
}

static void money_and_short_decimals_are_written_short(void)
{
    uint64_t state = 2;

    for (int i = 0; i < 100000; i++) {
        uint64_t r = next_random(&state);
        int places = (int)(r % 7);
        int64_t whole = (int64_t)(r >> 8) % 100000000000;
        char want[64], got[BP_TEXT_MAX];
        size_t n;

        snprintf(want, sizeof want, "%.*f", places, (double)whole / pow(10, places));
        if (strchr(want, '.')) { /* zeros at the end go */
            for (n = strlen(want); want[n - 1] == '0'; n--)
                ;
            want[n - (want[n - 1] == '.')] = 0;
        }
        if (strtod(want, NULL) != 0 && fabs(strtod(want, NULL)) < 1e-4)
            continue;
        got[bp_format_float64(strtod(want, NULL), got)] = 0;
        CHECK_STR(got, strcmp(want, "-0") == 0 ? "0" : want);
    }
}

static void random_digits_are_read_as_the_c_library_reads_them(void)
{
    uint64_t state = 3;

    for (int i = 0; i < 200000; i++) {
        uint64_t r = next_random(&state);
        int digits = 1 + (int)(r % 25), e = (int)(r >> 8 & 1023) - 512;
        char text[64];
        double want, got = 0;
        float want32, got32 = 0;
        size_t n = 0;
        int rc;

        for (int k = 0; k < digits; k++) {
            if (k == (int)(r >> 40) % 30)
                text[n++] = '.';
            text[n++] = (char)('0' + next_random(&state) % 10);
        }
        snprintf(text + n, 16, "e%d", r >> 60 < 4 ? e : e % 50);
        want = strtod(text, NULL);
        rc = bp_parse_float64(text, strlen(text), &got);
        if (isinf(want) || (want == 0 && strpbrk(text, "123456789") < strchr(text, 'e')))
            CHECK(rc == BP_TEXT_RANGE || (want == 0 && rc == BP_TEXT_OK));
        else
            CHECK(rc == BP_TEXT_OK && got == want);
        want32 = strtof(text, NULL);
        rc = bp_parse_float32(text, strlen(text), &got32);
        if (rc == BP_TEXT_OK)
            CHECK(got32 == want32);
        else
            CHECK(isinf(want32) || want32 == 0);
    }
}

/* Halves of the last place, exactly and a hair off them, 800 digits on. */
static void halfway_numbers_are_rounded_by_the_last_of_many_digits(void)
{
    static char text[3000];
    double down = 9007199254740992.0, up = 9007199254740994.0, got = 0;
    size_t n = (size_t)sprintf(text, "9007199254740993.");

    CHECK(bp_parse_float64(text, n, &got) == BP_TEXT_OK && got == down);
    memset(text + n, '0', 2000);
    CHECK(bp_parse_float64(text, n + 2000, &got) == BP_TEXT_OK && got == down);
    text[n + 1999] = '1';
    CHECK(bp_parse_float64(text, n + 2000, &got) == BP_TEXT_OK && got == up);
    memset(text, '0', 2000);
    text[1500] = '.';
    memcpy(text + 2000, "25", 2);
    CHECK(bp_parse_float64(text, 2002, &got) == BP_TEXT_RANGE);
    memcpy(text + 2002, "e501", 4);
    CHECK(bp_parse_float64(text, 2006, &got) == BP_TEXT_OK && got == 25.0);
}

static void floats_of_32_bits_read_back(void)
{
    uint64_t state = 4;

    for (int i = 0; i < 200000; i++) {
        uint32_t bits = (uint32_t)(next_random(&state) >> 20);
        char text[BP_TEXT_MAX];
        float v, again = 0;
        size_t n;

        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        n = bp_format_float32(v, text);
        CHECK(bp_parse_float32(text, n, &again) == BP_TEXT_OK);
        CHECK(memcmp(&v, &again, sizeof v) == 0);
        CHECK(n <= 15);
    }
}

/* ---- the table of powers, from exact arithmetic on long numbers ---- */

#define LIMBS 40

struct big {
    uint32_t limb[LIMBS]; /* lowest first */
};

static void multiply(struct big *b, uint32_t by)
{
    uint64_t carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)b->limb[i] * by;
        b->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static int top_bit(const struct big *b)
{
    for (int i = LIMBS - 1; i >= 0; i--)
        if (b->limb[i])
            return 32 * i + 31 - __builtin_clz(b->limb[i]);
    return -1;
}

static bool bit_at(const struct big *b, int i)
{
    return i >= 0 && (b->limb[i / 32] >> (i % 32) & 1);
}

static void check_power(int k, bp_uint128 want)
{
    const uint64_t *t = bp_pow10[k - BP_POW10_MIN];

    CHECK(t[0] == (uint64_t)(want >> 64) && t[1] == (uint64_t)want);
}

static int compare_big(const struct big *a, const struct big *b)
{
    for (int i = LIMBS - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static void subtract(struct big *a, const struct big *b)
{
    int64_t borrow = 0;

    for (int i = 0; i < LIMBS; i++) {
        borrow += (int64_t)a->limb[i] - b->limb[i];
        a->limb[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
}

/* 1 / b, 128 bits of it from the first that is set. */
static bp_uint128 reciprocal(const struct big *b)
{
    struct big rest = {{0}};
    bp_uint128 q = 0;

    rest.limb[top_bit(b) / 32] = 1u << top_bit(b) % 32; /* the power of two below b */
    while (q >> 127 == 0) {
        multiply(&rest, 2);
        q <<= 1;
        if (compare_big(&rest, b) >= 0) {
            subtract(&rest, b);
            q |= 1;
        }
    }
    return q;
}

static void every_power_of_ten_in_the_table_is_right(void)
{
    struct big power = {{1}};

    for (int k = 0; k <= BP_POW10_MAX; k++, multiply(&power, 10)) {
        int top = top_bit(&power);
        bp_uint128 want = 0;

        for (int i = 0; i < 128; i++)
            want = want << 1 | bit_at(&power, top - i);
        check_power(k, want);
        CHECK(bp_log2_pow10(k) == top);
    }
    power = (struct big){{10}};
    for (int k = 1; k <= -BP_POW10_MIN; k++, multiply(&power, 10))
        check_power(-k, reciprocal(&power));
}

UNIT_MAIN(T(floats_are_read_and_written_as_postgres_does), T(hexadecimal_floats_are_refused),
          T(doubles_of_any_bits_read_back), T(money_and_short_decimals_are_written_short),
          T(random_digits_are_read_as_the_c_library_reads_them),
          T(halfway_numbers_are_rounded_by_the_last_of_many_digits), T(floats_of_32_bits_read_back),
          T(every_power_of_ten_in_the_table_is_right))
