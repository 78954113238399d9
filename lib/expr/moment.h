/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic that functions of dates and times share. Private to lib/expr. */
#ifndef BP_EXPR_MOMENT_H
#define BP_EXPR_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BP_DAY_S INT64_C(86400)
#define BP_MINUTE_US INT64_C(60000000)
#define BP_DAY_US INT64_C(86400000000)
#define BP_DAY_NS INT64_C(86400000000000)

/* Floor of a / b, b > 0. */
static inline int64_t bp_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* What is left of a above it: from 0 to below b. Unlike a - floor * b it cannot overflow. */
static inline int64_t bp_floor_mod(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

/* fn_time.c: the name of a field shorter than a day. */
bool bp_is_clock_field(const char *s, size_t n);

#endif
