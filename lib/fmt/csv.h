/* SPDX-License-Identifier: Apache-2.0 */
/* CSV and TSV, both ways. Reading is what libcsv reads under design 5's settings. */
#ifndef BP_FMT_CSV_H
#define BP_FMT_CSV_H

#include "flow/flow.h"
#include "fmt/rejects.h"
#include "sys/input.h"
#include "sys/outfile.h"

enum bp_csv_header { BP_CSV_HEADER_YES = 0, BP_CSV_HEADER_NO };

struct bp_csv_opts {
    char delim; /* ',' or '\t' or any single byte */
    char quote; /* '"'; 0: quotes mean nothing */
    enum bp_csv_header header;
    const char *null_text;          /* further text that reads as NULL when unquoted; may be NULL */
    const struct bp_schema *schema; /* declared columns; NULL: all inferred */
    bool star;                      /* the schema ends in *: columns beyond it are inferred */
    const char *const
        *columns; /* NULL-terminated names wanted; NULL: all. Others are never converted */
    const char *const *may_lack; /* NULL-terminated: of columns, what is left out where no such
                                  * column is; or NULL */
    const char *line_name; /* a column of this name behind the others: the number, from 1, of the
                            * line of its file that a record begins in; NULL, or where the table
                            * has that name: none */
    bool missing_null;     /* a column missing in one of several files is NULL */
    struct bp_rejects *rejects; /* the account of what is tolerated; NULL: nothing is */
    int task, n_tasks;          /* n_tasks > 0: contiguous share of all inputs together */
    int chunk_bytes;            /* what a worker takes at a time; 0: the default. For tests */
    int border_bytes;           /* the most to look at around a border; 0: the default. For tests */
};

/* Inputs are taken over (also on error; array too is copied). All files together
 * are one table; each has its own header. Inference reads them all, never the
 * share. Decoding runs on ctx->n_threads in order. A batch is of one file, its origin. */
int bp_csv_source(struct bp_source *out, struct bp_input *inputs, int n_inputs,
                  const struct bp_csv_opts *opts, struct bp_ctx *ctx, struct bp_err *err) BP_MUST;

struct bp_csv_out_opts {
    char delim;
    bool header;
    const char *null_text; /* text written for NULL, default "" */
    int n_threads;         /* that make text, in order; 0: the caller's */
};
/* Of n threads those that may make text at a time within a memory limit (0: none). */
int bp_csv_out_threads(const struct bp_schema *schema, int n, int64_t limit_bytes);
/* f is taken over. */
int bp_csv_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                const struct bp_csv_out_opts *opts, struct bp_err *err) BP_MUST;

#endif
