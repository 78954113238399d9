/* SPDX-License-Identifier: Apache-2.0 */
/* Timestamps taken apart for CSV, many at a time. */
#ifndef BP_FMT_CSV_STAMPS_H
#define BP_FMT_CSV_STAMPS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * day[i]: of v[i], since 1970-01-01; clock[i]: "hh:mm:ss", the first byte lowest (put_word()).
 * False: a value is no whole second, or not of the years 0001 to 9999; what was written is
 * of no use then.
 */
bool csv_split_stamps(const int64_t *v, int n, int64_t per_second, int32_t *day, uint64_t *clock);

#endif
