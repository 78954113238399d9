/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The typed tree, and how it is run. Private to lib/expr.
 *
 * A node is immutable once bound. Running it over n rows gives a vector: a
 * column of n values, or one value that stands for all rows. Rows are those of
 * the batch or those that a selection lists: columns are gathered when they
 * are read, so that kernels never see a selection. CASE, COALESCE, AND and OR
 * narrow the selection for branches that can fail or cost much.
 */
#ifndef BP_EXPR_NODE_H
#define BP_EXPR_NODE_H

#include "base/arena.h"
#include "col/column.h"
#include "expr/expr.h"

enum bp_node_kind {
    BP_N_COLUMN,
    BP_N_CONST,   /* value */
    BP_N_LITERAL, /* a literal or variable without a type yet; never in a finished tree */
    BP_N_CALL,    /* run(args) */
    BP_N_AND,
    BP_N_OR,
    BP_N_CASE, /* args: condition, result, condition, result, ..., else */
    BP_N_COALESCE,
    BP_N_TRY,
};

struct bp_run;
struct bp_vec;
/* out is zeroed; gets n rows of node->type without validity if strict (the caller
 * adds it and clears null slots), else whole. */
typedef int (*bp_kernel)(struct bp_run *r, const struct bp_vec *args, struct bp_column *out);

struct bp_node {
    uint8_t kind;
    bool fallible;  /* some value can be an error */
    bool strict;    /* a NULL argument gives NULL, and run() is spared it */
    bool on_dict;   /* depends on the value alone: may run on a dictionary's values */
    bool slow;      /* a row costs more than a gather */
    bool keep_dict; /* its kernel takes dictionaries as they are */
    uint8_t op;     /* which of its kernel's operations */
    struct bp_type type;
    int tok;         /* where carets point */
    int first, last; /* tokens that it spans */
    int n_args;
    struct bp_node **args;
    bp_kernel run;
    const void *param;      /* of run: lives in the arena, or static */
    int column;             /* BP_N_COLUMN */
    struct bp_column value; /* BP_N_CONST: one row, maybe NULL */
    const char *literal;    /* text of an untyped literal (NULL: the word null), or of a number */
    const char *text;       /* its source, for messages; NULL if it cannot fail */
    struct bp_node *next_const; /* consts of one expression: their values are released */
};

struct bp_expr {
    struct bp_arena mem;
    struct bp_node *root;
    struct bp_node *consts;
    struct bp_regex_held *regexes; /* fn_regex.c */
    bool is_unnest;                /* the root is unnest(): the list is to be made rows */
};

/* ---- running ---- */
struct bp_vec {
    struct bp_column c;
    bool one; /* c has one row, which stands for all */
};

struct bp_eval {
    const struct bp_batch *in;
    const int32_t *sel; /* rows of in, NULL: all */
    int64_t n;          /* rows to compute */
    uint8_t *bad;       /* in try(): rows of in that failed */
    struct bp_err *err;
};

struct bp_run {
    const struct bp_eval *ev;
    const struct bp_node *node;
    int64_t n;            /* rows asked of the kernel */
    const uint8_t *valid; /* strict: rows with no NULL argument; NULL: all */
    bool all;             /* row 0 stands for all rows */
};

int bp_node_eval(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out) BP_MUST;

/* Value i cannot be computed. 0: go on (in try(), leave any harmless value). */
int bp_run_fail(struct bp_run *r, int64_t i, const char *fmt, ...) BP_MUST BP_PRINTF(3, 4);

static inline bool bp_run_is_valid(const struct bp_run *r, int64_t i)
{
    return !r->valid || bp_bit_get(r->valid, i);
}

/* ---- making columns (vec.c) ---- */
/* A column of n rows of a fixed width or bits; *data is not initialised. */
int bp_vec_fixed(struct bp_column *out, struct bp_type t, int64_t n, void **data,
                 struct bp_err *err) BP_MUST;
/* Take over a bitmap block as validity of c; null slots are cleared (of text, lists and
 * structs they must be empty already). */
void bp_vec_set_valid(struct bp_column *c, struct bp_block *valid);
/* n rows of a vector as a column of its own. */
int bp_vec_expand(struct bp_column *out, struct bp_vec *v, int64_t n, struct bp_err *err) BP_MUST;
void bp_vec_release(struct bp_vec *v);

/* Writing text row by row. */
struct bp_text_out {
    struct bp_block *off, *bytes;
    size_t len;
    int64_t n_rows;
};
int bp_text_out_open(struct bp_text_out *o, int64_t n_rows, size_t guess_bytes,
                     struct bp_err *err) BP_MUST;
/* Room for n bytes at *p; follow with bp_text_out_end(). */
int bp_text_out_room(struct bp_text_out *o, size_t n, uint8_t **p, struct bp_err *err) BP_MUST;
static inline void bp_text_out_end(struct bp_text_out *o, size_t used)
{
    o->len += used;
    ((int32_t *)o->off->data)[++o->n_rows] = (int32_t)o->len;
}
void bp_text_out_close(struct bp_text_out *o, struct bp_type t, struct bp_column *out);
void bp_text_out_release(struct bp_text_out *o);

#endif
