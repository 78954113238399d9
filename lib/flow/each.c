/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first batches are run at once, by the caller, and timed: handing a batch to a
 * thread and back costs some ten microseconds, as much as adding two columns does. Only
 * where a batch takes several times that are threads started. What is measured decides
 * who computes, never what.
 *
 * The source is asked ahead, so its error or end is known before the batches read before
 * it are finished: it waits until they were given.
 */
#include "flow/each.h"

#include "base/mem.h"
#include "sys/pool.h"
#include "sys/thread.h"

#define TRIALS 2          /* the first meets fresh memory and cold caches */
#define JOBS(n) ((n) + 2) /* batches in work */
#define MEMORY_SHARE 8    /* they are to hold a part of the memory */
#define ROW_PARTS 256     /* of bp_least_batch_bytes(): one row */

struct job {
    struct bp_batch in, out;
    int rc;
    struct bp_err err;
};

struct bp_each {
    bp_each_fn run;
    void *ctx;
    int n_threads;
    int64_t worth_ns;
    int n_tried;
    struct bp_pool *pool; /* NULL: not, or not yet */
    struct job *jobs;     /* a ring */
    int next_job;
    int end; /* what the source said last: BP_DONE or < 0, with end_err */
    struct bp_err end_err;
};

int bp_each_threads(const struct bp_ctx *ctx, const struct bp_schema *in,
                    const struct bp_schema *out)
{
    int64_t row = (bp_least_batch_bytes(in) + bp_least_batch_bytes(out)) / ROW_PARTS;
    int64_t batch = BP_MAX(row, 1) * bp_ctx_batch_rows(ctx, out);
    int n = BP_MAX(ctx->n_threads, 1);

    while (ctx->budget.limit_bytes && n > 1 &&
           JOBS(n) * batch > ctx->budget.limit_bytes / MEMORY_SHARE)
        n--;
    return n;
}

int bp_each_open(struct bp_each **out, int n_threads, int64_t worth_ns, bp_each_fn run, void *ctx,
                 struct bp_err *err)
{
    struct bp_each *e = bp_mem_new(1, sizeof *e, err);

    if (!e)
        return err->code;
    *e = (struct bp_each){.run = run, .ctx = ctx, .n_threads = n_threads, .worth_ns = worth_ns};
    *out = e;
    return 0;
}

void bp_each_free(struct bp_each *e)
{
    if (!e)
        return;
    bp_pool_free(e->pool);
    for (int i = 0; e->jobs && i < JOBS(e->n_threads); i++) {
        bp_batch_release(&e->jobs[i].in);
        bp_batch_release(&e->jobs[i].out);
    }
    bp_mem_free(e->jobs);
    bp_mem_free(e);
}

static void work(void *ctx, int worker, void *arg)
{
    struct bp_each *e = ctx;
    struct job *j = arg;

    (void)worker;
    j->rc = e->run(e->ctx, &j->in, &j->out, &j->err);
    bp_batch_release(&j->in);
}

static const struct bp_pool_ops pool_ops = {.work = work};

static int start(struct bp_each *e, struct bp_err *err)
{
    e->jobs = bp_mem_new((size_t)JOBS(e->n_threads), sizeof *e->jobs, err);
    if (!e->jobs)
        return err->code;
    return bp_pool_open(&e->pool, e->n_threads, JOBS(e->n_threads), &pool_ops, e, err);
}

/* One batch on this thread. */
static int run_here(struct bp_each *e, struct bp_source *src, struct bp_batch *out,
                    struct bp_err *err)
{
    struct bp_batch in = {0};
    bool on_trial = e->n_threads > 1 && e->n_tried < TRIALS;
    int64_t from;
    int rc = bp_source_next(src, &in, err);

    if (rc)
        return rc;
    from = on_trial ? bp_clock_ns() : 0;
    on_trial = on_trial && in.n_rows > 0;
    rc = e->run(e->ctx, &in, out, err);
    bp_batch_release(&in);
    if (rc == 0 && on_trial && ++e->n_tried == TRIALS && bp_clock_ns() - from >= e->worth_ns &&
        start(e, err) < 0) {
        bp_batch_release(out);
        return err->code;
    }
    return rc;
}

static void fill(struct bp_each *e, struct bp_source *src)
{
    while (!e->end && bp_pool_has_room(e->pool)) {
        struct job *j = &e->jobs[e->next_job];

        e->end = bp_source_next(src, &j->in, &e->end_err);
        if (e->end)
            return;
        e->next_job = (e->next_job + 1) % JOBS(e->n_threads);
        bp_pool_give(e->pool, j);
    }
}

int bp_each_next(struct bp_each *e, struct bp_source *src, struct bp_batch *out, struct bp_err *err)
{
    struct job *j;

    if (!e->pool)
        return run_here(e, src, out, err);
    fill(e, src);
    j = bp_pool_take(e->pool);
    if (j && j->rc < 0) {
        *err = j->err;
        return j->rc;
    }
    if (j) {
        bp_batch_move(out, &j->out);
        return 0;
    }
    if (e->end < 0)
        *err = e->end_err;
    return e->end;
}
