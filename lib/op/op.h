/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators: each opens a source over its input source(s), which it takes over
 * (moved; also on error). open() fixes the output schema: every type error
 * shows before the first byte is written. Marks of the schema: each operator
 * keeps, drops or sets bp.sorted, bp.parted, bp.task, bp.partial as bp-stream(5)
 * says; bp.lineage is pushed by lib/tool, not here.
 */
#ifndef BP_OP_OP_H
#define BP_OP_OP_H

#include "expr/expr.h"
#include "flow/flow.h"

/* filter.c: rows for which the clause is true, in input order. */
int bp_filter_open(struct bp_source *out, struct bp_source *in, const struct bp_clause *where,
                   struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

/* map.c: one of four forms. */
enum bp_map_form { BP_MAP_SELECT, BP_MAP_ADD, BP_MAP_DROP, BP_MAP_RENAME };
int bp_map_open(struct bp_source *out, struct bp_source *in, enum bp_map_form form,
                const struct bp_clause *list, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

/* unpivot.c: columns (names list, of one type) to rows; names: of the new columns, "key,
 * value" if NULL. */
int bp_unpivot_open(struct bp_source *out, struct bp_source *in, const char *columns,
                    const char *names, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

/* read.c: bp-read -w and -c (each may be NULL): src is filtered, then reduced to
 * columns. Columns that neither names are never decoded where the source can leave
 * them out. *src is replaced. */
int bp_read_open(struct bp_source *src, const struct bp_clause *where,
                 const struct bp_clause *columns, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

/* head.c: the first n rows, or with keys (names list, NULL: none) the first n of
 * each run of equal keys. */
int bp_head_open(struct bp_source *out, struct bp_source *in, int64_t n_rows, const char *keys,
                 struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

/* sample.c: rows or whole keys chosen by a hash, in input order. */
struct bp_sample_opts {
    int64_t n_rows;   /* so many rows, or keys; < 0: a fraction */
    bp_uint128 below; /* the fraction, in units of 2^-64: at most 2^64 */
    const char *keys; /* names list: all rows of a key or none; or NULL */
    uint64_t seed;
};
int bp_sample_open(struct bp_source *out, struct bp_source *in, const struct bp_sample_opts *opts,
                   struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

/* stat.c: a table of the columns of in, one row a column: its type, how many NULLs,
 * how many values are distinct, the smallest, the largest, the length of the longest
 * text. in is read to its end, and stays the caller's. */
struct bp_stat_facts {
    int64_t n_rows;
    int64_t exact_max;        /* a larger number of distinct values is an estimate */
    bool estimated;           /* there is one */
    int32_t n_seen, n_shares; /* the shares that came; all 0: unmarked */
};
int bp_stat_profile(struct bp_source *out, struct bp_source *in, struct bp_stat_facts *facts,
                    struct bp_err *err) BP_MUST;
/* What the profile of a table of n_cols columns holds at most, beside its values. */
int64_t bp_stat_profile_bytes(int n_cols);
/* heavy.c: the n keys (a GROUP BY list) with the most rows, the heaviest first, then by
 * the keys: their values, rows, percent of all rows. in is read, and taken over. */
struct bp_heavy_facts {
    int64_t n_rows, n_keys;
    int64_t most; /* rows of the heaviest key */
};
int bp_stat_heavy(struct bp_source *out, struct bp_source *in, const struct bp_clause *keys,
                  int64_t n, struct bp_heavy_facts *facts, struct bp_ctx *ctx,
                  struct bp_err *err) BP_MUST;
/* The sum modulo 2^64 of the rows' key hashes over all columns, and the rows: equal for
 * equal multisets of rows. */
int bp_stat_fingerprint(struct bp_source *in, uint64_t *sum, int64_t *n_rows,
                        struct bp_err *err) BP_MUST;

/* reduce.c: GROUP BY, output in hash order. A blank aggs is none: the different keys.
 * With `across` (not PARTIAL) in is read to its end here. */
enum bp_reduce_form { BP_REDUCE_WHOLE, BP_REDUCE_PARTIAL, BP_REDUCE_FINAL };
struct bp_reduce_opts {
    enum bp_reduce_form form;
    const struct bp_clause *keys;   /* NULL: one group; FINAL: NULL */
    const struct bp_clause *aggs;   /* FINAL, and PARTIAL on a partial stream: NULL */
    const struct bp_clause *across; /* its values become columns; NULL: none. FINAL: NULL */
    bool per_task;                  /* a share is taken as whole */
    /* Whoever gives the rows needs the other cores: rows are looked up by one thread, unless it
     * holds up the others; millions of groups by all. */
    bool behind_pipe;
};
int bp_reduce_open(struct bp_source *out, struct bp_source *in, const struct bp_reduce_opts *opts,
                   struct bp_ctx *ctx, struct bp_err *err) BP_MUST;
/* Key names of a partial stream (for bp-shuffle; without the one that goes across), NULL-terminated
 * array from bp_mem. */
int bp_partial_keys(const struct bp_schema *s, char ***names, struct bp_err *err) BP_MUST;

/* sort.c: stable ORDER BY; top n if n_rows >= 0. */
int bp_sort_open(struct bp_source *out, struct bp_source *in, const struct bp_clause *order,
                 int64_t n_rows, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;
/* merge.c: inputs that are sorted already (checked); ties in the order of inputs. */
int bp_merge_open(struct bp_source *out, struct bp_source ins[], int n_ins,
                  const struct bp_clause *order, int64_t n_rows, struct bp_ctx *ctx,
                  struct bp_err *err) BP_MUST;
/* union.c: inputs one after the other; columns match by name (unite.h). */
int bp_union_open(struct bp_source *out, struct bp_source ins[], int n_ins,
                  struct bp_err *err) BP_MUST;
/* The same for any number of inputs, few of them open at a time: each is opened for its
 * schema, and closed until its turn where it can be opened again. */
struct bp_union_inputs {
    int n;
    bool missing_null; /* a column that an input lacks is NULL there */
    int (*open)(void *self, int i, struct bp_source *out, struct bp_err *err);
    bool (*again)(const void *self, int i); /* may open(i) be called a second time? */
    void (*free)(void *self);
    void *self;
};
/* ins is taken over, also on error. */
int bp_union_inputs_open(struct bp_source *out, const struct bp_union_inputs *ins,
                         struct bp_err *err) BP_MUST;

/* join.c */
enum bp_join_type {
    BP_JOIN_INNER,
    BP_JOIN_LEFT,
    BP_JOIN_RIGHT,
    BP_JOIN_FULL,
    BP_JOIN_SEMI,
    BP_JOIN_ANTI,
    BP_JOIN_CROSS
};
struct bp_join_opts {
    enum bp_join_type type;
    const char *keys;                       /* bp_expr_parse_join_keys; NULL for cross */
    const struct bp_clause *where;          /* extra condition over both sides' columns, or NULL */
    const char *fill;                       /* literal for the missing side's numbers, or NULL */
    const char *suffix_left, *suffix_right; /* for clashing names; default "", "_r" */
    bool broadcast; /* right is held whole, left streams; right is never a share */
    bool per_task;
};
/* opts' texts are used until out is freed. */
int bp_join_open(struct bp_source *out, struct bp_source *left, struct bp_source *right,
                 const struct bp_join_opts *opts, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

#endif
