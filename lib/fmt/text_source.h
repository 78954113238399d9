/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of CSV and of JSON Lines have in common. */
#ifndef BP_FMT_TEXT_SOURCE_H
#define BP_FMT_TEXT_SOURCE_H

#include "col/column.h"
#include "flow/flow.h"

struct text_col { /* an output column */
    char *name;
    struct bp_type type;
    int key; /* JSON Lines: which of the keys; CSV: 0 */
    bool not_null, guessed;
    enum bp_dict_kind dict; /* of text that is read as a dictionary */
    int64_t dict_values;    /* how many were in a sample; 0: nobody looked */
    bool is_line; /* no column of the table: the number of the line that a record begins in */
};

void text_cols_free(struct text_col *cols, int n);
/* Is column `name`, which was asked for, one of may_lack (NULL: none) and not in the table? */
bool text_col_lacks(const struct bp_schema *table, const char *name, const char *const *may_lack);
/* Which of cols[0, n) is the number of the line; -1: none. */
int text_line_col(const struct text_col *cols, int n);
/* One more column behind cols[0, *n), for which there is room: the number of the line. */
int text_line_add(struct text_col *cols, int *n, const char *name, struct bp_err *err) BP_MUST;
/* Column c of a chunk's rows, where lines count from 0 at its first byte, is to count on behind
 * `before` lines, and from 1. The rows must be nobody else's yet. */
void text_lines_shift(struct bp_batch *b, int c, int64_t before);
/* *cols become those of wanted[0, n), in that order; unchanged on error. */
int text_cols_project(struct text_col **cols, int *n_cols, const int *wanted, int n,
                      struct bp_err *err) BP_MUST;

/* The rows of b, which came from one chunk, in batches of about batch_rows, all alike: those from
 * *from on -> out. *from is moved, and 0 again with the last; b may then be empty. */
int text_slice(struct bp_batch *b, int64_t *from, int64_t batch_rows, struct bp_batch *out,
               struct bp_err *err) BP_MUST;

/* Chunks in work, with their columns, are to be a small part of the memory. */
#define TEXT_SLOTS(n_threads) ((n_threads) > 1 ? (n_threads) + 2 : 1) /* chunks in work */
#define TEXT_SLOTS_MOST(n_threads) ((n_threads) > 1 ? (n_threads) + 14 : 1)
/* May one more chunk be put to work, where in_work are and the last that was taken held
 * job_bytes (0: none was)? More than TEXT_SLOTS only while they are small: whoever takes them
 * waits for the reader of a pipe, a batch of many chunks at a time, and threads go on. */
bool text_reads_on(const struct bp_ctx *ctx, int n_threads, int64_t in_work, int64_t job_bytes);
size_t text_chunk_bytes_for(const struct bp_ctx *ctx, size_t most, size_t least);
/* How many threads half of the memory bears, where a chunk in work takes slot_bytes. */
int text_threads_for(const struct bp_ctx *ctx, int64_t slot_bytes);
/* The most bytes that a record may have: a quarter of the memory, for it is held about three
 * times while it grows; 256 MiB at most. */
size_t text_record_max_for(const struct bp_ctx *ctx);
#define TEXT_RECORD_MAX_WORDS "(a quarter of --mem, 256 MiB at most)"
/* The budget learns that the least is now `bytes`; *told_bytes is what it was told before. */
void text_tell_least(struct bp_ctx *ctx, int64_t bytes, int64_t *told_bytes);
/* The schema as the user gave it, for messages -> *out, which the caller frees; none: unchanged. */
int text_keep_declared(char **out, const struct bp_schema *schema, struct bp_err *err) BP_MUST;

#endif
