/* SPDX-License-Identifier: Apache-2.0 */
#include "op/reduce_lanes.h"

#include "base/mem.h"
#include "sys/pool.h"

struct job {
    struct bp_batch in;
    int64_t first_row;
    int lane;
    int64_t need_bytes, n_groups; /* of the lane, behind it */
    struct bp_err err;
};

static void work_on(void *ctx, int worker, void *arg)
{
    struct bp_lanes *s = ctx;
    struct bp_lane *l = &s->lanes[worker];
    struct job *j = arg;

    j->lane = worker;
    if (bp_lane_take(l, &j->in, j->first_row, &j->err) < 0)
        return;
    /* it is heard of when some more batches are in */
    j->need_bytes = bp_lane_need_bytes(l, 2 * j->in.n_rows);
    j->n_groups = bp_groups_count(l->table.groups);
    bp_batch_release(&j->in);
}

static void drop(void *ctx, void *arg)
{
    struct job *j = arg;

    (void)ctx;
    if (j)
        bp_batch_release(&j->in);
    bp_mem_free(j);
}

int bp_lanes_open(struct bp_lanes **out, const struct bp_reduce_plan *plan, int n_threads,
                  struct bp_err *err)
{
    static const struct bp_pool_ops ops = {work_on, drop};
    struct bp_lanes *s = bp_mem_new(1, sizeof *s, err);
    int rc = 0;

    *out = NULL;
    if (!s)
        return err->code;
    s->lanes = bp_mem_new((size_t)n_threads, sizeof *s->lanes, err);
    s->need_bytes = s->lanes ? bp_mem_new((size_t)n_threads, sizeof(int64_t), err) : NULL;
    s->n_groups = s->need_bytes ? bp_mem_new((size_t)n_threads, sizeof(int64_t), err) : NULL;
    if (!s->n_groups) {
        rc = err->code;
        goto out;
    }
    for (; s->n < n_threads; s->n++)
        BP_GO(bp_lane_init(&s->lanes[s->n], plan, err));
    BP_GO(bp_pool_open(&s->pool, n_threads, 2 * n_threads, &ops, s, err));
    *out = s;
    return 0;
out:
    bp_lanes_free(s);
    return rc;
}

void bp_lanes_free(struct bp_lanes *s)
{
    if (!s)
        return;
    bp_pool_free(s->pool);
    for (int i = 0; i < s->n; i++)
        bp_lane_release(&s->lanes[i]);
    bp_mem_free(s->lanes);
    bp_mem_free(s->need_bytes);
    bp_mem_free(s->n_groups);
    bp_mem_free(s);
}

/* The oldest batch is in; BP_DONE: there is none. */
static int hear(struct bp_lanes *s, struct bp_err *err)
{
    struct job *j = bp_pool_take(s->pool);
    int rc;

    if (!j)
        return BP_DONE;
    rc = j->err.code;
    if (rc < 0)
        *err = j->err;
    s->need_bytes[j->lane] = j->need_bytes;
    s->n_groups[j->lane] = j->n_groups;
    drop(s, j);
    return rc;
}

int bp_lanes_take(struct bp_lanes *s, struct bp_batch *in, int64_t first_row, struct bp_err *err)
{
    struct job *j = bp_mem_new(1, sizeof *j, err);
    int rc = 0;

    if (!j)
        return err->code;
    bp_batch_move(&j->in, in);
    j->first_row = first_row;
    if (!bp_pool_has_room(s->pool))
        rc = hear(s, err);
    if (rc < 0) {
        drop(s, j);
        return rc;
    }
    bp_pool_give(s->pool, j);
    return 0;
}

int bp_lanes_wait(struct bp_lanes *s, struct bp_err *err)
{
    int rc;

    while ((rc = hear(s, err)) == 0)
        ;
    return rc < 0 ? rc : 0;
}

int64_t bp_lanes_need_bytes(const struct bp_lanes *s)
{
    int64_t n = 0;

    for (int i = 0; i < s->n; i++)
        n += s->need_bytes[i];
    return n;
}

int64_t bp_lanes_groups(const struct bp_lanes *s)
{
    int64_t n = 0;

    for (int i = 0; i < s->n; i++)
        n += s->n_groups[i];
    return n;
}
