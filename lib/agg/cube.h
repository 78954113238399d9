/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group ids by position. Where the values of each key column lie close together, a value's place
 * among them is a number, the places of all columns are the index of one array, and the array
 * holds the group. Values may lie on a lattice: hours, in microseconds, are 3,600,000,000 apart,
 * and have places 0, 1, 2. An array is a tenth of a hash table, and nothing is compared.
 *
 * It follows the data: a row outside makes it wider, or its lattice finer, and what is there is put
 * in again. Where it would be too large for a few rows, as a date of another century is among those
 * of a month, these have no place; where for many, it is given up for good.
 */
#ifndef BP_AGG_CUBE_H
#define BP_AGG_CUBE_H

#include "agg/pack.h"

#define BP_CUBE_SIDES 4
#define BP_CUBE_ROWS BP_TEXTS_ROWS
#define BP_CUBE_OUTSIDE UINT32_MAX /* in place of a row's place */
#define BP_CUBE_OUTSIDE_SHARE 8    /* at most one row of so many may have none */

/* A column: value lo + i * gap has place i, NULL place n. */
struct bp_cube_side {
    int word, shift, null_word, null_shift; /* of packed rows, as in struct bp_pack_col */
    uint64_t mask;
    bool seen;              /* any value */
    uint64_t first;         /* a value; all others are a multiple of gap away */
    uint64_t min, max, gap; /* of the values; gap 0: they are all the same */
    uint64_t lo, n;         /* what the array has place for */
    uint64_t inverse;       /* of the odd part of the gap, mod 2^64 */
    int twos;               /* the gap is the odd part * 2^twos */
    uint64_t step;          /* places of the next side */
};

struct bp_cube {
    struct bp_cube_side sides[BP_CUBE_SIDES];
    int n_sides, n_words;
    uint64_t n_max, tried_max; /* places at most; when that was too few for far values */
    uint32_t *ids;             /* id + 1; 0: no group */
    uint64_t n;
};

/* False: columns of these types have no places. */
bool bp_cube_init(struct bp_cube *c, const struct bp_pack *pack);
void bp_cube_release(struct bp_cube *c);
int64_t bp_cube_held_bytes(const struct bp_cube *c);
/* What it grows by, if it doubles; it does not stand beside what it was. */
int64_t bp_cube_growth_bytes(const struct bp_cube *c);
/*
 * at[i] = index in ids of packed row i, n <= BP_CUBE_ROWS, or BP_CUBE_OUTSIDE; a new group's id is
 * the caller's to put there. A row that was outside may have a place later. keys: the packed rows
 * of groups [0, n_groups); those that have places are there. *fits false: too many rows have
 * none, and c is of no more use.
 */
int bp_cube_find(struct bp_cube *c, const uint64_t *rows, int64_t n, const uint64_t *keys,
                 int64_t n_groups, uint32_t *at, bool *fits, struct bp_err *err) BP_MUST;

#endif
