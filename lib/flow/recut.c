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
    size_t width = bp_type_counted_bytes(t);

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
    memset(r, 0, sizeof *r);
    r->cols = bp_mem_new((size_t)schema->n_fields, sizeof *r->cols, err);
    if (!r->cols)
        return err->code;
    r->n_cols = schema->n_fields;
    for (int i = 0; i < r->n_cols; i++) {
        struct bp_type t = schema->fields[i].type;

        r->cols[i].is_dict = is_dict(&schema->fields[i]);
        bp_builder_init(&r->cols[i].builder, r->cols[i].is_dict ? BP_TYPE(BP_INT32) : t);
        r->row_bytes += fixed_bytes(t);
    }
    return 0;
}

static void release_input(struct bp_recut *r)
{
    for (int i = 0; i < r->n_cols; i++) {
        bp_block_unref(r->cols[i].codes);
        r->cols[i].codes = NULL;
    }
    bp_batch_release(&r->in);
    r->in_from = 0;
}

void bp_recut_release(struct bp_recut *r)
{
    release_input(r);
    for (int i = 0; i < r->n_cols; i++) {
        bp_builder_release(&r->cols[i].builder);
        bp_dictset_release(&r->cols[i].dict);
    }
    bp_mem_free(r->cols);
    memset(r, 0, sizeof *r);
}

/* ---- dictionaries ---- */

static int64_t values_bytes(int64_t n_values, int64_t text_bytes)
{
    return 32 * n_values + text_bytes;
}

static int64_t dict_bytes(const struct bp_recut *r)
{
    int64_t sum = 0;

    for (int i = 0; i < r->n_cols; i++)
        if (r->cols[i].is_dict)
            sum += values_bytes(r->cols[i].dict.n, bp_dictset_bytes(&r->cols[i].dict));
    return sum;
}

static void clear_dicts(struct bp_recut *r)
{
    for (int i = 0; i < r->n_cols; i++)
        if (r->cols[i].is_dict)
            bp_dictset_clear(&r->cols[i].dict);
}

/* Behind a batch: may the dictionaries grow on? */
static void renew_dicts(struct bp_recut *r)
{
    if (dict_bytes(r) > BP_RECUT_DICTS_BYTES)
        clear_dicts(r);
    for (int i = 0; i < r->n_cols; i++) {
        struct bp_dictset *d = &r->cols[i].dict;

        if (r->cols[i].is_dict && (d->n > BP_RECUT_ROWS || bp_dictset_bytes(d) > BP_RECUT_BYTES))
            bp_dictset_clear(d);
    }
    r->dict_bytes = dict_bytes(r);
}

static int bind_all(struct bp_recut *r, struct bp_batch *b, struct bp_err *err)
{
    for (int i = 0; i < r->n_cols; i++)
        if (r->cols[i].is_dict)
            BP_TRY(bp_dictset_bind(&r->cols[i].dict, &b->cols[i], err));
    renew_dicts(r);
    return 0;
}

/* What n rows of the input can add to the dictionaries at most. */
static int64_t most_new_bytes(const struct bp_recut *r, int64_t n)
{
    int64_t sum = 0;

    for (int i = 0; i < r->n_cols; i++) {
        const struct bp_column *c = &r->in.cols[i], *v = c->dict ? &c->dict->values : c;
        int64_t from = c->dict ? 0 : r->in_from, values = c->dict ? v->n_rows : n;
        const int32_t *off = (const int32_t *)v->data + from;

        if (r->cols[i].is_coded && values)
            sum += values_bytes(values, off[values] - off[0]);
    }
    return sum;
}

/* Which columns need codes of ours, and room for them. */
static int begin_codes(struct bp_recut *r, struct bp_err *err)
{
    for (int i = 0; i < r->n_cols; i++) {
        struct bp_recut_col *c = &r->cols[i];
        struct bp_dict *d = r->in.cols[i].dict;

        c->is_coded = c->is_dict && !(d && bp_dictset_same(&c->dict, NULL, d));
        if (c->is_coded && !c->codes)
            BP_TRY(bp_block_new(&c->codes, (size_t)r->in.n_rows * sizeof(int32_t), err));
    }
    return 0;
}

static int encode(struct bp_recut *r, int64_t from, int64_t n, struct bp_err *err)
{
    for (int i = 0; i < r->n_cols; i++) {
        struct bp_recut_col *c = &r->cols[i];

        if (c->is_coded)
            BP_TRY(bp_dictset_encode(&c->dict, NULL, &r->in.cols[i], from, n,
                                     (int32_t *)(void *)c->codes->data + from, err));
    }
    return 0;
}

/*
 * The next *n rows get their codes. If the dictionaries end the batch before, *n is less
 * and *full is set. That is looked for step by step, but only where they may grow so
 * far at all.
 */
static int encode_to_cut(struct bp_recut *r, int64_t *n, bool *full, struct bp_err *err)
{
    int64_t room = BP_RECUT_BYTES + r->dict_bytes - dict_bytes(r), step, done = 0;

    BP_TRY(begin_codes(r, err));
    if (most_new_bytes(r, *n) < room)
        return encode(r, r->in_from, *n, err);
    for (; done < *n; done += step) {
        step = BP_RECUT_DICT_ROWS - (r->pending_rows + done) % BP_RECUT_DICT_ROWS;
        step = BP_MIN(step, *n - done);
        BP_TRY(encode(r, r->in_from + done, step, err));
        if ((r->pending_rows + done + step) % BP_RECUT_DICT_ROWS == 0 &&
            dict_bytes(r) - r->dict_bytes >= BP_RECUT_BYTES) {
            *n = done + step;
            *full = true;
        }
    }
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
        } else if (!r->cols[i].is_dict && bp_type_is_bytes(c->type) && k) {
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

static int append(struct bp_recut *r, int64_t n, struct bp_err *err)
{
    if (!r->pending_rows) {
        r->pending_first_row = r->in.first_row + r->in_from;
        r->share = r->in.share;
        for (int i = 0; i < r->n_cols; i++)
            BP_TRY(bp_builder_reserve(&r->cols[i].builder, r->last_rows, err));
    }
    r->pending_bytes += bytes_of(r, r->in_from, n);
    for (int i = 0; i < r->n_cols; i++) {
        struct bp_recut_col *c = &r->cols[i];
        struct bp_column view = r->in.cols[i]; /* owns nothing */

        if (c->is_dict) {
            view.type = BP_TYPE(BP_INT32);
            view.dict = NULL;
            view.data = c->is_coded ? c->codes->data : view.data;
        }
        BP_TRY(bp_builder_add_rows(&c->builder, &view, r->in_from, n, err));
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
        if (bp_builder_finish(&r->cols[i].builder, &out->cols[i], err) < 0)
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
    for (int i = 0; i < r->n_cols; i++)
        if (r->cols[i].is_coded)
            bp_dictset_put_codes(&out->cols[i], r->cols[i].codes, r->in_from);
    if (bind_all(r, out, err) == 0)
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
    release_input(r);
    bp_batch_move(&r->in, in);
    if (!r->in.n_rows) { /* it may carry a share only, without columns */
        bp_batch_release(&r->in);
        return 0;
    }
    if (r->in.n_cols != r->n_cols)
        return bp_fail(err, BP_EDATA, "a batch of %d columns was given to a table of %d",
                       r->in.n_cols, r->n_cols);
    for (int i = 0; i < r->in.n_cols; i++)
        if (!r->cols[i].is_dict && r->in.cols[i].dict)
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
    BP_TRY(encode_to_cut(r, &n, &full, err));
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
    release_input(r);
    return BP_DONE;
}

int bp_recut_flush(struct bp_recut *r, struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(emit_pending(r, out, err));
    clear_dicts(r);
    r->dict_bytes = 0;
    return 0;
}
