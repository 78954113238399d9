/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of text are dear, and columns of text mostly repeat few values: carriers,
 * states, names of files. A step that reads one column of text and nothing else, or what
 * such steps made of it, is a function of that column's value. So its value is found for
 * each different value in the batch, and gathered by the rows' codes. (Engines that
 * evaluate over dictionaries do the same; here the dictionary is that of one batch.)
 *
 * Finding the codes costs some nanoseconds a row, which upper() is not worth and a regular
 * expression is. There is no telling from the expression and the values in advance: the
 * first batches are run half this way, half the plain way, and timed, and the faster one
 * stays. Both give the same values. An error is raised plainly, for it names its row.
 */
#include "op/map_repeat.h"

#include <string.h>

#include "base/mem.h"
#include "col/distinct.h"
#include "sys/thread.h"

#define SHARE 4 /* at most a fourth as many values as rows */

/* ---- binding ---- */

enum { NOTHING = -1, MANY = -2 }; /* else: the input column that all follows from */

/* A column that follows from nothing (a constant) is none of what the values are gathered in: a
 * step that reads one is evaluated plainly. */
static int root_of(const struct map_step *s, const int *root, int n_cols, bool *used)
{
    int found = NOTHING;

    if (!s->expr)
        return root[s->from];
    memset(used, 0, (size_t)n_cols * sizeof *used);
    bp_expr_mark_columns(s->expr, used);
    for (int i = 0; i < n_cols; i++) {
        if (!used[i])
            continue;
        if (root[i] == NOTHING || (found != NOTHING && found != root[i]))
            return MANY;
        found = root[i];
    }
    return found;
}

/* step_root[i] of each step; root has room for all columns. */
static void find_roots(const struct map_step *steps, int n_steps, int n_in, bool appends, int *root,
                       bool *used, int *step_root)
{
    int n_cols = n_in;

    for (int i = 0; i < n_in; i++)
        root[i] = i;
    for (int i = 0; i < n_steps; i++) {
        step_root[i] = root_of(&steps[i], root, n_cols, used);
        if (appends)
            root[steps[i].to >= 0 ? steps[i].to : n_cols++] = step_root[i];
    }
}

int bp_repeat_bind(struct repeat *r, struct map_step *steps, int n_steps,
                   const struct bp_schema *in, bool appends, struct bp_err *err)
{
    int n_in = in->n_fields, most = 0;
    int *root = bp_mem_new((size_t)(n_in + n_steps) * 2, sizeof *root, err);
    int *step_root = root ? root + n_in + n_steps : NULL;
    bool *used = bp_mem_new((size_t)(n_in + n_steps), sizeof *used, err);

    r->column = -1;
    r->n_cols = n_in + n_steps;
    r->appends = appends;
    atomic_init(&r->ns_per_krow[0], INT64_MAX);
    atomic_init(&r->ns_per_krow[1], INT64_MAX);
    if (root && used) {
        find_roots(steps, n_steps, n_in, appends, root, used, step_root);
        for (int c = 0; c < n_in; c++) {
            int n = 0;

            for (int i = 0; i < n_steps; i++)
                n += step_root[i] == c && steps[i].expr != NULL;
            if (n > most && in->fields[c].type.kind == BP_TEXT) {
                most = n;
                r->column = c;
            }
        }
        for (int i = 0; i < n_steps; i++)
            steps[i].repeats = r->column >= 0 && step_root[i] == r->column;
    }
    bp_mem_free(root);
    bp_mem_free(used);
    return root && used ? 0 : err->code;
}

/* ---- a batch ---- */

/* Codes and values. BP_DONE: too many of them. */
static int find_values(const struct repeat *r, const struct bp_batch *in, struct repeat_run *run,
                       struct bp_err *err)
{
    size_t n = (size_t)in->n_rows;
    int32_t *code, *first;
    int64_t n_values = 0;
    int rc;

    BP_TRY(bp_block_new(&run->codes, 2 * n * sizeof *code, err));
    code = (int32_t *)(void *)run->codes->data;
    first = code + n;
    rc = bp_column_distinct(&in->cols[r->column], BP_MAX(in->n_rows / SHARE, 1), code, first,
                            &n_values, err);
    if (rc != 0)
        return rc;
    BP_TRY(bp_batch_init(&run->values, r->n_cols, err));
    run->values.n_rows = n_values;
    return bp_column_gather(&run->values.cols[r->column], &in->cols[r->column], first, n_values,
                            err);
}

int bp_repeat_start(struct repeat *r, const struct bp_batch *in, struct repeat_run *run,
                    struct bp_err *err)
{
    int rc, nth;

    *run = (struct repeat_run){.n_rows = in->n_rows, .n_filled = in->n_cols};
    if (r->column < 0 || !in->n_rows)
        return 0;
    run->by_values = atomic_load_explicit(&r->by_values, memory_order_relaxed);
    if (atomic_load_explicit(&r->n_started, memory_order_relaxed) < REPEAT_TRIALS) {
        nth = atomic_fetch_add(&r->n_started, 1);
        run->timed = nth < REPEAT_TRIALS;
        run->by_values = run->timed && nth >= REPEAT_TRIALS / 2;
        run->started_ns = bp_clock_ns();
    }
    if (!run->by_values)
        return 0;
    rc = find_values(r, in, run, err);
    if (rc > 0)
        run->by_values = false;
    return rc < 0 ? rc : 0;
}

static int eval(const struct map_step *s, const struct bp_batch *from, struct bp_column *out,
                struct bp_err *err)
{
    if (s->expr)
        return bp_expr_eval(s->expr, from, out, err);
    bp_column_ref(out, &from->cols[s->from]);
    return 0;
}

/* The step over the values; false: plainly, then. */
static bool eval_values(const struct map_step *s, struct bp_column *out, struct repeat_run *run)
{
    struct bp_column c = {0};
    struct bp_err unsaid = {0};
    int at = s->to >= 0 ? s->to : run->n_filled;

    if (eval(s, &run->values, &c, &unsaid) < 0) {
        run->by_values = false;
        return false;
    }
    if (s->expr && bp_column_gather(out, &c, (const int32_t *)(const void *)run->codes->data,
                                    run->n_rows, &unsaid) < 0) {
        bp_column_release(&c);
        run->by_values = false;
        return false;
    }
    bp_column_release(&run->values.cols[at]);
    run->values.cols[at] = c;
    return s->expr != NULL;
}

int bp_repeat_step(const struct map_step *s, const struct bp_batch *from, struct bp_column *out,
                   struct repeat_run *run, struct bp_err *err)
{
    bool done = run->by_values && s->repeats && eval_values(s, out, run);
    int rc = done ? 0 : eval(s, from, out, err);

    run->n_filled += s->to < 0;
    return rc;
}

/* A trial's time; the last one decides. */
static void note(struct repeat *r, const struct repeat_run *run)
{
    atomic_llong *best = &r->ns_per_krow[run->by_values];
    long long took = (bp_clock_ns() - run->started_ns) * 1024 / run->n_rows;
    long long least = atomic_load(best);

    while (took < least && !atomic_compare_exchange_weak(best, &least, took))
        ;
    if (atomic_fetch_add(&r->n_finished, 1) + 1 == REPEAT_TRIALS)
        atomic_store(&r->by_values,
                     atomic_load(&r->ns_per_krow[1]) < atomic_load(&r->ns_per_krow[0]));
}

void bp_repeat_end(struct repeat *r, struct repeat_run *run)
{
    if (run->timed)
        note(r, run);
    bp_block_unref(run->codes);
    bp_batch_release(&run->values);
}
