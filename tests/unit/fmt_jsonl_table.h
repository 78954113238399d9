/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Lines in, what was read out, as fmt_csv_table.h has it. */
#ifndef BP_TESTS_FMT_JSONL_TABLE_H
#define BP_TESTS_FMT_JSONL_TABLE_H

#include "fmt/jsonl.h"
#include "fmt_csv_table.h"

static int jsonl_case_open(const struct csv_case *t, const struct bp_schema *schema, bool star,
                           struct bp_input *in, int n, struct bp_ctx *ctx, struct bp_source *src,
                           struct bp_err *err)
{
    struct bp_jsonl_opts o = {.schema = schema,
                              .star = star,
                              .columns = t->columns,
                              .rejects = t->rejects,
                              .task = t->task,
                              .n_tasks = t->n_tasks,
                              .chunk_bytes = t->chunk_bytes};

    return bp_jsonl_source(src, in, n, &o, ctx, err);
}

/* As csv_read(): a case's text as JSON Lines. */
static const char *jsonl_read_more(struct csv_case t, struct bp_rejects *rejects, bool more)
{
    static const char *const names[] = {"a", "b", "c", "d"};

    t.rejects = rejects;
    return case_read(t, jsonl_case_open, names, more);
}

#define JSONL(...) jsonl_read_more((struct csv_case){__VA_ARGS__}, NULL, false)

#endif
