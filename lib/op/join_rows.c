/* SPDX-License-Identifier: Apache-2.0 */
#include "op/join_rows.h"

#include "sys/pool.h"

#define LEAST_IDS ((int64_t)1 << 20)
#define MOST_WORKERS 4 /* memory sets the pace, and each has a chunk twice */
#define LEAST_MISSES 3 /* that a row's columns cost each for itself */

/* Which columns of the right come out; how many misses they cost where each stands alone; 0:
 * they cannot be rows. */
static int look_at_columns(const struct bp_join_plan *p, bool *wanted)
{
    int misses = 0;

    for (int i = 0; i < p->n_cols; i++)
        if (p->cols[i].right >= 0 && (p->cols[i].left < 0 || p->keeps_right))
            wanted[p->cols[i].right] = true;
    for (int c = 0; c < p->right.n_fields; c++) {
        struct bp_type t = p->right.fields[c].type;

        if (!wanted[c])
            continue;
        if (bp_type_is_nested(t))
            return 0;
        misses += bp_type_is_bytes(t) ? 2 : 1;
    }
    return misses;
}

/* What text column c takes beyond what it took as a column; less than 0: it takes less. Of it
 * *width is in the rows. */
static int64_t more_text_bytes(const struct bp_held *held, int c, size_t *width)
{
    int64_t more = 0;

    for (int i = 0; i < held->n_chunks; i++) {
        const struct bp_column *col = &held->chunks[i].cols[c];
        const int32_t *off = col->data;

        more += bp_sort_rows_text_bytes(col, width) - col->n_rows * (int64_t)sizeof(int32_t);
        if (!col->dict)
            more -= off[col->n_rows] - off[0];
    }
    return more;
}

/* What rows take at most beyond what their columns took: numbers take no more. */
static int64_t more_bytes(const struct bp_join_plan *p, const bool *wanted,
                          const struct bp_held *held, bool packed)
{
    const struct bp_sort_rows how = {.packed = packed};
    size_t row = 0, bits;
    int64_t more = 0;
    int n = 0;

    for (int c = 0; c < p->right.n_fields; c++) {
        struct bp_type t = p->right.fields[c].type;
        size_t width = bp_type_is_bytes(t) ? 0 : BP_MAX(bp_type_width_bytes(t), 1);

        n += wanted[c];
        if (wanted[c] && bp_type_is_bytes(t))
            more += more_text_bytes(held, c, &width);
        row += wanted[c] ? width : 0;
    }
    bits = bp_bits_bytes(n);
    more += held->n_rows * (int64_t)(bp_sort_rows_row_bytes(&how, bits + row) - row);
    return BP_MAX(more, 0);
}

/* Asks the budget, if need be for packed rows. */
static bool take_bytes(struct bp_join_rows *r, const struct bp_join_plan *p, const bool *wanted,
                       const struct bp_held *held, struct bp_budget *budget)
{
    for (int packed = 0; packed < 2; packed++) {
        r->taken_bytes = more_bytes(p, wanted, held, packed);
        r->packed = packed;
        if (bp_budget_take(budget, r->taken_bytes))
            return true;
    }
    r->taken_bytes = 0;
    return false;
}

static int open_rows(struct bp_join_rows *r, const struct bp_join_plan *p, const bool *wanted,
                     struct bp_err *err)
{
    struct bp_schema s = {0};
    int rc = 0;

    r->place = bp_mem_new((size_t)p->right.n_fields, sizeof *r->place, err);
    if (!r->place)
        return err->code;
    for (int c = 0; c < p->right.n_fields; c++) {
        r->place[c] = wanted[c] ? s.n_fields : -1;
        if (wanted[c])
            BP_GO(bp_schema_add(&s, p->right.fields[c].name, p->right.fields[c].type, err));
    }
    BP_GO(bp_sort_rows_open(&r->rows, &s, r->budget->limit_bytes, err));
    r->rows.packed = r->packed;
    r->made = true;
out:
    bp_schema_release(&s);
    return rc;
}

/* A chunk that is copied, by a worker. */
struct copy {
    struct bp_batch *from; /* of held; its columns are then released */
    struct bp_batch view;  /* the wanted columns of it; owns nothing but the array */
    struct bp_sort_rows_put put;
};

static int begin_copy(struct bp_join_rows *r, struct bp_batch *b, struct copy *c,
                      struct bp_err *err)
{
    *c = (struct copy){.from = b, .view = {.n_rows = b->n_rows, .n_cols = r->rows.n_cols}};
    c->view.cols = bp_mem_new((size_t)c->view.n_cols, sizeof *c->view.cols, err);
    if (!c->view.cols)
        return err->code;
    for (int i = 0; i < b->n_cols; i++)
        if (r->place[i] >= 0)
            c->view.cols[r->place[i]] = b->cols[i];
    if (bp_sort_rows_begin(&r->rows, &c->view, &c->put, err) == 0)
        return 0;
    bp_mem_free(c->view.cols);
    return err->code;
}

static void copy_chunk(void *ctx, int worker, void *job)
{
    struct copy *c = job;

    (void)ctx, (void)worker;
    bp_sort_rows_put(&c->put, &c->view);
}

static void end_copy(struct copy *c)
{
    bp_mem_free(c->view.cols);
    for (int i = 0; i < c->from->n_cols; i++)
        bp_column_release(&c->from->cols[i]);
}

/* Chunk i is begun here, in order, and copied by a worker: to touch the memory for the first
 * time is most of it. */
static int copy_all(struct bp_join_rows *r, struct bp_held *held, struct bp_pool *pool,
                    struct copy *copies, int n_copies, struct bp_err *err)
{
    int rc = 0;
    struct copy *c;

    for (int i = 0; i < held->n_chunks && rc == 0; i++) {
        if (!bp_pool_has_room(pool))
            end_copy(bp_pool_take(pool));
        c = &copies[i % n_copies];
        rc = begin_copy(r, &held->chunks[i], c, err);
        if (rc == 0)
            bp_pool_give(pool, c);
    }
    while ((c = bp_pool_take(pool)))
        end_copy(c);
    return rc;
}

static int add_all(struct bp_join_rows *r, const struct bp_join_plan *p, struct bp_held *held,
                   int n_threads, struct bp_err *err)
{
    static const struct bp_pool_ops ops = {.work = copy_chunk};
    int n_workers = BP_MIN(n_threads, MOST_WORKERS), n_copies = n_workers + 1, rc = 0;
    struct copy missing, *copies = bp_mem_new((size_t)n_copies, sizeof *copies, err);
    struct bp_pool *pool = NULL;

    if (!copies)
        return err->code;
    BP_GO(bp_pool_open(&pool, n_workers, n_copies, &ops, NULL, err));
    BP_GO(copy_all(r, held, pool, copies, n_copies, err));
    r->missing = (uint64_t)held->n_chunks << 32;
    if (p->keeps_left) {
        struct bp_batch one = p->right_missing; /* owns nothing */

        BP_GO(begin_copy(r, &one, &missing, err));
        bp_sort_rows_put(&missing.put, &missing.view);
        bp_mem_free(missing.view.cols);
    }
out:
    bp_pool_free(pool);
    bp_mem_free(copies);
    return rc;
}

int bp_join_rows_make(struct bp_join_rows *r, const struct bp_join_plan *plan, struct bp_held *held,
                      struct bp_ctx *ctx, struct bp_err *err)
{
    struct bp_budget *budget = &ctx->budget;
    bool *wanted;
    int rc = 0;

    if (bp_held_ids(held) < LEAST_IDS || plan->where || plan->only_left)
        return 0;
    wanted = bp_mem_new((size_t)plan->right.n_fields, sizeof *wanted, err);
    if (!wanted)
        return err->code;
    if (look_at_columns(plan, wanted) < LEAST_MISSES)
        goto out;
    if (!take_bytes(r, plan, wanted, held, budget))
        goto out;
    r->budget = budget;
    BP_GO(open_rows(r, plan, wanted, err));
    rc = add_all(r, plan, held, ctx->n_threads, err);
out:
    bp_mem_free(wanted);
    return rc;
}

void bp_join_rows_release(struct bp_join_rows *r)
{
    if (r->made)
        bp_sort_rows_release(&r->rows);
    bp_mem_free(r->place);
    if (r->taken_bytes)
        bp_budget_give(r->budget, r->taken_bytes);
    *r = (struct bp_join_rows){0};
}
