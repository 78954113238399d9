/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DISTINCT in any aggregate: a wrapper that keeps the different rows of arguments of each
 * group, and at the end gives them to an aggregate of its own, in order of the values if it
 * goes by order (string_agg, array_agg).
 * Rows whose first argument is NULL are left out, unless that takes them (array_agg).
 *
 * All groups share one table of (group, arguments ...). A state is a version byte, then
 * for each row of arguments, in any order, for each argument: 0 for NULL, or 1, the
 * length of the value's code (uint32) and the code (code.h). NULL: no row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agg/agg.h"
#include "agg/code.h"
#include "agg/groups.h"
#include "base/buf.h"
#include "base/mem.h"
#include "col/key.h"

#define VERSION 1
#define FEED_ROWS 65536
#define INDEX_BYTES 4 /* by_group, of one row */

struct distinct {
    struct bp_agg base;
    struct bp_agg_kind kind; /* base.kind: made from inner's */
    char func[BP_AGG_FUNC_MAX];
    const struct bp_agg_kind *inner;
    bool takes_nulls; /* inner does */
    struct bp_groups *rows;
    struct bp_agg_array owner; /* uint32_t, by row: its group */
    int64_t rows_bytes;        /* of held_bytes */
    /* made when results or states are asked for: rows by group */
    uint32_t *start, *by_group;
    bool is_indexed;
};

static int distinct_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    struct distinct *d = (struct distinct *)a;
    struct bp_type types[BP_AGG_ARGS_MAX + 1] = {BP_TYPE(BP_UINT32)};

    memcpy(types + 1, a->args, sizeof a->args);
    if (!d->rows) {
        BP_TRY(bp_groups_new(&d->rows, types, 1 + d->inner->n_args, err));
        bp_groups_use_table(d->rows);
    }
    a->keeps_values = true;
    a->n_groups = n_groups;
    return 0;
}

static void distinct_release(struct bp_agg *a)
{
    struct distinct *d = (struct distinct *)a;

    bp_groups_free(d->rows);
    bp_mem_free(d->owner.p);
    bp_mem_free(d->start);
    bp_mem_free(d->by_group);
}

static void release_all(struct bp_column *cols, int n)
{
    for (int i = 0; i < n; i++)
        bp_column_release(&cols[i]);
}

/* ---- taking in ---- */

static int add_rows(struct distinct *d, const struct bp_column *args, const uint32_t *owners,
                    struct bp_err *err)
{
    int64_t n = args[0].n_rows, now;
    struct bp_column owner = {.type = BP_TYPE(BP_UINT32), .n_rows = n, .data = owners};
    const struct bp_column *cols[BP_AGG_ARGS_MAX + 1] = {&owner};
    uint32_t *row = bp_mem_new((size_t)n + 1, sizeof *row, err), *own;
    int rc;

    if (!row)
        return err->code;
    for (int i = 0; i < d->inner->n_args; i++)
        cols[i + 1] = &args[i];
    BP_GO(bp_groups_find(d->rows, cols, n, row, err));
    BP_GO(bp_agg_array_grow(&d->base, &d->owner, sizeof *own, bp_groups_count(d->rows), err));
    own = d->owner.p;
    for (int64_t i = 0; i < n; i++)
        own[row[i]] = owners[i];
    d->is_indexed = false;
    now = bp_groups_held_bytes(d->rows) + bp_groups_growth_bytes(d->rows, n) +
          INDEX_BYTES * bp_groups_count(d->rows);
    d->base.held_bytes += now - d->rows_bytes;
    d->rows_bytes = now;
out:
    bp_mem_free(row);
    return rc;
}

static int distinct_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct distinct *d = (struct distinct *)a;
    uint32_t *owners = bp_mem_new((size_t)r->n_rows + 1, sizeof *owners, err);
    int32_t *idx = owners ? bp_mem_new((size_t)r->n_rows + 1, sizeof *idx, err) : NULL;
    struct bp_column some[BP_AGG_ARGS_MAX] = {0};
    int64_t n = 0;
    int rc = idx ? 0 : err->code;

    if (rc < 0)
        goto out;
    for (int64_t i = 0; i < r->n_rows; i++) {
        owners[n] = r->ids ? r->ids[i] : 0;
        idx[n] = (int32_t)i;
        n += d->takes_nulls || !bp_column_is_null(&r->cols[0], i);
    }
    if (n == r->n_rows) {
        rc = add_rows(d, r->cols, owners, err);
        goto out;
    }
    for (int i = 0; i < d->inner->n_args; i++)
        BP_GO(bp_column_gather(&some[i], &r->cols[i], idx, n, err));
    rc = add_rows(d, some, owners, err);
out:
    release_all(some, BP_AGG_ARGS_MAX);
    bp_mem_free(owners);
    bp_mem_free(idx);
    return rc;
}

/* ---- states ---- */

/* One value of a state to b; *p moves on. */
static int read_value(const struct distinct *d, const uint8_t **p, const uint8_t *end,
                      struct bp_type type, struct bp_builder *b, struct bp_err *err)
{
    size_t left = (size_t)(end - *p), n;

    if (left && (*p)[0] == 0) {
        ++*p;
        return bp_builder_add_null(b, err);
    }
    n = left < 5 ? 0 : bp_load_u32(*p + 1);
    if (left < 5 || (*p)[0] != 1 || n > left - 5 || !bp_agg_code_is_good(type, *p + 5, n))
        return bp_fail(err, BP_EDATA, "column %s: a partial state is damaged", d->base.name);
    BP_TRY(bp_agg_code_add(b, *p + 5, n, err));
    *p += 5 + n;
    return 0;
}

static int read_state(const struct distinct *d, const uint8_t *p, size_t n, uint32_t id,
                      struct bp_builder *to, struct bp_buf *owners, struct bp_err *err)
{
    const uint8_t *end = p + n;

    if (n < 1 || *p++ != VERSION)
        return bp_fail(err, BP_EDATA, "column %s: a partial state is damaged", d->base.name);
    while (p < end) {
        for (int i = 0; i < d->inner->n_args; i++)
            BP_TRY(read_value(d, &p, end, d->base.args[i], &to[i], err));
        BP_TRY(bp_buf_append(owners, &id, sizeof id, err));
    }
    return 0;
}

static int distinct_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct distinct *d = (struct distinct *)a;
    struct bp_builder to[BP_AGG_ARGS_MAX];
    struct bp_column args[BP_AGG_ARGS_MAX] = {0};
    struct bp_buf owners = {0};
    int n_args = d->inner->n_args, rc = 0;

    for (int i = 0; i < n_args; i++)
        bp_builder_init(&to[i], a->args[i]);
    for (int64_t i = 0; i < r->n_rows; i++) {
        size_t n;
        const uint8_t *p = bp_column_bytes(&r->cols[0], i, &n);

        if (!bp_column_is_null(&r->cols[0], i))
            BP_GO(read_state(d, p, n, r->ids ? r->ids[i] : 0, to, &owners, err));
    }
    if (!owners.len)
        goto out;
    for (int i = 0; i < n_args; i++)
        BP_GO(bp_builder_finish(&to[i], &args[i], err));
    rc = add_rows(d, args, (const uint32_t *)(const void *)owners.data, err);
out:
    for (int i = 0; i < n_args; i++)
        bp_builder_release(&to[i]);
    release_all(args, BP_AGG_ARGS_MAX);
    bp_buf_release(&owners);
    return rc;
}

/* ---- giving out ---- */

/* Rows by group: a counting sort. */
static int make_index(struct distinct *d, struct bp_err *err)
{
    int64_t n = bp_groups_count(d->rows), n_groups = d->base.n_groups;
    const uint32_t *own = d->owner.p;
    uint32_t sum = 0;

    if (d->is_indexed)
        return 0;
    bp_mem_free(d->start);
    bp_mem_free(d->by_group);
    d->by_group = NULL;
    d->start = bp_mem_new((size_t)n_groups + 2, sizeof *d->start, err);
    d->by_group = d->start ? bp_mem_new((size_t)n + 1, sizeof *d->by_group, err) : NULL;
    if (!d->by_group)
        return err->code;
    for (int64_t i = 0; i < n; i++)
        d->start[own[i] + 2]++;
    for (int64_t g = 2; g < n_groups + 2; g++)
        d->start[g] = sum += d->start[g];
    for (int64_t i = 0; i < n; i++)
        d->by_group[d->start[own[i] + 1]++] = (uint32_t)i;
    d->is_indexed = true;
    return 0;
}

static int get_args(const struct distinct *d, const uint32_t *rows, int64_t n,
                    struct bp_column *args, struct bp_err *err)
{
    for (int i = 0; i < d->inner->n_args; i++)
        BP_TRY(bp_groups_column(d->rows, 1 + i, rows, n, &args[i], err));
    return 0;
}

static int write_value(struct bp_buf *buf, const struct bp_column *c, int64_t row,
                       struct bp_err *err)
{
    uint8_t head[5] = {!bp_column_is_null(c, row)}, room[BP_AGG_CODE_MAX];
    const uint8_t *p;
    uint32_t len;
    size_t n;

    if (!head[0])
        return bp_buf_append(buf, head, 1, err);
    p = bp_agg_code(c, row, room, &n);
    len = (uint32_t)n;
    memcpy(head + 1, &len, sizeof len);
    BP_TRY(bp_buf_append(buf, head, sizeof head, err));
    return bp_buf_append(buf, p, n, err);
}

static int save_group(const struct distinct *d, uint32_t id, struct bp_buf *buf,
                      struct bp_builder *to, struct bp_err *err)
{
    struct bp_column args[BP_AGG_ARGS_MAX] = {0};
    int64_t n = (int64_t)d->start[id + 1] - d->start[id];
    uint8_t version = VERSION;
    int rc;

    if (!n)
        return bp_builder_add_null(to, err);
    buf->len = 0;
    BP_GO(bp_buf_append(buf, &version, 1, err));
    BP_GO(get_args(d, d->by_group + d->start[id], n, args, err));
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < d->inner->n_args; k++)
            BP_GO(write_value(buf, &args[k], i, err));
    rc = buf->len <= INT32_MAX
             ? bp_builder_add_bytes(to, buf->data, buf->len, err)
             : bp_fail(err, BP_EDATA, "column %s: one group's state for %s is larger than 2 GiB",
                       d->base.name, d->func);
out:
    release_all(args, BP_AGG_ARGS_MAX);
    return rc;
}

static int distinct_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                         struct bp_err *err)
{
    struct distinct *d = (struct distinct *)a;
    struct bp_buf buf = {0};
    struct bp_builder to;
    int rc;

    bp_builder_init(&to, BP_TYPE(BP_BINARY));
    BP_GO(make_index(d, err));
    BP_GO(bp_builder_reserve(&to, n, err));
    for (int64_t i = 0; i < n; i++)
        BP_GO(save_group(d, ids[i], &buf, &to, err));
    rc = bp_builder_finish(&to, parts, err);
out:
    bp_builder_release(&to);
    bp_buf_release(&buf);
    return rc;
}

/* ---- results ---- */

/* A row of arguments while rows are put in order. */
struct place {
    const struct bp_column *args;
    int n_args;
    uint32_t owner;
    int32_t row;
};

static int by_values(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int c = (x->owner > y->owner) - (x->owner < y->owner);

    for (int i = 0; i < x->n_args && !c; i++) {
        const struct bp_column *col = &x->args[i];
        bool x_null = bp_column_is_null(col, x->row), y_null = bp_column_is_null(col, y->row);

        c = x_null || y_null ? x_null - y_null : bp_value_compare(col, x->row, col, y->row);
    }
    return c;
}

/* args (and owners beside them) in order. */
static int sort_rows(struct bp_column *args, int n_args, uint32_t *owners, struct bp_err *err)
{
    int64_t n = args[0].n_rows;
    struct place *p = bp_mem_new((size_t)n + 1, sizeof *p, err);
    int32_t *idx = p ? bp_mem_new((size_t)n + 1, sizeof *idx, err) : NULL;
    int rc = idx ? 0 : err->code;

    if (rc < 0)
        goto out;
    for (int64_t i = 0; i < n; i++)
        p[i] = (struct place){args, n_args, owners[i], (int32_t)i};
    qsort(p, (size_t)n, sizeof *p, by_values);
    for (int64_t i = 0; i < n; i++) {
        idx[i] = p[i].row;
        owners[i] = p[i].owner;
    }
    for (int i = 0; i < n_args; i++) {
        struct bp_column sorted = {0};

        BP_GO(bp_column_gather(&sorted, &args[i], idx, n, err));
        bp_column_release(&args[i]);
        args[i] = sorted;
    }
out:
    bp_mem_free(p);
    bp_mem_free(idx);
    return rc;
}

/* The rows of groups ids[from, to) into the inner aggregate's groups from .. to - 1. */
static int feed(struct distinct *d, struct bp_agg *inner, const uint32_t *ids, int64_t from,
                int64_t to, int64_t n, struct bp_err *err)
{
    uint32_t *rows = bp_mem_new((size_t)n + 1, sizeof *rows, err);
    uint32_t *owners = rows ? bp_mem_new((size_t)n + BP_AGG_AHEAD, sizeof *owners, err) : NULL;
    struct bp_column args[BP_AGG_ARGS_MAX] = {0};
    struct bp_agg_rows r = {.cols = args, .n_rows = n, .n_before = from, .gaps = true};
    int64_t at = 0;
    int rc = owners ? 0 : err->code;

    if (rc < 0)
        goto out;
    for (int64_t i = from; i < to; i++)
        for (uint32_t k = d->start[ids[i]]; k < d->start[ids[i] + 1]; k++) {
            rows[at] = d->by_group[k];
            owners[at++] = (uint32_t)i;
        }
    BP_GO(get_args(d, rows, n, args, err));
    if (inner->by_place)
        BP_GO(sort_rows(args, d->inner->n_args, owners, err));
    r.ids = owners;
    rc = inner->kind->ops->update(inner, &r, err);
out:
    release_all(args, BP_AGG_ARGS_MAX);
    bp_mem_free(rows);
    bp_mem_free(owners);
    return rc;
}

/* Groups are given a few at a time, so that what is beside the states stays small. */
static int distinct_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                          struct bp_err *err)
{
    struct distinct *d = (struct distinct *)a;
    uint32_t *own = bp_mem_new((size_t)n + BP_AGG_AHEAD, sizeof *own, err);
    struct bp_agg *inner = NULL;
    int rc = own ? 0 : err->code;

    if (rc < 0)
        goto out;
    BP_GO(make_index(d, err));
    BP_GO(bp_agg_new(&inner, d->inner->func, a->args, d->inner->n_args, a->name, err));
    BP_GO(inner->kind->ops->grow(inner, BP_MAX(n, 1), err));
    for (int64_t from = 0, to; from < n; from = to) {
        int64_t n_rows = 0;

        for (to = from; to < n && (to == from || n_rows < FEED_ROWS); to++) {
            own[to] = (uint32_t)to;
            n_rows += (int64_t)d->start[ids[to] + 1] - d->start[ids[to]];
        }
        BP_GO(feed(d, inner, ids, from, to, n_rows, err));
    }
    rc = inner->kind->ops->final(inner, own, n, out, err);
out:
    bp_agg_free(inner);
    bp_mem_free(own);
    return rc;
}

static const struct bp_agg_ops distinct_ops = {
    sizeof(struct distinct), distinct_grow,  distinct_update,  distinct_merge,
    distinct_save,           distinct_final, distinct_release,
};

/* What only an aggregate that has grown says. */
static int ask_inner(struct distinct *d, struct bp_err *err)
{
    struct bp_agg *one;
    int rc;

    BP_TRY(bp_agg_new(&one, d->inner->func, d->base.args, d->inner->n_args, d->base.name, err));
    rc = one->kind->ops->grow(one, 1, err);
    d->takes_nulls = one->takes_nulls;
    bp_agg_free(one);
    return rc;
}

int bp_agg_distinct_new(struct bp_agg **out, const struct bp_agg_kind *inner,
                        const struct bp_type *args, const char *name, struct bp_err *err)
{
    struct bp_agg_part parts[BP_AGG_PARTS_MAX];
    struct distinct *d = bp_mem_new(1, sizeof *d, err);

    if (!d)
        return err->code;
    snprintf(d->func, sizeof d->func, "%.*s%s", (int)(sizeof d->func - sizeof BP_AGG_DISTINCT),
             inner->func, BP_AGG_DISTINCT);
    d->kind = *inner;
    d->kind.func = d->func;
    d->kind.ops = &distinct_ops;
    d->inner = inner;
    d->base.kind = &d->kind;
    d->base.name = name;
    memcpy(d->base.args, args, (size_t)inner->n_args * sizeof *args);
    (void)inner->types(d->base.args, &d->base.result, parts);
    d->base.parts[0] = (struct bp_agg_part){NULL, BP_TYPE(BP_BINARY)};
    d->base.n_parts = 1;
    if (ask_inner(d, err) < 0) {
        bp_mem_free(d);
        return err->code;
    }
    *out = &d->base;
    return 0;
}
