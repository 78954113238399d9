/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a cut falls is found without looking at rows: the fixed part of a row
 * has one size, and the text of rows [0, k) is a difference of two offsets, so
 * "the bytes of the first k rows" rises with k and is searched by halves.
 */
#include "flow/recut.h"

#include <string.h>

/* Of the fixed part of a value; a list or struct has none. */
static int64_t fixed_bytes(struct bp_type t)
{
    size_t width = bp_type_width_bytes(t);

    if (bp_type_is_nested(t))
        return 0;
    return t.kind == BP_BOOL ? 1 : width ? (int64_t)width : 4;
}

static bool is_dict(const struct bp_field *f)
{
    return f->dict && f->type.kind == BP_TEXT;
}

int64_t bp_recut_rows(const struct bp_schema *schema)
{
    int64_t bytes = 0;

    for (int i = 0; i < schema->n_fields; i++) {
        const struct bp_field *f = &schema->fields[i];

        if (bp_type_is_nested(f->type) || (bp_type_is_bytes(f->type) && !is_dict(f)))
            return 0;
        bytes += fixed_bytes(f->type);
    }
    return BP_MIN((BP_RECUT_BYTES - 1) / BP_MAX(bytes, 1) + 1, BP_RECUT_ROWS);
}

int bp_recut_init(struct bp_recut *r, const struct bp_schema *schema, struct bp_err *err)
{
    size_t n = (size_t)schema->n_fields;

    memset(r, 0, sizeof *r);
    r->is_dict = bp_mem_new(n, sizeof *r->is_dict, err);
    r->dicts = bp_mem_new(n, sizeof *r->dicts, err);
    r->builders = bp_mem_new(n, sizeof *r->builders, err);
    if (!r->is_dict || !r->dicts || !r->builders) {
        bp_recut_release(r);
        return err->code;
    }
    r->n_cols = schema->n_fields;
    for (int i = 0; i < r->n_cols; i++) {
        struct bp_type t = schema->fields[i].type;

        r->is_dict[i] = is_dict(&schema->fields[i]);
        bp_builder_init(&r->builders[i], r->is_dict[i] ? BP_TYPE(BP_INT32) : t);
        r->row_bytes += fixed_bytes(t);
    }
    return 0;
}

void bp_recut_release(struct bp_recut *r)
{
    for (int i = 0; i < r->n_cols; i++) {
        bp_builder_release(&r->builders[i]);
        bp_dictset_release(&r->dicts[i]);
    }
    bp_mem_free(r->is_dict);
    bp_mem_free(r->dicts);
    bp_mem_free(r->builders);
    bp_batch_release(&r->in);
    memset(r, 0, sizeof *r);
}

/* ---- dictionaries ---- */

static int encode_all(struct bp_recut *r, struct bp_batch *b, struct bp_err *err)
{
    for (int i = 0; i < r->n_cols; i++)
        if (r->is_dict[i])
            BP_TRY(bp_dictset_recode(&r->dicts[i], NULL, &b->cols[i], err));
    return 0;
}

/* Behind a batch: may the dictionaries grow on? */
static void renew_dicts(struct bp_recut *r)
{
    for (int i = 0; i < r->n_cols; i++)
        if (r->is_dict[i] &&
            (r->dicts[i].n > BP_RECUT_ROWS || bp_dictset_bytes(&r->dicts[i]) > BP_RECUT_BYTES))
            bp_dictset_clear(&r->dicts[i]);
}

static int bind_all(struct bp_recut *r, struct bp_batch *b, struct bp_err *err)
{
    for (int i = 0; i < r->n_cols; i++)
        if (r->is_dict[i])
            BP_TRY(bp_dictset_bind(&r->dicts[i], &b->cols[i], err));
    renew_dicts(r);
    return 0;
}

/* ---- the cut ---- */

/* Bytes of rows [from, from + k) of the batch. */
static int64_t bytes_of(const struct bp_recut *r, int64_t from, int64_t k)
{
    int64_t sum = k * r->row_bytes;

    for (int i = 0; i < r->n_cols; i++) {
        const struct bp_column *c = &r->in.cols[i];

        if (bp_type_is_nested(c->type)) {
            sum += bp_column_range_bytes(c, from, k);
        } else if (!r->is_dict[i] && bp_type_is_bytes(c->type) && k) {
            const int32_t *off = (const int32_t *)c->data + from;

            sum += off[k] - off[0];
        }
    }
    return sum;
}

/* Rows from in_from that still go into this batch; *full: it ends behind them. */
static int64_t rows_to_cut(const struct bp_recut *r, bool *full)
{
    int64_t left = r->in.n_rows - r->in_from, most = BP_RECUT_ROWS - r->pending_rows;
    int64_t n = BP_MIN(left, most), low = 1, high = n;
    int64_t need = BP_RECUT_BYTES - r->pending_bytes;

    *full = left >= most;
    if (n == 0 || bytes_of(r, r->in_from, n) < need)
        return n;
    *full = true;
    while (low < high) { /* the least k with bytes_of(k) >= need */
        int64_t mid = low + (high - low) / 2;

        if (bytes_of(r, r->in_from, mid) >= need)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* Of dictionary column i, only the rows that are used: later ones belong to a later dictionary. */
static int add_codes(struct bp_recut *r, int i, struct bp_column *view, int64_t n,
                     struct bp_err *err)
{
    struct bp_block *codes = NULL;
    int rc = 0;

    if (!view->dict || !bp_dictset_same(&r->dicts[i], NULL, view->dict)) {
        BP_TRY(bp_block_new(&codes, (size_t)(r->in_from + n) * sizeof(int32_t), err));
        rc = bp_dictset_encode(&r->dicts[i], NULL, view, r->in_from, n,
                               (int32_t *)(void *)codes->data + r->in_from, err);
        view->data = codes->data;
    }
    view->type = BP_TYPE(BP_INT32);
    view->dict = NULL;
    if (rc == 0)
        rc = bp_builder_add_rows(&r->builders[i], view, r->in_from, n, err);
    bp_block_unref(codes);
    return rc;
}

static int append(struct bp_recut *r, int64_t n, struct bp_err *err)
{
    if (!r->pending_rows) {
        r->pending_first_row = r->in.first_row + r->in_from;
        r->share = r->in.share;
        for (int i = 0; i < r->n_cols; i++)
            BP_TRY(bp_builder_reserve(&r->builders[i], r->last_rows, err));
    }
    r->pending_bytes += bytes_of(r, r->in_from, n);
    for (int i = 0; i < r->n_cols; i++) {
        struct bp_column view = r->in.cols[i]; /* owns nothing */
        int rc;

        if (r->is_dict[i]) {
            rc = add_codes(r, i, &view, n, err);
        } else {
            rc = bp_builder_add_rows(&r->builders[i], &view, r->in_from, n, err);
        }
        BP_TRY(rc);
    }
    r->pending_rows += n;
    return 0;
}

/* The pending rows as a batch. */
static int emit_pending(struct bp_recut *r, struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, r->n_cols, err));
    out->n_rows = r->pending_rows;
    out->first_row = r->pending_first_row;
    out->share = r->share;
    for (int i = 0; i < r->n_cols; i++)
        if (bp_builder_finish(&r->builders[i], &out->cols[i], err) < 0)
            goto fail;
    if (bind_all(r, out, err) < 0)
        goto fail;
    r->last_rows = r->pending_rows;
    r->pending_rows = r->pending_bytes = 0;
    return 0;
fail:
    bp_batch_release(out);
    return err->code;
}

/* Rows [in_from, in_from + n) as they are, without a copy. */
static int emit_slice(struct bp_recut *r, int64_t n, struct bp_batch *out, struct bp_err *err)
{
    if (n == r->in.n_rows)
        bp_batch_move(out, &r->in);
    else
        BP_TRY(bp_batch_slice(out, &r->in, r->in_from, n, err));
    if (encode_all(r, out, err) == 0 && bind_all(r, out, err) == 0)
        return 0;
    bp_batch_release(out);
    return err->code;
}

static int make_plain(struct bp_column *c, struct bp_err *err)
{
    struct bp_column plain;

    BP_TRY(bp_column_plain(&plain, c, err));
    bp_column_release(c);
    *c = plain;
    return 0;
}

int bp_recut_put(struct bp_recut *r, struct bp_batch *in, struct bp_err *err)
{
    bp_batch_release(&r->in);
    bp_batch_move(&r->in, in);
    r->in_from = 0;
    if (!r->in.n_rows) { /* it may carry a share only, without columns */
        bp_batch_release(&r->in);
        return 0;
    }
    if (r->in.n_cols != r->n_cols)
        return bp_fail(err, BP_EDATA, "a batch of %d columns was given to a table of %d",
                       r->in.n_cols, r->n_cols);
    for (int i = 0; i < r->in.n_cols; i++)
        if (!r->is_dict[i] && r->in.cols[i].dict)
            BP_TRY(make_plain(&r->in.cols[i], err));
    return 0;
}

int bp_recut_take(struct bp_recut *r, struct bp_batch *out, struct bp_err *err)
{
    bool full;
    int64_t n;
    int rc;

    if (r->in_from >= r->in.n_rows)
        goto used_up;
    n = rows_to_cut(r, &full);
    if (full && !r->pending_rows) {
        rc = emit_slice(r, n, out, err);
        r->in_from += n;
        return rc;
    }
    BP_TRY(append(r, n, err));
    r->in_from += n;
    if (full)
        return emit_pending(r, out, err);
used_up:
    bp_batch_release(&r->in);
    r->in_from = 0;
    return BP_DONE;
}

int bp_recut_flush(struct bp_recut *r, struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(emit_pending(r, out, err));
    for (int i = 0; i < r->n_cols; i++)
        bp_dictset_clear(&r->dicts[i]);
    return 0;
}
