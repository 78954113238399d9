/* SPDX-License-Identifier: Apache-2.0 */
/* bp-schema: names and types of a table. */
#include <stdio.h>
#include <string.h>

#include "fmt/show.h"
#include "tool/tool.h"

struct opts {
    bool sql, json, infer;
    const char *diff;
};

static const struct bp_option options[] = {
    {0, "sql", BP_OPT_FLAG, offsetof(struct opts, sql), NULL,
     "as an SQL column list, which bp-read -s reads"},
    {0, "infer", BP_OPT_FLAG, offsetof(struct opts, infer), NULL,
     "the same from the data alone, whatever file _schema is beside it"},
    {0, "json", BP_OPT_FLAG, offsetof(struct opts, json), NULL, "as JSON"},
    {0, "diff", BP_OPT_TEXT, offsetof(struct opts, diff), "FILE",
     "how it differs from the SQL column list in FILE"},
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

/* What the table has more, less or otherwise than the column list: + - ~ lines. */
static int print_diff(const struct bp_schema *table, const struct bp_schema *file, bool star,
                      struct bp_buf *out, struct bp_err *err)
{
    char old[BP_TYPE_NAME_MAX], now[BP_TYPE_NAME_MAX];

    for (int i = 0; i < file->n_fields; i++) {
        const struct bp_field *f = &file->fields[i];
        int t = bp_schema_find(table, f->name);

        bp_type_name(f->type, old);
        if (t < 0)
            BP_TRY(bp_buf_printf(out, err, "- %s %s\n", f->name, old));
        else if (!bp_type_equal(table->fields[t].type, f->type))
            BP_TRY(bp_buf_printf(out, err, "~ %s %s -> %s\n", f->name, old,
                                 bp_type_name(table->fields[t].type, now)));
    }
    for (int i = 0; !star && i < table->n_fields; i++)
        if (bp_schema_find(file, table->fields[i].name) < 0)
            BP_TRY(bp_buf_printf(out, err, "+ %s %s\n", table->fields[i].name,
                                 bp_type_name(table->fields[i].type, now)));
    return 0;
}

static int diff(struct bp_tool *t, const struct opts *o, const struct bp_schema *table,
                struct bp_buf *out)
{
    struct bp_schema file = {0};
    struct bp_clause c;
    char at[4096];
    bool star;
    int rc;

    if ((size_t)snprintf(at, sizeof at, "@%s", o->diff) >= sizeof at)
        return bp_fail(&t->err, BP_EUSAGE, "--diff: the name is too long");
    BP_TRY(bp_tool_text(t, at, &c));
    if (bp_schema_parse(c.text, &file, &star, &t->err) < 0) {
        bp_schema_release(&file);
        return bp_err_prefix(&t->err, "schema %s", o->diff);
    }
    rc = print_diff(table, &file, star, out, &t->err);
    bp_schema_release(&file);
    t->exit_status = out->len > 0;
    return rc;
}

static int run(struct bp_tool *t, const struct opts *o)
{
    struct bp_open open = {.no_schema_file = o->infer};
    struct bp_source src = {0};
    struct bp_buf b = {0};
    int rc;

    if (o->sql + o->json + o->infer + (o->diff != NULL) > 1)
        return bp_fail(&t->err, BP_EUSAGE, "one of --sql, --json, --infer and --diff");
    BP_TRY(bp_tool_open(t, t->operands, t->n_operands, &open, &src));
    if (o->diff) {
        rc = diff(t, o, &src.schema, &b);
    } else if (o->json) {
        rc = bp_show_schema_json(&src.schema, &b, &t->err);
    } else if (o->sql || o->infer) {
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
