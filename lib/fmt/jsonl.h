/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Lines (RFC 8259 objects, one a line). As PostgreSQL's to_json writes values:
 * numbers exact, dates and times ISO 8601 in strings, binary as "\\x" and hex digits,
 * floats that JSON has no number for as "NaN", "Infinity", "-Infinity", NULL as null.
 */
#ifndef BP_FMT_JSONL_H
#define BP_FMT_JSONL_H

#include "flow/flow.h"
#include "fmt/rejects.h"
#include "sys/input.h"
#include "sys/outfile.h"

struct bp_jsonl_opts {
    const struct bp_schema *schema; /* declared columns; NULL: all inferred */
    bool star;                      /* the schema ends in *: other keys are columns too */
    const char *const *columns;     /* NULL-terminated names wanted; NULL: all */
    const char *const *may_lack;    /* NULL-terminated: of columns, what is left out where no such
                                     * column is; or NULL */
    const char *line_name; /* a column of this name behind the others: the number, from 1, of the
                            * line of its file that a record begins in; NULL, or where the table
                            * has that name: none */
    struct bp_rejects *rejects; /* the account of what is tolerated; NULL: nothing is */
    int task, n_tasks;          /* n_tasks > 0: contiguous share of all inputs together */
    int chunk_bytes;            /* what a worker takes at a time; 0: the default. For tests */
};

/*
 * Inputs are taken over (also on error; array too is copied). All files together are
 * one table, whose columns are keys: the declared ones, else those of a sample of all
 * inputs. A key that is missing is NULL; one that is no column, or twice in one object,
 * is an error. Text columns take numbers, booleans and nested values as their JSON;
 * other columns take strings that hold a value. Decoding runs on ctx->n_threads in
 * order. A batch is of one file, its origin.
 */
int bp_jsonl_source(struct bp_source *out, struct bp_input *inputs, int n_inputs,
                    const struct bp_jsonl_opts *opts, struct bp_ctx *ctx,
                    struct bp_err *err) BP_MUST;

/* f is taken over. Two columns of one name are BP_EUSAGE. */
int bp_jsonl_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                  struct bp_err *err) BP_MUST;

#endif
