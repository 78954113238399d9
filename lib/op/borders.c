/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Borders: of n rows in order, rows n*1/P, n*2/P, ... (rounded down, from 0). The rows
 * are counted on their way into the sort, and those that are borders picked as they
 * come out of it. Nothing but the key columns goes in.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/marks.h"
#include "op/op.h"
#include "op/range.h"
#include "op/sort_key.h"

/* The input of the sort. */
struct narrow {
    struct bp_source in;
    int *cols;
    int n_cols;
    bool projected; /* in gives only these */
    int64_t n_rows; /* so far */
    struct bp_shareset shares;
};

struct borders {
    struct bp_source sorted;
    struct narrow *narrow; /* owned by sorted */
    int64_t n_parts, next; /* the next border is the first row of part `next` */
    int64_t at;            /* the first row of the next batch */
    int32_t *sel;
};

/* ---- in ---- */

static int check_whole(const struct narrow *n, struct bp_err *err)
{
    if (bp_shareset_whole(&n->shares))
        return 0;
    return bp_fail(
        err, BP_EDATA,
        "the input is only %d of %d shares of a table: borders are of the whole, and the "
        "same for all tasks",
        n->shares.n_seen, n->shares.n);
}

static int narrow_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct narrow *n = self;
    struct bp_batch in = {0};
    int rc = bp_source_next(&n->in, &in, err);

    if (rc == BP_DONE && check_whole(n, err) < 0)
        return err->code;
    if (rc)
        return rc;
    n->n_rows += in.n_rows;
    rc = bp_shareset_add(&n->shares, in.share, err);
    if (rc == 0)
        rc = bp_batch_init(out, n->n_cols, err);
    for (int i = 0; rc == 0 && i < n->n_cols; i++)
        bp_column_ref(&out->cols[i], &in.cols[n->projected ? i : n->cols[i]]);
    if (rc == 0) {
        out->n_rows = in.n_rows;
        out->first_row = in.first_row;
    }
    bp_batch_release(&in);
    return rc;
}

static void narrow_free(void *self)
{
    struct narrow *n = self;

    bp_source_free(&n->in);
    bp_shareset_release(&n->shares);
    bp_mem_free(n->cols);
    bp_mem_free(n);
}

/* The columns of the keys, each once. */
static int find_columns(struct narrow *n, const struct bp_clause *order, struct bp_err *err)
{
    struct bp_sort_keys keys;
    int rc = 0;

    BP_TRY(bp_sort_keys_open(&keys, order, &n->in.schema, err));
    n->cols = bp_mem_new((size_t)keys.n, sizeof *n->cols, err);
    BP_GO(n->cols ? 0 : err->code);
    for (int i = 0; i < keys.n; i++) {
        bool seen = false;

        if (keys.keys[i].col >= n->in.schema.n_fields)
            BP_GO(bp_fail(err, BP_EUSAGE,
                          "borders are of columns, and '%s' is none: add it as one (bp-map -a)",
                          keys.order.items[i].text));
        for (int k = 0; k < n->n_cols; k++)
            seen |= n->cols[k] == keys.keys[i].col;
        if (!seen)
            n->cols[n->n_cols++] = keys.keys[i].col;
    }
out:
    bp_sort_keys_release(&keys);
    return rc;
}

static int narrow_schema(struct narrow *n, struct bp_schema *out, struct bp_err *err)
{
    BP_TRY(bp_schema_copy_meta(out, &n->in.schema, err));
    BP_TRY(bp_schema_set_meta(out, BP_MARK_TASK, NULL, err)); /* judged at the end */
    BP_TRY(bp_schema_set_meta(out, BP_MARK_PARTED, NULL, err));
    for (int i = 0; i < n->n_cols; i++) {
        const struct bp_field *f = &n->in.schema.fields[n->cols[i]];

        BP_TRY(bp_schema_add(out, f->name, f->type, err));
        out->fields[i].nullable = f->nullable;
        out->fields[i].dict = f->dict;
    }
    return 0;
}

/* out: a source of the key columns; in is taken over. */
static int open_narrow(struct narrow **self, struct bp_source *out, struct bp_source *in,
                       const struct bp_clause *order, struct bp_err *err)
{
    static const struct bp_source_ops ops = {.next = narrow_next, .free = narrow_free};
    struct narrow *n = bp_mem_new(1, sizeof *n, err);
    int rc;

    if (!n) {
        bp_source_free(in);
        return err->code;
    }
    bp_source_move(&n->in, in);
    out->ops = &ops;
    out->self = n;
    *self = n;
    BP_TRY(find_columns(n, order, err));
    BP_TRY(narrow_schema(n, &out->schema, err));
    rc = bp_source_project(&n->in, n->cols, n->n_cols, err);
    n->projected = rc == 0;
    return rc < 0 ? rc : 0;
}

/* ---- out ---- */

/* The rows of in that are borders, to sel; how many. A row may be so for many parts. */
static int64_t pick(struct borders *b, const struct bp_batch *in)
{
    int64_t n = 0;

    for (; b->next < b->n_parts; b->next++) {
        int64_t row = (int64_t)((bp_int128)b->narrow->n_rows * b->next / b->n_parts);

        if (row >= b->at + in->n_rows)
            break;
        b->sel[n++] = (int32_t)(row - b->at);
    }
    b->at += in->n_rows;
    return n;
}

static int borders_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct borders *b = self;
    struct bp_batch in = {0};
    int64_t n;
    int rc;

    for (;;) {
        rc = bp_source_next(&b->sorted, &in, err);
        if (rc)
            return rc;
        n = pick(b, &in);
        if (n)
            rc = bp_batch_gather(out, &in, b->sel, n, err);
        bp_batch_release(&in);
        if (n || rc < 0)
            return rc;
    }
}

static void borders_free(void *self)
{
    struct borders *b = self;

    bp_source_free(&b->sorted);
    bp_mem_free(b->sel);
    bp_mem_free(b);
}

int bp_borders_open(struct bp_source *out, struct bp_source *in, const struct bp_clause *order,
                    int64_t n_parts, struct bp_ctx *ctx, struct bp_err *err)
{
    static const struct bp_source_ops ops = {.next = borders_next, .free = borders_free};
    struct borders *b = bp_mem_new(1, sizeof *b, err);
    struct bp_source narrow = {0};
    int rc;

    *out = (struct bp_source){0};
    if (!b) {
        bp_source_free(in);
        return err->code;
    }
    b->n_parts = n_parts;
    b->next = 1;
    b->sel = bp_mem_new((size_t)n_parts, sizeof *b->sel, err);
    if (!b->sel) {
        bp_source_free(in);
        BP_GO(err->code);
    }
    BP_GO(open_narrow(&b->narrow, &narrow, in, order, err));
    BP_GO(bp_sort_open(&b->sorted, &narrow, order, -1, ctx, err));
    BP_GO(bp_schema_copy(&out->schema, &b->sorted.schema, err));
    out->ops = &ops;
    out->self = b;
    return 0;
out:
    bp_source_free(&narrow);
    borders_free(b);
    bp_schema_release(&out->schema);
    *out = (struct bp_source){0};
    return rc;
}
