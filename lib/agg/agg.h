/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aggregates. One aggregate over given argument types is one const record
 * (struct bp_agg_kind) in a table of agg.c; nothing else knows it. A running one
 * (struct bp_agg) holds the states of all groups, column-major, and is driven a
 * batch at a time with the number of each row's group:
 *
 *     bp_agg_new()                                   bound to types
 *     grow(n_groups); update(rows) | merge(rows)     once a batch, any mixture
 *     save(ids) | final(ids)                         any number of times
 *     bp_agg_free()
 *
 * save() gives the state as flat columns, named NAME~FUNC or NAME~FUNC.PART in a
 * partial stream; merge() reads them. Every aggregate has merge: two-stage
 * group-by and (later) spilling stand on it. States must not depend on the order
 * of rows unless the function itself does.
 */
#ifndef BP_AGG_AGG_H
#define BP_AGG_AGG_H

#include "base/num.h"
#include "col/column.h"

#define BP_AGG_ARGS_MAX 4
#define BP_AGG_PARTS_MAX 9
#define BP_AGG_FUNC_MAX 64 /* a function's name and what is put behind it */

struct bp_agg;

/* The rows of one batch. */
struct bp_agg_rows {
    const struct bp_column *cols; /* update: the arguments; merge: the state columns */
    int64_t n_rows;
    const uint32_t *ids; /* group of each row; NULL: all are of group 0 */
    int64_t n_before;    /* groups that had rows in batches before this one */
    bool gaps;           /* not every new group needs to have a row here (FILTER) */
    /* update: where the rows stand, by task, then by row within it. Rows that a FILTER
     * left out may be counted or not: what matters is the order. */
    uint32_t task;
    int64_t first_row;
};

struct bp_agg_ops {
    size_t self_bytes; /* of the struct that begins with struct bp_agg */
    /* States for groups [a->n_groups, n_groups), empty. Sets a->n_groups. */
    int (*grow)(struct bp_agg *a, int64_t n_groups, struct bp_err *err);
    int (*update)(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err);
    int (*merge)(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err);
    /* Of groups ids[0, n): states to parts[], or results to *out. */
    int (*save)(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                struct bp_err *err);
    int (*final)(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                 struct bp_err *err);
    void (*release)(struct bp_agg *a);
};

struct bp_agg_part {
    const char *suffix; /* "n" of NAME~avg.n; NULL: the only one, NAME~sum */
    struct bp_type type;
};

struct bp_agg_kind {
    const char *func;  /* "sum" */
    const char *takes; /* "float32, float64": for the message that lists what there is */
    int n_args;
    bool (*accepts)(const struct bp_type *args); /* NULL: any type, lists and structs too */
    /* Fills the result's type and the parts; returns the number of parts. */
    int (*types)(const struct bp_type *args, struct bp_type *result, struct bp_agg_part *parts);
    const struct bp_agg_ops *ops;
};

struct bp_agg {
    const struct bp_agg_kind *kind;
    const char *name; /* the result's column, for messages; the caller's */
    struct bp_type args[BP_AGG_ARGS_MAX];
    struct bp_type result;
    struct bp_agg_part parts[BP_AGG_PARTS_MAX];
    int n_parts;
    int64_t n_groups;
    int64_t held_bytes; /* of all states, with a batch more like the last: for the budget */
    bool keeps_values;  /* states are all that they saw: to merge them costs as much as to make
                           them; set by grow() */
    bool by_place;      /* the result depends on where rows stand; set by grow() */
    bool takes_nulls;   /* a row counts though its first argument is NULL; set by grow() */
};

/*
 * FUNC_distinct is FUNC over the different values (or pairs, or triples) of its arguments.
 * FUNC_ordered has a last argument that rows are ordered by (order.h). An alias of
 * another system is known too; the kind has the one name.
 *
 * An unknown function or types that it does not take are BP_EUSAGE, with the list.
 */
int bp_agg_new(struct bp_agg **out, const char *func, const struct bp_type *args, int n_args,
               const char *name, struct bp_err *err) BP_MUST;
void bp_agg_free(struct bp_agg *a); /* NULL is a no-op */
/* The name of a state column; returns NULL with *err. */
char *bp_agg_part_name(const struct bp_agg *a, int part, struct bp_err *err) BP_MUST;

/* ---- for the aggregates themselves ---- */

/* Groups come in any order: loops over rows fetch the state of the row this far ahead.
 * ids may be read that far behind n_rows (what is there is no id of a row). */
#define BP_AGG_AHEAD 32
#define BP_AGG_FETCH(states, ids, i) __builtin_prefetch(&(states)[(ids)[(i) + BP_AGG_AHEAD]], 1)

/* The states of so few are in the first caches without that. */
#define BP_AGG_NEAR_GROUPS 2048

/* The same where results of ids[0, n) are taken out. */
#define BP_AGG_FETCH_OUT(states, ids, i, n)                                                        \
    __builtin_prefetch(&(states)[(ids)[BP_MIN((i) + BP_AGG_AHEAD, (n)-1)]])

/* An accepts: one or two arguments (n_args) of any type but lists and structs. */
bool bp_agg_flat(const struct bp_type *args);
bool bp_agg_flat_pair(const struct bp_type *args);

/* One value per group, zeroed as groups come. */
struct bp_agg_array {
    void *p;
    int64_t n, cap;
    int64_t held;   /* counted: cap, and what more may come with the next batch */
    int64_t lately; /* how many groups came with a batch */
};
int bp_agg_array_grow(struct bp_agg *a, struct bp_agg_array *v, size_t width_bytes, int64_t n,
                      struct bp_err *err) BP_MUST;

/*
 * Which groups saw a value that is not NULL. No flags are kept until the first
 * NULL or gap: until then every group did.
 */
struct bp_agg_seen {
    struct bp_agg_array flags; /* uint8_t; p NULL: all */
};
int bp_agg_seen_note(struct bp_agg *a, struct bp_agg_seen *s, const struct bp_agg_rows *r,
                     const struct bp_column *c, struct bp_err *err) BP_MUST;
static inline bool bp_agg_seen_get(const struct bp_agg_seen *s, uint32_t id)
{
    return !s->flags.p || ((const uint8_t *)s->flags.p)[id];
}

/* A fixed-width column of n rows to be filled: out->own[1]->data. */
int bp_agg_column(struct bp_column *out, struct bp_type type, int64_t n,
                  struct bp_err *err) BP_MUST;
/* Then: NULL (and zero) where the group saw nothing. */
int bp_agg_column_nulls(struct bp_column *out, const struct bp_agg_seen *s, const uint32_t *ids,
                        struct bp_err *err) BP_MUST;

/* The table's records, one array per file, ended by func NULL. */
extern const struct bp_agg_kind bp_agg_count_kinds[], bp_agg_sum_kinds[], bp_agg_avg_kinds[],
    bp_agg_minmax_kinds[], bp_agg_moment_kinds[], bp_agg_best_kinds[], bp_agg_rank_kinds[],
    bp_agg_set_kinds[], bp_agg_interval_kinds[], bp_agg_bit_kinds[], bp_agg_string_kinds[],
    bp_agg_approx_kinds[], bp_agg_bucket_kinds[];

/* distinct.c: inner over the different values; inner's name and this behind it. */
#define BP_AGG_DISTINCT "_distinct"
int bp_agg_distinct_new(struct bp_agg **out, const struct bp_agg_kind *inner,
                        const struct bp_type *args, const char *name, struct bp_err *err) BP_MUST;

#endif
