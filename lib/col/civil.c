/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proleptic Gregorian calendar. Days are counted inside a computational
 * year that begins on 1 March, so that the leap day is the last one and the
 * month lengths follow one straight line: month m of that year (0 = March)
 * begins on day (153 m + 2) / 5.
 */
#include "col/civil.h"

/* 0000-03-01 is this many days before 1970-01-01. */
#define DAYS_TO_EPOCH 719468
#define DAYS_PER_400_YEARS 146097

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;

    return q - (a % b < 0);
}

int64_t bp_days_from_civil(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * DAYS_PER_400_YEARS + yoe * 365 + yoe / 4 - yoe / 100 + doy - DAYS_TO_EPOCH;
}

/* A day of 400 years that begin on 1 March of the year era * 400. */
static struct bp_civil from_era(int64_t era, uint32_t doe)
{
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint32_t mp = (5 * doy + 2) / 153;
    struct bp_civil c;

    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = era * 400 + yoe + (c.month <= 2);
    return c;
}

struct bp_civil bp_civil_from_days(int64_t days)
{
    int64_t era;
    uint32_t doe;

    if (days >= -DAYS_TO_EPOCH && days <= INT32_MAX) { /* 32-bit divisions do */
        uint32_t day = (uint32_t)(days + DAYS_TO_EPOCH);

        return from_era(day / DAYS_PER_400_YEARS, day % DAYS_PER_400_YEARS);
    }
    /* The sum cannot wrap: both parts are split off before they meet. */
    era = floor_div(days, DAYS_PER_400_YEARS);
    doe = (uint32_t)(days - era * DAYS_PER_400_YEARS) + DAYS_TO_EPOCH % DAYS_PER_400_YEARS;
    era += DAYS_TO_EPOCH / DAYS_PER_400_YEARS;
    if (doe >= DAYS_PER_400_YEARS) {
        doe -= DAYS_PER_400_YEARS;
        era++;
    }
    return from_era(era, doe);
}

int bp_days_in_month(int64_t year, int month)
{
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    if (month == 2)
        return 28 + leap;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

int64_t bp_days_add_months(int64_t days, int64_t months)
{
    struct bp_civil c = bp_civil_from_days(days);
    int64_t m = floor_div(months, 12);
    int64_t month = c.month - 1 + (months - m * 12);
    int last;

    c.year += m + month / 12;
    c.month = (int)(month % 12) + 1;
    last = bp_days_in_month(c.year, c.month);
    return bp_days_from_civil(c.year, c.month, c.day < last ? c.day : last);
}
