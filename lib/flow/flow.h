/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How batches walk: a sink pulls from a source; an operator is a source that
 * owns its input source. The only thing that walks back is a return value.
 *
 * Order of calls for a source: whoever opens it fills the struct, schema
 * included; then next() until BP_DONE or an error, or until no more is wanted;
 * then free(), which also frees what the source owns, inputs first. BP_DONE is
 * given only when the input was whole: a stream's trailer and end mark were
 * seen, a file's footer agreed, a checksum was right.
 *
 * Shares. A batch says of which share of a fan-out its rows are (batch.share).
 * Rows of one share come together; when the share changes, and at the start of
 * a stream that is a share, a batch carries the new one even if it has no rows.
 * Operators that work row by row pass share and zero-row batches on. Operators
 * that need the whole table collect them in a bp_shareset and refuse at the end
 * what is not whole (marks.h: bp.parted may allow it).
 */
#ifndef BP_FLOW_FLOW_H
#define BP_FLOW_FLOW_H

#include "col/column.h"

struct bp_ledger;

enum bp_nulls { BP_NULLS_UNKNOWN, BP_NULLS_NONE, BP_NULLS_ALL };

/* What is known of the rows of a part of a source. */
struct bp_bounds {
    /* One row each, a column for each of the schema, least and greatest value; NULL where
     * it is not known (of floats the greatest never is, for NaN may be among them). */
    const struct bp_batch *low, *high;
    const uint8_t *nulls; /* enum bp_nulls, of each column; NULL: not known */
    /* Both may be NULL. Asked only where the bounds leave it open, for it may cost a read. */
    bool (*lacks)(void *self, int col, const struct bp_column *value); /* no row has it */
    const struct bp_column *(*values)(void *self, int col); /* no row has others; NULL: not known */
    void *self;
};

/* Rows for which it is not true are of no use to who pulls. Good until the source is
 * freed, and asked by one thread at a time. */
struct bp_condition {
    bool (*may)(void *ctx, const struct bp_bounds *known); /* be true of a row of this part? */
    void (*mark)(void *ctx, bool *used);                   /* the columns that it reads */
    /* The rows for which it is true, as bp_expr_select(); only columns that it reads are
     * there. NULL: cannot be asked. */
    int (*select)(void *ctx, const struct bp_batch *rows, int32_t *sel, int64_t *n,
                  struct bp_err *err);
    void *ctx;
};

struct bp_source_ops {
    /* 0 and a batch in *out (the caller's; may have 0 rows), BP_DONE, or < 0. */
    int (*next)(void *self, struct bp_batch *out, struct bp_err *err);
    void (*free)(void *self);
    /* Optional (NULL: not offered). Before the first next(): give only columns
     * cols[0..n) of the schema, in this order, and decode no others. The schema is
     * adjusted by the caller, bp_source_project(). */
    int (*project)(void *self, const int *cols, int n, struct bp_err *err);
    /* Optional. Before the first next(), behind project(): rows for which the condition
     * is not true need not be read. */
    int (*prune)(void *self, const struct bp_condition *c, struct bp_err *err);
};

struct bp_source {
    const struct bp_source_ops *ops;
    void *self;
    struct bp_schema schema; /* fields, and metadata: the bp.* marks */
    char *name;              /* for messages: a file, "stdin", "stage/yellow"; may be NULL */
};

/* A table without rows; schema is copied. With a share it says which, once. */
int bp_empty_source(struct bp_source *out, const struct bp_schema *schema, struct bp_share share,
                    struct bp_err *err) BP_MUST;
int bp_source_next(struct bp_source *s, struct bp_batch *out, struct bp_err *err) BP_MUST;
/* 0, or BP_DONE where the source does not offer it (nothing changed). */
int bp_source_project(struct bp_source *s, const int *cols, int n, struct bp_err *err) BP_MUST;
/* Does nothing where the source does not offer it. */
int bp_source_prune(struct bp_source *s, const struct bp_condition *c, struct bp_err *err) BP_MUST;
void bp_source_free(struct bp_source *s); /* zeroes; a zeroed source is a no-op */
void bp_source_move(struct bp_source *dst, struct bp_source *src);

struct bp_sink_ops {
    int (*put)(void *self, struct bp_batch *in, struct bp_err *err); /* takes in, also on error */
    /* The input was whole: end mark, flush, checked close, rename. */
    int (*commit)(void *self, struct bp_err *err);
    /* The input failed: leave nothing that could pass for a result; a stream
     * writes the abort mark with this reason. Best effort, may be NULL. */
    void (*abort)(void *self, const char *reason);
    void (*free)(void *self); /* without commit: nothing happened */
};

struct bp_sink {
    const struct bp_sink_ops *ops;
    void *self;
    char *name;
};

int bp_sink_put(struct bp_sink *s, struct bp_batch *in, struct bp_err *err) BP_MUST;
void bp_sink_free(struct bp_sink *s);

/* Pull everything from src into sink and commit. On an error of the source the
 * sink is told to abort. BP_ECLOSED from a stream sink comes back as it is. */
int bp_flow_run(struct bp_source *src, struct bp_sink *sink, struct bp_err *err) BP_MUST;

/* Which shares were seen. Zero-initialise. */
struct bp_shareset {
    int32_t n; /* 0: no share seen yet */
    int32_t n_seen;
    int32_t last;
    uint8_t *seen; /* bits */
    bool unmarked; /* rows that are no share */
};
/* Note the share of a batch; a second, separate run of the same share, another N,
 * or shares mixed with unmarked rows are BP_EDATA. */
int bp_shareset_add(struct bp_shareset *s, struct bp_share share, struct bp_err *err) BP_MUST;
/* Unmarked, or 0..N-1 once each. */
bool bp_shareset_whole(const struct bp_shareset *s);
void bp_shareset_release(struct bp_shareset *s);

/*
 * The memory of one process (--mem, BP_MEM). Operators take before they hold
 * and give back after; when take says no they spill. Thread safe.
 *
 * What they cannot do without even then (a batch of each of two runs, a word for each
 * partition) they tell when they are opened. Before the first batch walks, lib/tool
 * holds the sum against the limit: what is too little is a usage error that says how
 * much would do.
 */
struct bp_budget {
    atomic_llong used_bytes;
    int64_t limit_bytes; /* 0: no limit */
    atomic_llong peak_bytes;
    int64_t least_bytes; /* the sum of what was told */
};
bool bp_budget_take(struct bp_budget *b, int64_t bytes); /* NULL b: always yes */
void bp_budget_give(struct bp_budget *b, int64_t bytes);
/* While opening; not thread safe. Below 0: it is not needed after all. */
void bp_budget_least(struct bp_budget *b, int64_t bytes);
/* BP_EUSAGE where the limit is below what was told and what is used already; of a limit
 * of n bytes n / kept_share are not for use. */
int bp_budget_check(const struct bp_budget *b, int64_t kept_share, struct bp_err *err) BP_MUST;

/* What every operator and source is given. One per process, outlives all. */
struct bp_ctx {
    struct bp_budget budget;
    int n_threads;              /* -j, at least 1 */
    int64_t batch_rows;         /* rows of inner batches (BP_BATCH_ROWS), default 8192 */
    atomic_llong spilled_bytes; /* written to temporary files so far (--stats) */
    struct bp_ledger *ledger;   /* what was read of which input (ledger.h); NULL: not kept */
};
/* Rows of an inner batch: batch_rows; fewer where they are wide and memory is little. */
int64_t bp_ctx_batch_rows(const struct bp_ctx *ctx, const struct bp_schema *s);
/* The smallest that it says, in bytes, roughly: what bp_budget_least() is told. */
int64_t bp_least_batch_bytes(const struct bp_schema *s);

#endif
