/* SPDX-License-Identifier: Apache-2.0 */
/* The proleptic Gregorian calendar. Years are astronomical (0 is 1 BC). */
#ifndef BP_COL_CIVIL_H
#define BP_COL_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

struct bp_civil {
    int64_t year;
    int month, day; /* 1..12, 1..31 */
};

int64_t bp_days_from_civil(int64_t year, int month, int day);
struct bp_civil bp_civil_from_days(int64_t days);
int bp_days_in_month(int64_t year, int month);
/* Months added as PostgreSQL does: the day is clipped to the month's end. */
int64_t bp_days_add_months(int64_t days, int64_t months);

#endif
