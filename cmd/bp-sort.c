/* SPDX-License-Identifier: Apache-2.0 */
/* bp-sort: rows in order (ORDER BY), top N, or a merge of sorted inputs. */
#include "op/op.h"
#include "op/range.h"
#include "tool/tool.h"

#include <stdio.h>

struct opts {
    int64_t n_rows, borders;
    bool merge;
};

static const struct bp_option options[] = {
    {'n', "rows", BP_OPT_COUNT, offsetof(struct opts, n_rows), "N", "only the first N"},
    {'m', "merge", BP_OPT_FLAG, offsetof(struct opts, merge), NULL,
     "merge inputs that are sorted already (checked)"},
    {0, "borders", BP_OPT_COUNT, offsetof(struct opts, borders), "P",
     "only the keys that begin parts 2 to P of equal size, for bp-shuffle --range"},
};

static const struct bp_command command = {
    .name = "bp-sort",
    .synopsis = "[options] KEYS [IN...]",
    .summary = "sort rows (ORDER BY): stable, NULLs last unless NULLS FIRST",
    .examples = {"bp-sort 'total_amount DESC' -n 10 trips.csv",
                 "bp-sort 'PULocationID, tpep_pickup_datetime' trips.csv",
                 "bp-read trips.csv | bp-sort 'tip_amount DESC NULLS FIRST'"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses =
        BP_USES_VARS | BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 1,
    .max_operands = -1,
    .order = "by KEYS; equal rows in input order",
    .memory = "up to --mem, the rest in TMPDIR; with -n about N rows; with -m one batch an input",
    .is_stream = true,
};

static int open_merge(struct bp_tool *t, const struct bp_clause *order, int64_t n_rows,
                      struct bp_schema *from, struct bp_source *out)
{
    int n = t->n_operands - 1, opened = 0, rc = 0;
    struct bp_source *ins;

    if (n == 0)
        return bp_fail(&t->err, BP_EUSAGE, "-m merges inputs: name them");
    ins = bp_mem_new((size_t)n, sizeof *ins, &t->err);
    if (!ins)
        return t->err.code;
    for (; opened < n; opened++)
        BP_GO(bp_tool_open(t, t->operands + 1 + opened, 1, NULL, &ins[opened]));
    BP_GO(bp_schema_copy_meta(from, &ins[0].schema, &t->err));
    rc = bp_merge_open(out, ins, n, order, n_rows, &t->ctx, &t->err);
out:
    for (int i = 0; i < opened; i++)
        bp_source_free(&ins[i]);
    bp_mem_free(ins);
    return rc;
}

static int check_opts(struct bp_tool *t, const struct opts *o)
{
    if (!o->borders)
        return 0;
    if (o->borders < 0 || o->borders > BP_BORDERS_MAX + 1)
        return bp_fail(&t->err, BP_EUSAGE, "--borders: from 1 to %d parts", BP_BORDERS_MAX + 1);
    if (o->merge || o->n_rows >= 0)
        return bp_fail(&t->err, BP_EUSAGE, "--borders is of all rows: leave out -m and -n");
    if (t->task.n)
        return bp_fail(&t->err, BP_EUSAGE,
                       "--borders is of the whole table, and the same for all tasks: leave out -T");
    return 0;
}

static int run(struct bp_tool *t, const struct opts *o)
{
    struct bp_clause order;
    struct bp_source in = {0}, src = {0};
    struct bp_schema from = {0};
    char n_text[40] = "";
    int rc;

    BP_TRY(check_opts(t, o));
    BP_TRY(bp_tool_clause(t, t->operands[0], &order));
    if (o->merge) {
        BP_GO(open_merge(t, &order, o->n_rows, &from, &src));
    } else {
        BP_GO(bp_tool_open(t, t->operands + 1, t->n_operands - 1, NULL, &in));
        BP_GO(bp_schema_copy_meta(&from, &in.schema, &t->err));
        BP_GO(o->borders ? bp_borders_open(&src, &in, &order, o->borders, &t->ctx, &t->err)
                         : bp_sort_open(&src, &in, &order, o->n_rows, &t->ctx, &t->err));
    }
    if (o->n_rows >= 0)
        snprintf(n_text, sizeof n_text, "-n %lld", (long long)o->n_rows);
    if (o->borders)
        snprintf(n_text, sizeof n_text, "--borders %lld", (long long)o->borders);
    BP_GO(bp_tool_step(t, &src.schema, (const char *[]){order.text, *n_text ? n_text : NULL, NULL},
                       (const struct bp_schema *[]){&from}, 1));
    rc = bp_tool_emit(t, &src);
out:
    bp_schema_release(&from);
    bp_source_free(&in);
    bp_source_free(&src);
    return rc;
}

int main(int argc, char **argv)
{
    struct opts o = {.n_rows = -1};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv))
        (void)run(&t, &o);
    return bp_tool_end(&t);
}
