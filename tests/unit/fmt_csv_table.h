/* SPDX-License-Identifier: Apache-2.0 */
/* CSV text in, a readable form of what was read out: the schema's columns or the
 * rows as `a|b`, NULL as <>, an error as "! message". */
#ifndef BP_TESTS_FMT_CSV_TABLE_H
#define BP_TESTS_FMT_CSV_TABLE_H

#include <stdlib.h>

#include "col/text.h"
#include "fmt/csv.h"
#include "unit.h"

/* Cases name only what they are about. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct csv_case {
    const char *text[4]; /* of files a.csv, b.csv ...; NULL ends */
    const char *schema;  /* NULL: all inferred */
    const char *const *columns;
    const char *null_text, *line_name;
    char delim; /* 0: comma */
    bool no_header, stream, missing_null, show_schema, no_quote;
    int chunk_bytes, border_bytes, n_threads, task, n_tasks, batch_rows;
    struct bp_rejects *rejects;
};

static char csv_out_text[4 << 20];
static size_t csv_out_len;

static void csv_say(const char *s, size_t n)
{
    if (csv_out_len + n + 1 > sizeof csv_out_text)
        n = sizeof csv_out_text - csv_out_len - 1;
    if (n)
        memcpy(csv_out_text + csv_out_len, s, n);
    csv_out_len += n;
    csv_out_text[csv_out_len] = 0;
}

static void csv_say_batch(const struct bp_batch *b, struct bp_err *err)
{
    struct bp_buf cell = {0};

    for (int64_t i = 0; i < b->n_rows; i++) {
        for (int c = 0; c < b->n_cols; c++) {
            cell.len = 0;
            if (c)
                csv_say("|", 1);
            if (bp_column_is_null(&b->cols[c], i))
                csv_say("<>", 2);
            else if (bp_text_append(&b->cols[c], i, &cell, err) == 0)
                csv_say((const char *)cell.data, cell.len);
        }
        csv_say("\n", 1);
    }
    bp_buf_release(&cell);
}

static int csv_pull(struct bp_source *src, bool show_schema, struct bp_err *err)
{
    struct bp_buf text = {0};
    struct bp_batch b;
    int rc = 0;

    if (show_schema) {
        rc = bp_schema_print(&src->schema, false, &text, err);
        csv_say((const char *)text.data, text.len);
        bp_buf_release(&text);
        return rc;
    }
    while ((rc = bp_source_next(src, &b, err)) == 0) {
        csv_say_batch(&b, err);
        bp_batch_release(&b);
    }
    return rc;
}

/* Opens the n inputs of a case: schema is NULL, or declared, with or without a star. */
typedef int case_opener(const struct csv_case *t, const struct bp_schema *schema, bool star,
                        struct bp_input *in, int n, struct bp_ctx *ctx, struct bp_source *src,
                        struct bp_err *err);

/* The result is overwritten by the next call, unless more is true: appended. */
static const char *case_read(struct csv_case t, case_opener *open, const char *const names[4],
                             bool more)
{
    struct bp_ctx ctx = {.n_threads = t.n_threads ? t.n_threads : 1,
                         .batch_rows = t.batch_rows ? t.batch_rows : 8192};
    struct bp_schema schema = {0};
    struct bp_source src = {0};
    struct bp_input in[4];
    struct bp_err err = {0};
    bool star = false;
    int n = 0, rc = 0;

    if (!more)
        csv_out_len = 0;
    csv_out_text[csv_out_len] = 0;
    if (t.schema)
        rc = bp_schema_parse(t.schema, &schema, &star, &err);
    for (; n < 4 && t.text[n] && rc == 0; n++) {
        rc = bp_input_from_memory(&in[n], names[n], t.text[n], strlen(t.text[n]), &err);
        in[n].is_file = !t.stream;
    }
    if (rc == 0)
        rc = open(&t, t.schema ? &schema : NULL, star, in, n, &ctx, &src, &err);
    if (rc == 0)
        rc = csv_pull(&src, t.show_schema, &err);
    if (rc < 0) {
        csv_say("! ", 2);
        csv_say(err.msg, strlen(err.msg));
    }
    if (src.ops)
        bp_source_free(&src);
    bp_schema_release(&schema);
    return csv_out_text;
}

static inline int csv_case_open(const struct csv_case *t, const struct bp_schema *schema, bool star,
                                struct bp_input *in, int n, struct bp_ctx *ctx,
                                struct bp_source *src, struct bp_err *err)
{
    struct bp_csv_opts o = {.schema = schema,
                            .star = star,
                            .delim = t->delim ? t->delim : ',',
                            .quote = t->no_quote ? 0 : '"',
                            .header = t->no_header ? BP_CSV_HEADER_NO : BP_CSV_HEADER_YES,
                            .null_text = t->null_text,
                            .columns = t->columns,
                            .line_name = t->line_name,
                            .missing_null = t->missing_null,
                            .task = t->task,
                            .n_tasks = t->n_tasks,
                            .chunk_bytes = t->chunk_bytes,
                            .border_bytes = t->border_bytes};

    return bp_csv_source(src, in, n, &o, ctx, err);
}

static inline const char *csv_read_more(struct csv_case t, bool more)
{
    static const char *const names[] = {"a.csv", "b.csv", "c.csv", "d.csv"};

    return case_read(t, csv_case_open, names, more);
}

static inline const char *csv_read(struct csv_case t)
{
    return csv_read_more(t, false);
}

#define CSV(...) csv_read((struct csv_case){__VA_ARGS__})

#endif
