/* SPDX-License-Identifier: Apache-2.0 */
/* bp-shuffle: rows into a partitioned stage directory (DISTRIBUTE BY). */
#include "flow/marks.h"
#include "op/hot.h"
#include "op/op.h"
#include "op/range.h"
#include "stage/stage.h"
#include "sys/dir.h"
#include "tool/tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

struct opts {
    const char *keys, *range, *split, *copy, *target;
    int64_t parts;
    bool even, replace;
};

static const struct bp_option options[] = {
    {'k', "keys", BP_OPT_TEXT, offsetof(struct opts, keys), "COLS",
     "partition by these (default: keys of a partial stream)"},
    {'n', "parts", BP_OPT_COUNT, offsetof(struct opts, parts), "PARTS",
     "how many partitions; plan generously"},
    {0, "target-size", BP_OPT_TEXT, offsetof(struct opts, target), "SIZE",
     "as many that each is made of about SIZE of the inputs' bytes"},
    {0, "even", BP_OPT_FLAG, offsetof(struct opts, even), NULL,
     "row r of a task to partition r mod PARTS"},
    {0, "range", BP_OPT_TEXT, offsetof(struct opts, range), "@FILE",
     "by range of the keys: FILE holds the borders"},
    {0, "split-hot", BP_OPT_TEXT, offsetof(struct opts, split), "@FILE",
     "rows of the keys in FILE go to all partitions in turn"},
    {0, "copy-hot", BP_OPT_TEXT, offsetof(struct opts, copy), "@FILE",
     "all shares get those rows: the other side of such a join"},
    {0, "replace", BP_OPT_FLAG, offsetof(struct opts, replace), NULL,
     "replace a stage of another number of tasks"},
};

static const struct bp_command command = {
    .name = "bp-shuffle",
    .synopsis = "-n PARTS | --target-size SIZE [-k COLS] [-T] STAGE",
    .summary = "write the rows of stdin to a stage, partitioned by the hash of their keys",
    .examples =
        {"bp-read trips.csv | bp-shuffle -k PULocationID -n 64 stage/trips",
         "bp-read trips.csv | bp-shuffle --even -n 24 stage/even",
         "bp-reduce --partial -k PULocationID 'count(*)' trips.csv | bp-shuffle -n 8 stage/zones"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses = BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_PART,
    .min_operands = 1,
    .max_operands = 1,
    .order = "within a partition: by task, then input order",
    .memory = "blocks of the partitions being filled",
};

/* Everything that is decided before the first row. */
struct plan {
    char **names;           /* keys by hash, NULL-terminated */
    struct bp_range *range; /* or NULL */
    struct bp_hot hot;
};

static void plan_release(struct plan *p)
{
    for (int i = 0; p->names && p->names[i]; i++)
        bp_mem_free(p->names[i]);
    bp_mem_free(p->names);
    bp_range_free(p->range);
    bp_hot_release(&p->hot);
}

static int check_opts(struct bp_tool *t, const struct opts *o)
{
    bool hot = o->split || o->copy;

    if (o->even && (o->keys || o->range || hot))
        return bp_fail(&t->err, BP_EUSAGE,
                       "--even has no keys: leave out -k, --range, --split-hot, --copy-hot");
    if (o->range && hot)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--range or --%s-hot, not both: rows of one key are in one range",
                       o->split ? "split" : "copy");
    if (o->split && o->copy)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--split-hot for one side of a join, --copy-hot for the other: not both");
    if (o->target && (o->parts || o->range))
        return bp_fail(&t->err, BP_EUSAGE, "--target-size says how many partitions: leave out %s",
                       o->parts ? "-n" : "--range");
    if (o->target || (o->range && !o->parts))
        return 0;
    if (o->parts < 1 || o->parts > 65536)
        return bp_fail(&t->err, BP_EUSAGE, "-n: how many partitions? from 1 to 65536");
    return 0;
}

static int add_size(void *arg, const char *name, struct bp_err *err)
{
    int64_t n, *sum = arg;

    if (strcmp(name, "-") == 0 || bp_path_kind(name) == BP_PATH_OTHER)
        return bp_fail(err, BP_EUSAGE,
                       "'%s' was read, whose size is not known beforehand: say how many "
                       "partitions, -n",
                       name);
    BP_TRY(bp_path_size_bytes(name, &n, err));
    *sum += n;
    return 0;
}

/*
 * All tasks must come to the same number, and none has seen the rows of others. What
 * they have in common is the inputs, of which each reads a share: the stream's lineage
 * has their names.
 */
static int parts_of_size(struct bp_tool *t, struct opts *o, const struct bp_schema *s)
{
    struct bp_share mark;
    int64_t each, sum = 0;

    if (!o->target)
        return 0;
    BP_TRY(bp_tool_size(t, "--target-size", o->target, &each));
    BP_TRY(bp_mark_task(s, &mark, &t->err));
    if (t->task.n && !mark.n)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--target-size: the stream is not a share of inputs that all tasks read: "
                       "say how many partitions, -n");
    if (bp_lineage_inputs(s, add_size, &sum, &t->err) < 0)
        return bp_err_prefix(&t->err, "--target-size");
    if (!sum)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--target-size: the stream does not say from which files it was read: say "
                       "how many partitions, -n");
    o->parts = sum / BP_MAX(each, 1) + (sum % BP_MAX(each, 1) != 0);
    if (o->parts > 65536)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--target-size %s makes %" PRId64 " partitions of %" PRId64
                       " bytes: there may be 65536",
                       o->target, o->parts, sum);
    return 0;
}

/* The table that "@FILE" names: all of it, also for a task. */
static int open_table(struct bp_tool *t, const char *option, const char *text,
                      struct bp_source *out)
{
    static const struct bp_open whole = {.whole = true};
    char *path;

    if (text[0] != '@' || !text[1])
        return bp_fail(&t->err, BP_EUSAGE, "%s wants a table, as @FILE, not '%s'", option, text);
    path = bp_arena_str(t->arena, text + 1, &t->err);
    return path ? bp_tool_open(t, &path, 1, &whole, out) : t->err.code;
}

static int plan_range(struct bp_tool *t, const struct opts *o, const struct bp_schema *rows,
                      struct plan *p)
{
    struct bp_source borders = {0};
    struct bp_clause order;

    BP_TRY(bp_tool_text(t, o->keys, &order)); /* of a stream: FILE gets no pseudo-columns */
    BP_TRY(open_table(t, "--range", o->range, &borders));
    if (bp_range_open(&p->range, &borders, &order, rows, &t->ctx, &t->err) < 0)
        return bp_err_prefix(&t->err, "--range %s", o->range);
    if (o->parts && (uint32_t)o->parts != bp_range_parts(p->range))
        return bp_fail(&t->err, BP_EUSAGE,
                       "-n %" PRId64 ", but the borders in %s make %u partitions: leave out -n",
                       o->parts, o->range + 1, bp_range_parts(p->range));
    return 0;
}

static int plan_keys(struct bp_tool *t, const struct opts *o, const struct bp_schema *rows,
                     struct plan *p)
{
    const char *option = o->split ? "--split-hot" : "--copy-hot";
    const char *hot = o->split ? o->split : o->copy;
    struct bp_source table = {0};
    int n, rc;

    if (o->keys)
        BP_TRY(bp_expr_parse_names(o->keys, &p->names, &n, &t->err));
    else if (bp_schema_meta(rows, BP_MARK_PARTIAL))
        BP_TRY(bp_partial_keys(rows, &p->names, &t->err));
    else
        return bp_fail(&t->err, BP_EUSAGE,
                       "-k: partition by which columns? (or --even; the stream is not a partial "
                       "one, whose keys are known)");
    if (!hot)
        return 0;
    BP_TRY(open_table(t, option, hot, &table));
    rc = bp_hot_read(&p->hot, &table, p->names, rows, &t->err);
    bp_source_free(&table);
    return rc < 0 ? bp_err_prefix(&t->err, "%s %s", option, hot) : 0;
}

/* The keys in words, and what the borders or the hot keys are: by their hashes. */
static int step(struct bp_tool *t, const struct opts *o, const struct plan *p,
                struct bp_source *src)
{
    const struct bp_stage_router *by = p->range ? bp_range_router(p->range) : NULL;
    const char *clauses[4] = {by ? "--range" : o->even ? "--even" : "-k", "", NULL, NULL};
    struct bp_buf b = {0};
    char hot[40];
    int rc = 0;

    if (by)
        BP_GO(bp_buf_printf(&b, &t->err, "%s at %s", by->range, by->borders));
    for (int i = 0; !by && p->names && p->names[i]; i++) {
        BP_GO(bp_buf_puts(&b, i ? ", " : "", &t->err));
        BP_GO(bp_name_print(p->names[i], &b, &t->err));
    }
    clauses[1] = bp_buf_str(&b, &t->err);
    BP_GO(clauses[1] ? 0 : t->err.code);
    if (o->split || o->copy) {
        snprintf(hot, sizeof hot, "--%s-hot %016" PRIx64, o->split ? "split" : "copy",
                 p->hot.identity);
        clauses[2] = hot;
    }
    rc = bp_tool_step(t, &src->schema, clauses, (const struct bp_schema *[]){&src->schema}, 1);
out:
    bp_buf_release(&b);
    return rc;
}

static int open_stage(struct bp_tool *t, const struct opts *o, const struct plan *p,
                      const struct bp_schema *rows, struct bp_sink *out)
{
    struct bp_stage_opts s = {.dir = t->operands[0],
                              .keys = (const char *const *)p->names,
                              .parts = (uint32_t)o->parts,
                              .even = o->even,
                              .hot = p->hot.hashes,
                              .n_hot = p->hot.n,
                              .hot_identity = p->hot.identity,
                              .split = o->split != NULL,
                              .copied = o->copy != NULL,
                              .replace = o->replace,
                              .task = t->task.i,
                              .n_tasks = t->task.n};

    if (p->range) {
        s.keys = bp_range_keys(p->range);
        s.parts = bp_range_parts(p->range);
        s.router = bp_range_router(p->range);
    }
    return bp_stage_sink(out, rows, &s, &t->ctx, &t->err);
}

static int run(struct bp_tool *t, struct opts *o)
{
    struct bp_share task = t->task;
    struct bp_source src = {0};
    struct bp_sink sink = {0};
    struct plan p = {0};
    int rc;

    BP_TRY(check_opts(t, o));
    t->task.n = 0; /* stdin is read whole: the task names our output */
    rc = bp_tool_open(t, NULL, 0, NULL, &src);
    t->task = task;
    BP_GO(rc);
    BP_GO(bp_tool_check_share(t, &src.schema));
    BP_GO(parts_of_size(t, o, &src.schema));
    if (o->range)
        BP_GO(plan_range(t, o, &src.schema, &p));
    else if (!o->even)
        BP_GO(plan_keys(t, o, &src.schema, &p));
    BP_GO(step(t, o, &p, &src));
    BP_GO(open_stage(t, o, &p, &src.schema, &sink));
    rc = bp_tool_drain(t, &src, &sink);
out:
    bp_sink_free(&sink);
    plan_release(&p);
    bp_source_free(&src);
    return rc;
}

int main(int argc, char **argv)
{
    struct opts o = {0};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv)) {
        t.subject = bp_arena_printf(t.arena, &t.err, "%s: task %d of %d not written", t.operands[0],
                                    t.task.i, t.task.n ? t.task.n : 1);
        (void)run(&t, &o);
    }
    return bp_tool_end(&t);
}
