/* SPDX-License-Identifier: Apache-2.0 */
/* bp-reduce: groups and aggregates (GROUP BY), whole or in two stages. */
#include "flow/marks.h"
#include "op/op.h"
#include "tool/tool.h"

struct opts {
    const char *keys, *across;
    bool partial, final, per_task;
};

static const struct bp_option options[] = {
    {'k', "keys", BP_OPT_TEXT, offsetof(struct opts, keys), "KEYS",
     "what to group by; none: one group"},
    {0, "across", BP_OPT_TEXT, offsetof(struct opts, across), "EXPR",
     "its values become columns (pivot)"},
    {0, "partial", BP_OPT_FLAG, offsetof(struct opts, partial), NULL,
     "emit states of groups, to be combined"},
    {0, "final", BP_OPT_FLAG, offsetof(struct opts, final), NULL, "combine states and finish them"},
    {0, "per-task", BP_OPT_FLAG, offsetof(struct opts, per_task), NULL,
     "take a task's share as a whole table"},
};

static const struct bp_command command = {
    .name = "bp-reduce",
    .synopsis = "[-k KEYS] [--across EXPR] [--partial] AGGS [IN...]  |  --final [IN...]",
    .summary = "group rows and aggregate them (GROUP BY)",
    .examples =
        {"bp-reduce -k PULocationID 'count(*) AS trips, sum(total_amount) AS revenue' trips.csv",
         "bp-reduce 'min(total_amount), max(total_amount)' trips.csv",
         "bp-reduce --partial -k PULocationID 'count(*)' trips.csv | bp-reduce --final"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses =
        BP_USES_VARS | BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 0,
    .max_operands = -1,
    .order = "by the hash of the keys: the same for any number of tasks and partitions",
    .memory = "--mem; more groups than that go to TMPDIR",
    .is_stream = true,
};

/* --partial without AGGS combines a partial stream: told by whether there is a
 * clause, which cannot be seen before the input. So: no operand, or the first
 * one names something that exists while no key is given. */
static bool has_aggs(const struct bp_tool *t, const struct opts *o)
{
    if (o->final)
        return false;
    if (!o->partial)
        return true;
    return t->n_operands > 0 &&
           (o->keys || o->across || strchr(t->operands[0], '(') || t->operands[0][0] == '@');
}

static int step(struct bp_tool *t, const struct opts *o, const struct bp_clause *keys,
                const struct bp_clause *across, const struct bp_clause *aggs,
                const struct bp_schema *from, struct bp_source *src)
{
    const char *clauses[7] = {0};
    int n = 0;

    /* partial stages may be combined as often as one likes: no step of their own */
    if (o->partial && !aggs->text)
        return 0;
    clauses[n++] = o->final ? "--final" : o->partial ? "--partial" : "";
    if (keys->text) {
        clauses[n++] = "-k";
        clauses[n++] = keys->text;
    }
    if (across->text) {
        clauses[n++] = "--across";
        clauses[n++] = across->text;
    }
    if (aggs->text)
        clauses[n++] = aggs->text;
    return bp_tool_step(t, &src->schema, clauses, &from, 1);
}

static int run(struct bp_tool *t, const struct opts *o)
{
    struct bp_clause keys, across, aggs;
    struct bp_reduce_opts r = {.form = BP_REDUCE_WHOLE, .per_task = o->per_task};
    struct bp_source in = {0}, src = {0};
    struct bp_schema from = {0};
    int first, rc;

    if (o->partial && o->final)
        return bp_fail(&t->err, BP_EUSAGE, "--partial or --final, not both");
    if (o->final && (o->keys || o->across))
        return bp_fail(&t->err, BP_EUSAGE, "--final takes no %s: the stream knows its keys",
                       o->keys ? "-k" : "--across");
    first = has_aggs(t, o);
    if (!o->final && !o->partial && t->n_operands == 0)
        return bp_fail(&t->err, BP_EUSAGE, "usage: bp-reduce %s", t->cmd->synopsis);
    BP_TRY(bp_tool_clause(t, o->keys, &keys));
    BP_TRY(bp_tool_clause(t, o->across, &across));
    BP_TRY(bp_tool_clause(t, first ? t->operands[0] : NULL, &aggs));
    r.form = o->final ? BP_REDUCE_FINAL : o->partial ? BP_REDUCE_PARTIAL : BP_REDUCE_WHOLE;
    r.keys = keys.text ? &keys : NULL;
    r.across = across.text ? &across : NULL;
    r.aggs = aggs.text ? &aggs : NULL;
    r.behind_pipe = t->n_operands == first && !t->jobs;
    BP_TRY(bp_tool_open(t, t->operands + first, t->n_operands - first, NULL, &in));
    BP_GO(bp_schema_copy_meta(&from, &in.schema, &t->err));
    BP_GO(bp_reduce_open(&src, &in, &r, &t->ctx, &t->err));
    BP_GO(step(t, o, &keys, &across, &aggs, &from, &src));
    rc = bp_tool_emit(t, &src);
out:
    bp_schema_release(&from);
    bp_source_free(&in);
    bp_source_free(&src);
    return rc;
}

int main(int argc, char **argv)
{
    struct opts o = {0};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv))
        (void)run(&t, &o);
    return bp_tool_end(&t);
}
