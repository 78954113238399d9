/* SPDX-License-Identifier: Apache-2.0 */
#include "op/across.h"

#include <stdlib.h>
#include <string.h>

#include "agg/groups.h"
#include "base/buf.h"
#include "base/mem.h"
#include "col/key.h"
#include "col/text.h"
#include "stage/spill.h"

struct across {
    struct bp_source in; /* of the reduce, then of what was kept of it */
    struct bp_ctx *ctx;
    struct bp_schema schema; /* of the output */
    int n_keys, n_aggs;      /* n_keys: without the one that goes across */
    struct bp_column *empty; /* one row: each aggregate of no rows */

    struct bp_groups *values;
    uint32_t *rank; /* of values: which in order */
    int n_values;

    /* what the reduce gave: batches in memory, or a run on disk */
    struct bp_batch *kept;
    int n_kept, cap_kept, at_kept;
    int64_t taken_bytes; /* of the budget */
    struct bp_spill *spill;

    struct bp_batch work;   /* being turned into rows */
    struct bp_column *cats; /* its results, with the empty one behind them */
    int64_t at;             /* the first row of work that is not used */
    bool at_end;
    uint32_t *ids;                   /* value of each row of work */
    int32_t *first, *row_of, *cells; /* scratch, by rows of work */
    int64_t n_given;
};

static void drop_work(struct across *a)
{
    for (int i = 0; a->cats && i < a->n_aggs; i++)
        bp_column_release(&a->cats[i]);
    bp_batch_release(&a->work);
    bp_mem_free(a->ids);
    bp_mem_free(a->first);
    bp_mem_free(a->row_of);
    bp_mem_free(a->cells);
    a->ids = NULL;
    a->first = a->row_of = a->cells = NULL;
}

static void drop_kept(struct across *a)
{
    for (int i = 0; i < a->n_kept; i++)
        bp_batch_release(&a->kept[i]);
    bp_mem_free(a->kept);
    a->kept = NULL;
    a->n_kept = a->cap_kept = 0;
    bp_budget_give(&a->ctx->budget, a->taken_bytes);
    a->taken_bytes = 0;
}

static void across_free(void *self)
{
    struct across *a = self;

    bp_source_free(&a->in);
    drop_work(a);
    drop_kept(a);
    bp_spill_free(a->spill);
    bp_groups_free(a->values);
    for (int i = 0; a->empty && i < a->n_aggs; i++)
        bp_column_release(&a->empty[i]);
    bp_mem_free(a->empty);
    bp_mem_free(a->cats);
    bp_mem_free(a->rank);
    bp_schema_release(&a->schema);
    bp_mem_free(a);
}

/* ---- the first time ---- */

/* The result over no rows: a batch of none says so to the aggregate. */
static int empty_result(const struct bp_agg *model, struct bp_column *out, struct bp_err *err)
{
    struct bp_column none[BP_AGG_PARTS_MAX] = {0};
    struct bp_agg_rows r = {.cols = none, .gaps = true};
    struct bp_agg *a = NULL;
    uint32_t id = 0;
    int rc;

    BP_GO(bp_agg_new(&a, model->kind->func, model->args, model->kind->n_args, model->name, err));
    BP_GO(a->kind->ops->grow(a, 1, err));
    for (int i = 0; i < a->n_parts; i++)
        BP_GO(bp_column_nulls(&none[i], a->parts[i].type, 0, err));
    BP_GO(a->kind->ops->merge(a, &r, err));
    rc = a->kind->ops->final(a, &id, 1, out, err);
out:
    for (int i = 0; i < BP_AGG_PARTS_MAX; i++)
        bp_column_release(&none[i]);
    bp_agg_free(a);
    return rc;
}

static int find_values(struct across *a, const struct bp_batch *b, uint32_t *ids,
                       struct bp_err *err)
{
    const struct bp_column *col = &b->cols[a->n_keys];

    BP_TRY(bp_groups_find(a->values, &col, b->n_rows, ids, err));
    if (bp_groups_count(a->values) > BP_ACROSS_MAX)
        return bp_fail(err, BP_EDATA,
                       "--across %s: more than %d different values, and each would be a column; "
                       "group by it instead (-k), or take fewer rows",
                       a->in.schema.fields[a->n_keys].name, BP_ACROSS_MAX);
    return 0;
}

/* There is no memory for more batches. */
static int put_on_disk(struct across *a, struct bp_err *err)
{
    BP_TRY(bp_spill_open(&a->spill, &a->in.schema, a->ctx, err));
    for (int i = 0; i < a->n_kept; i++)
        BP_TRY(bp_spill_put(a->spill, &a->kept[i], err));
    drop_kept(a);
    return 0;
}

/* Takes b over, also on an error. */
static int keep(struct across *a, struct bp_batch *b, struct bp_err *err)
{
    int64_t bytes = bp_batch_size_bytes(b);
    int rc = 0;

    if (!a->spill && !bp_budget_take(&a->ctx->budget, bytes))
        BP_GO(put_on_disk(a, err));
    if (a->spill) {
        rc = bp_spill_put(a->spill, b, err);
        goto out;
    }
    a->taken_bytes += bytes;
    if (a->n_kept == a->cap_kept) {
        int cap = a->cap_kept ? 2 * a->cap_kept : 16;
        struct bp_batch *p = bp_mem_grow(a->kept, (size_t)cap, sizeof *p, err);

        if (!p) {
            rc = err->code;
            goto out;
        }
        a->kept = p;
        a->cap_kept = cap;
    }
    bp_batch_move(&a->kept[a->n_kept++], b);
out:
    bp_batch_release(b);
    return rc;
}

static int take_all(struct across *a, struct bp_err *err)
{
    struct bp_spill_run run;
    struct bp_batch b = {0};
    struct bp_source back = {0};
    uint32_t *ids = NULL;
    int64_t cap = 0;
    int rc;

    while ((rc = bp_source_next(&a->in, &b, err)) == 0) {
        if (b.n_rows > cap) {
            bp_mem_free(ids);
            cap = b.n_rows;
            ids = bp_mem_new((size_t)cap, sizeof *ids, err);
            rc = ids ? 0 : err->code;
        }
        if (rc == 0 && b.n_rows)
            rc = find_values(a, &b, ids, err);
        if (rc < 0)
            bp_batch_release(&b);
        BP_GO(rc);
        BP_GO(keep(a, &b, err));
    }
    if (rc < 0)
        goto out;
    rc = 0;
    bp_source_free(&a->in);
    if (a->spill) {
        BP_GO(bp_spill_end(a->spill, &run, err));
        BP_GO(bp_spill_source(&back, a->spill, &run, err));
        bp_source_move(&a->in, &back);
    }
out:
    bp_mem_free(ids);
    return rc;
}

/* ---- the columns ---- */

struct value {
    const struct bp_column *col;
    int32_t row;
};

static int by_value(const void *p, const void *q)
{
    const struct value *x = p, *y = q;
    bool x_null = bp_column_is_null(x->col, x->row), y_null = bp_column_is_null(y->col, y->row);

    return x_null || y_null ? x_null - y_null : bp_value_compare(x->col, x->row, y->col, y->row);
}

static int add_column(struct across *a, const char *name, struct bp_type type, struct bp_err *err)
{
    for (int i = 0; i < a->schema.n_fields; i++)
        if (strcmp(a->schema.fields[i].name, name) == 0)
            return bp_fail(err, BP_EDATA,
                           "--across: two columns would be named '%s': give the key another name "
                           "with AS, or make the values others",
                           name);
    return bp_schema_add(&a->schema, name, type, err);
}

/* The columns of one value: named after it, and after the aggregate where there are several. */
static int value_columns(struct across *a, const struct value *v, const struct bp_field *results,
                         struct bp_err *err)
{
    struct bp_buf name = {0};
    size_t n;
    int rc;

    if (bp_column_is_null(v->col, v->row))
        BP_GO(bp_buf_puts(&name, "NULL", err));
    else
        BP_GO(bp_text_append(v->col, v->row, &name, err));
    n = name.len;
    for (int i = 0; i < a->n_aggs; i++) {
        const char *text;

        name.len = n;
        if (a->n_aggs > 1)
            BP_GO(bp_buf_printf(&name, err, "_%s", results[i].name));
        text = bp_buf_str(&name, err);
        BP_GO(text ? add_column(a, text, results[i].type, err) : err->code);
    }
out:
    bp_buf_release(&name);
    return rc;
}

static int make_schema(struct across *a, const struct bp_schema *in, struct bp_err *err)
{
    uint32_t ids[BP_ACROSS_MAX];
    struct value v[BP_ACROSS_MAX];
    struct bp_column col = {0};
    int rc = 0;

    a->n_values = (int)bp_groups_count(a->values);
    if (!a->n_values && !a->n_keys)
        return bp_fail(err, BP_EDATA, "--across %s: there are no rows, and so no columns",
                       in->fields[0].name);
    a->rank = bp_mem_new((size_t)a->n_values + 1, sizeof *a->rank, err);
    if (!a->rank)
        return err->code;
    for (int i = 0; i < a->n_keys; i++)
        BP_GO(add_column(a, in->fields[i].name, in->fields[i].type, err));
    for (int i = 0; i < a->n_values; i++)
        ids[i] = (uint32_t)i;
    BP_GO(bp_groups_column(a->values, 0, ids, a->n_values, &col, err));
    for (int i = 0; i < a->n_values; i++)
        v[i] = (struct value){&col, i};
    qsort(v, (size_t)a->n_values, sizeof *v, by_value);
    for (int i = 0; i < a->n_values; i++) {
        a->rank[v[i].row] = (uint32_t)i;
        BP_GO(value_columns(a, &v[i], &in->fields[a->n_keys + 1], err));
    }
    rc = bp_schema_copy_meta(&a->schema, in, err);
out:
    bp_column_release(&col);
    return rc;
}

/* ---- the second time ---- */

static int next_kept(struct across *a, struct bp_batch *out, struct bp_err *err)
{
    if (a->spill)
        return bp_source_next(&a->in, out, err);
    if (a->at_kept == a->n_kept)
        return BP_DONE;
    bp_batch_move(out, &a->kept[a->at_kept++]);
    return 0;
}

static int join_batches(struct bp_batch *out, const struct bp_batch *x, const struct bp_batch *y,
                        struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, x->n_cols, err));
    for (int i = 0; i < x->n_cols; i++) {
        const struct bp_column *both[2] = {&x->cols[i], &y->cols[i]};

        BP_TRY(bp_column_concat(&out->cols[i], both, 2, err));
    }
    out->n_rows = x->n_rows + y->n_rows;
    return 0;
}

/* Work's scratch, its values, and its results with the empty ones behind them. */
static int prepare(struct across *a, struct bp_err *err)
{
    size_t n = (size_t)a->work.n_rows + 1;

    a->at = 0;
    a->ids = bp_mem_new(n, sizeof *a->ids, err);
    a->first = a->ids ? bp_mem_new(n, sizeof *a->first, err) : NULL;
    a->row_of = a->first ? bp_mem_new(n, sizeof *a->row_of, err) : NULL;
    a->cells = a->row_of ? bp_mem_new(n, sizeof *a->cells, err) : NULL;
    if (!a->cells)
        return err->code;
    BP_TRY(find_values(a, &a->work, a->ids, err));
    for (int i = 0; i < a->n_aggs; i++) {
        const struct bp_column *both[2] = {&a->work.cols[a->n_keys + 1 + i], &a->empty[i]};

        BP_TRY(bp_column_concat(&a->cats[i], both, 2, err));
    }
    return 0;
}

/* What is not used of work, and the next batch behind it. */
static int more_work(struct across *a, struct bp_err *err)
{
    struct bp_batch rest = {0}, next = {0};
    int rc = 0;

    if (a->work.n_rows > a->at)
        BP_GO(bp_batch_slice(&rest, &a->work, a->at, a->work.n_rows - a->at, err));
    drop_work(a);
    rc = next_kept(a, &next, err);
    a->at_end = rc == BP_DONE;
    if (rc < 0)
        goto out;
    rc = 0;
    if (a->at_end)
        bp_batch_move(&a->work, &rest);
    else if (!rest.n_rows)
        bp_batch_move(&a->work, &next);
    else
        BP_GO(join_batches(&a->work, &rest, &next, err));
    if (a->work.n_rows)
        rc = prepare(a, err);
    a->at = 0;
out:
    bp_batch_release(&rest);
    bp_batch_release(&next);
    return rc;
}

static bool same_group(const struct across *a, int64_t row)
{
    for (int i = 0; i < a->n_keys; i++)
        if (!bp_key_equal(&a->work.cols[i], row - 1, &a->work.cols[i], row))
            return false;
    return true;
}

/* Groups from work->at on that are there whole, at most n: first[] row of each, and row_of[]
 * each of their rows the group's number. Returns how many; *end is behind their rows. */
static int64_t whole_groups(struct across *a, int64_t n, int64_t *end)
{
    int64_t count = 0, row = a->at;

    for (; row < a->work.n_rows; row++) {
        if (row == a->at || !same_group(a, row)) {
            if (count == n)
                break;
            a->first[count++] = (int32_t)row;
        }
        a->row_of[row] = (int32_t)(count - 1);
    }
    if (row == a->work.n_rows && !a->at_end && count)
        row = a->first[--count];
    *end = row;
    return count;
}

/* rows[start[v] .. start[v + 1]): those of value v, of rows [a->at, end). */
static void by_rank(const struct across *a, int64_t end, int32_t *rows, int32_t *start)
{
    memset(start, 0, ((size_t)a->n_values + 2) * sizeof *start);
    for (int64_t i = a->at; i < end; i++)
        start[a->rank[a->ids[i]] + 2]++;
    for (int v = 2; v < a->n_values + 2; v++)
        start[v] += start[v - 1];
    for (int64_t i = a->at; i < end; i++)
        rows[start[a->rank[a->ids[i]] + 1]++] = (int32_t)i;
}

static int give(struct across *a, int64_t n, int64_t end, struct bp_batch *out, struct bp_err *err)
{
    int32_t start[BP_ACROSS_MAX + 2], *rows = bp_mem_new((size_t)(end - a->at) + 1, 4, err);
    int col = 0, rc = rows ? 0 : err->code;

    if (rc < 0)
        goto out;
    BP_GO(bp_batch_init(out, a->schema.n_fields, err));
    for (; col < a->n_keys; col++)
        BP_GO(bp_column_gather(&out->cols[col], &a->work.cols[col], a->first, n, err));
    by_rank(a, end, rows, start);
    for (int v = 0; v < a->n_values; v++) {
        for (int64_t i = 0; i < n; i++)
            a->cells[i] = (int32_t)a->work.n_rows;
        for (int32_t i = start[v]; i < start[v + 1]; i++)
            a->cells[a->row_of[rows[i]]] = rows[i];
        for (int i = 0; i < a->n_aggs; i++)
            BP_GO(bp_column_gather(&out->cols[col++], &a->cats[i], a->cells, n, err));
    }
    out->n_rows = n;
    out->first_row = a->n_given;
    a->n_given += n;
    a->at = end;
out:
    bp_mem_free(rows);
    return rc;
}

static int across_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct across *a = self;
    int64_t n = 0, end = 0;
    int rc;

    for (;;) {
        if (a->at < a->work.n_rows)
            n = whole_groups(a, bp_ctx_batch_rows(a->ctx, &a->schema), &end);
        if (n)
            break;
        if (a->at_end)
            return BP_DONE;
        BP_TRY(more_work(a, err));
    }
    rc = give(a, n, end, out, err);
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}

static int across_start(struct across *a, const struct bp_reduce_plan *plan, struct bp_source *out,
                        struct bp_err *err)
{
    struct bp_schema in = {0};
    int rc;

    a->empty = bp_mem_new((size_t)a->n_aggs + 1, sizeof *a->empty, err);
    a->cats = a->empty ? bp_mem_new((size_t)a->n_aggs + 1, sizeof *a->cats, err) : NULL;
    if (!a->cats)
        return err->code;
    for (int i = 0; i < a->n_aggs; i++)
        BP_TRY(empty_result(plan->aggs[i].agg, &a->empty[i], err));
    BP_TRY(bp_groups_new(&a->values, &plan->keys[a->n_keys].type, 1, err));
    if (a->in.name) {
        out->name = bp_mem_str(a->in.name, err);
        if (!out->name)
            return err->code;
    }
    BP_GO(bp_schema_copy(&in, &a->in.schema, err));
    BP_GO(take_all(a, err)); /* plan is gone */
    BP_GO(make_schema(a, &in, err));
    rc = bp_schema_copy(&out->schema, &a->schema, err);
out:
    bp_schema_release(&in);
    return rc;
}

int bp_across_open(struct bp_source *in, const struct bp_reduce_plan *plan, struct bp_ctx *ctx,
                   struct bp_err *err)
{
    static const struct bp_source_ops ops = {.next = across_next, .free = across_free};
    struct across *a = bp_mem_new(1, sizeof *a, err);
    struct bp_source out = {0};
    int rc;

    if (!a) {
        bp_source_free(in);
        return err->code;
    }
    bp_source_move(&a->in, in);
    a->ctx = ctx;
    a->n_keys = plan->n_keys - 1;
    a->n_aggs = plan->n_aggs;
    rc = across_start(a, plan, &out, err);
    if (rc < 0) {
        across_free(a);
        bp_mem_free(out.name);
        bp_schema_release(&out.schema);
        return rc;
    }
    out.ops = &ops;
    out.self = a;
    bp_source_move(in, &out);
    return 0;
}
