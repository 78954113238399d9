/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-join. The right side is held and its rows put into a table by key; the left
 * streams by, and its rows come out in their order, each with its matches in the
 * right's order. A left row's matches may be more than a batch: `row` and `at` say
 * where the next batch goes on. With an extra condition, pairs are candidates
 * first, and a left row has a match only if one of its candidates passes.
 *
 * Build and probe know one held set and one table. When the budget has no room for the
 * right side, both sides go to disk and are joined there part by part (join_spill.h);
 * rows then come back with the numbers of their left rows, by which they get their
 * shares again.
 */
#include <string.h>

#include "base/mem.h"
#include "op/join_emit.h"
#include "op/join_small.h"
#include "op/join_stretch.h"
#include "op/sort_shares.h"

struct join {
    struct bp_source left, right;
    struct bp_ctx *ctx;
    struct bp_join_plan plan;
    struct bp_join_shares shares;
    int *key_cols; /* of the right; not NULL: only these are held, in the keys' order */

    struct bp_held held;
    struct bp_join_table table;
    struct bp_join_emit emit;
    uint8_t *matched; /* bits by id, where unmatched right rows come out */
    bool built;

    struct bp_batch batch; /* of the left, being joined */
    uint32_t *heads;       /* [batch.n_rows] */
    int32_t *pair_left;    /* scratch for pairs, and for those that passed */
    uint32_t *pair_right;
    int32_t *passed_left;
    uint32_t *passed_right;
    int32_t *sel;
    int64_t cap_rows;
    int64_t row; /* next row of the batch */
    uint32_t at; /* its next match, if in_row */
    bool in_row, row_matched;

    bool in_tail; /* the left has ended: unmatched right rows */
    int tail_chunk;
    int64_t tail_row;
    struct bp_share last_left, told;
    int64_t n_out;

    struct bp_join_opts opts;
    bool never_spill;
    struct bp_join_spill *spill; /* NULL: everything is in memory */
    struct bp_join_stretches stretches;
    int64_t n_left;
};

/* ---- room ---- */

static int grow(void *list, size_t n, size_t size, struct bp_err *err)
{
    void *old, *bigger;

    memcpy(&old, list, sizeof old);
    bigger = bp_mem_grow(old, n, size, err);
    if (!bigger)
        return err->code;
    memcpy(list, &bigger, sizeof bigger);
    return 0;
}

/* Scratch for a batch of n left rows: passed holds a batch of pairs, and a row
 * for each left row without any. */
static int make_room(struct join *j, int64_t n, struct bp_err *err)
{
    size_t pairs = (size_t)BP_MAX(n, j->ctx->batch_rows), all = (size_t)(n + j->ctx->batch_rows);

    if (n <= j->cap_rows)
        return 0;
    BP_TRY(grow(&j->heads, (size_t)n, sizeof *j->heads, err));
    BP_TRY(grow(&j->pair_left, pairs, sizeof *j->pair_left, err));
    BP_TRY(grow(&j->pair_right, pairs, sizeof *j->pair_right, err));
    BP_TRY(grow(&j->sel, pairs, sizeof *j->sel, err));
    BP_TRY(grow(&j->passed_left, all, sizeof *j->passed_left, err));
    BP_TRY(grow(&j->passed_right, all, sizeof *j->passed_right, err));
    j->cap_rows = n;
    return 0;
}

/* ---- building ---- */

/* Keeps only the key columns of b: copies, since a column of a batch may hold the memory
 * of all. */
static int narrow(struct join *j, struct bp_batch *b, struct bp_err *err)
{
    struct bp_batch keys = {0};
    int rc = 0;

    if (!j->key_cols || b->n_rows == 0)
        return 0;
    BP_TRY(make_room(j, b->n_rows, err));
    for (int32_t i = 0; i < b->n_rows; i++)
        j->sel[i] = i;
    BP_GO(bp_batch_init(&keys, j->plan.n_keys, err));
    keys.n_rows = b->n_rows;
    for (int k = 0; k < j->plan.n_keys; k++)
        BP_GO(bp_column_gather(&keys.cols[k], &b->cols[j->key_cols[k]], j->sel, b->n_rows, err));
    bp_batch_release(b);
    bp_batch_move(b, &keys);
out:
    bp_batch_release(&keys);
    return rc;
}

static int hold(struct join *j, struct bp_batch *b, struct bp_err *err)
{
    int rc = bp_shareset_add(&j->shares.right, b->share, err);

    if (rc == 0)
        rc = bp_join_plan_cast(&j->plan, false, b, err);
    if (rc == 0)
        rc = narrow(j, b, err);
    if (rc < 0 || b->n_rows == 0) {
        bp_batch_release(b);
        return rc;
    }
    if (!j->spill)
        return bp_held_add(&j->held, b, err);
    rc = bp_join_spill_right(j->spill, b, err);
    bp_batch_release(b);
    return rc;
}

/* Keys that do not come out again need not be held. */
static void drop_used_columns(struct join *j)
{
    for (int c = 0; c < j->plan.right.n_fields; c++) {
        bool needed = false;

        for (int i = 0; i < j->plan.n_cols; i++)
            needed |=
                j->plan.cols[i].right == c && (j->plan.cols[i].left < 0 || j->plan.keeps_right);
        if (!needed)
            for (int i = 0; i < j->held.n_chunks; i++)
                bp_column_release(&j->held.chunks[i].cols[c]);
    }
}

/* For the table, which knows its keys. */
static bool has_room(const struct join *j)
{
    int64_t bytes = bp_join_table_need_bytes(&j->table, &j->held);

    if (j->never_spill)
        return true;
    if (!bp_budget_take(&j->ctx->budget, bytes))
        return false;
    bp_budget_give(&j->ctx->budget, bytes);
    return true;
}

/* Names of the right's columns as they are held. */
static int held_schema(const struct join *j, struct bp_schema *out, struct bp_err *err)
{
    const struct bp_schema *right = &j->plan.right;

    if (!j->key_cols)
        return bp_schema_copy(out, right, err);
    for (int k = 0; k < j->plan.n_keys; k++) {
        const struct bp_field *f = &right->fields[j->key_cols[k]];

        BP_TRY(bp_schema_add(out, f->name, f->type, err));
    }
    return 0;
}

/* What is held goes to disk, and so will all that comes. */
static int start_spill(struct join *j, struct bp_err *err)
{
    struct bp_schema right = {0};
    int rc;

    BP_GO(bp_held_finish(&j->held, err));
    BP_GO(held_schema(j, &right, err));
    BP_GO(bp_join_spill_new(&j->spill, &j->plan, &right, &j->opts, j->ctx, err));
    for (int i = 0; i < j->held.n_chunks; i++) {
        BP_GO(bp_join_spill_right(j->spill, &j->held.chunks[i], err));
        bp_batch_release(&j->held.chunks[i]);
    }
    bp_held_release(&j->held);
out:
    bp_schema_release(&right);
    return rc;
}

static int take_right(struct join *j, struct bp_err *err)
{
    struct bp_batch b;
    int rc;

    while ((rc = bp_source_next(&j->right, &b, err)) == 0) {
        rc = hold(j, &b, err);
        if (rc == 0 && !j->spill && j->held.refused && !j->never_spill)
            rc = start_spill(j, err);
        BP_TRY(rc);
    }
    if (rc < 0)
        return rc;
    BP_TRY(bp_join_shares_right(&j->shares, err));
    if (j->spill)
        return 0;
    BP_TRY(bp_held_finish(&j->held, err));
    if (j->held.refused && !j->never_spill)
        return start_spill(j, err);
    BP_TRY(bp_join_table_open(&j->table, &j->plan, &j->held, &j->ctx->budget, err));
    if (has_room(j))
        return 0;
    bp_join_table_release(&j->table);
    return start_spill(j, err);
}

static int build(struct join *j, struct bp_err *err)
{
    BP_TRY(take_right(j, err));
    j->built = true;
    if (j->spill)
        return 0;
    if (bp_held_ids(&j->held) > BP_JOIN_LAST)
        return bp_fail(err, BP_EDATA, "the right side has more than 2 billion rows");
    BP_TRY(bp_join_table_build(&j->table, &j->held, err));
    if (!j->key_cols) {
        drop_used_columns(j);
        BP_TRY(bp_join_emit_open(&j->emit, &j->plan, &j->held, j->ctx, err));
    }
    if (j->plan.keeps_right) {
        j->matched = bp_mem_new(bp_bits_bytes(bp_held_ids(&j->held)), 1, err);
        if (!j->matched)
            return err->code;
    }
    return 0;
}

/* ---- a left batch ---- */

static int start_batch(struct join *j, struct bp_err *err)
{
    BP_TRY(bp_join_shares_left(&j->shares, j->batch.share, err));
    j->last_left = j->batch.share;
    BP_TRY(bp_join_plan_cast(&j->plan, true, &j->batch, err));
    BP_TRY(make_room(j, j->batch.n_rows, err));
    j->row = 0;
    j->in_row = j->row_matched = false;
    if (j->batch.n_rows == 0) /* it only tells of a share */
        return 0;
    if (j->plan.type != BP_JOIN_CROSS)
        return bp_join_table_find(&j->table, &j->batch, j->heads, err);
    memset(j->heads, j->held.n_rows ? 0 : 0xff, (size_t)j->batch.n_rows * sizeof *j->heads);
    return 0;
}

/* The id of the match at *at, which goes on to the next one. */
static inline uint32_t take_match(const struct join *j, uint32_t *at)
{
    uint32_t id = *at;

    if (j->table.ids) {
        id = j->table.ids[*at];
        *at = id & BP_JOIN_LAST ? BP_JOIN_NONE : *at + 1;
        return id & ~BP_JOIN_LAST;
    }
    if (j->plan.type != BP_JOIN_CROSS) {
        *at = BP_JOIN_NONE;
    } else {
        uint32_t chunk = id >> BP_HELD_SHIFT;

        *at = id + 1;
        if ((id & (BP_HELD_ROWS - 1)) + 1 == j->held.chunks[chunk].n_rows)
            *at = (int)chunk + 1 < j->held.n_chunks ? (chunk + 1) << BP_HELD_SHIFT : BP_JOIN_NONE;
    }
    return id;
}

/* Pairs from where the batch stands, at most batch_rows. Left rows without any
 * come with BP_JOIN_NONE where keep_missing. */
static int64_t fill_pairs(struct join *j, bool keep_missing)
{
    int64_t max = j->ctx->batch_rows, n = 0;

    while (j->row < j->batch.n_rows && n < max) {
        uint32_t at = j->in_row ? j->at : j->heads[j->row];

        if (at == BP_JOIN_NONE && keep_missing) {
            j->pair_left[n] = (int32_t)j->row;
            j->pair_right[n++] = BP_JOIN_NONE;
        }
        while (at != BP_JOIN_NONE && n < max) {
            j->pair_left[n] = (int32_t)j->row;
            j->pair_right[n++] = take_match(j, &at);
        }
        j->at = at;
        j->in_row = at != BP_JOIN_NONE;
        j->row += !j->in_row;
    }
    return n;
}

/* The same for the whole batch where no key comes twice. */
static int64_t fill_unique(struct join *j, bool keep_missing)
{
    int64_t n = 0;

    for (int64_t i = 0; i < j->batch.n_rows; i++) {
        j->pair_left[n] = (int32_t)i;
        j->pair_right[n] = j->heads[i];
        n += keep_missing || j->heads[i] != BP_JOIN_NONE;
    }
    j->row = j->batch.n_rows;
    return n;
}

/* ---- an extra condition ---- */

static int select_pairs(struct join *j, int64_t n, int64_t *n_sel, struct bp_err *err)
{
    struct bp_join_pairs pairs = {j->pair_left, j->pair_right, n};
    struct bp_batch b = {0};
    int rc;

    *n_sel = 0;
    if (n == 0)
        return 0;
    BP_TRY(bp_join_emit_pairs(&j->emit, &j->batch, &pairs, j->plan.where_uses, &b, err));
    for (int i = 0; i < b.n_cols; i++) { /* columns that nobody reads */
        b.cols[i].type = j->plan.combined.fields[i].type;
        b.cols[i].n_rows = n;
    }
    b.first_row = j->batch.first_row;
    rc = bp_expr_select(j->plan.where, &b, j->sel, n_sel, err);
    bp_batch_release(&b);
    return rc;
}

static void pass(struct join *j, int64_t *n, int64_t left, uint32_t right)
{
    j->passed_left[*n] = (int32_t)left;
    j->passed_right[(*n)++] = right;
}

/* Row `left` has no more candidates. */
static void end_row(struct join *j, int64_t left, int64_t *n)
{
    bool wanted = j->plan.type == BP_JOIN_SEMI                         ? j->row_matched
                  : j->plan.type == BP_JOIN_ANTI || j->plan.keeps_left ? !j->row_matched
                                                                       : false;

    if (wanted)
        pass(j, n, left, BP_JOIN_NONE);
    j->row_matched = false;
}

/* Pairs that pass the condition, and what becomes of left rows without any. */
static int fill_where(struct join *j, int64_t *n_passed, struct bp_err *err)
{
    int64_t left = j->row, n, n_sel, s = 0;

    *n_passed = 0;
    n = fill_pairs(j, false);
    BP_TRY(select_pairs(j, n, &n_sel, err));
    for (; left < j->row || (left == j->row && j->in_row); left++) {
        for (; s < n_sel && j->pair_left[j->sel[s]] == left; s++) {
            j->row_matched = true;
            if (!j->plan.only_left)
                pass(j, n_passed, left, j->pair_right[j->sel[s]]);
        }
        if (left < j->row)
            end_row(j, left, n_passed);
    }
    return 0;
}

/* ---- output ---- */

static void mark_matched(struct join *j, const uint32_t *ids, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (ids[i] != BP_JOIN_NONE)
            bp_bit_set(j->matched, ids[i]);
}

static int64_t fill_semi(struct join *j)
{
    bool want = j->plan.type == BP_JOIN_SEMI;
    int64_t n = 0;

    for (int64_t i = 0; i < j->batch.n_rows; i++) {
        j->pair_left[n] = (int32_t)i;
        n += (j->heads[i] != BP_JOIN_NONE) == want;
    }
    j->row = j->batch.n_rows;
    return n;
}

static int give_left(struct join *j, const int32_t *rows, int64_t n, struct bp_batch *out,
                     struct bp_err *err)
{
    if (n == j->batch.n_rows)
        return bp_batch_ref(out, &j->batch, err);
    return bp_batch_gather(out, &j->batch, rows, n, err);
}

/* The next rows of the batch at hand; out may get none. */
static int join_some(struct join *j, struct bp_batch *out, struct bp_err *err)
{
    struct bp_join_pairs pairs = {j->pair_left, j->pair_right, 0};

    if (j->plan.where) {
        BP_TRY(fill_where(j, &pairs.n, err));
        pairs.left = j->passed_left;
        pairs.right = j->passed_right;
    } else if (j->plan.only_left) {
        pairs.n = fill_semi(j);
    } else if (!j->table.ids && j->plan.type != BP_JOIN_CROSS) {
        pairs.n = fill_unique(j, j->plan.keeps_left);
        if (pairs.n == j->batch.n_rows)
            pairs.left = NULL; /* columns pass as they are */
    } else {
        pairs.n = fill_pairs(j, j->plan.keeps_left);
    }
    if (pairs.n == 0)
        return 0;
    if (j->plan.only_left)
        return give_left(j, pairs.left, pairs.n, out, err);
    if (j->matched)
        mark_matched(j, pairs.right, pairs.n);
    return bp_join_emit_pairs(&j->emit, &j->batch, &pairs, NULL, out, err);
}

/* Right rows that met no left row. */
static int next_tail(struct join *j, struct bp_batch *out, struct bp_err *err)
{
    struct bp_join_pairs pairs = {NULL, j->pair_right, 0};

    while (j->tail_chunk < j->held.n_chunks && pairs.n < j->ctx->batch_rows) {
        uint32_t first = (uint32_t)j->tail_chunk << BP_HELD_SHIFT;
        int64_t n_rows = j->held.chunks[j->tail_chunk].n_rows;

        for (; j->tail_row < n_rows && pairs.n < j->ctx->batch_rows; j->tail_row++)
            if (!bp_bit_get(j->matched, first + j->tail_row))
                j->pair_right[pairs.n++] = first + (uint32_t)j->tail_row;
        if (j->tail_row == n_rows) {
            j->tail_chunk++;
            j->tail_row = 0;
        }
    }
    if (pairs.n == 0)
        return BP_DONE;
    return bp_join_emit_pairs(&j->emit, NULL, &pairs, NULL, out, err);
}

/* The next left batch, or BP_DONE when the left and what follows it have ended. */
static int next_left(struct join *j, struct bp_err *err)
{
    int rc;

    bp_batch_release(&j->batch);
    rc = bp_source_next(&j->left, &j->batch, err);
    if (rc == 0)
        return start_batch(j, err);
    if (rc < 0)
        return rc;
    BP_TRY(bp_join_shares_end(&j->shares, err));
    if (!j->plan.keeps_right)
        return BP_DONE;
    j->in_tail = true;
    return make_room(j, j->ctx->batch_rows, err);
}

static int finish_batch(struct join *j, struct bp_batch *out)
{
    out->share = bp_join_shares_out(&j->shares, j->last_left);
    out->first_row = j->n_out;
    j->n_out += out->n_rows;
    j->told = out->share;
    return 0;
}

/* A batch without rows for a share that none has told of yet; BP_DONE: no need. */
static int tell_share(struct join *j, struct bp_batch *out, struct bp_err *err)
{
    struct bp_share share = bp_join_shares_out(&j->shares, j->last_left);

    if (!share.n || (share.n == j->told.n && share.i == j->told.i))
        return BP_DONE;
    j->told = share;
    return bp_sort_shares_empty(&j->plan.schema, share, out, err);
}

/* ---- larger than memory ---- */

static int take_left(struct join *j, struct bp_err *err)
{
    int rc;

    while ((rc = bp_source_next(&j->left, &j->batch, err)) == 0) {
        BP_GO(bp_join_shares_left(&j->shares, j->batch.share, err));
        BP_GO(bp_join_stretches_note(&j->stretches, j->batch.share, j->n_left, err));
        BP_GO(bp_join_plan_cast(&j->plan, true, &j->batch, err));
        BP_GO(bp_join_spill_left(j->spill, &j->batch, err));
        j->n_left += j->batch.n_rows;
        bp_batch_release(&j->batch);
    }
    if (rc == BP_DONE)
        rc = bp_join_shares_end(&j->shares, err);
out:
    bp_batch_release(&j->batch);
    return rc;
}

static int spilled_next(struct join *j, struct bp_batch *out, struct bp_err *err)
{
    int rc;

    for (;;) {
        rc = bp_join_stretches_next(&j->stretches, j->spill, out, &j->last_left, err);
        if (rc)
            return rc;
        if (out->n_rows)
            return finish_batch(j, out);
        rc = tell_share(j, out, err);
        if (rc <= 0)
            return rc;
    }
}

static int start_spilled(struct join *j, struct bp_err *err)
{
    BP_TRY(take_left(j, err));
    return bp_join_spill_join(j->spill, err);
}

static int join_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct join *j = self;
    int rc;

    if (!j->built) {
        BP_TRY(build(j, err));
        if (j->spill)
            BP_TRY(start_spilled(j, err));
    }
    if (j->spill)
        return spilled_next(j, out, err);
    for (;;) {
        if (j->in_tail) {
            rc = next_tail(j, out, err);
            return rc ? rc : finish_batch(j, out);
        }
        if (j->row < j->batch.n_rows) {
            BP_TRY(join_some(j, out, err));
            if (out->n_rows)
                return finish_batch(j, out);
            bp_batch_release(out);
            continue;
        }
        rc = next_left(j, err);
        if (rc)
            return rc;
        rc = tell_share(j, out, err);
        if (rc <= 0)
            return rc;
    }
}

/* ---- opening ---- */

static void join_free(void *self)
{
    struct join *j = self;

    bp_source_free(&j->left);
    bp_source_free(&j->right);
    bp_batch_release(&j->batch);
    bp_join_spill_free(j->spill);
    bp_join_stretches_release(&j->stretches);
    bp_join_emit_release(&j->emit);
    bp_join_table_release(&j->table);
    bp_held_release(&j->held);
    bp_join_shares_release(&j->shares);
    bp_join_plan_release(&j->plan);
    bp_mem_free(j->key_cols);
    bp_mem_free(j->matched);
    bp_mem_free(j->heads);
    bp_mem_free(j->pair_left);
    bp_mem_free(j->pair_right);
    bp_mem_free(j->passed_left);
    bp_mem_free(j->passed_right);
    bp_mem_free(j->sel);
    bp_mem_free(j);
}

static const struct bp_source_ops join_ops = {.next = join_next, .free = join_free};

/* Without a condition, semi and anti joins need nothing of the right but its keys. */
static int hold_keys_only(struct join *j, struct bp_err *err)
{
    if (!j->plan.only_left || j->plan.where)
        return 0;
    j->key_cols = bp_mem_new((size_t)j->plan.n_keys, sizeof *j->key_cols, err);
    if (!j->key_cols)
        return err->code;
    for (int k = 0; k < j->plan.n_keys; k++) {
        j->key_cols[k] = j->plan.keys[k].right;
        j->plan.keys[k].right = k;
    }
    return 0;
}

static int open_join(struct bp_source *out, struct bp_source *left, struct bp_source *right,
                     const struct bp_join_opts *opts, bool never_spill, struct bp_ctx *ctx,
                     struct bp_err *err)
{
    struct join *j = bp_mem_new(1, sizeof *j, err);
    int rc;

    *out = (struct bp_source){0};
    if (!j) {
        bp_source_free(left);
        bp_source_free(right);
        return err->code;
    }
    bp_source_move(&j->left, left);
    bp_source_move(&j->right, right);
    j->ctx = ctx;
    j->opts = *opts;
    j->never_spill = never_spill;
    bp_held_init(&j->held, &ctx->budget);
    if (opts->broadcast && !never_spill)
        BP_GO(bp_join_small(&j->right, err));
    BP_GO(bp_join_plan_open(&j->plan, &j->left.schema, &j->right.schema, opts, err));
    BP_GO(bp_join_marks(&j->plan, &j->shares, &j->left.schema, &j->right.schema, opts, err));
    BP_GO(hold_keys_only(j, err));
    BP_GO(bp_schema_copy(&out->schema, &j->plan.schema, err));
    out->ops = &join_ops;
    out->self = j;
    return 0;
out:
    join_free(j);
    bp_schema_release(&out->schema);
    *out = (struct bp_source){0};
    return rc;
}

int bp_join_open(struct bp_source *out, struct bp_source *left, struct bp_source *right,
                 const struct bp_join_opts *opts, struct bp_ctx *ctx, struct bp_err *err)
{
    return open_join(out, left, right, opts, false, ctx, err);
}

int bp_join_open_held(struct bp_source *out, struct bp_source *left, struct bp_source *right,
                      const struct bp_join_opts *opts, struct bp_ctx *ctx, struct bp_err *err)
{
    return open_join(out, left, right, opts, true, ctx, err);
}
