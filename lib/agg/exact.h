/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact sums of doubles, one per group: rounded once, when asked for, so that the
 * result does not depend on the order of the values, on threads or on partials.
 *
 * All groups share one window: a 128-bit integer each, in units of 2^e, where e is
 * chosen from the first values so that numbers up to 2^25 times as large, and 53-bit
 * numbers down to 2^48 times smaller than the largest of them, go in as they are.
 *
 *      2^(e+127)                            2^e
 *       |s|............................|.....|      window of a group
 *                 |mantissa: 53 bits|               shifted in by one 128-bit shift
 *
 * What does not fit (and a window that would overflow) goes to a wide accumulator
 * of that one group: as many 64-bit limbs over a fixed grid as its values span.
 * Window and wide together are the sum. Infinities and NaN are three flags.
 */
#ifndef BP_AGG_EXACT_H
#define BP_AGG_EXACT_H

#include "agg/agg.h"
#include "agg/big.h"

struct bp_exact_wide;

struct bp_exact {
    struct bp_agg_array window;  /* bp_int128 */
    struct bp_agg_array special; /* uint8_t; p NULL while every value was finite */
    struct bp_agg_array wide;    /* struct bp_exact_wide *; p NULL while none is needed */
    int base;                    /* biased exponent of the window's unit; 0: not chosen */
};

int bp_exact_grow(struct bp_exact *x, struct bp_agg *a, int64_t n_groups,
                  struct bp_err *err) BP_MUST;
void bp_exact_release(struct bp_exact *x);
/* Adds r->cols[0], float32 or float64; NULL slots hold 0 and add nothing. */
int bp_exact_add(struct bp_exact *x, struct bp_agg *a, const struct bp_agg_rows *r,
                 struct bp_err *err) BP_MUST;
/* Adds r->cols[0], binary in the wire form. */
int bp_exact_merge(struct bp_exact *x, struct bp_agg *a, const struct bp_agg_rows *r,
                   struct bp_err *err) BP_MUST;
/* The sum of group id divided by n (1: the sum), rounded once. */
double bp_exact_round(const struct bp_exact *x, uint32_t id, uint64_t n);
/* True if the sum is finite but beyond the largest double. */
bool bp_exact_overflows(const struct bp_exact *x, uint32_t id, double rounded);

/* The exact sum of a group that is_finite(), as sign and magnitude. */
void bp_exact_total(const struct bp_exact *x, uint32_t id, struct bp_big *b);
/* False where an infinity or NaN was added. */
bool bp_exact_is_finite(const struct bp_exact *x, uint32_t id);

/*
 * Wire form, minimal and unique: version 1; 0 finite, 1 inf, 2 -inf, 4 NaN; then for
 * a finite sum that is not 0: int16 E, and M, odd, two's complement in as few bytes
 * as hold it, both little-endian: the sum is M x 2^E.
 */
#define BP_EXACT_WIRE_MAX 340
size_t bp_exact_encode(const struct bp_exact *x, uint32_t id, uint8_t out[BP_EXACT_WIRE_MAX]);

/* The states of groups ids[0, n) in this form; NULL where seen says so. */
int bp_exact_column(const struct bp_exact *x, const struct bp_agg_seen *seen, const uint32_t *ids,
                    int64_t n, struct bp_column *out, struct bp_err *err) BP_MUST;

#endif
