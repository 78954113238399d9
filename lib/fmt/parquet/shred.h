/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and structs to be written: the leaves of a schema, and the levels (levels.h) of
 * rows of a column for one of them.
 *
 * A list is written as group (LIST) { repeated group list { optional element } }, a struct
 * as a group; what lies in them may be NULL, since types do not say otherwise.
 */
#ifndef BP_FMT_PARQUET_SHRED_H
#define BP_FMT_PARQUET_SHRED_H

#include "base/arena.h"
#include "col/column.h"
#include "fmt/parquet/physical.h"

struct bp_pq_leaf {
    int field;           /* of the schema; a flat one is its own leaf */
    struct bp_type type; /* of its values */
    struct bp_pq_layout layout;
    int max_def, max_rep;
    bool nullable; /* the field */
    bool nested;
    const char **path; /* names from the field on: a, list, element */
    int n_path;
    const char *name; /* the same in one piece: a.list.element */
    const int *kids;  /* which kid of a list or struct it goes down by */
    int n_kids;
};

struct bp_pq_leaves {
    struct bp_arena arena;
    struct bp_pq_leaf *items; /* those of a field one behind the other */
    int n;
};

/* schema outlives it. */
int bp_pq_leaves_list(struct bp_pq_leaves *out, const struct bp_schema *schema,
                      struct bp_err *err) BP_MUST;
/* The first leaf of a field. */
int bp_pq_leaves_of(const struct bp_pq_leaves *l, int field);
void bp_pq_leaves_release(struct bp_pq_leaves *l);

/* Entries of a leaf; memory is used again. Zero-initialise. */
struct bp_pq_entries {
    int64_t n, n_present;
    struct bp_buf def, rep;         /* a byte each */
    struct bp_buf def_old, rep_old; /* scratch */
};

/* All rows of c, the column of leaf's field -> their entries, and a column whose values
 * that are not NULL are those of the leaf. */
int bp_pq_entries_of(const struct bp_pq_leaf *leaf, const struct bp_column *c,
                     struct bp_pq_entries *out, struct bp_column *values,
                     struct bp_err *err) BP_MUST;
void bp_pq_entries_release(struct bp_pq_entries *e);

#endif
