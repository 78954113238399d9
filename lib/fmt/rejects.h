/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The account of input that was tolerated (bp-read --on-error null, skip): one
 * record for each row that was left out and each value that became NULL, in the
 * order of the input. Readers add; who opened them commits.
 */
#ifndef BP_FMT_REJECTS_H
#define BP_FMT_REJECTS_H

#include "flow/flow.h"
#include "sys/outfile.h"

/* file, line, byte, record, column, reason, text */
#define BP_REJECT_COLUMNS 7

struct bp_rejects {
    bool skip;           /* a bad value: its row is left out; else it becomes NULL */
    int64_t max_errors;  /* more of them are an error; < 0: any number */
    struct bp_sink sink; /* the caller's; without ops they are only counted */
    /* the account */
    int64_t n_rows, n_values; /* left out; made NULL */
    bool committed;
    char *first; /* "FILE:LINE: reason" of the first */
    /* not yet given to sink */
    struct bp_builder cols[BP_REJECT_COLUMNS];
    int64_t n_bytes;
};

struct bp_reject {
    const char *file;
    int64_t line, byte, record; /* line and record count from 1, the header has no record number */
    const char *column;         /* NULL: the row as a whole */
    const char *reason;
    const uint8_t *text; /* the row as it stands in the file */
    size_t n_text;
    bool is_value; /* the value became NULL, and the row stays */
};

/* Add one. Where it is one too many: BP_EDATA, worded with its place. */
int bp_rejects_add(struct bp_rejects *r, const struct bp_reject *x, struct bp_err *err) BP_MUST;
/* All that was added, whole: the sink commits. */
int bp_rejects_commit(struct bp_rejects *r, struct bp_err *err) BP_MUST;
void bp_rejects_free(struct bp_rejects *r); /* the sink too */

int bp_rejects_schema(struct bp_schema *out, struct bp_err *err) BP_MUST;
/* As JSON Lines; f is taken over. */
int bp_rejects_jsonl_sink(struct bp_sink *out, struct bp_outfile *f, struct bp_err *err) BP_MUST;

#endif
