/* SPDX-License-Identifier: Apache-2.0 */
/* bp-filter: the rows for which an expression is true (WHERE). */
#include "op/op.h"
#include "tool/tool.h"

static const struct bp_command command = {
    .name = "bp-filter",
    .synopsis = "[options] EXPR [IN...]",
    .summary = "keep the rows for which EXPR is true (WHERE)",
    .examples = {"bp-filter 'total_amount > 100' trips.csv",
                 "bp-read trips.csv | bp-filter \"tpep_pickup_datetime >= '2020-01-01'\"",
                 "bp-filter -v zone=132 'PULocationID = :zone' trips.csv"},
    .uses =
        BP_USES_VARS | BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 1,
    .max_operands = -1,
    .order = "input order",
    .memory = "a few batches",
    .is_stream = true,
};

static int run(struct bp_tool *t)
{
    struct bp_clause where;
    struct bp_source in = {0}, src = {0};
    struct bp_schema from = {0};
    int rc;

    BP_TRY(bp_tool_clause(t, t->operands[0], &where));
    BP_TRY(bp_tool_open(t, t->operands + 1, t->n_operands - 1, NULL, &in));
    BP_GO(bp_schema_copy_meta(&from, &in.schema, &t->err));
    BP_GO(bp_filter_open(&src, &in, &where, &t->ctx, &t->err));
    BP_GO(bp_tool_step(t, &src.schema, (const char *[]){where.text, NULL},
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
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, NULL, argc, argv))
        (void)run(&t);
    return bp_tool_end(&t);
}
