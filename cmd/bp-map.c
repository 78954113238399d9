/* SPDX-License-Identifier: Apache-2.0 */
/* bp-map: columns (SELECT): compute, add, drop, rename. */
#include "op/op.h"
#include "tool/tool.h"

struct opts {
    const char *add, *drop, *rename, *unpivot, *names;
    bool functions;
};

static const struct bp_option options[] = {
    {'a', "add", BP_OPT_TEXT, offsetof(struct opts, add), "LIST",
     "add columns, or overwrite those of the name"},
    {'d', "drop", BP_OPT_TEXT, offsetof(struct opts, drop), "COLS", "all columns but these"},
    {'r', "rename", BP_OPT_TEXT, offsetof(struct opts, rename), "LIST", "'old AS new, ...'"},
    {0, "unpivot", BP_OPT_TEXT, offsetof(struct opts, unpivot), "COLS",
     "these columns to rows: a name and a value each"},
    {0, "names", BP_OPT_TEXT, offsetof(struct opts, names), "KEY,VALUE",
     "of the columns --unpivot makes (default: key,value)"},
    {0, "functions", BP_OPT_FLAG, offsetof(struct opts, functions), NULL,
     "list the functions with the types they take and give, and end"},
};

static const struct bp_command command = {
    .name = "bp-map",
    .synopsis = "[options] LIST [IN...]",
    .summary = "compute columns (SELECT), or with -a, -d, -r add, drop, rename them",
    .examples = {"bp-map 'PULocationID AS zone, fare_amount + tip_amount AS paid' trips.csv",
                 "bp-map -a \"to_date(tpep_pickup_datetime::text) AS day\" trips.csv",
                 "bp-map -d 'extra, mta_tax' trips.csv"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses =
        BP_USES_VARS | BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 0,
    .max_operands = -1,
    .order = "input order",
    .memory = "a few batches",
    .is_stream = true,
};

static int form_of(struct bp_tool *t, const struct opts *o, enum bp_map_form *form,
                   const char **text, int *first_input)
{
    int given = (o->add != NULL) + (o->drop != NULL) + (o->rename != NULL) + (o->unpivot != NULL);

    if (given > 1)
        return bp_fail(&t->err, BP_EUSAGE, "-a, -d, -r and --unpivot: one at a time; pipe them");
    if (o->names && !o->unpivot)
        return bp_fail(&t->err, BP_EUSAGE, "--names is for --unpivot");
    *first_input = 0;
    *form = o->add ? BP_MAP_ADD : o->drop ? BP_MAP_DROP : BP_MAP_RENAME;
    *text = o->add ? o->add : o->drop ? o->drop : o->rename ? o->rename : o->unpivot;
    if (given)
        return 0;
    if (!t->n_operands)
        return bp_fail(&t->err, BP_EUSAGE, "usage: bp-map %s", t->cmd->synopsis);
    *form = BP_MAP_SELECT;
    *text = t->operands[0];
    *first_input = 1;
    return 0;
}

static int list_functions(struct bp_tool *t)
{
    struct bp_buf b = {0};
    int rc;

    if (t->n_operands)
        return bp_fail(&t->err, BP_EUSAGE, "--functions stands alone");
    rc = bp_expr_functions(&b, &t->err);
    if (rc == 0)
        rc = bp_tool_print(t, b.data, b.len);
    bp_buf_release(&b);
    return rc;
}

static int run(struct bp_tool *t, const struct opts *o)
{
    static const char *const names[] = {"", "-a", "-d", "-r"};
    struct bp_clause list;
    struct bp_source in = {0}, src = {0};
    struct bp_schema from = {0};
    enum bp_map_form form = BP_MAP_SELECT;
    const char *text = NULL;
    int first = 0, rc;

    if (o->functions)
        return list_functions(t);
    BP_TRY(form_of(t, o, &form, &text, &first));
    BP_TRY(bp_tool_clause(t, text, &list));
    BP_TRY(bp_tool_open(t, t->operands + first, t->n_operands - first, NULL, &in));
    BP_GO(bp_schema_copy_meta(&from, &in.schema, &t->err));
    if (o->unpivot)
        BP_GO(bp_unpivot_open(&src, &in, list.text, o->names, &t->ctx, &t->err));
    else
        BP_GO(bp_map_open(&src, &in, form, &list, &t->ctx, &t->err));
    BP_GO(bp_tool_step(
        t, &src.schema,
        (const char *[]){o->unpivot ? "--unpivot" : names[form], list.text, o->names, NULL},
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
    struct opts o = {0};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv))
        (void)run(&t, &o);
    return bp_tool_end(&t);
}
