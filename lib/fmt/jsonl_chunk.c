/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One chunk, in a worker: its bytes are read into the worker's own buffer, and its
 * lines go block by block to the columns. A bad line ends the job with an error, or
 * goes to its account of rejects; the source gives both their place in the file.
 */
#include <stdio.h>
#include <string.h>

#include "col/text.h"
#include "fmt/csv_scan.h"
#include "fmt/jsonl_alike.h"
#include "fmt/jsonl_nested.h"
#include "fmt/jsonl_reader.h"

struct jsonl_worker {
    const struct jsonl_reader *r;
    struct bp_block *buf; /* JSONL_FRONT_BYTES, the chunk, the bytes behind it, the pad */
    size_t behind_bytes;  /* how much is read behind a chunk */
    struct jsonl_rows rows;
    int64_t rows_guess; /* as many as the last chunk had */
};

int jsonl_worker_new(struct jsonl_worker **out, const struct jsonl_reader *r, struct bp_err *err)
{
    struct jsonl_worker *w = bp_mem_new(1, sizeof *w, err);

    *out = w;
    if (!w)
        return err->code;
    w->r = w->rows.r = r;
    w->behind_bytes = 4096;
    BP_TRY(jsonl_line_new(&w->rows.line, r, err));
    w->rows.marks = bp_mem_new((size_t)r->n_cols, sizeof *w->rows.marks, err);
    w->rows.outs = w->rows.marks ? bp_mem_new((size_t)r->n_cols, sizeof *w->rows.outs, err) : NULL;
    if (!w->rows.outs)
        return err->code;
    for (int c = 0; c < r->n_cols; c++)
        w->rows.outs[c].type =
            bp_type_is_nested(r->cols[c].type) ? BP_TYPE(BP_TEXT) : r->cols[c].type;
    return 0;
}

void jsonl_worker_free(struct jsonl_worker *w)
{
    if (!w)
        return;
    for (int c = 0; w->rows.outs && c < w->r->n_cols; c++)
        csv_out_release(&w->rows.outs[c]);
    bp_mem_free(w->rows.outs);
    bp_mem_free(w->rows.marks);
    bp_buf_release(&w->rows.scratch);
    jsonl_line_free(w->rows.line);
    bp_block_unref(w->buf);
    bp_mem_free(w);
}

void jsonl_job_free(struct jsonl_job *job)
{
    if (!job)
        return;
    bp_batch_release(&job->batch);
    bp_block_unref(job->block);
    bp_mem_free(job->rejects);
    bp_arena_release(&job->arena);
    bp_mem_free(job);
}

/* ---- bad lines ---- */

static int fail_at(struct jsonl_job *job, int64_t lines, const char *column, const char *reason,
                   struct bp_err *err)
{
    job->err_lines = lines;
    return bp_fail(err, BP_EDATA, "%s%s%s%s", column ? "column " : "", column ? column : "",
                   column ? ": " : "", reason);
}

int jsonl_rows_reject(struct jsonl_rows *b, uint32_t start, int64_t lines, const char *column,
                      const char *reason, bool is_value, struct bp_err *err)
{
    struct jsonl_job *job = b->job;
    const uint8_t *text = b->p + start, *end = rawmemchr(text, '\n');
    struct jsonl_reject *x;

    if (!b->r->rejects)
        return fail_at(job, lines, column, reason, err);
    if (job->n_rejects == job->cap_rejects) {
        int cap = BP_MAX(16, job->cap_rejects * 2);

        x = bp_mem_grow(job->rejects, (size_t)cap, sizeof *x, err);
        if (!x)
            return err->code;
        job->rejects = x;
        job->cap_rejects = cap;
    }
    while (end > text && end[-1] == '\r')
        end--;
    x = &job->rejects[job->n_rejects];
    *x = (struct jsonl_reject){.at = b->at_p + start,
                               .lines = lines,
                               .column = column,
                               .n_text = BP_MIN((size_t)(end - text), (size_t)JSONL_TEXT_BYTES),
                               .is_value = is_value};
    x->reason = bp_arena_str(&job->arena, reason, err);
    x->text = x->reason ? (uint8_t *)bp_arena_strn(&job->arena, (const char *)text, x->n_text, err)
                        : NULL;
    if (!x->text)
        return err->code;
    job->n_rejects++;
    return 0;
}

/* The line of p[start] is bad, as line->bad says. */
static int bad_line(struct jsonl_rows *b, uint32_t start, int64_t lines, struct bp_err *err)
{
    const struct jsonl_bad *bad = &b->line->bad;
    char why[512];

    BP_TRY(jsonl_rows_flush(b, err)); /* what is reported before it comes first */
    snprintf(why, sizeof why, "%s (byte %lld of the file)", bad->why,
             (long long)(b->at_p + (bad->at - b->p)));
    return jsonl_rows_reject(b, start, lines, NULL, why, false, err);
}

/* False: the line has bytes that are not UTF-8. */
static bool is_utf8(struct jsonl_rows *b, const uint8_t *q)
{
    size_t n = (size_t)((const uint8_t *)rawmemchr(q, '\n') - q), bad;

    if (bp_utf8_check(q, n, &bad))
        return true;
    snprintf(b->line->why, sizeof b->line->why, "byte 0x%02x is not valid UTF-8", q[bad]);
    b->line->bad = (struct jsonl_bad){q + bad, b->line->why};
    return false;
}

/* ---- a chunk's lines ---- */

/* The columns take as much as one job may. */
static bool is_full(const struct jsonl_rows *b)
{
    return b->n_rows * b->r->row_bytes + b->text_bytes >= b->r->most_bytes;
}

/* The lines of the block, which end before q, as they become rows. */
static void weigh(struct jsonl_rows *b, const uint8_t *q)
{
    size_t n = (size_t)(q - (b->p + b->starts[0]));

    b->text_bytes += (int64_t)n;
    if (b->r->elem_bytes)
        b->text_bytes +=
            b->r->elem_bytes * (int64_t)csv_kernels_pick()->count(b->p + b->starts[0], n, '{');
}

/* Lines that are like the one before, as many as are read at the same time. False: none. */
static bool add_alike(struct jsonl_rows *b, const uint8_t **q, const uint8_t *stop,
                      const uint8_t *to)
{
    const uint8_t *begin[JSONL_LANES + 1] = {*q};

    if (b->n + JSONL_LANES > b->r->block_rows ||
        !jsonl_alike_parse(b->line, b->p, stop, to, b->n, begin))
        return false;
    for (int i = 0; i < JSONL_LANES; i++) {
        b->starts[b->n] = (uint32_t)(begin[i] - b->p);
        b->lines[b->n++] = b->job->lines++;
    }
    *q = begin[JSONL_LANES];
    return true;
}

/* The line at *q, which may be empty, or bad. */
static int add_line(struct jsonl_rows *b, const uint8_t **at, bool all_utf8, struct bp_err *err)
{
    const uint8_t *begin = *at, *q = jsonl_blanks(begin), *lf = NULL;
    int64_t lines = b->job->lines++;

    if (*q == '\n') { /* an empty line is nothing */
        *at = q + 1;
        return 0;
    }
    if (all_utf8 || is_utf8(b, q))
        lf = jsonl_line_parse(b->line, b->p, q, b->n);
    if (!lf) {
        *at = (const uint8_t *)rawmemchr(q, '\n') + 1;
        return bad_line(b, (uint32_t)(begin - b->p), lines, err);
    }
    jsonl_alike_passed(b->line, q, lf);
    b->starts[b->n] = (uint32_t)(begin - b->p);
    b->lines[b->n++] = lines;
    *at = lf + 1;
    return 0;
}

/* The lines that begin in p[from, stop), as many as fit; the last byte of all, p[to - 1], is an
 * LF. */
static int run_lines(struct jsonl_worker *w, uint32_t from, uint32_t stop, uint32_t to,
                     bool all_utf8, struct bp_err *err)
{
    struct jsonl_rows *b = &w->rows;
    const uint8_t *q = b->p + from, *const end = b->p + stop;

    while (q < end) {
        if (!all_utf8 || !add_alike(b, &q, end, b->p + to))
            BP_TRY(add_line(b, &q, all_utf8, err));
        if (b->n < b->r->block_rows)
            continue;
        weigh(b, q);
        BP_TRY(jsonl_rows_flush(b, err));
        if (q < end && is_full(b)) {
            b->job->rest = b->at_p + (q - b->p);
            return 0;
        }
    }
    return jsonl_rows_flush(b, err);
}

static int make_batch(struct jsonl_worker *w, struct jsonl_job *job, struct bp_err *err)
{
    int rc;

    BP_TRY(bp_batch_init(&job->batch, w->r->n_cols, err));
    for (int c = 0; c < w->r->n_cols; c++) {
        struct bp_column *col = &job->batch.cols[c], texts;

        BP_TRY(csv_out_finish(&w->rows.outs[c], col, err));
        if (!bp_type_is_nested(w->r->cols[c].type))
            continue;
        texts = *col;
        memset(col, 0, sizeof *col);
        rc = jsonl_nested_column(col, w->r->cols[c].type, &texts, err);
        bp_column_release(&texts);
        BP_TRY(rc);
    }
    job->batch.n_rows = w->rows.n_rows;
    w->rows_guess = w->rows.n_rows + 64;
    return 0;
}

/* p[from, to) are whole lines that end with an LF; those before stop are ours. */
static int convert(struct jsonl_worker *w, struct jsonl_job *job, const uint8_t *p, uint32_t from,
                   uint32_t stop, uint32_t to, struct bp_err *err)
{
    struct jsonl_rows *b = &w->rows;
    size_t bad;

    b->p = p;
    b->job = job;
    b->n = 0;
    b->n_rows = 0;
    b->text_bytes = 0;
    memset(b->line->spans.marks, 0, (size_t)w->r->n_cols);
    for (int c = 0; c < w->r->n_cols; c++)
        BP_TRY(csv_out_reserve(&b->outs[c], BP_MAX(w->rows_guess, 64), 0, err));
    if (from < stop)
        BP_TRY(run_lines(w, from, stop, to, bp_utf8_check(p + from, to - from, &bad), err));
    return make_batch(w, job, err);
}

/* ---- a chunk's bytes ---- */

static int run_stream_job(struct jsonl_worker *w, struct jsonl_job *job, struct bp_err *err)
{
    uint8_t *p = job->block->data;
    uint32_t end = JSONL_FRONT_BYTES + (uint32_t)job->n_bytes;
    uint32_t from = JSONL_FRONT_BYTES + (uint32_t)job->skip_bytes;

    if (p[end - 1] != '\n')
        p[end++] = '\n';
    memset(p + end, ' ', JSONL_PAD_BYTES);
    p[JSONL_FRONT_BYTES - 1] = '\n';
    w->rows.at_p = job->a - JSONL_FRONT_BYTES;
    return convert(w, job, p, from, end, end, err);
}

/* The chunk, a byte before it and some bytes behind it; an LF is put behind the last
 * line of the file. *n counts from the chunk's first byte. */
static int read_chunk(struct jsonl_worker *w, const struct jsonl_job *job, size_t *n, bool *end,
                      struct bp_err *err)
{
    const struct jsonl_file *file = &w->r->files[job->file];
    size_t want = (size_t)(job->b - job->a) + w->behind_bytes, got;
    size_t front = job->a > file->data_start ? 1 : 0;
    uint8_t *p;

    BP_TRY(bp_block_grow(&w->buf, 0, JSONL_FRONT_BYTES + want + 1 + JSONL_PAD_BYTES, err));
    p = w->buf->data + JSONL_FRONT_BYTES;
    p[-1] = '\n';
    BP_TRY(
        bp_input_read_at(&file->in, p - front, want + front, job->a - (int64_t)front, &got, err));
    got -= BP_MIN(front, got);
    *end = got < want;
    if (*end && job->a + (int64_t)got < file->in.size_bytes)
        return bp_fail(
            err, BP_EDATA, "%s: the file ends at byte %lld; it had %lld when it was opened",
            file->in.name, (long long)job->a + (long long)got, (long long)file->in.size_bytes);
    if (*end && got && p[got - 1] != '\n')
        p[got++] = '\n';
    *n = got;
    return 0;
}

/* Where the lines that begin in p[0, stop) end; 0: not within n bytes. */
static size_t lines_end(const uint8_t *p, size_t from, size_t stop, size_t n)
{
    const uint8_t *lf;

    if (from >= stop)
        return from;
    lf = memchr(p + stop - 1, '\n', n - (stop - 1));
    return lf ? (size_t)(lf - p) + 1 : 0;
}

static int run_file_job(struct jsonl_worker *w, struct jsonl_job *job, struct bp_err *err)
{
    for (;;) {
        size_t n = 0, from, stop, to;
        const uint8_t *first;
        uint8_t *p;
        bool end = false;

        BP_TRY(read_chunk(w, job, &n, &end, err));
        p = w->buf->data + JSONL_FRONT_BYTES;
        stop = BP_MIN((size_t)(job->b - job->a), n);
        first = memchr(p - 1, '\n', stop); /* lines begin behind it */
        from = first ? (size_t)(first - (p - 1)) : stop;
        to = lines_end(p, from, stop, n);
        if (to || end || !stop) {
            memset(p + to, ' ', JSONL_PAD_BYTES);
            w->rows.at_p = job->a - JSONL_FRONT_BYTES;
            return convert(w, job, p - JSONL_FRONT_BYTES, JSONL_FRONT_BYTES + (uint32_t)from,
                           JSONL_FRONT_BYTES + (uint32_t)stop, JSONL_FRONT_BYTES + (uint32_t)to,
                           err);
        }
        if (w->behind_bytes >= w->r->line_max_bytes) {
            job->err_lines = -1;
            return bp_fail(
                err, BP_EDATA,
                "%s: a line behind byte %lld is longer than %zu MiB " TEXT_RECORD_MAX_WORDS,
                w->r->files[job->file].in.name, (long long)job->a + (long long)from,
                w->r->line_max_bytes >> 20);
        }
        w->behind_bytes *= 4;
    }
}

void jsonl_worker_run(struct jsonl_worker *w, struct jsonl_job *job)
{
    job->err_lines = -1;
    job->rest = -1;
    job->rc = job->block ? run_stream_job(w, job, &job->err) : run_file_job(w, job, &job->err);
    for (int c = 0; c < w->r->n_cols; c++) /* of a job that failed */
        csv_out_release(&w->rows.outs[c]);
}
