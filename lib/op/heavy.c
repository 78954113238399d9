/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heaviest keys: groups of rows, counted exactly within the memory there is
 * (reduce spills), of which the top N are sorted out. What all of them together have
 * is counted between the two.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "op/op.h"

struct watched {
    struct bp_source in; /* the groups */
    struct bp_heavy_facts *facts;
};

static int watched_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct watched *w = self;
    int rc = bp_source_next(&w->in, out, err);
    const int64_t *rows;

    if (rc)
        return rc;
    rows = out->cols[out->n_cols - 1].data;
    for (int64_t i = 0; i < out->n_rows; i++) {
        w->facts->n_rows += rows[i];
        w->facts->most = BP_MAX(w->facts->most, rows[i]);
    }
    w->facts->n_keys += out->n_rows;
    return 0;
}

static void watched_free(void *self)
{
    struct watched *w = self;

    bp_source_free(&w->in);
    bp_mem_free(w);
}

/* in: rows; out: groups with their number of rows, noted in facts. */
static int open_groups(struct bp_source *out, struct bp_source *in, const struct bp_clause *keys,
                       struct bp_heavy_facts *facts, struct bp_ctx *ctx, struct bp_err *err)
{
    static const struct bp_source_ops ops = {.next = watched_next, .free = watched_free};
    const struct bp_clause count = {.text = "count(*) AS rows"};
    struct bp_reduce_opts o = {.form = BP_REDUCE_WHOLE, .keys = keys, .aggs = &count};
    struct watched *w = bp_mem_new(1, sizeof *w, err);

    if (!w) {
        bp_source_free(in);
        return err->code;
    }
    out->ops = &ops;
    out->self = w;
    w->facts = facts;
    BP_TRY(bp_reduce_open(&w->in, in, &o, ctx, err));
    return bp_schema_copy(&out->schema, &w->in.schema, err);
}

/* The rows of a source of which one batch was taken already. */
struct begun {
    struct bp_source rest;
    struct bp_batch first;
    bool given;
};

static int begun_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct begun *b = self;

    if (b->given)
        return bp_source_next(&b->rest, out, err);
    b->given = true;
    if (!b->first.cols)
        return BP_DONE;
    bp_batch_move(out, &b->first);
    return 0;
}

static void begun_free(void *self)
{
    struct begun *b = self;

    bp_source_free(&b->rest);
    bp_batch_release(&b->first);
    bp_mem_free(b);
}

/* Sorting begins: then facts are known. src is taken over, also on error. */
static int begin(struct bp_source *out, struct bp_source *src, struct bp_err *err)
{
    static const struct bp_source_ops ops = {.next = begun_next, .free = begun_free};
    struct begun *b = bp_mem_new(1, sizeof *b, err);
    int rc;

    if (!b) {
        bp_source_free(src);
        return err->code;
    }
    bp_source_move(&b->rest, src);
    out->ops = &ops;
    out->self = b;
    rc = bp_source_next(&b->rest, &b->first, err);
    BP_TRY(rc < 0 ? rc : 0);
    return bp_schema_copy(&out->schema, &b->rest.schema, err);
}

/* "rows" DESC, then the keys as they stand, so that ties have one order. */
static int order_text(const struct bp_schema *groups, struct bp_buf *b, struct bp_err *err)
{
    int n = groups->n_fields - 1;

    for (int i = 0; i <= n; i++) {
        const struct bp_field *f = &groups->fields[i ? i - 1 : n];

        BP_TRY(bp_buf_puts(b, i ? ", " : "", err));
        BP_TRY(bp_name_print(f->name, b, err));
        BP_TRY(bp_buf_puts(b, i ? "" : " DESC", err));
    }
    return bp_buf_str(b, err) ? 0 : err->code;
}

int bp_stat_heavy(struct bp_source *out, struct bp_source *in, const struct bp_clause *keys,
                  int64_t n, struct bp_heavy_facts *facts, struct bp_ctx *ctx, struct bp_err *err)
{
    struct bp_source groups = {0}, top = {0}, begun = {0};
    struct bp_buf order = {0};
    struct bp_clause clause = {0};
    char list[120];
    int rc;

    *out = (struct bp_source){0};
    *facts = (struct bp_heavy_facts){0};
    BP_GO(open_groups(&groups, in, keys, facts, ctx, err));
    BP_GO(order_text(&groups.schema, &order, err));
    clause.text = (const char *)order.data;
    BP_GO(bp_sort_open(&top, &groups, &clause, n, ctx, err));
    BP_GO(begin(&begun, &top, err));
    snprintf(list, sizeof list, "*, round(rows * 100.0 / %" PRId64 ", 2) AS percent",
             BP_MAX(facts->n_rows, 1));
    clause.text = list;
    rc = bp_map_open(out, &begun, BP_MAP_SELECT, &clause, ctx, err);
out:
    bp_buf_release(&order);
    bp_source_free(&groups);
    bp_source_free(&top);
    bp_source_free(&begun);
    return rc;
}
