/* SPDX-License-Identifier: Apache-2.0 */
/* Type names (type.h) and the calendar (civil.h). */
#include "col/civil.h"
#include "col/type.h"
#include "unit.h"

static struct bp_type parse(const char *text, size_t *used, struct bp_err *err)
{
    struct bp_type t = {0};

    *err = (struct bp_err){0};
    if (bp_type_parse(text, strlen(text), used, &t, err) < 0)
        return BP_TYPE(BP_NO_TYPE);
    return t;
}

static const struct {
    const char *text, *name;
} spellings[] = {
    {"bool", "boolean"},
    {"BOOLEAN", "boolean"},
    {"tinyint", "tinyint"},
    {"int2", "smallint"},
    {"int", "integer"},
    {"int4", "integer"},
    {"int8", "bigint"},
    {"utinyint", "utinyint"},
    {"usmallint", "usmallint"},
    {"uinteger", "uinteger"},
    {"ubigint", "ubigint"},
    {"float4", "real"},
    {"float(24)", "real"},
    {"float(25)", "double precision"},
    {"float", "double precision"},
    {"double", "double precision"},
    {"Double  Precision", "double precision"},
    {"decimal(10)", "decimal(10,0)"},
    {"numeric( 38 , 38 )", "decimal(38,38)"},
    {"dec(1,0)", "decimal(1,0)"},
    {"date", "date"},
    {"time", "time"},
    {"time(0) without time zone", "time(0)"},
    {"time(6)", "time"},
    {"timestamp", "timestamp"},
    {"timestamp (9)", "timestamp(9)"},
    {"timestamp without time zone", "timestamp"},
    {"timestamp(3) with time zone", "timestamptz(3)"},
    {"TIMESTAMP WITH TIME ZONE", "timestamptz"},
    {"timestamptz(0)", "timestamptz(0)"},
    {"interval", "interval"},
    {"text", "text"},
    {"string", "text"},
    {"varchar", "text"},
    {"character varying", "text"},
    {"bytea", "bytea"},
    {"binary", "bytea"},
    {"blob", "bytea"},
};

static void every_spelling_is_read(void)
{
    for (size_t i = 0; i < BP_COUNT_OF(spellings); i++) {
        char name[BP_TYPE_NAME_MAX];
        struct bp_err err;
        size_t used = 0;
        struct bp_type t = parse(spellings[i].text, &used, &err);

        CHECK_STR(bp_type_name(t, name), spellings[i].name);
        CHECK(used == strlen(spellings[i].text));
    }
}

static void names_read_back_as_the_type(void)
{
    for (int kind = BP_BOOL; kind < BP_LIST; kind++)
        for (int unit = 0; unit < 4; unit++) {
            bool timed = kind == BP_TIME || kind == BP_TIMESTAMP || kind == BP_TIMESTAMPTZ;
            struct bp_type t = {.kind = (uint8_t)kind, .unit = timed ? (uint8_t)unit : 0};
            char name[BP_TYPE_NAME_MAX];
            struct bp_err err;
            size_t used = 0;

            if (kind == BP_DECIMAL)
                t = BP_TYPE_DECIMAL((uint8_t)(10 * unit + 7), (uint8_t)unit);
            bp_type_name(t, name);
            CHECK(bp_type_equal(parse(name, &used, &err), t));
            CHECK(used == strlen(name));
        }
}

static void reading_stops_behind_the_name(void)
{
    struct bp_err err;
    size_t used = 0;

    CHECK(parse(" int NOT NULL", &used, &err).kind == BP_INT32 && used == 4);
    CHECK(parse("timestamp with", &used, &err).kind == BP_TIMESTAMP && used == 9);
    CHECK(parse("timestamp(3), b int", &used, &err).unit == BP_MILLI && used == 12);
    CHECK(parse("double, b int", &used, &err).kind == BP_FLOAT64 && used == 6);
}

static const struct {
    const char *text, *says;
    size_t used;
} refused[] = {
    {"", "a type is missing", 0},
    {"itn", "unknown type 'itn'", 0},
    {"uint8", "use utinyint", 0},
    {"datetime", "use timestamp", 0},
    {"decimal", "decimal(precision,scale)", 7},
    {"decimal(39,2)", "the precision is 1 to 38", 7},
    {"numeric(3,4)", "the scale 0 to the precision", 7},
    {"decimal(10", "')' is missing", 10},
    {"decimal(1,2,3)", "at most two numbers", 13},
    {"decimal()", "wants a number", 8},
    {"decimal(99999999999)", "the precision is 1 to 38", 7},
    {"timestamp(4)", "0 (seconds), 3 (ms), 6 (us) or 9 (ns)", 9},
    {"timestamp with time", "'zone' is missing", 19},
    {"time with time zone", "there is no time with time zone", 4},
    {"timetz", "there is no time with time zone", 0},
    {"float(54)", "1 to 53 bits", 5},
    {"varchar(20)", "use text", 8},
    {"character varying(20)", "use text", 18},
    {"char", "one character", 4},
    {"int(11)", "takes no number", 4},
    {"text[3]", "no fixed length", 5},
    {"integer_but_a_name_that_never_ever_ends", "very long", 0},
};

static void what_cannot_be_kept_is_refused_with_advice(void)
{
    for (size_t i = 0; i < BP_COUNT_OF(refused); i++) {
        struct bp_err err;
        size_t used = 0;

        CHECK(parse(refused[i].text, &used, &err).kind == BP_NO_TYPE);
        CHECK(err.code == BP_EUSAGE);
        CHECK(used == refused[i].used);
        if (!strstr(err.msg, refused[i].says)) {
            CHECK_STR(err.msg, refused[i].says);
        }
    }
}

static void days_and_dates_agree_for_every_day_of_2000_years(void)
{
    int64_t days = bp_days_from_civil(500, 1, 1);

    for (int64_t y = 500; y < 2500; y++)
        for (int m = 1; m <= 12; m++)
            for (int d = 1; d <= bp_days_in_month(y, m); d++, days++) {
                struct bp_civil c = bp_civil_from_days(days);

                NEED(bp_days_from_civil(y, m, d) == days);
                NEED(c.year == y && c.month == m && c.day == d);
            }
    CHECK(bp_days_from_civil(1970, 1, 1) == 0);
    CHECK(bp_days_from_civil(2020, 2, 29) == 18321);
    CHECK(bp_days_from_civil(-4713, 11, 24) == -2440588);
}

static void far_days_do_not_wrap(void)
{
    static const int64_t days[] = {INT32_MIN, INT32_MAX, INT64_MIN / 86400, INT64_MAX / 86400};

    for (size_t i = 0; i < BP_COUNT_OF(days); i++) {
        struct bp_civil c = bp_civil_from_days(days[i]);

        CHECK(bp_days_from_civil(c.year, c.month, c.day) == days[i]);
    }
}

static void months_are_added_with_the_day_clipped(void)
{
    int64_t jan31 = bp_days_from_civil(2020, 1, 31);

    CHECK(bp_days_add_months(jan31, 1) == bp_days_from_civil(2020, 2, 29));
    CHECK(bp_days_add_months(jan31, 13) == bp_days_from_civil(2021, 2, 28));
    CHECK(bp_days_add_months(jan31, -1) == bp_days_from_civil(2019, 12, 31));
    CHECK(bp_days_add_months(jan31, -12) == bp_days_from_civil(2019, 1, 31));
    CHECK(bp_days_add_months(jan31, -13) == bp_days_from_civil(2018, 12, 31));
    CHECK(bp_days_add_months(jan31, 0) == jan31);
}

UNIT_MAIN(T(every_spelling_is_read), T(names_read_back_as_the_type),
          T(reading_stops_behind_the_name), T(what_cannot_be_kept_is_refused_with_advice),
          T(days_and_dates_agree_for_every_day_of_2000_years), T(far_days_do_not_wrap),
          T(months_are_added_with_the_day_clipped))
