/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, times, timestamps as text (text.h), held against PostgreSQL 15. */
#include "col/civil.h"
#include "col_convert.h"

/* clang-format off */
static const struct conversion as_postgres[] = {
    {"date", "2020-1-5", "2020-01-05"},
    {"date", "20200105", "2020-01-05"},
    {"date", "2020.01.05", "2020-01-05"},
    {"date", "2020/1/5", "2020-01-05"},
    {"date", "099-01-08", "0099-01-08"},
    {"date", "0099-01-08", "0099-01-08"},
    {"date", "0000-01-01", "RANGE"},
    {"date", "2020-01-05 BC", "2020-01-05 BC"},
    {"date", "12020-01-05", "12020-01-05"},
    {"date", "5874897-12-31", "5874897-12-31"},
    {"date", "4714-11-24 BC", "4714-11-24 BC"},
    {"date", "2020-02-30", "RANGE"},
    {"date", "2020-13-01", "RANGE"},
    {"date", "2020-00-10", "RANGE"},
    {"date", " 2020-01-05 ", "2020-01-05"},
    {"date", "2020-001-05", "BAD"},
    {"date", "2020- 01-05", "BAD"},
    {"date", "2020-01", "BAD"},
    {"date", "2020", "BAD"},
    {"date", "001-1-1", "0001-01-01"},
    {"date", "2020-01-05bc", "2020-01-05 BC"},
    {"date", "2020-01-05 ad", "2020-01-05"},
    {"timestamp", "2020-01-05 10", "BAD"},
    {"timestamp", "2020-01-05T10", "BAD"},
    {"timestamp", "2020-01-05 10:11", "2020-01-05 10:11:00"},
    {"timestamp", "2020-01-05  10:11:12", "2020-01-05 10:11:12"},
    {"timestamp", "2020-01-05 10:11:12.", "2020-01-05 10:11:12"},
    {"timestamp", "2020-01-05 10:11:60", "2020-01-05 10:12:00"},
    {"timestamp", "2020-01-05 10:11:61", "RANGE"},
    {"timestamp", "2020-01-05 24:00:00", "2020-01-06 00:00:00"},
    {"timestamp", "2020-01-05 24:00:01", "RANGE"},
    {"timestamp", "2020-01-05 25:00:00", "RANGE"},
    {"timestamp", "2020-01-05 1:2:3", "2020-01-05 01:02:03"},
    {"timestamp", "2020-01-05 1:2", "2020-01-05 01:02:00"},
    {"timestamp", "20200105T101112", "2020-01-05 10:11:12"},
    {"timestamp", "20200105 101112", "2020-01-05 10:11:12"},
    {"timestamp", "2020-01-05t101112.5", "2020-01-05 10:11:12.5"},
    {"timestamp", "10:11:12 2020-01-05", "BAD"},
    {"timestamp", "2020-01-05 10:11 PM", "2020-01-05 22:11:00"},
    {"timestamp", "2020-01-05 10:11:12 am", "2020-01-05 10:11:12"},
    {"timestamp", "2020-01-05 10:11:12,5", "BAD"},
    {"timestamp", "2020-01-05 10:60:00", "RANGE"},
    {"timestamp", "2020-01-05 10:11:60.5", "2020-01-05 10:12:00.5"},
    {"timestamp", "2020-01-05 23:59:60", "2020-01-06 00:00:00"},
    {"timestamp", "2020-01-05 10:11:12 BC", "2020-01-05 10:11:12 BC"},
    {"timestamp", "294277-01-01", "RANGE"},
    {"timestamptz", "2020-01-05 10:11:12+02", "2020-01-05 08:11:12+00"},
    {"timestamptz", "2020-01-05 10:11:12 +02", "2020-01-05 08:11:12+00"},
    {"timestamptz", "2020-01-05 10:11:12+2", "2020-01-05 08:11:12+00"},
    {"timestamptz", "2020-01-05 10:11:12+02:30", "2020-01-05 07:41:12+00"},
    {"timestamptz", "2020-01-05 10:11:12+0230", "2020-01-05 07:41:12+00"},
    {"timestamptz", "2020-01-05 10:11:12-02:30:15", "2020-01-05 12:41:27+00"},
    {"timestamptz", "2020-01-05 10:11:12 Z", "2020-01-05 10:11:12+00"},
    {"timestamptz", "2020-01-05 10:11:12 UTC", "2020-01-05 10:11:12+00"},
    {"timestamptz", "2020-01-05 10:11:12GMT", "2020-01-05 10:11:12+00"},
    {"timestamptz", "2020-01-05+02", "2020-01-04 22:00:00+00"},
    {"timestamptz", "2020-01-05 +02", "2020-01-04 22:00:00+00"},
    {"timestamptz", "2020-01-05Z", "2020-01-05 00:00:00+00"},
    {"timestamptz", "2020-01-05 10:11:12+16", "RANGE"},
    {"timestamptz", "2020-01-05 10:11:12+15:59:59", "2020-01-04 18:11:13+00"},
    {"timestamptz", "2020-01-05 10:11:12+15:60", "RANGE"},
    {"timestamptz", "2020-01-05 10:11:12.5z", "2020-01-05 10:11:12.5+00"},
    {"timestamptz", "2020-01-05 10:11+02", "2020-01-05 08:11:00+00"},
    {"timestamptz", "2020-01-05 10+02", "BAD"},
    {"timestamptz", "2020-01-05T10+02", "BAD"},
    {"timestamptz", "2020-01-05 10:11:12+002", "2020-01-05 10:09:12+00"},
    {"timestamptz", "2020-01-05 10:11:12+02 BC", "2020-01-05 08:11:12+00 BC"},
    {"timestamptz", "2020-01-05 10:11:12+2:3", "2020-01-05 08:08:12+00"},
    {"timestamptz", "2020-01-05 10:11:12+230", "2020-01-05 07:41:12+00"},
    {"timestamptz", "2020-01-05 10:11:12 zulu", "2020-01-05 10:11:12+00"},
    {"timestamptz", "0001-01-01 00:00:00+02", "0001-12-31 22:00:00+00 BC"},
    {"time", "10:11", "10:11:00"},
    {"time", "10:11:12", "10:11:12"},
    {"time", "10", "BAD"},
    {"time", "1011", "10:11:00"},
    {"time", "101112", "10:11:12"},
    {"time", "24:00:00", "24:00:00"},
    {"time", "24:00:01", "RANGE"},
    {"time", "23:59:60", "24:00:00"},
    {"time", "23:59:60.5", "RANGE"},
    {"time", "T10:11", "10:11:00"},
    {"time", "10:11 PM", "22:11:00"},
    {"time", "12:00 AM", "00:00:00"},
    {"time", " 1:2:3 ", "01:02:03"},
    {"time", "-1:2:3", "BAD"},
    {"time", "10:11:12.5 ", "10:11:12.5"},
    {"time", "101112.5", "10:11:12.5"},
    {"timestamptz", "1969-12-31 23:59:59.999999-00", "1969-12-31 23:59:59.999999+00"},
    {"timestamp", "1582-10-15 00:00:00", "1582-10-15 00:00:00"},
    {"timestamp", "1900-02-29 00:00:00", "RANGE"},
    {"timestamp", "2000-02-29 00:00:00", "2000-02-29 00:00:00"},
    {"timestamp", "2000-04-31 00:00:00", "RANGE"},
    {"date", "2000-02-29", "2000-02-29"},
    {"date", "2100-02-29", "RANGE"},
    {"date", "9999-12-31", "9999-12-31"},
    {"date", "0001-01-01", "0001-01-01"},
    {"date", "2020-01-0a", "BAD"},
    {"date", "2020-1 -05", "BAD"},
    {"date", "2020-01_05", "BAD"},
    {"date", "today x", "BAD"},
    {"timestamp", "2020-01-05 23:59:59", "2020-01-05 23:59:59"},
    {"timestamp", "2020-01-05T23:59:59", "2020-01-05 23:59:59"},
    {"timestamp", "2020-01-05 2x:59:59", "BAD"},
    {"timestamp", "2020-01-05 23:59:5", "2020-01-05 23:59:05"},
    {"timestamp", "2020-01-05 12:00 am", "2020-01-05 00:00:00"},
    {"timestamp", "2020-01-05 12:30 pm", "2020-01-05 12:30:00"},
    {"timestamp", "2020-01-05 13:30 pm", "RANGE"},
    {"timestamp", "0044-03-15 12:00:00 BC", "0044-03-15 12:00:00 BC"},
    {"timestamptz", "2020-01-05 10:11:12+02:60", "RANGE"},
    {"timestamptz", "2020-01-05 10:11:12-00:30", "2020-01-05 10:41:12+00"},
};

/* Stricter, or wider: what PostgreSQL makes of them stands behind. */
static const struct conversion not_as_postgres[] = {
    {"date", "99-01-08", "BAD"}, /* error 22008 */
    {"date", "2020-01-05 10:00", "BAD"}, /* 2020-01-05 */
    {"date", "2020-01-05T10:00:00Z", "BAD"}, /* 2020-01-05 */
    {"date", "5874898-01-01", "5874898-01-01"}, /* error 22008 */
    {"date", "4714-11-23 BC", "4714-11-23 BC"}, /* error 22008 */
    {"date", "2020-1-005", "BAD"}, /* 2020-01-05 */
    {"date", "+2020-01-01", "BAD"}, /* error 22009 */
    {"date", "2020 01 05", "BAD"}, /* 2020-01-05 */
    {"date", "J2451187", "BAD"}, /* 1999-01-08 */
    {"date", "1-1-2020", "BAD"}, /* 2020-01-01 */
    {"timestamp", "2020-01-05 10:11:12.1234567", "RANGE"}, /* 2020-01-05 10:11:12.123457 */
    {"timestamp", "2020-01-05T10:11:12Z", "BAD"}, /* 2020-01-05 10:11:12 */
    {"timestamp", "2020-01-05 10:11:12+02", "BAD"}, /* 2020-01-05 10:11:12 */
    {"timestamp", "2020-01-05T 10:11:12", "BAD"}, /* 2020-01-05 10:11:12 */
    {"timestamp", "2020-01-05 T10:11:12", "BAD"}, /* 2020-01-05 10:11:12 */
    {"timestamp", "2020-01-05,10:11", "BAD"}, /* 2020-01-05 10:11:00 */
    {"timestamp", "294276-12-31 23:59:59.999999", "RANGE"}, /* 294276-12-31 23:59:59.999999 */
    {"timestamp", "2020-01-05 010:11:12", "BAD"}, /* 2020-01-05 10:11:12 */
    {"timestamp", "2020-01-05 10:011:12", "BAD"}, /* 2020-01-05 10:11:12 */
    {"timestamp", "2020-01-05 10:11:012", "BAD"}, /* 2020-01-05 10:11:12 */
    {"timestamp", "2020-01-05 10:11.5", "BAD"}, /* 2020-01-05 00:10:11.5 */
    {"timestamp", "2020-01-05_10:11:12", "BAD"}, /* 2020-01-05 10:11:12 */
    {"timestamptz", "2020-01-05 10:11:12 utc+2", "BAD"}, /* 2020-01-05 12:11:12+00 */
    {"timestamptz", "2020-01-05 10:11:12 EST", "BAD"}, /* 2020-01-05 15:11:12+00 */
    {"timestamptz", "2020-01-05 10:11:12 + 02", "BAD"}, /* 2020-01-05 08:11:12+00 */
    {"time", "10:11:12.1234567", "RANGE"}, /* 10:11:12.123457 */
    {"time", "10:11:12+02", "BAD"}, /* 10:11:12 */
    {"time", "10:11:12Z", "BAD"}, /* 10:11:12 */
    {"time", "10:11:12.999999999", "RANGE"}, /* 10:11:13 */
    {"time", "23:59:59.9999999", "RANGE"}, /* 24:00:00 */
    {"date", "2020:01:05", "BAD"}, /* error 22008 */
    {"date", "now", "BAD"}, /* 2026-11-22 */
};

/* Units other than microseconds. */
static const struct conversion units[] = {
    {"timestamp(0)", "2020-01-05 10:11:12", "2020-01-05 10:11:12"},
    {"timestamp(0)", "2020-01-05 10:11:12.000", "2020-01-05 10:11:12"},
    {"timestamp(0)", "2020-01-05 10:11:12.5", "RANGE"},
    {"timestamp(0)", "292277026596-12-04 15:30:07", "292277026596-12-04 15:30:07"},
    {"timestamp(0)", "292277026596-12-04 15:30:08", "RANGE"},
    {"timestamp(0)", "292277022658-01-27 08:29:52 BC", "292277022658-01-27 08:29:52 BC"},
    {"timestamp(0)", "292277022658-01-27 08:29:51 BC", "RANGE"},
    {"timestamp(3)", "2020-01-05 10:11:12.5", "2020-01-05 10:11:12.5"},
    {"timestamp(3)", "1969-12-31 23:59:59.999", "1969-12-31 23:59:59.999"},
    {"timestamp(3)", "2020-01-05 10:11:12.1234", "RANGE"},
    {"timestamp(9)", "2020-01-05 10:11:12.123456789", "2020-01-05 10:11:12.123456789"},
    {"timestamp(9)", "2020-01-05 10:11:12.1234567891", "RANGE"},
    {"timestamp(9)", "1677-09-21 00:12:43.145224192", "1677-09-21 00:12:43.145224192"},
    {"timestamp(9)", "1677-09-21 00:12:43.145224191", "RANGE"},
    {"timestamp(9)", "1677-09-21 00:12:43", "RANGE"},
    {"timestamp(9)", "2262-04-11 23:47:16.854775807", "2262-04-11 23:47:16.854775807"},
    {"timestamp(9)", "2262-04-11 23:47:16.854775808", "RANGE"},
    {"timestamp(9)", "2262-04-11 23:47:16", "2262-04-11 23:47:16"},
    {"timestamp(9)", "2262-04-11 23:47:17", "RANGE"},
    {"timestamp(9)", "2262-04-12", "RANGE"},
    {"timestamp(9)", "9999-12-31", "RANGE"},
    {"timestamptz(9)", "2262-04-12 01:00:00+02", "2262-04-11 23:00:00+00"},
    {"timestamp", "294247-01-10 04:00:54.775807", "294247-01-10 04:00:54.775807"},
    {"timestamp", "294247-01-10 04:00:54.775808", "RANGE"},
    {"timestamp", "9999999999999999999-01-01", "BAD"},
    {"time(0)", "10:11:12", "10:11:12"},
    {"time(0)", "10:11:12.5", "RANGE"},
    {"time(3)", "10:11:12.5", "10:11:12.5"},
    {"time(9)", "10:11:12.000000001", "10:11:12.000000001"},
    {"date", "infinity", "BAD"},
    {"timestamp", "-infinity", "BAD"},
    {"date", "", "BAD"},
    {"timestamp", " ", "BAD"},
};
/* clang-format on */

static void times_are_read_and_written_as_postgres_does(void)
{
    check_conversions(as_postgres, BP_COUNT_OF(as_postgres));
}

static void nothing_is_dropped_or_guessed(void)
{
    check_conversions(not_as_postgres, BP_COUNT_OF(not_as_postgres));
}

static void each_unit_has_its_range(void)
{
    check_conversions(units, BP_COUNT_OF(units));
}

static void every_day_reads_back(void)
{
    int32_t first = (int32_t)bp_days_from_civil(-3, 1, 1);
    int32_t last = (int32_t)bp_days_from_civil(2405, 1, 1);

    for (int32_t d = first; d < last; d++) {
        char text[BP_TEXT_MAX];
        int32_t again = 0;
        int64_t ts = 0;
        size_t n = bp_format_date(d, text);

        NEED(bp_parse_date(text, n, &again) == BP_TEXT_OK && again == d);
        NEED(bp_parse_timestamp(text, n, BP_SECOND, false, &ts) == BP_TEXT_OK);
        NEED(ts == (int64_t)d * 86400);
    }
}

static void every_second_of_a_day_reads_back(void)
{
    for (int64_t s = -86400; s < 86400; s++) {
        char text[BP_TEXT_MAX];
        int64_t again = 0;
        size_t n = bp_format_timestamp(s * 1000000, BP_MICRO, true, text);

        NEED(bp_parse_timestamp(text, n, BP_MICRO, true, &again) == BP_TEXT_OK);
        NEED(again == s * 1000000);
        if (s >= 0) {
            NEED(bp_parse_time(text + 11, 8, BP_SECOND, &again) == BP_TEXT_OK && again == s);
        }
    }
}

/* Each byte of the short shapes is looked at: any other one makes another value
 * or none, and never the same. */
static void no_byte_of_the_short_shapes_is_passed_over(void)
{
    static const char good[] = "2020-11-12 11:12:13";

    for (size_t at = 0; at < sizeof good - 1; at++)
        for (int c = 0; c < 256; c++) {
            int64_t want = 0, got = 0;
            char text[sizeof good];
            bool same;

            strcpy(text, good);
            text[at] = (char)c;
            CHECK(bp_parse_timestamp(good, 19, BP_MICRO, false, &want) == BP_TEXT_OK);
            same = bp_parse_timestamp(text, 19, BP_MICRO, false, &got) == BP_TEXT_OK && got == want;
            CHECK(same == (text[at] == good[at] ||
                           (at == 10 && (c == 'T' || c == 't' || (c >= 9 && c <= 13)))));
        }
}

static void values_beyond_a_type_are_written_all_the_same(void)
{
    static const int64_t values[] = {INT64_MIN, INT64_MAX, -1, 0};

    for (size_t i = 0; i < BP_COUNT_OF(values); i++)
        for (int u = BP_SECOND; u <= BP_NANO; u++) {
            char text[BP_TEXT_MAX];
            int64_t again = 0;
            size_t n = bp_format_timestamp(values[i], (enum bp_unit)u, true, text);

            CHECK(bp_parse_timestamp(text, n, (enum bp_unit)u, true, &again) == BP_TEXT_OK);
            CHECK(again == values[i]);
            CHECK(bp_format_time(values[i], (enum bp_unit)u, text) < BP_TEXT_MAX);
        }
}

UNIT_MAIN(T(times_are_read_and_written_as_postgres_does), T(nothing_is_dropped_or_guessed),
          T(each_unit_has_its_range), T(every_day_reads_back), T(every_second_of_a_day_reads_back),
          T(no_byte_of_the_short_shapes_is_passed_over),
          T(values_beyond_a_type_are_written_all_the_same))
