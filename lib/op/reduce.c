/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-reduce. Takes rows (or the states of a partial result) until the input or the
 * share ends, then gives groups:
 *
 *     batch -> key columns -> group ids -> every aggregate: update or merge
 *     end   -> order of the groups -> batches of keys and results or states
 *
 * The first rows go into one table (a lane). Then each thread has one, as long as there
 * are not many groups (reduce_lanes.h); when nearly every row adds a group, rows are
 * put off in parts instead (reduce_parts.h).
 *
 * Finished groups come in hash order (reduce_order.h), states in any.
 *
 * Memory. What the groups hold, what they will hold when their tables grow with the
 * next batch, and what working out the order costs, is taken from the budget. When it
 * says no, a partial result gives the states that it has and begins anew: a group may
 * come twice in it. A finished one puts them on disk (reduce_spill.h), or, where rows were put
 * off in parts, the rows.
 */
#include <string.h>

#include "base/mem.h"
#include "op/across.h"
#include "op/op.h"
#include "op/reduce_lanes.h"
#include "op/reduce_order.h"
#include "op/reduce_plan.h"
#include "op/reduce_spill.h"
#include "op/reduce_work.h"
#include "sys/busy.h"

#define LANES_FROM_ROWS 65536                /* fewer are not worth threads */
#define LANES_MOST_GROUPS ((int64_t)1 << 19) /* each may have all of them */
#define HELP_MOST_GROUPS ((int64_t)1 << 16)  /* behind a pipe: with more, merging takes too long */
#define PARTS_FROM_GROUPS ((int64_t)1 << 18)
#define CUT_GROUPS 65536 /* of a partial result: a table that fits the cache */
#define PARTS_LOOK_ROWS 65536
#define PARTS_RATE 0.5 /* new groups a row */
#define OUT_SHARE 16   /* of the memory limit, for a batch that goes out */

struct reduce {
    struct bp_source in;
    struct bp_ctx *ctx;
    struct bp_reduce_plan plan;

    /* what the current share, or the whole input, has come to */
    struct bp_lane lane;
    struct bp_lanes *lanes; /* of threads, or NULL; they are merged into the one above */
    struct bp_share share;
    int64_t taken_bytes; /* of the budget */
    int64_t rows_taken;  /* of the share */
    struct bp_reduce_spill spill;
    struct bp_parts *parts;      /* rows that are not in the table (reduce_parts.h), or NULL */
    struct bp_reduce_work *work; /* they are being given */
    bool parts_suit, lanes_suit, threads;
    bool behind_pipe;
    struct bp_busy busy;            /* behind a pipe */
    int64_t seen_rows, seen_groups; /* of the table, when it was last asked how fast it grows */
    bool full;                      /* a partial result: give these groups, the share goes on */

    bool started; /* a batch was seen */
    bool at_end;  /* the input ended */
    bool giving;  /* groups go out */
    uint32_t *order;
    int64_t given;        /* of this table's groups */
    int64_t out_rows;     /* of a batch, as results have been large lately; 0: not known */
    int64_t n_given;      /* of the share's */
    bool gave_any;        /* a batch of this share went out */
    struct bp_batch held; /* begins the next share; n_cols 0 and n_rows 0: none */
    bool have_held;
    struct bp_shareset shares;
};

/* ---- memory ---- */

static void uncharge(struct reduce *r)
{
    if (r->taken_bytes)
        bp_budget_give(&r->ctx->budget, r->taken_bytes);
    r->taken_bytes = 0;
}

static int spill_lane(struct reduce *r, struct bp_lane *l, struct bp_err *err)
{
    if (!bp_groups_count(l->table.groups))
        return 0;
    BP_TRY(bp_reduce_spill_put(&r->spill, &l->table, err));
    return bp_lane_clear(l, err);
}

/* All groups to disk; the tables are empty again. */
static int spill_groups(struct reduce *r, struct bp_err *err)
{
    if (r->lanes)
        BP_TRY(bp_lanes_wait(r->lanes, err));
    for (int i = 0; r->lanes && i < r->lanes->n; i++)
        BP_TRY(spill_lane(r, &r->lanes->lanes[i], err));
    bp_lanes_free(r->lanes); /* opened again when more rows come */
    r->lanes = NULL;
    BP_TRY(spill_lane(r, &r->lane, err));
    uncharge(r);
    return 0;
}

/* The one place where states are charged, behind a batch of n_rows. */
static int charge(struct reduce *r, int64_t n_rows, struct bp_err *err)
{
    int64_t need = bp_lane_need_bytes(&r->lane, n_rows), more;

    if (r->lanes)
        need += bp_lanes_need_bytes(r->lanes);
    more = need - r->taken_bytes;
    if (more <= 0)
        return 0;
    if (bp_budget_take(&r->ctx->budget, more)) {
        r->taken_bytes = need;
        return 0;
    }
    if (r->plan.form != BP_REDUCE_PARTIAL)
        return spill_groups(r, err);
    r->full = true;
    return 0;
}

/* The groups of all lanes become one table: here, or, where that may be too large, on disk. */
static int join_lanes(struct reduce *r, struct bp_err *err)
{
    int64_t more = 0;

    if (!r->lanes)
        return 0;
    BP_TRY(bp_lanes_wait(r->lanes, err));
    for (int i = 0; i < r->lanes->n; i++)
        more += bp_reduce_table_held_bytes(&r->lanes->lanes[i].table);
    if (r->spill.n_runs || !bp_budget_take(&r->ctx->budget, more))
        return spill_groups(r, err);
    r->taken_bytes += more;
    for (int i = 0; i < r->lanes->n; i++)
        BP_TRY(bp_lane_merge(&r->lane, &r->lanes->lanes[i], err));
    bp_lanes_free(r->lanes);
    r->lanes = NULL;
    more = r->taken_bytes - bp_lane_need_bytes(&r->lane, 0);
    if (more > 0) {
        bp_budget_give(&r->ctx->budget, more);
        r->taken_bytes -= more;
    }
    return 0;
}

/* ---- taking in ---- */

static int64_t lanes_most_groups(const struct reduce *r)
{
    return r->behind_pipe ? HELP_MOST_GROUPS : LANES_MOST_GROUPS;
}

/* Worth their merging? */
static bool wants_lanes(struct reduce *r)
{
    if (r->lanes || !r->lanes_suit || r->rows_taken < LANES_FROM_ROWS ||
        bp_groups_count(r->lane.table.groups) > lanes_most_groups(r) / 4)
        return false;
    if (r->behind_pipe && !bp_busy_ask(&r->busy))
        return false;
    for (int i = 0; i < r->plan.n_aggs; i++)
        if (r->lane.table.aggs[i]->keeps_values)
            return false;
    return true;
}

/* A partial result of which most rows are groups of their own: to hold more of them
 * makes no fewer, and costs misses. The states go on, and a table begins anew. */
static bool wants_cut(const struct reduce *r)
{
    int64_t count = bp_groups_count(r->lane.table.groups);

    return r->plan.form == BP_REDUCE_PARTIAL && count >= CUT_GROUPS &&
           (double)count >= PARTS_RATE * (double)(r->rows_taken - r->seen_rows);
}

static int take_into_table(struct reduce *r, struct bp_batch *in, struct bp_err *err)
{
    int64_t n_rows = in->n_rows, first_row = r->rows_taken;

    if (wants_lanes(r))
        BP_TRY(bp_lanes_open(&r->lanes, &r->plan, r->ctx->n_threads, err));
    r->rows_taken += n_rows;
    if (r->lanes)
        BP_TRY(bp_lanes_take(r->lanes, in, first_row, err));
    else
        BP_TRY(bp_lane_take(&r->lane, in, first_row, err));
    BP_TRY(charge(r, n_rows, err));
    r->full |= wants_cut(r);
    return 0;
}

/* ---- taking into parts ---- */

static void close_parts(struct reduce *r)
{
    bp_reduce_work_free(r->work);
    bp_parts_free(r->parts);
    r->work = NULL;
    r->parts = NULL;
}

static int take_into_parts(struct reduce *r, const struct bp_batch *in, struct bp_err *err)
{
    const struct bp_reduce_plan *p = &r->plan;
    struct bp_column args[BP_PARTS_ARGS_MAX + BP_AGG_PARTS_MAX] = {0};
    int n = 0, rc;

    BP_GO(bp_lane_keys(&r->lane, in, err));
    for (int i = 0; i < p->n_aggs; i++) {
        BP_GO(bp_lane_args(p, &p->aggs[i], in, &args[n], err));
        n += p->merging ? p->aggs[i].agg->n_parts : p->aggs[i].agg->kind->n_args;
    }
    rc = bp_parts_add(r->parts, r->lane.keys, args, in->n_rows, (uint32_t)in->share.i,
                      r->rows_taken, err);
    r->rows_taken += in->n_rows;
out:
    for (int i = 0; i < p->n_keys; i++)
        bp_column_release(&r->lane.keys[i]);
    for (size_t i = 0; i < BP_COUNT_OF(args); i++)
        bp_column_release(&args[i]);
    return rc;
}

/* All rows in parts, grouped, become a run. The table's texts are those of the parts'
 * keys: it goes after them. */
static int spill_parts(struct reduce *r, struct bp_err *err)
{
    struct bp_batch b = {0};
    int rc;

    BP_TRY(bp_reduce_work_open(&r->work, &r->plan, r->parts, NULL, true,
                               bp_reduce_spill_batch_rows(&r->spill), r->ctx, err));
    while ((rc = bp_reduce_work_next(r->work, &b, err)) == 0) {
        rc = bp_reduce_spill_add(&r->spill, &b, err);
        bp_batch_release(&b);
        BP_TRY(rc);
    }
    if (rc < 0)
        return rc;
    BP_TRY(bp_reduce_spill_end(&r->spill, err));
    close_parts(r);
    return spill_groups(r, err);
}

/* There is no room for n_rows more: rows that are mostly groups of their own go to disk, as they
 * are or, where that leaves no room either, grouped; others into the table after all. */
static int empty_parts(struct reduce *r, int64_t n_rows, struct bp_err *err)
{
    double rate;
    int rc;

    BP_TRY(bp_parts_flush(r->parts, err));
    BP_TRY(bp_reduce_work_rate(&r->plan, r->parts, bp_parts_pack(r->parts), &rate, err));
    if (rate > PARTS_RATE) {
        rc = bp_parts_put_off(r->parts, err);
        if (rc < 0 || (rc == 0 && bp_parts_room(r->parts, n_rows)))
            return rc;
        BP_TRY(bp_parts_flush(r->parts, err));
    }
    if (rate > PARTS_RATE / 2 || bp_parts_on_disk(r->parts))
        return spill_parts(r, err);
    for (int i = 0; i < BP_PARTS; i++)
        BP_TRY(bp_parts_fill(r->parts, i, &r->lane.table, NULL, err));
    close_parts(r);
    r->seen_rows = r->rows_taken;
    r->seen_groups = bp_groups_count(r->lane.table.groups);
    r->parts_suit = false;
    return charge(r, r->ctx->batch_rows, err);
}

/* A large table, to which most rows add a group. */
static bool wants_parts(struct reduce *r)
{
    int64_t count = bp_groups_count(r->lane.table.groups), rows = r->rows_taken - r->seen_rows;
    double rate;

    if (!r->parts_suit || rows < PARTS_LOOK_ROWS)
        return false;
    if (r->lanes)
        count += bp_lanes_groups(r->lanes);
    rate = (double)(count - r->seen_groups) / (double)rows;
    r->seen_rows = r->rows_taken;
    r->seen_groups = count;
    return count >= PARTS_FROM_GROUPS && rate >= PARTS_RATE;
}

static int open_parts(struct reduce *r, struct bp_err *err)
{
    BP_TRY(join_lanes(r, err));
    return bp_parts_open(&r->parts, &r->plan, bp_groups_own_pack(r->lane.table.groups), r->ctx,
                         err);
}

/* in may be emptied. */
static int take_batch(struct reduce *r, struct bp_batch *in, struct bp_err *err)
{
    if (!r->parts && wants_parts(r))
        BP_TRY(open_parts(r, err));
    if (r->lanes && bp_lanes_groups(r->lanes) > lanes_most_groups(r)) {
        r->lanes_suit = false;
        BP_TRY(join_lanes(r, err));
    }
    if (r->parts && !bp_parts_room(r->parts, in->n_rows))
        BP_TRY(empty_parts(r, in->n_rows, err));
    return r->parts ? take_into_parts(r, in, err) : take_into_table(r, in, err);
}

/* Without keys there is one group from the start, of which nothing was seen: a batch
 * of no rows says so to every aggregate. */
static int take_nothing(struct reduce *r, struct bp_err *err)
{
    const struct bp_schema *s = &r->in.schema;
    struct bp_batch none = {0};
    int rc;

    BP_GO(bp_batch_init(&none, s->n_fields, err));
    for (int i = 0; i < s->n_fields; i++)
        BP_GO(bp_column_nulls(&none.cols[i], s->fields[i].type, 0, err));
    rc = take_batch(r, &none, err);
out:
    bp_batch_release(&none);
    return rc;
}

/* An empty table: a new share's, or the rest of one whose first groups were given. */
static int start_groups(struct reduce *r, struct bp_err *err)
{
    close_parts(r);
    bp_lanes_free(r->lanes);
    r->lanes = NULL;
    BP_TRY(bp_lane_clear(&r->lane, err));
    uncharge(r);
    r->giving = false;
    if (r->full) {
        r->full = false;
        r->seen_rows = r->rows_taken;
        return 0;
    }
    bp_reduce_spill_release(&r->spill);
    r->parts_suit = r->plan.n_order == r->plan.n_keys && bp_parts_suit(&r->plan, r->ctx);
    r->lanes_suit = r->threads && r->plan.n_order == r->plan.n_keys;
    r->seen_rows = r->seen_groups = 0;
    r->rows_taken = r->n_given = 0;
    r->gave_any = false;
    return r->plan.n_keys ? 0 : take_nothing(r, err);
}

static int refuse_share(const struct reduce *r, struct bp_err *err)
{
    const struct bp_shareset *s = &r->shares;

    if (r->plan.across)
        return bp_fail(err, BP_EDATA,
                       "the input is only %d of %d shares, and the columns of --across are known "
                       "only from the whole: give all of them to one bp-reduce",
                       s->n_seen, s->n);
    if (s->n_seen == 1)
        return bp_fail(err, BP_EDATA,
                       "the input is only share %d of %d: its groups may have rows elsewhere; use "
                       "--partial | bp-shuffle, or --per-task",
                       s->last, s->n);
    return bp_fail(
        err, BP_EDATA,
        "the input is only %d of %d shares: its groups may have rows elsewhere; give all "
        "of them, or use --partial | bp-shuffle, or --per-task",
        s->n_seen, s->n);
}

static bool other_share(const struct bp_share *a, const struct bp_share *b)
{
    return a->i != b->i || a->n != b->n;
}

/* Pull until the share (by_share) or the input ends. */
static int take_all(struct reduce *r, struct bp_err *err)
{
    struct bp_batch in = {0};
    int rc;

    for (;;) {
        if (r->have_held) {
            bp_batch_move(&in, &r->held);
            r->have_held = false;
        } else {
            rc = bp_source_next(&r->in, &in, err);
            if (rc < 0)
                return rc;
            if (rc == BP_DONE)
                break;
            if (r->plan.by_share && r->started && other_share(&in.share, &r->share)) {
                bp_batch_move(&r->held, &in);
                r->have_held = true;
                return 0;
            }
        }
        r->share = in.share;
        r->started = true;
        rc = bp_shareset_add(&r->shares, in.share, err);
        if (rc == 0 && in.n_rows)
            rc = take_batch(r, &in, err);
        bp_batch_release(&in);
        if (rc < 0 || r->full)
            return rc;
    }
    r->at_end = true;
    if (r->plan.by_share)
        return 0;
    r->share = (struct bp_share){0, 0};
    return bp_shareset_whole(&r->shares) ? 0 : refuse_share(r, err);
}

/* ---- giving out ---- */

/* The groups that are in the table now are complete. */
static int order_groups(struct reduce *r, struct bp_err *err)
{
    int n_keys = r->plan.form == BP_REDUCE_PARTIAL ? 0 : r->plan.n_order;
    int64_t n = bp_groups_count(r->lane.table.groups);

    r->given = 0;
    bp_mem_free(r->order);
    r->order = NULL;
    if (n_keys)
        return bp_reduce_order(r->lane.table.groups, n_keys, &r->order, err);
    r->order = bp_mem_new((size_t)n + 1, sizeof *r->order, err);
    if (!r->order)
        return err->code;
    for (int64_t i = 0; i < n; i++)
        r->order[i] = (uint32_t)i;
    return 0;
}

/* The next stretch of groups that were on disk; BP_DONE: there is none. */
static int next_window(struct reduce *r, struct bp_err *err)
{
    int rc;

    if (!r->spill.n_runs)
        return BP_DONE;
    rc = bp_reduce_spill_window(&r->spill, &r->lane.table, err);
    return rc == 0 ? order_groups(r, err) : rc;
}

static int start_giving(struct reduce *r, struct bp_err *err)
{
    r->giving = true;
    BP_TRY(join_lanes(r, err));
    if (r->parts)
        BP_TRY(bp_parts_flush(r->parts, err));
    if (r->parts && r->spill.n_runs)
        BP_TRY(spill_parts(r, err));
    if (r->parts)
        return bp_reduce_work_open(&r->work, &r->plan, r->parts, &r->lane.table, false,
                                   bp_ctx_batch_rows(r->ctx, &r->plan.schema), r->ctx, err);
    if (!r->spill.n_runs) {
        bp_lane_rest(&r->lane);
        return order_groups(r, err);
    }
    BP_TRY(spill_groups(r, err)); /* the last of them */
    BP_TRY(bp_reduce_spill_start(&r->spill, &r->lane.table, err));
    r->given = bp_groups_count(r->lane.table.groups); /* what merging left there is no window */
    return 0;
}

static int64_t groups_to_give(const struct reduce *r)
{
    if (r->plan.no_row && r->plan.form != BP_REDUCE_PARTIAL)
        return 0;
    return bp_groups_count(r->lane.table.groups);
}

/* Texts that groups come to may be of any length: a batch that comes out too large is made
 * again, of fewer groups. */
static int give_batch(struct reduce *r, struct bp_batch *out, struct bp_err *err)
{
    const struct bp_reduce_plan *p = &r->plan;
    int64_t most = bp_ctx_batch_rows(r->ctx, &p->schema), n, bytes;
    int64_t want = r->ctx->budget.limit_bytes / OUT_SHARE;

    if (r->out_rows)
        most = BP_MIN(most, r->out_rows);
    n = BP_MIN(groups_to_give(r) - r->given, most);
    for (;;) {
        BP_TRY(bp_batch_init(out, p->schema.n_fields, err));
        BP_TRY(bp_reduce_table_columns(&r->lane.table, p, p->form == BP_REDUCE_PARTIAL,
                                       r->order + r->given, n, out->cols, err));
        out->n_rows = n;
        bytes = bp_batch_size_bytes(out);
        if (!want || n <= 1 || bytes <= want)
            break;
        n = BP_MAX(1, n * (want / 2) / bytes);
        r->out_rows = n;
        bp_batch_release(out);
    }
    r->given += n;
    return 0;
}

/* ... of groups that had been parts; BP_DONE: there is none. */
static int give_part(struct reduce *r, struct bp_batch *out, struct bp_err *err)
{
    int rc = bp_reduce_work_next(r->work, out, err);

    if (rc == BP_DONE) {
        close_parts(r);
        r->given = bp_groups_count(r->lane.table.groups); /* they were among them */
    }
    return rc;
}

static void place(struct reduce *r, struct bp_batch *out)
{
    out->first_row = r->n_given;
    out->share = r->share;
    r->n_given += out->n_rows;
    r->gave_any = true;
}

static int reduce_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct reduce *r = self;
    int rc;

    for (;;) {
        if (!r->giving) {
            BP_TRY(take_all(r, err));
            BP_TRY(start_giving(r, err));
        }
        if (r->work) {
            rc = give_part(r, out, err);
            if (rc == 0)
                place(r, out);
            if (rc != BP_DONE)
                return rc;
        }
        /* a share without groups is told downstream by a batch without rows */
        if (r->given < groups_to_give(r) || (r->share.n && !r->gave_any && !r->spill.n_runs)) {
            rc = give_batch(r, out, err);
            if (rc < 0)
                bp_batch_release(out);
            else
                place(r, out);
            return rc;
        }
        rc = next_window(r, err);
        if (rc == 0)
            continue;
        if (rc < 0 || r->at_end)
            return rc;
        BP_TRY(start_groups(r, err));
    }
}

static void reduce_free(void *self)
{
    struct reduce *r = self;

    bp_source_free(&r->in);
    uncharge(r);
    close_parts(r);
    bp_lanes_free(r->lanes);
    bp_lane_release(&r->lane);
    bp_reduce_spill_release(&r->spill);
    bp_reduce_plan_release(&r->plan);
    bp_batch_release(&r->held);
    bp_shareset_release(&r->shares);
    bp_mem_free(r->order);
    bp_mem_free(r);
}

static const struct bp_source_ops reduce_ops = {.next = reduce_next, .free = reduce_free};

/* The input need not decode what no key and no aggregate reads. */
static int narrow_input(struct reduce *r, const struct bp_reduce_opts *opts, struct bp_err *err)
{
    int n_fields = r->in.schema.n_fields, n = 0, rc = 0;
    bool *used = bp_mem_new((size_t)n_fields + 1, sizeof *used, err);
    int *cols = used ? bp_mem_new((size_t)n_fields + 1, sizeof *cols, err) : NULL;

    if (!cols) {
        rc = err->code;
        goto out;
    }
    bp_reduce_plan_mark_columns(&r->plan, used);
    for (int i = 0; i < n_fields; i++)
        if (used[i])
            cols[n++] = i;
    if (n == n_fields)
        goto out;
    BP_GO(bp_source_project(&r->in, cols, n, err));
    if (rc == BP_DONE) { /* not offered */
        rc = 0;
        goto out;
    }
    bp_reduce_plan_release(&r->plan);
    rc = bp_reduce_plan_init(&r->plan, &r->in.schema, opts, err);
out:
    bp_mem_free(used);
    bp_mem_free(cols);
    return rc;
}

/* The states of one group, a batch that comes in, and the runs where groups may go to
 * disk. */
static int tell_least(struct reduce *r, struct bp_err *err)
{
    struct bp_budget *b = &r->ctx->budget;

    BP_TRY(bp_lane_init(&r->lane, &r->plan, err));
    for (int i = 0; i < r->lane.table.n_aggs; i++) {
        struct bp_agg *a = r->lane.table.aggs[i];

        BP_TRY(a->kind->ops->grow(a, 1, err));
        bp_budget_least(b, a->held_bytes);
    }
    bp_budget_least(b, bp_least_batch_bytes(&r->in.schema));
    if (r->plan.form != BP_REDUCE_PARTIAL && r->plan.n_keys)
        bp_budget_least(b, bp_reduce_spill_least_bytes(&r->plan));
    return 0;
}

static int reduce_start(struct reduce *r, const struct bp_reduce_opts *opts, struct bp_source *out,
                        struct bp_err *err)
{
    BP_TRY(bp_reduce_plan_init(&r->plan, &r->in.schema, opts, err));
    BP_TRY(narrow_input(r, opts, err));
    bp_reduce_spill_init(&r->spill, &r->plan, r->ctx);
    r->threads = r->ctx->n_threads > 1 && opts->form != BP_REDUCE_PARTIAL;
    r->behind_pipe = opts->behind_pipe;
    BP_TRY(tell_least(r, err));
    BP_TRY(start_groups(r, err));
    if (r->in.name) {
        out->name = bp_mem_str(r->in.name, err);
        if (!out->name)
            return err->code;
    }
    return bp_schema_copy(&out->schema, &r->plan.schema, err);
}

int bp_reduce_open(struct bp_source *out, struct bp_source *in, const struct bp_reduce_opts *opts,
                   struct bp_ctx *ctx, struct bp_err *err)
{
    struct reduce *r = bp_mem_new(1, sizeof *r, err);
    int rc;

    *out = (struct bp_source){0};
    if (!r) {
        bp_source_free(in);
        return err->code;
    }
    bp_source_move(&r->in, in);
    r->ctx = ctx;
    rc = reduce_start(r, opts, out, err);
    if (rc < 0) {
        reduce_free(r);
        bp_mem_free(out->name);
        bp_schema_release(&out->schema);
        *out = (struct bp_source){0};
        return rc;
    }
    out->ops = &reduce_ops;
    out->self = r;
    return r->plan.across && opts->form != BP_REDUCE_PARTIAL
               ? bp_across_open(out, &r->plan, ctx, err)
               : 0;
}
