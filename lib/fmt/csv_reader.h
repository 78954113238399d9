/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the CSV reader share.
 *
 *   csv_head.c    the header, and which field feeds which column
 *   csv_infer.c   types where none are declared; csv_sample.c rows to tell by,
 *                 csv_repeats.c which texts repeat
 *   csv_range.c   which bytes of which file belong to this share
 *   csv_border.c  where in the records that is
 *   csv_open.c    dialect, sizes, what the ledger says
 *   csv_read.c    the source: gives chunks to the pool, takes them in order
 *   csv_cut.c     where files are cut into chunks, and streams into blocks
 *   csv_dicts.c   one dictionary a column, from those of the workers
 *   csv_chunk.c   one chunk: bytes -> index -> columns (in a worker)
 *   csv_slow.c    libcsv's reading, for what is not plain, the messages, and tolerance
 *   csv_record.c  libcsv itself: bytes to the fields of a record
 *   csv_scan*.c   stage 1      csv_convert.c, csv_wide*.c, csv_out.c   stage 2
 *
 * The fast path never words an error. When a chunk is not plain (odd quotes, a
 * bare CR, a row of another length, bytes that are no UTF-8, a value that does
 * not convert) it gives up, and the slow path reads on from the first record of
 * that chunk: it finds the error and says where it is, or shows that there was none,
 * or tolerates it. Behind the chunk, between two records, the fast path goes on.
 *
 * Borders. A file is cut at multiples of the chunk size, anywhere. Chunk [a, b)
 * has the records whose preceding LF lies in [a, b); so it reads a little behind
 * b. Whether a lies inside quotes comes, in order, from the chunk before.
 */
#ifndef BP_FMT_CSV_READER_H
#define BP_FMT_CSV_READER_H

#include "flow/recut.h"
#include "fmt/csv.h"
#include "fmt/csv_out.h"
#include "fmt/csv_scan.h"
#include "fmt/rejects.h"
#include "fmt/text_source.h"

#define CSV_AWAKE_FILES 16 /* more inputs are put to rest between looks at them */
#define CSV_CHUNK_BYTES ((size_t)512 << 10)
#define CSV_CHUNK_MIN_BYTES (64 << 10) /* where memory is tight */
#define CSV_BORDER_BYTES ((int64_t)4 << 20)
#define CSV_PIECE_BYTES ((uint32_t)32 << 10)
#define CSV_FRONT_BYTES 64 /* room before a chunk's first byte */

struct csv_dialect {
    uint8_t delim, quote;
    bool quotes;
    const char *null_text; /* NULL: none */
    size_t null_len;
};

struct csv_file {
    struct bp_input in;
    int n_fields;
    char **names;       /* of the fields */
    int *field_of;      /* [n_cols]: the field of output column c; -1: none, all NULL */
    int64_t data_start; /* the first byte behind BOM and header */
    int64_t head_lines; /* lines before it */
    int64_t lo, hi;     /* this share: records that begin in [lo, hi); both are starts of
                         * records where the file is cut there */
};

struct csv_reader {
    struct csv_dialect dialect;
    struct csv_file *files;
    int n_files;
    struct text_col *cols;
    int n_cols;
    int line_col; /* of them: the number of the line; -1: none */
    struct bp_ctx *ctx;
    struct bp_dictset *dicts; /* [n_cols] once there are workers: of columns that are dict, the
                               * values so far, in their order; of the main thread */
    const struct csv_kernels *kernels;
    size_t chunk_bytes, record_max_bytes;
    int n_threads;        /* that work: of the context's, as many as memory allows */
    int64_t told_bytes;   /* that one of them needs, as the budget was told */
    int64_t border_bytes; /* the most to look at around the border of a share */
    bool header, any_guess;
    char *declared;             /* of the schema as the user gave it, for messages; NULL: nothing */
    struct bp_rejects *rejects; /* NULL: the first error ends the reading */
};

/* A border of records, and how many lines and records of the file are before it. */
struct csv_place {
    int64_t at, lines, records;
};

/* ---- csv_slow.c: libcsv over one file ---- */
struct csv_slow;
/* Reads fields as libcsv does, from a record border at offset on; records that
 * begin before skip_before are passed over, and those from stop_at on end it. line
 * and record count what is before offset; line < 0: counted when an error is worded. */
int csv_slow_open(struct csv_slow **out, const struct csv_reader *r, int file, int64_t offset,
                  int64_t skip_before, int64_t stop_at, int64_t line, int64_t record,
                  struct bp_err *err) BP_MUST;
/* Feed bytes; *used of them are taken. n 0 is the end of the file. Fewer are taken
 * when `rows` rows are ready. BP_DONE: the end of the file or of the share. */
int csv_slow_feed(struct csv_slow *s, const uint8_t *p, size_t n, int64_t rows, size_t *used,
                  struct bp_err *err) BP_MUST;
/* How many rows are ready; and the rows. */
int64_t csv_slow_rows(const struct csv_slow *s);
int csv_slow_take(struct csv_slow *s, struct bp_batch *out, struct bp_err *err) BP_MUST;
/* The first record at or behind stop_at, once it was seen; at -1. */
struct csv_place csv_slow_behind(const struct csv_slow *s);
/* True and the place: all bytes fed are records that have ended, and no empty line waits
 * for what follows. */
bool csv_slow_between(const struct csv_slow *s, struct csv_place *place);
/* Offset of the next byte to feed. */
int64_t csv_slow_pos(const struct csv_slow *s);
void csv_slow_free(struct csv_slow *s);

/* The fields of one record as libcsv sees them. */
struct csv_record {
    struct bp_buf bytes;
    size_t *ends;   /* [n]: where field i ends in bytes */
    uint8_t *empty; /* [n]: 1: empty and not quoted */
    int n, cap;
};
void csv_record_release(struct csv_record *rec);
/* The first record of p[0, n) (BOM already off): *used bytes with its newline.
 * BP_DONE: it does not end within n bytes; at_end: the end of p is the end of the
 * file, and ends it. */
int csv_record_first(const struct csv_dialect *d, const uint8_t *p, size_t n, bool at_end,
                     struct csv_record *rec, size_t *used, struct bp_err *err) BP_MUST;

/* csv_record.c: records between two borders, by libcsv. */
int csv_records_between(const struct csv_reader *r, const struct bp_input *in, int64_t from,
                        int64_t to, int64_t *records, struct bp_err *err) BP_MUST;

/* The first record that begins at or behind border, from the start of a record on; the
 * end of the file if none does. */
int csv_records_seek(const struct csv_reader *r, const struct bp_input *in, int64_t from,
                     int64_t border, int64_t *start, struct bp_err *err) BP_MUST;

/* ---- csv_head.c ---- */
int csv_heads_read(struct csv_reader *r, const struct bp_csv_opts *opts,
                   struct bp_err *err) BP_MUST;
/* Table columns and output columns; undeclared ones have BP_NO_TYPE until inferred. */
int csv_columns_resolve(struct csv_reader *r, const struct bp_csv_opts *opts,
                        struct bp_err *err) BP_MUST;

/* ---- csv_infer.c: types for the output columns that have none; which texts repeat ---- */
int csv_infer(struct csv_reader *r, struct bp_err *err) BP_MUST;

/* ---- csv_open.c ---- */
void csv_reader_release(struct csv_reader *r);
/* Before workers exist: they are made for the columns that are left. */
int csv_reader_project(struct csv_reader *r, const int *cols, int n, struct bp_err *err) BP_MUST;
int csv_set_dialect(struct csv_reader *r, const struct bp_csv_opts *o, struct bp_err *err) BP_MUST;
/* Chunks in work, their indexes and columns are to be a small part of the memory. */
/* How many threads, for the columns that are wanted now. */
int csv_threads_for(const struct csv_reader *r);
/* Tells the budget what one thread needs, in place of what it was told before. */
void csv_tell_least(struct csv_reader *r);
/* What this share reads of every file, for the ledger. */
int csv_note_read(const struct csv_reader *r, struct bp_share share, struct bp_err *err) BP_MUST;
/* The share of file ends where its last record ended, and the next share begins. */
int csv_check_end(const struct csv_reader *r, int file, int64_t ended_at,
                  struct bp_err *err) BP_MUST;

/* ---- csv_range.c ---- */
/* lo and hi of every file for task of n_tasks (0: everything), at starts of records. */
int csv_share_cut(struct csv_reader *r, int task, int n_tasks, struct bp_err *err) BP_MUST;
/* A file that ends at `at` must not have become shorter. */
int csv_check_size(const struct bp_input *in, int64_t at, bool end, struct bp_err *err) BP_MUST;
struct csv_border {
    bool inside; /* is the byte at the offset inside quotes? */
    bool odd;    /* libcsv is needed from record_at on */
    int64_t record_at;
    int64_t n_lf; /* that end records, unless odd */
};
/* Reads the file from its first record up to offset. */
int csv_border_find(const struct csv_reader *r, int file, int64_t offset, struct csv_border *out,
                    struct bp_err *err) BP_MUST;
/* Lines that end in [from, to) (LF, CR, CRLF), by reading the file. */
int csv_lines_between(const struct csv_reader *r, const struct bp_input *in, int64_t from,
                      int64_t to, int64_t *lines, struct bp_err *err) BP_MUST;
/* Move p on to the border `to`, by reading the file. */
int csv_place_advance(const struct csv_reader *r, int file, struct csv_place *p, int64_t to,
                      struct bp_err *err) BP_MUST;
int64_t csv_count_lines(const struct csv_kernels *k, const uint8_t *p, size_t n);

/* ---- csv_border.c ---- */
/* The first record at or behind byte border of the file: the same for every task that
 * asks. Behind the header only; else, and at the end, it is border itself. */
int csv_border_start(const struct csv_reader *r, int file, int64_t border, int64_t *start,
                     struct bp_err *err) BP_MUST;

/* ---- csv_dicts.c ---- */
struct csv_dicts;
/* Has a dictionary grown so large that it is to begin anew? */
bool csv_dict_is_full(const struct bp_dictset *d);
/* Makes r->dicts, too, which csv_dicts_free() frees. */
int csv_dicts_open(struct csv_dicts **out, struct csv_reader *r, int n_workers,
                   struct bp_err *err) BP_MUST;
/* The rows of b, which come from `worker`, get the codes of r->dicts. */
int csv_dicts_unify(struct csv_dicts *d, int worker, struct bp_batch *b,
                    struct bp_err *err) BP_MUST;
/* Between two batches: what has grown too large begins anew. */
void csv_dicts_renew(struct csv_dicts *d);
void csv_dicts_free(struct csv_dicts *d); /* NULL is a no-op */

/* ---- csv_chunk.c ---- */
struct csv_job {
    int file;
    int worker;        /* that ran it: dictionaries of the batch are its own */
    int64_t a, b;      /* of a file; a stream: a is the offset of block's first byte */
    bool at_start;     /* a record begins at a */
    int inside;        /* is a inside quotes? 0, 1; -1: the job before knows */
    int64_t border_at; /* of the first job of a file: a border of a record at or before a */
    int64_t seq;
    struct bp_block *block; /* of a stream: whole records, behind CSV_FRONT_BYTES */
    size_t n_bytes;
    /* the result */
    struct bp_batch batch;
    int64_t record_at; /* offset of the first record; -1: none begins here */
    int64_t end_at;    /* of a file: where the last record ends; -1: none was read here */
    int64_t lines;     /* that end in block; of a file, where lines are wanted: in its records */
    bool odd;
    int rc;
    struct bp_err err;
};

/* Which bytes are inside quotes at the end of each job, in order. */
struct csv_chain;
int csv_chain_new(struct csv_chain **out, int n_slots, struct bp_err *err) BP_MUST;
void csv_chain_free(struct csv_chain *c);

struct csv_worker;
int csv_worker_new(struct csv_worker **out, struct csv_reader *r, struct csv_chain *chain,
                   struct bp_err *err) BP_MUST;
void csv_worker_free(struct csv_worker *w);
void csv_worker_run(struct csv_worker *w, struct csv_job *job);
/* For a job that is odd already. */
void csv_worker_skip(struct csv_worker *w, struct csv_job *job);
void csv_job_free(struct csv_job *job);

#endif
