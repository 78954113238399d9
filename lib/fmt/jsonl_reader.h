/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the JSON Lines reader share.
 *
 *   jsonl_token.c   strings, numbers, values: where they end, checked; jsonl_value.h short ones
 *   jsonl_keys.c    which key is which
 *   jsonl_line.c    one line: where its values stand
 *   jsonl_alike.c   the same of several lines that are like the one before
 *   jsonl_rows.c    a block of lines becomes rows of columns; bad ones are judged
 *   jsonl_chunk.c   one chunk of a file, in a worker
 *   jsonl_open.c    sizes, columns, which bytes belong to this share
 *   jsonl_infer.c   keys and types where none are declared
 *   jsonl_read.c    the source: gives chunks to the pool, takes them in order
 *
 * A raw LF can stand in no JSON token, so records are lines and a file can be cut
 * at any LF: chunk [a, b) has the lines that begin in it, and reads a little behind
 * b to the end of the last. Lines that lack most of the keys make columns of many times
 * their bytes: a chunk whose columns would take more than most_bytes ends early, the
 * source reads its rest with a worker of its own, and the chunks behind it are smaller.
 *
 * The hot loop expects lines that are like one before (jsonl_alike.h), and reads several at
 * a time. Else a line is guessed to have its keys in the order of the line before: then a
 * key is one comparison, and nothing is looked up. All of a line is
 * checked, wanted or not; values are converted a column at a time by the loops that
 * CSV has (csv_out.h), and one at a time in a block where some value is bad.
 */
#ifndef BP_FMT_JSONL_READER_H
#define BP_FMT_JSONL_READER_H

#include "base/arena.h"
#include "fmt/csv_out.h"
#include "fmt/jsonl.h"
#include "fmt/jsonl_keys.h"
#include "fmt/jsonl_token.h"
#include "fmt/rejects.h"
#include "fmt/text_source.h"

#define JSONL_AWAKE_FILES 16 /* more inputs are put to rest between looks at them */
#define JSONL_CHUNK_BYTES ((size_t)512 << 10)
#define JSONL_CHUNK_MIN_BYTES ((size_t)64 << 10)  /* where memory is tight */
#define JSONL_CHUNK_LEAST_BYTES ((size_t)4 << 10) /* where columns are many times their text */
#define JSONL_FRONT_BYTES 64                      /* room before a chunk's first byte */
#define JSONL_BLOCK_ROWS 256                      /* lines that are converted together, at most */
#define JSONL_TEXT_BYTES 65536                    /* of a line in the account of rejects */

struct jsonl_file {
    struct bp_input in;
    int64_t data_start; /* behind a BOM */
    int64_t lo, hi;     /* this share: lines that begin in [lo, hi) */
};

struct jsonl_reader {
    struct jsonl_file *files;
    int n_files;
    struct jsonl_keys keys;
    struct text_col *cols;
    int n_cols;
    int line_col; /* of them: the number of the line; -1: none */
    struct bp_ctx *ctx;
    int n_threads;      /* that work: of the context's, as many as memory allows */
    int64_t told_bytes; /* that one of them needs, as the budget was told */
    size_t chunk_bytes, line_max_bytes;
    int64_t most_bytes; /* of the columns of one chunk */
    /* What a row takes in the columns, whatever it holds, and a struct in a list; set with cols. */
    int64_t row_bytes, elem_bytes;
    int block_rows; /* lines that are converted together: JSONL_BLOCK_ROWS, fewer of wide ones */
    int level;      /* of the CSV loops: 1 where the machine has BMI2 */
    bool inferred;  /* keys were taken from a sample */
    char *declared; /* of the schema as the user gave it, for messages; or NULL */
    struct bp_rejects *rejects; /* NULL: the first error ends the reading */
};

/* ---- jsonl_line.c ---- */

/* Where the values of a block of lines stand: value of row i and column c is
 * p[s + 1, e) with s = at[c * JSONL_BLOCK_ROWS + i], a string without its quotes, so
 * that p[s] is a quote for strings only. e = s: an empty string; e = s + 1: NULL. A column
 * more takes the values that nobody wants. */
struct jsonl_spans {
    uint32_t *s, *e;
    uint8_t *marks; /* [n_cols]: enum jsonl_mark, of all values of the block */
};
enum jsonl_mark { JSONL_ESCAPED = 1, JSONL_NESTED = 2, JSONL_NULL = 4, JSONL_EMPTY = 8 };

struct jsonl_line {
    const struct jsonl_reader *r;
    int *next;       /* [n_keys + 1]: the key that followed key k; [n_keys]: the first */
    int *col_of;     /* [n_keys]; n_cols: not wanted */
    int n_wanted;    /* columns that are keys */
    uint64_t *seen;  /* [n_keys]: the last line that had the key */
    uint64_t number; /* of the line, for seen */
    struct jsonl_spans spans;
    struct jsonl_alike *alike;
    struct jsonl_bad bad;
    char why[256]; /* where a reason is not constant; bad.why points to it */
};

int jsonl_line_new(struct jsonl_line **out, const struct jsonl_reader *r,
                   struct bp_err *err) BP_MUST;
void jsonl_line_free(struct jsonl_line *l);
/* The key at *q, which moves behind it; -1: bad says what is wrong. */
int jsonl_line_key(struct jsonl_line *l, const uint8_t **q);
/* The line at q (its first byte that is not blank) -> its LF, with its values in row
 * `row` of spans; NULL: bad says what is wrong. p: what spans count from. */
const uint8_t *jsonl_line_parse(struct jsonl_line *l, const uint8_t *p, const uint8_t *q, int row);

/* ---- jsonl_chunk.c, jsonl_rows.c ---- */

struct jsonl_reject {
    int64_t at, lines; /* offset of the line; lines before it in the job */
    const char *column, *reason;
    const uint8_t *text;
    size_t n_text;
    bool is_value;
};

struct jsonl_job {
    int file;
    int64_t a, b;               /* of a file; a stream: a is the offset of block's first byte */
    struct bp_block *block;     /* of a stream: whole lines, behind JSONL_FRONT_BYTES */
    size_t n_bytes, skip_bytes; /* of them; and those that another job has read */
    /* the result */
    struct bp_batch batch;
    int64_t lines; /* how many were read */
    int64_t rest;  /* where the lines begin that did not fit; -1: all did */
    struct jsonl_reject *rejects;
    int n_rejects, cap_rejects;
    struct bp_arena arena; /* of the rejects */
    int rc;
    struct bp_err err;
    int64_t err_lines; /* lines before the one that err is about; -1: err has its place */
};
void jsonl_job_free(struct jsonl_job *job);

struct jsonl_rows_mark {
    int64_t n_rows, n_nulls;
    size_t bytes_len;
};

/* A worker's block of lines and the columns that it fills. */
struct jsonl_rows {
    const struct jsonl_reader *r;
    struct jsonl_line *line;
    struct csv_out *outs;
    struct jsonl_rows_mark *marks; /* [n_cols]: private to jsonl_rows.c */
    struct csv_dates dates;
    const uint8_t *p; /* the bytes that spans count from */
    uint32_t starts[JSONL_BLOCK_ROWS];
    int64_t lines[JSONL_BLOCK_ROWS]; /* lines of the job before each */
    int n;
    int64_t n_rows;     /* in outs */
    int64_t text_bytes; /* of the lines that became rows, and of structs in their lists */
    int64_t at_p;       /* the offset of p[0] in the file */
    struct jsonl_job *job;
    struct bp_buf scratch;
};
/* Convert the n lines of the block. */
int jsonl_rows_flush(struct jsonl_rows *b, struct bp_err *err) BP_MUST;
/* A line or a value of it is bad: BP_EDATA, or accounted for. column NULL: the line.
 * The line begins at p[start]. */
int jsonl_rows_reject(struct jsonl_rows *b, uint32_t start, int64_t lines, const char *column,
                      const char *reason, bool is_value, struct bp_err *err) BP_MUST;

struct jsonl_worker;
int jsonl_worker_new(struct jsonl_worker **out, const struct jsonl_reader *r,
                     struct bp_err *err) BP_MUST;
void jsonl_worker_free(struct jsonl_worker *w);
void jsonl_worker_run(struct jsonl_worker *w, struct jsonl_job *job);

/* ---- jsonl_open.c ---- */
/* r's files and ctx are set; everything else is filled, and out's columns. */
/* How many threads, for the columns that are wanted now; tells the budget what one needs. */
int jsonl_threads_for(const struct jsonl_reader *r);
void jsonl_tell_least(struct jsonl_reader *r);
/* row_bytes, of the columns that are wanted now. */
void jsonl_weigh_rows(struct jsonl_reader *r);
int jsonl_settle(struct jsonl_reader *r, const struct bp_jsonl_opts *o, struct bp_schema *out,
                 struct bp_err *err) BP_MUST;

/* ---- jsonl_infer.c ---- */
/* Keys that are not declared (where any may be), and the types of columns that have
 * none, from a sample of every input. types: [keys.n], BP_NO_TYPE where undeclared. */
int jsonl_infer(struct jsonl_reader *r, bool more_keys, struct bp_type **types,
                struct bp_err *err) BP_MUST;

#endif
