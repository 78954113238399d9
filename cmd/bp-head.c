/* SPDX-License-Identifier: Apache-2.0 */
/* bp-head: the first rows, of the table or of each run of equal keys (LIMIT). */
#include "op/op.h"
#include "tool/tool.h"

#include <stdio.h>

struct opts {
    int64_t n_rows;
    const char *keys;
};

static const struct bp_option options[] = {
    {'n', "rows", BP_OPT_COUNT, offsetof(struct opts, n_rows), "N", "how many rows (default: 10)"},
    {'k', "keys", BP_OPT_TEXT, offsetof(struct opts, keys), "COLS",
     "the first N of each run of equal keys"},
};

static const struct bp_command command = {
    .name = "bp-head",
    .synopsis = "[options] [IN...]",
    .summary = "the first N rows, or the first N of each run of equal keys (LIMIT)",
    .examples =
        {"bp-head -n 3 trips.csv", "bp-read trips.csv | bp-head",
         "bp-sort 'PULocationID, total_amount DESC' trips.csv | bp-head -n 3 -k PULocationID"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses = BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 0,
    .max_operands = -1,
    .order = "input order",
    .memory = "one batch",
    .is_stream = true,
};

static int run(struct bp_tool *t, const struct opts *o)
{
    struct bp_clause keys;
    struct bp_source in = {0}, src = {0};
    struct bp_schema from = {0};
    char n_text[24];
    int rc;

    BP_TRY(bp_tool_clause(t, o->keys, &keys));
    BP_TRY(bp_tool_open(t, t->operands, t->n_operands, NULL, &in));
    BP_GO(bp_schema_copy_meta(&from, &in.schema, &t->err));
    BP_GO(bp_head_open(&src, &in, o->n_rows, keys.text, &t->ctx, &t->err));
    snprintf(n_text, sizeof n_text, "-n %lld", (long long)o->n_rows);
    BP_GO(bp_tool_step(t, &src.schema, (const char *[]){n_text, keys.text, NULL},
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
    struct opts o = {.n_rows = 10};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv))
        (void)run(&t, &o);
    return bp_tool_end(&t);
}
