/* SPDX-License-Identifier: Apache-2.0 */
/* bp-schema: names and types of a table. */
#include "fmt/show.h"
#include "tool/tool.h"

struct opts {
    bool sql, json;
};

static const struct bp_option options[] = {
    {0, "sql", BP_OPT_FLAG, offsetof(struct opts, sql), NULL,
     "as an SQL column list, which bp-read -s reads"},
    {0, "json", BP_OPT_FLAG, offsetof(struct opts, json), NULL, "as JSON"},
};

static const struct bp_command command = {
    .name = "bp-schema",
    .synopsis = "[options] [IN...]",
    .summary = "show the names and types of a table's columns",
    .examples = {"bp-schema trips.csv", "bp-schema --sql trips.csv",
                 "bp-read trips.csv | bp-schema --json"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses = BP_USES_JOBS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 0,
    .max_operands = -1,
    .order = "no rows",
    .memory = "a sample of text input",
};

static int run(struct bp_tool *t, const struct opts *o)
{
    struct bp_source src = {0};
    struct bp_buf b = {0};
    int rc;

    if (o->sql && o->json)
        return bp_fail(&t->err, BP_EUSAGE, "--sql or --json, not both");
    BP_TRY(bp_tool_open(t, t->operands, t->n_operands, NULL, &src));
    if (o->json) {
        rc = bp_show_schema_json(&src.schema, &b, &t->err);
    } else if (o->sql) {
        rc = bp_schema_print(&src.schema, true, &b, &t->err);
        if (rc == 0)
            rc = bp_buf_puts(&b, "\n", &t->err);
    } else {
        rc = bp_show_schema_tree(&src.schema, &b, &t->err);
    }
    if (rc == 0)
        rc = bp_tool_print(t, b.data, b.len);
    bp_buf_release(&b);
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
