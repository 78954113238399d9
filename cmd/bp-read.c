/* SPDX-License-Identifier: Apache-2.0 */
/* bp-read: tables to a stream (FROM). */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "flow/marks.h"
#include "op/op.h"
#include "tool/tool.h"

struct opts {
    const char *format, *columns, *where, *from;
    struct bp_reject_opts rejects;
};

static const struct bp_option options[] = {
    {'f', "format", BP_OPT_TEXT, offsetof(struct opts, format), "FMT",
     "csv, tsv, jsonl, arrow, parquet (told by bytes and name)"},
    {'c', "columns", BP_OPT_TEXT, offsetof(struct opts, columns), "COLS",
     "only these columns, in this order"},
    {'w', "where", BP_OPT_TEXT, offsetof(struct opts, where), "EXPR",
     "only rows for which EXPR is true"},
    {0, "from", BP_OPT_TEXT, offsetof(struct opts, from), "CMD",
     "run CMD for each FILE ({} in it) and read what it writes"},
    {0, "on-error", BP_OPT_TEXT, offsetof(struct opts, rejects.on_error), "fail|null|skip",
     "bad input: an error, bad values NULL, rows left out"},
    {0, "rejects", BP_OPT_TEXT, offsetof(struct opts, rejects.file), "FILE",
     "write what null or skip tolerated: Arrow, or .jsonl"},
    {0, "max-errors", BP_OPT_COUNT, offsetof(struct opts, rejects.max_errors), "N",
     "fail when more than N are tolerated"},
};

static const struct bp_command command = {
    .name = "bp-read",
    .synopsis = "[options] FILE...",
    .summary = "read tables and write them as one Arrow stream (FROM)",
    .examples = {"bp-read trips.csv",
                 "bp-read -s 'PULocationID int, total_amount decimal(10,2), *' trips.csv",
                 "bp-read -c total_amount -w 'total_amount > 100' 'trips/*.csv'"},
    .options = options,
    .n_options = BP_COUNT_OF(options),
    .uses =
        BP_USES_VARS | BP_USES_TASK | BP_USES_JOBS | BP_USES_STATS | BP_USES_TEXT | BP_USES_PART,
    .min_operands = 0,
    .max_operands = -1,
    .order = "input order; several inputs in the order given, a directory by name",
    .memory = "a few blocks of the input for each thread",
    .is_stream = true,
};

/* What of the options changes the answer, for the lineage. */
static int step(struct bp_tool *t, const struct opts *o, const struct bp_clause *where,
                const char *columns, bool rejects, struct bp_source *src)
{
    const char *clauses[11] = {0}; /* five options and the end */
    int n = 0;

    if (t->schema_text) {
        struct bp_clause schema;

        BP_TRY(bp_tool_text(t, t->schema_text, &schema));
        clauses[n++] = "-s";
        clauses[n++] = schema.text;
    }
    if (columns) {
        clauses[n++] = "-c";
        clauses[n++] = columns;
    }
    if (o->where) {
        clauses[n++] = "-w";
        clauses[n++] = where->text;
    }
    if (o->from) { /* told apart, not told: it may hold a password */
        clauses[n++] = "--from";
        clauses[n++] = bp_arena_printf(t->arena, &t->err, "%016llx",
                                       (unsigned long long)bp_xxh3(o->from, strlen(o->from)));
        if (!clauses[n - 1])
            return t->err.code;
    }
    if (rejects) {
        clauses[n++] = "--on-error";
        clauses[n++] = o->rejects.on_error;
    }
    return bp_tool_step(t, &src->schema, clauses, (const struct bp_schema *[]){&src->schema}, 1);
}

static int read_all(struct bp_tool *t, const struct opts *o, struct bp_rejects *rejects)
{
    struct bp_clause columns, where;
    struct bp_open open = {
        .format = o->format, .from = o->from, .text_on_stdin = true, .rejects = rejects};
    struct bp_source src = {0};
    int rc;

    BP_TRY(bp_tool_clause(t, o->columns, &columns));
    BP_TRY(bp_tool_clause(t, o->where, &where));
    if (!o->where)
        open.columns = columns.text;
    BP_TRY(bp_tool_open(t, t->operands, t->n_operands, &open, &src));
    BP_GO(bp_read_open(&src, o->where ? &where : NULL, o->columns ? &columns : NULL, &t->ctx,
                       &t->err));
    BP_GO(step(t, o, &where, columns.text, rejects != NULL, &src));
    if (rejects)
        BP_GO(bp_tool_rejects_watch(t, rejects, &src));
    rc = bp_tool_emit(t, &src);
out:
    bp_source_free(&src);
    return rc;
}

static void run(struct bp_tool *t, const struct opts *o)
{
    struct bp_rejects *rejects = NULL;

    if (bp_tool_rejects_open(t, &o->rejects, &rejects) == 0)
        (void)read_all(t, o, rejects);
    bp_tool_rejects_end(t, rejects, o->rejects.file);
}

int main(int argc, char **argv)
{
    struct opts o = {.rejects.max_errors = -1};
    struct bp_tool t;

    if (!bp_tool_start(&t, &command, &o, argc, argv))
        run(&t, &o);
    return bp_tool_end(&t);
}
