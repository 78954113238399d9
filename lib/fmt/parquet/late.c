/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/late.h"

#include "base/mem.h"

#define COLUMN_MOST_BYTES ((int64_t)16 << 20) /* that a column takes while it is encoded */
#define MOVE_BYTES ((size_t)256 << 10)        /* of encoded pages, which then go to the store */

struct bp_pq_late_job {
    struct bp_pq_late *late;
    int column;
    struct bp_err err;
};

void bp_pq_late_init(struct bp_pq_late *l, const struct bp_schema *schema,
                     const struct bp_pq_leaves *leaves, struct bp_pq_writer *columns,
                     struct bp_pq_write_scratch *scratch, struct bp_pq_store *store,
                     struct bp_ctx *ctx)
{
    *l = (struct bp_pq_late){.schema = schema,
                             .leaves = leaves,
                             .columns = columns,
                             .scratch = scratch,
                             .store = store,
                             .ctx = ctx};
    pthread_mutex_init(&l->lock, NULL);
}

void bp_pq_late_release(struct bp_pq_late *l)
{
    bp_pool_free(l->pool);
    bp_mem_free(l->jobs);
    bp_pq_held_release(&l->held);
    if (l->schema)
        pthread_mutex_destroy(&l->lock);
    *l = (struct bp_pq_late){0};
}

int bp_pq_late_begin(struct bp_pq_late *l, struct bp_err *err)
{
    struct bp_buf buf = {0};
    int rc = 0;

    for (int i = 0; i < l->leaves->n && rc == 0; i++) {
        buf.len = 0;
        rc = bp_pq_writer_park(&l->columns[i], &buf, err);
        if (rc == 0)
            rc = bp_pq_held_park(&l->held, i, l->leaves->n, l->schema->n_fields, &buf, l->ctx, err);
    }
    bp_buf_release(&buf);
    return rc;
}

int bp_pq_late_put(struct bp_pq_late *l, const struct bp_batch *b, struct bp_err *err)
{
    return bp_pq_held_put(&l->held, b, l->ctx, err);
}

/* ---- a column, in a worker ---- */

static int move_pages(struct bp_pq_late_job *j)
{
    struct bp_pq_late *l = j->late;
    struct bp_pq_writer *w = &l->columns[j->column];
    int rc;

    if (w->chunk.pages.len < MOVE_BYTES)
        return 0;
    pthread_mutex_lock(&l->lock);
    rc = bp_pq_store_pages(l->store, j->column, &w->chunk, l->ctx, &j->err);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

static int encode(struct bp_pq_late_job *j, struct bp_pq_write_scratch *t)
{
    struct bp_pq_late *l = j->late;
    struct bp_pq_writer *w = &l->columns[j->column];
    int field = w->leaf->field; /* of lists and structs each leaf reads all again */
    struct bp_type type = l->schema->fields[field].type;
    struct bp_buf parked = {0};
    int rc = bp_pq_held_unpark(&l->held, j->column, &parked, &j->err);

    if (rc == 0)
        rc = bp_pq_writer_unpark(w, &parked, &j->err);
    bp_buf_release(&parked);
    for (int i = 0; i < l->held.n_batches && rc == 0; i++) {
        struct bp_column c;

        BP_TRY(bp_pq_held_read(&l->held, i, field, type, &c, &j->err));
        rc = bp_pq_writer_add(w, &c, t, &j->err);
        bp_column_release(&c);
        if (rc == 0)
            rc = move_pages(j);
    }
    return rc == 0 ? bp_pq_writer_finish(w, t, &j->err) : rc;
}

static void work(void *ctx, int worker, void *job)
{
    const struct bp_pq_late *l = ctx;

    (void)encode(job, &l->scratch[worker]); /* what failed stands in the job */
}

/* ---- the row group ---- */

static int start(struct bp_pq_late *l, struct bp_err *err)
{
    static const struct bp_pool_ops ops = {.work = work};
    int64_t room = l->ctx->budget.limit_bytes / COLUMN_MOST_BYTES;

    if (l->pool)
        return 0;
    l->n_at_once = (int)BP_MAX(1, BP_MIN(room, (int64_t)l->ctx->n_threads));
    l->jobs = bp_mem_new((size_t)l->n_at_once, sizeof *l->jobs, err);
    if (!l->jobs)
        return err->code;
    return bp_pool_open(&l->pool, l->n_at_once, l->n_at_once, &ops, l, err);
}

static void give(struct bp_pq_late *l, int column)
{
    struct bp_pq_late_job *j;

    if (column >= l->leaves->n)
        return;
    j = &l->jobs[column % l->n_at_once];
    *j = (struct bp_pq_late_job){.late = l, .column = column};
    bp_pool_give(l->pool, j);
}

int bp_pq_late_end(struct bp_pq_late *l, struct bp_pq_footer *f, int64_t n_rows,
                   struct bp_outfile *out, struct bp_err *err)
{
    struct bp_pq_late_job *j;
    int rc = 0;

    BP_TRY(start(l, err));
    BP_TRY(bp_pq_footer_begin(f, n_rows, err));
    for (int i = 0; i < l->n_at_once; i++)
        give(l, i);
    while ((j = bp_pool_take(l->pool))) {
        struct bp_pq_writer *w = &l->columns[j->column];

        if (j->err.code && rc == 0) {
            *err = j->err;
            rc = bp_err_prefix(err, "%s", out->path);
        }
        if (rc == 0) {
            pthread_mutex_lock(&l->lock); /* a worker may make the store's list longer */
            rc = bp_pq_footer_column(f, j->column, out, &w->chunk, l->store, err);
            pthread_mutex_unlock(&l->lock);
        }
        bp_pq_writer_clear(w);
        bp_pq_writer_rest(w);
        if (rc == 0)
            give(l, j->column + l->n_at_once);
    }
    BP_TRY(rc);
    bp_pq_held_clear(&l->held);
    bp_pq_store_clear(l->store);
    return bp_pq_footer_end(f, out, l->ctx, err);
}
