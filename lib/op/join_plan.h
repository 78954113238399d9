/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a join does, fixed before the first row: which columns are keys, which
 * columns come out under which names, what stands for a missing side, and what
 * the marks of the result are.
 */
#ifndef BP_OP_JOIN_PLAN_H
#define BP_OP_JOIN_PLAN_H

#include "op/op.h"

struct bp_join_key {
    int left, right; /* columns */
    bool using_name; /* one column in the result */
    struct bp_type left_type, right_type;
    struct bp_expr *left_cast, *right_cast; /* to one type, where the result needs it; or NULL */
};

/* A column of the result: of the left, of the right, or of both (USING). */
struct bp_join_col {
    int left, right; /* -1: not of that side */
};

struct bp_join_plan {
    enum bp_join_type type;
    struct bp_join_key *keys;
    int n_keys;
    struct bp_schema left, right; /* the inputs' columns, casts done */
    struct bp_join_col *cols;     /* left's columns, then right's without USING keys */
    int n_cols;
    struct bp_schema combined; /* of cols: what the extra condition sees */
    struct bp_schema schema;   /* of the result; semi and anti: left's columns only */
    struct bp_expr *where;     /* or NULL */
    bool *where_uses;          /* [n_cols] */
    struct bp_batch left_missing, right_missing; /* one row: NULLs, and the fill */
    bool *left_filled, *right_filled;            /* columns that the fill is for */
    bool has_fill;
    bool keeps_left, keeps_right; /* rows without a match come out */
    bool only_left;               /* semi, anti */
};

int bp_join_plan_open(struct bp_join_plan *p, const struct bp_schema *left,
                      const struct bp_schema *right, const struct bp_join_opts *opts,
                      struct bp_err *err) BP_MUST;
void bp_join_plan_release(struct bp_join_plan *p);
/* Does the casts, in place. */
int bp_join_plan_cast(const struct bp_join_plan *p, bool left, struct bp_batch *b,
                      struct bp_err *err) BP_MUST;

/* join_marks.c */
struct bp_join_shares {
    bool alike;      /* the sides are parted alike within the keys: share with share */
    const char *why; /* not alike, though shares: the cure, if it is known */
    bool per_task, broadcast;
    enum bp_join_type type;
    struct bp_shareset left, right;
};
/* Sets the marks of p->schema; fills s. */
int bp_join_marks(struct bp_join_plan *p, struct bp_join_shares *s, const struct bp_schema *left,
                  const struct bp_schema *right, const struct bp_join_opts *opts,
                  struct bp_err *err) BP_MUST;
/* When the right was read to its end, when a left batch came, and at the left's end. */
int bp_join_shares_right(struct bp_join_shares *s, struct bp_err *err) BP_MUST;
int bp_join_shares_left(struct bp_join_shares *s, struct bp_share share,
                        struct bp_err *err) BP_MUST;
int bp_join_shares_end(struct bp_join_shares *s, struct bp_err *err) BP_MUST;
/* The share of a result row of a left row of this share. */
struct bp_share bp_join_shares_out(const struct bp_join_shares *s, struct bp_share left);
void bp_join_shares_release(struct bp_join_shares *s);

#endif
