/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON Lines source. It gives chunks of the files to the worker pool, takes them
 * back in order, and gives what was bad its place: lines are counted as the jobs come
 * back, and from the start of the file where this share begins in its middle.
 */
#include <string.h>

#include "flow/marks.h"
#include "fmt/csv_scan.h"
#include "fmt/jsonl_reader.h"
#include "sys/pool.h"

struct jsonl_source {
    struct jsonl_reader r;
    struct bp_share share;
    struct jsonl_worker **workers; /* [n_threads + 1]: the last is the source's own, for rests */
    struct bp_pool *pool;
    /* giving */
    int file; /* the file that is cut into chunks now */
    bool file_open;
    int64_t at;         /* the next chunk */
    size_t chunk_bytes; /* of it: less than the reader's where columns are many times their text */
    struct bp_block *carry; /* of a stream: the line begun in the last block */
    size_t carry_bytes;
    bool stream_end;
    /* taking */
    struct jsonl_job *job; /* its batch is being handed out */
    int64_t job_from;
    struct jsonl_job *rest; /* what did not fit into the job that was taken last, or NULL */
    int taken_file;
    int64_t lines; /* of taken_file before the next job; -1: count them when asked */
    int64_t rows_out;
    bool said_share;
};

/* ---- giving ---- */

static struct jsonl_job *job_new(struct jsonl_source *s, struct bp_err *err)
{
    struct jsonl_job *job = bp_mem_new(1, sizeof *job, err);

    if (job)
        job->file = s->file;
    return job;
}

/* Where the last line of p[0, n) ends; 0: none does. */
static size_t last_border(const uint8_t *p, size_t n)
{
    const uint8_t *lf = memrchr(p, '\n', n);

    return lf ? (size_t)(lf - p) + 1 : 0;
}

static int stream_block(struct jsonl_source *s, struct bp_block **block, size_t *n,
                        struct bp_err *err)
{
    struct bp_input *in = &s->r.files[s->file].in;
    size_t want = BP_MAX(s->chunk_bytes, s->carry_bytes * 2), got;

    BP_TRY(bp_block_new(block, JSONL_FRONT_BYTES + want + 1 + JSONL_PAD_BYTES, err));
    if (s->carry_bytes)
        memcpy((*block)->data + JSONL_FRONT_BYTES, s->carry->data, s->carry_bytes);
    BP_TRY(bp_input_read(in, (*block)->data + JSONL_FRONT_BYTES + s->carry_bytes,
                         want - s->carry_bytes, &got, err));
    *n = s->carry_bytes + got;
    s->stream_end = *n < want;
    return 0;
}

/* The next block of a stream, whole lines; *out NULL at the end. */
static int next_block(struct jsonl_source *s, struct jsonl_job **out, struct bp_err *err)
{
    struct bp_block *block = NULL;
    size_t n = 0, whole = 0;
    int rc = 0;

    *out = NULL;
    while (!s->stream_end && !whole) {
        bp_block_unref(block);
        block = NULL;
        BP_GO(stream_block(s, &block, &n, err));
        whole = s->stream_end ? n : last_border(block->data + JSONL_FRONT_BYTES, n);
        if (!whole && n >= s->r.line_max_bytes)
            BP_GO(
                bp_fail(err, BP_EDATA,
                        "%s: a line behind byte %lld is longer than %zu MiB " TEXT_RECORD_MAX_WORDS,
                        s->r.files[s->file].in.name, (long long)s->at, s->r.line_max_bytes >> 20));
        BP_GO(bp_block_grow(&s->carry, 0, n - whole + 1, err));
        if (n > whole)
            memcpy(s->carry->data, block->data + JSONL_FRONT_BYTES + whole, n - whole);
        s->carry_bytes = n - whole;
    }
    if (!whole)
        goto out;
    *out = job_new(s, err);
    if (!*out)
        BP_GO(err->code);
    (*out)->a = s->at;
    (*out)->block = block;
    (*out)->n_bytes = whole;
    s->at += (int64_t)whole;
    return 0;
out:
    bp_block_unref(block);
    return rc;
}

static int open_file(struct jsonl_source *s, struct bp_err *err)
{
    struct jsonl_file *f = &s->r.files[s->file];

    s->file_open = true;
    s->carry_bytes = 0;
    s->stream_end = f->in.is_file || f->hi == 0;
    s->at = f->in.is_file ? BP_MAX(f->lo, f->data_start) : f->data_start;
    if (f->in.is_file || f->hi == 0 || s->r.n_threads < 2)
        return 0;
    return bp_input_read_ahead(&f->in, s->r.n_threads, err);
}

/* The next job in order; *out NULL: there is none. */
static int next_job(struct jsonl_source *s, struct jsonl_job **out, struct bp_err *err)
{
    for (; s->file < s->r.n_files; s->file++, s->file_open = false) {
        struct jsonl_file *f = &s->r.files[s->file];
        int64_t end = BP_MIN(f->hi, f->in.size_bytes);

        if (!s->file_open)
            BP_TRY(open_file(s, err));
        if (!f->in.is_file) {
            BP_TRY(next_block(s, out, err));
            if (*out)
                return 0;
            bp_input_finish(&f->in);
        } else if (s->at < end) {
            *out = job_new(s, err);
            if (!*out)
                return err->code;
            (*out)->a = s->at;
            (*out)->b = BP_MIN(s->at + (int64_t)s->chunk_bytes, end);
            s->at = (*out)->b;
            return 0;
        }
    }
    *out = NULL;
    return 0;
}

static int fill_pool(struct jsonl_source *s, struct bp_err *err)
{
    struct jsonl_job *job;

    while (bp_pool_has_room(s->pool)) {
        BP_TRY(next_job(s, &job, err));
        if (!job)
            break;
        bp_pool_give(s->pool, job);
    }
    return 0;
}

/* ---- taking ---- */

/* Lines of the file before offset `to`. */
static int count_lines(const struct jsonl_source *s, int file, int64_t to, int64_t *lines,
                       struct bp_err *err)
{
    const struct csv_kernels *k = csv_kernels_pick();
    const size_t step = (size_t)256 << 10;
    uint8_t *buf = bp_mem_new(step, 1, err);
    int rc = buf ? 0 : err->code;
    size_t got = 1;

    *lines = 0;
    for (int64_t at = 0; rc == 0 && got && at < to; at += (int64_t)got) {
        rc = bp_input_read_at(&s->r.files[file].in, buf, (size_t)BP_MIN((int64_t)step, to - at), at,
                              &got, err);
        if (rc == 0)
            *lines += (int64_t)k->count(buf, got, '\n');
    }
    bp_mem_free(buf);
    return rc;
}

/* The lines before the job: known from the jobs before it, or counted: before a share,
 * the first line of which may begin behind its first byte. */
static int job_lines(struct jsonl_source *s, const struct jsonl_job *job, int64_t *lines,
                     struct bp_err *err)
{
    if (s->lines < 0) {
        const struct jsonl_file *f = &s->r.files[job->file];
        uint8_t before = '\n';
        size_t got;

        BP_TRY(count_lines(s, job->file, job->a, &s->lines, err));
        BP_TRY(bp_input_read_at(&f->in, &before, 1, job->a - 1, &got, err));
        s->lines += before != '\n'; /* the line that a stands in is not the job's */
    }
    *lines = s->lines;
    return 0;
}

static int place_error(struct jsonl_source *s, const struct jsonl_job *job, struct bp_err *err)
{
    struct bp_err other = {0};
    int64_t lines;

    *err = job->err;
    if (job->err_lines < 0)
        return err->code;
    if (job_lines(s, job, &lines, &other) < 0)
        return bp_err_prefix(err, "%s", s->r.files[job->file].in.name);
    return bp_err_prefix(err, "%s:%lld", s->r.files[job->file].in.name,
                         (long long)(lines + job->err_lines + 1));
}

static int account(struct jsonl_source *s, const struct jsonl_job *job, struct bp_err *err)
{
    int64_t lines;

    if (!job->n_rejects)
        return 0;
    BP_TRY(job_lines(s, job, &lines, err));
    for (int i = 0; i < job->n_rejects; i++) {
        const struct jsonl_reject *x = &job->rejects[i];
        struct bp_reject r = {.file = s->r.files[job->file].in.name,
                              .line = lines + x->lines + 1,
                              .byte = x->at,
                              .record = lines + x->lines + 1,
                              .column = x->column,
                              .reason = x->reason,
                              .text = x->text,
                              .n_text = x->n_text,
                              .is_value = x->is_value};

        BP_TRY(bp_rejects_add(s->r.rejects, &r, err));
    }
    return 0;
}

static int number_lines(struct jsonl_source *s, struct jsonl_job *job, struct bp_err *err)
{
    int64_t lines;

    if (s->r.line_col < 0 || !job->batch.n_rows)
        return 0;
    BP_TRY(job_lines(s, job, &lines, err));
    text_lines_shift(&job->batch, s->r.line_col, lines);
    return 0;
}

/* Of a job that is full: its rest is the next to be taken, and chunks that are given from now
 * on are no longer than what fitted; of others: they may grow again. */
static int leave_rest(struct jsonl_source *s, struct jsonl_job *job, struct bp_err *err)
{
    struct jsonl_job *rest;

    if (job->rest < 0) {
        s->chunk_bytes = BP_MIN(s->chunk_bytes + s->chunk_bytes / 8, s->r.chunk_bytes);
        return 0;
    }
    rest = bp_mem_new(1, sizeof *rest, err);
    if (!rest)
        return err->code;
    rest->file = job->file;
    rest->a = job->block ? job->a : job->rest;
    rest->b = job->b;
    rest->block = job->block;
    rest->n_bytes = job->n_bytes;
    rest->skip_bytes = job->block ? (size_t)(job->rest - job->a) : 0;
    s->chunk_bytes = BP_MIN(s->chunk_bytes, BP_MAX((size_t)(job->rest - job->a) - job->skip_bytes,
                                                   (size_t)JSONL_CHUNK_LEAST_BYTES));
    job->block = NULL;
    s->rest = rest;
    return 0;
}

static int next_done(struct jsonl_source *s, struct jsonl_job **job, struct bp_err *err)
{
    struct jsonl_worker **own = &s->workers[s->r.n_threads];

    BP_TRY(fill_pool(s, err));
    if (!s->rest) {
        *job = bp_pool_take(s->pool);
        return 0;
    }
    if (!*own)
        BP_TRY(jsonl_worker_new(own, &s->r, err));
    *job = s->rest;
    s->rest = NULL;
    jsonl_worker_run(*own, *job);
    return 0;
}

/* The next job's batch is to be handed out. */
static int take_job(struct jsonl_source *s, struct bp_err *err)
{
    struct jsonl_job *job;
    int rc;

    BP_TRY(next_done(s, &job, err));
    if (!job)
        return BP_DONE;
    if (job->file != s->taken_file) {
        const struct jsonl_file *f = &s->r.files[job->file];

        s->taken_file = job->file;
        s->lines = f->in.is_file && job->a > f->data_start ? -1 : 0;
    }
    rc = job->rc < 0 ? place_error(s, job, err) : account(s, job, err);
    if (rc == 0)
        rc = number_lines(s, job, err);
    if (s->lines >= 0)
        s->lines += job->lines;
    if (rc == 0)
        rc = leave_rest(s, job, err);
    if (rc < 0 || !job->batch.n_rows) {
        jsonl_job_free(job);
        return rc;
    }
    s->job = job;
    s->job_from = 0;
    return 0;
}

/* The next batch of the job, which goes with its last. */
static int slice_job(struct jsonl_source *s, struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(text_slice(&s->job->batch, &s->job_from, s->r.ctx->batch_rows, out, err));
    if (s->job_from == 0) {
        jsonl_job_free(s->job);
        s->job = NULL;
    }
    return 0;
}

static void work(void *ctx, int worker, void *job)
{
    jsonl_worker_run(((struct jsonl_source *)ctx)->workers[worker], job);
}

static void drop(void *ctx, void *job)
{
    (void)ctx;
    jsonl_job_free(job);
}

static const struct bp_pool_ops pool_ops = {work, drop};

static int start_workers(struct jsonl_source *s, struct bp_err *err)
{
    int n = s->r.n_threads = jsonl_threads_for(&s->r);

    s->chunk_bytes = s->r.chunk_bytes;
    s->workers = bp_mem_new((size_t)n + 1, sizeof *s->workers, err);
    if (!s->workers)
        return err->code;
    for (int i = 0; i < n; i++)
        BP_TRY(jsonl_worker_new(&s->workers[i], &s->r, err));
    return bp_pool_open(&s->pool, n, TEXT_SLOTS(n), &pool_ops, s, err);
}

static int hand_out(struct jsonl_source *s, struct bp_batch *out)
{
    out->first_row = s->rows_out;
    out->share = s->share;
    s->rows_out += out->n_rows;
    s->said_share = true;
    return 0;
}

static int jsonl_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct jsonl_source *s = self;
    int rc;

    if (!s->pool)
        BP_TRY(start_workers(s, err));
    if (s->share.n && !s->said_share) {
        BP_TRY(bp_batch_init(out, s->r.n_cols, err));
        for (int c = 0; c < s->r.n_cols; c++)
            BP_TRY(bp_column_nulls(&out->cols[c], s->r.cols[c].type, 0, err));
        return hand_out(s, out);
    }
    while (!s->job) {
        rc = take_job(s, err);
        if (rc != 0)
            return rc;
    }
    BP_TRY(slice_job(s, out, err));
    out->origin = s->taken_file;
    return hand_out(s, out);
}

/* ---- opening and closing ---- */

static void jsonl_free_source(void *self)
{
    struct jsonl_source *s = self;

    bp_pool_free(s->pool); /* first: workers read the inputs */
    bp_budget_least(&s->r.ctx->budget, -s->r.told_bytes);
    for (int i = 0; s->workers && i <= s->r.n_threads; i++)
        jsonl_worker_free(s->workers[i]);
    bp_mem_free(s->workers);
    jsonl_job_free(s->job);
    jsonl_job_free(s->rest);
    bp_block_unref(s->carry);
    for (int i = 0; i < s->r.n_files; i++)
        bp_input_close(&s->r.files[i].in);
    bp_mem_free(s->r.files);
    text_cols_free(s->r.cols, s->r.n_cols);
    jsonl_keys_release(&s->r.keys);
    bp_mem_free(s->r.declared);
    bp_mem_free(s);
}

/* Workers do not exist yet: they are made for the columns that are left. */
static int jsonl_project(void *self, const int *cols, int n, struct bp_err *err)
{
    struct jsonl_source *s = self;

    BP_TRY(text_cols_project(&s->r.cols, &s->r.n_cols, cols, n, err));
    s->r.line_col = text_line_col(s->r.cols, s->r.n_cols);
    jsonl_weigh_rows(&s->r);
    jsonl_tell_least(&s->r);
    return 0;
}

static const struct bp_source_ops jsonl_ops = {
    .next = jsonl_next, .free = jsonl_free_source, .project = jsonl_project};

static int open_all(struct jsonl_source *s, const struct bp_jsonl_opts *o, struct bp_source *out,
                    struct bp_err *err)
{
    s->taken_file = -1;
    s->share = (struct bp_share){o->n_tasks ? o->task : 0, o->n_tasks};
    BP_TRY(jsonl_settle(&s->r, o, &out->schema, err));
    return s->share.n ? bp_mark_set_task(&out->schema, s->share, err) : 0;
}

int bp_jsonl_source(struct bp_source *out, struct bp_input *inputs, int n_inputs,
                    const struct bp_jsonl_opts *opts, struct bp_ctx *ctx, struct bp_err *err)
{
    struct jsonl_source *s = bp_mem_new(1, sizeof *s, err);
    struct jsonl_file *files = s ? bp_mem_new((size_t)n_inputs, sizeof *files, err) : NULL;

    *out = (struct bp_source){0};
    if (!files) {
        for (int i = 0; i < n_inputs; i++)
            bp_input_close(&inputs[i]);
        bp_mem_free(s);
        return err->code;
    }
    for (int i = 0; i < n_inputs; i++) {
        bp_input_move(&files[i].in, &inputs[i]);
        if (files[i].in.size_bytes == 0) /* empty, or one that does not tell (/proc) */
            files[i].in.is_file = false;
    }
    s->r.files = files;
    s->r.n_files = n_inputs;
    s->r.ctx = ctx;
    out->ops = &jsonl_ops;
    out->self = s;
    if (open_all(s, opts, out, err) == 0)
        out->name = bp_mem_str(n_inputs ? files[0].in.name : "", err);
    if (out->name)
        return 0;
    bp_source_free(out);
    return err->code;
}
