/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSV source. It gives chunks of the files to the worker pool and takes them
 * back in order. When a chunk is not plain, the slow path reads it, and twice as much
 * each time that the fast path gives up again at once. Jobs of that file which were
 * given already are dropped: they know nothing of what was odd. Those of a stream hold
 * the bytes that come next: they are fed to the slow path until it is between two
 * records at the end of one, and then taken as they are.
 */
#include <string.h>

#include "flow/marks.h"
#include "fmt/csv_cut.h"
#include "sys/pool.h"

struct csv_source {
    struct csv_reader r;
    struct bp_share share;
    struct csv_chain *chain;
    struct csv_worker **workers;
    struct csv_dicts *dicts;
    struct bp_pool *pool;
    /* giving */
    struct csv_cutter cut;
    int64_t n_given, n_taken; /* jobs */
    int64_t job_bytes;        /* that the last one taken held */
    /* taking */
    struct csv_job *job; /* its batch is being handed out */
    int64_t job_from;
    int taken_file;       /* of the last job taken */
    int64_t record_at;    /* the last border of a record known to be one */
    int64_t ended_at;     /* where the last record taken ended; -1: none was */
    int64_t stream_lines; /* lines before the next block of a stream */
    int64_t stream_records;
    /* the slow path */
    struct csv_slow *slow;
    int slow_file;          /* the last file that it read, not a stream; -1 */
    bool slow_last;         /* it reads to the end of the share */
    int64_t slow_chunks;    /* how much it reads at a time */
    int64_t fresh_seq;      /* jobs of slow_file before this one are dropped */
    int64_t resumed_at;     /* where the fast path went on; -1 */
    struct csv_place place; /* of the file taken: lines and records counted so far */
    struct csv_place next;  /* behind the last job taken, where lines are wanted */
    struct bp_block *feed;
    size_t feed_from, feed_to;
    bool feed_end;
    struct csv_job *held; /* taken too early: of the next file */
    int64_t rows_out;
    bool said_share;
};

/* ---- giving ---- */

static struct csv_job *take_from_pool(struct csv_source *s)
{
    struct csv_job *job = bp_pool_take(s->pool);

    if (job) {
        s->n_taken++;
        s->job_bytes = bp_batch_size_bytes(&job->batch) + (int64_t)job->n_bytes;
    }
    return job;
}

static int fill_pool(struct csv_source *s, struct bp_err *err)
{
    struct csv_job *job;

    while (bp_pool_has_room(s->pool) && !(s->cut.waits && s->n_given > s->n_taken) &&
           text_reads_on(s->r.ctx, s->r.n_threads, s->n_given - s->n_taken, s->job_bytes)) {
        BP_TRY(csv_cut_next(&s->cut, &job, err));
        if (!job)
            break;
        bp_pool_give(s->pool, job);
        s->n_given++;
    }
    return 0;
}

/* ---- the slow path ---- */

/* Where the slow path is to stop: behind the chunk, or some more. */
static int64_t slow_stop(struct csv_source *s, const struct csv_job *job)
{
    const struct csv_file *f = &s->r.files[job->file];
    int64_t stop;

    s->slow_chunks = job->at_start && job->a == s->resumed_at ? BP_MIN(s->slow_chunks * 2, 64) : 1;
    stop = job->b + 1 + (s->slow_chunks - 1) * (int64_t)s->r.chunk_bytes;
    /* chunks of the next file were given: none of this one may follow them */
    s->slow_last = job->block || s->cut.file != job->file || stop >= s->cut.end;
    return s->slow_last ? f->hi : stop;
}

static int start_slow(struct csv_source *s, struct csv_job *job, struct bp_err *err)
{
    int64_t from = s->record_at, skip = job->at_start ? 0 : job->a + 1;

    if (job->block) {
        from = job->a;
        skip = 0;
        s->place = (struct csv_place){from, s->stream_lines, s->stream_records};
    } else if (job->record_at >= 0) {
        from = job->record_at;
    }
    if (!job->block && (s->r.rejects || s->r.line_col >= 0))
        BP_TRY(csv_place_advance(&s->r, job->file, &s->place, from, err));
    else if (!job->block)
        s->place.lines = -1; /* counted when there is an error to tell */
    BP_TRY(csv_slow_open(&s->slow, &s->r, job->file, from, skip, slow_stop(s, job), s->place.lines,
                         s->place.records, err));
    s->slow_file = job->file;
    s->feed_from = s->feed_to = 0;
    s->feed_end = false;
    if (job->block) {
        bp_block_unref(s->feed);
        s->feed = job->block;
        job->block = NULL;
        s->feed_from = CSV_FRONT_BYTES;
        s->feed_to = CSV_FRONT_BYTES + job->n_bytes;
    }
    return 0;
}

/* The fast path goes on where the slow one ended. */
static void end_slow(struct csv_source *s)
{
    bool is_file = s->r.files[s->slow_file].in.is_file;
    struct csv_place behind = csv_slow_behind(s->slow);

    if (!is_file) {
        (void)csv_slow_between(s->slow, &behind);
        s->stream_lines = behind.lines;
        s->stream_records = behind.records;
        s->slow_file = -1;
    } else {
        s->fresh_seq = s->cut.seq;
        s->ended_at = behind.at;
        if (!s->slow_last && behind.at >= 0) {
            s->place = behind;
            s->cut.at = s->record_at = s->resumed_at = behind.at;
            s->cut.fresh = true;
        } else if (s->cut.file == s->slow_file) {
            s->cut.at = s->cut.end;
        }
    }
    csv_slow_free(s->slow);
    s->slow = NULL;
}

/* More bytes of a stream: from jobs that were given before, then from the input. */
static int refill_stream(struct csv_source *s, struct bp_err *err)
{
    struct csv_job *job = take_from_pool(s);

    if (!job && s->cut.file == s->slow_file)
        BP_TRY(csv_cut_block(&s->cut, &job, err));
    if (!job || job->file != s->slow_file) {
        s->held = job;
        s->feed_end = true;
        return 0;
    }
    bp_block_unref(s->feed);
    s->feed = job->block;
    job->block = NULL;
    s->feed_from = CSV_FRONT_BYTES;
    s->feed_to = CSV_FRONT_BYTES + job->n_bytes;
    csv_job_free(job);
    return 0;
}

static int refill_file(struct csv_source *s, struct bp_err *err)
{
    size_t got;

    BP_TRY(bp_block_grow(&s->feed, 0, s->r.chunk_bytes, err));
    BP_TRY(bp_input_read_at(&s->r.files[s->slow_file].in, s->feed->data, s->r.chunk_bytes,
                            csv_slow_pos(s->slow), &got, err));
    BP_TRY(csv_check_size(&s->r.files[s->slow_file].in, csv_slow_pos(s->slow) + (int64_t)got,
                          got == 0, err));
    s->feed_from = 0;
    s->feed_to = got;
    s->feed_end = got == 0;
    return 0;
}

static int refill(struct csv_source *s, struct bp_err *err)
{
    if (s->r.files[s->slow_file].in.is_file)
        return refill_file(s, err);
    return refill_stream(s, err);
}

/* The slow path wants more bytes; BP_DONE: it needs none, the fast path goes on. */
static int more_to_feed(struct csv_source *s, struct bp_err *err)
{
    struct csv_place place;

    if (s->feed_from < s->feed_to || s->feed_end)
        return 0;
    if (!s->r.files[s->slow_file].in.is_file && csv_slow_between(s->slow, &place))
        return BP_DONE;
    return refill(s, err);
}

/* Rows from the slow path; BP_DONE: it has ended. */
static int next_slow(struct csv_source *s, struct bp_batch *out, struct bp_err *err)
{
    int64_t rows = BP_MAX(1, s->r.ctx->batch_rows);
    size_t used;
    int rc = 0;

    while (rc == 0 && csv_slow_rows(s->slow) < rows) {
        rc = more_to_feed(s, err);
        if (rc != 0)
            break;
        rc = csv_slow_feed(s->slow, s->feed ? s->feed->data + s->feed_from : NULL,
                           s->feed_to - s->feed_from, rows, &used, err);
        s->feed_from += used;
    }
    if (rc < 0)
        return rc;
    if (csv_slow_rows(s->slow)) {
        BP_TRY(csv_slow_take(s->slow, out, err));
        csv_dicts_renew(s->dicts);
        return 0;
    }
    end_slow(s);
    return BP_DONE;
}

/* ---- taking ---- */

static int take_job(struct csv_source *s, struct csv_job **out, struct bp_err *err)
{
    struct csv_job *job;

    *out = NULL;
    if (!s->held)
        BP_TRY(fill_pool(s, err));
    job = s->held ? s->held : take_from_pool(s);
    s->held = NULL;
    if ((!job || job->file != s->taken_file) && s->taken_file >= 0 && s->ended_at >= 0 &&
        csv_check_end(&s->r, s->taken_file, s->ended_at, err) < 0) {
        csv_job_free(job);
        return err->code;
    }
    if (!job)
        return BP_DONE;
    if (job->rc < 0) {
        *err = job->err;
        csv_job_free(job);
        return err->code;
    }
    if (job->file == s->slow_file &&
        job->seq < s->fresh_seq) { /* the slow path has read it already */
        csv_job_free(job);
        return 0;
    }
    if (job->file != s->taken_file) {
        s->taken_file = job->file;
        s->record_at = job->border_at;
        s->ended_at = -1;
        s->place = (struct csv_place){s->r.files[job->file].data_start,
                                      s->r.files[job->file].head_lines, 0};
        s->next = s->place;
        s->stream_lines = s->r.files[job->file].head_lines;
        s->stream_records = 0;
    }
    *out = job;
    return 0;
}

/* The next batch of the job, which goes with its last. */
static int slice_job(struct csv_source *s, struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(text_slice(&s->job->batch, &s->job_from, s->r.ctx->batch_rows, out, err));
    if (s->job_from == 0) {
        csv_job_free(s->job);
        s->job = NULL;
    }
    return 0;
}

static int hand_out(struct csv_source *s, int file, struct bp_batch *out)
{
    out->origin = file;
    out->first_row = s->rows_out;
    out->share = s->share;
    s->rows_out += out->n_rows;
    s->said_share = true;
    return 0;
}

/* The lines of a job's rows, from the start of its file: known from the job before, or counted
 * there: behind the slow path, and before a share. */
static int number_lines(struct csv_source *s, struct csv_job *job, struct bp_err *err)
{
    int64_t before = s->stream_lines;

    if (s->r.line_col < 0 || !job->batch.n_rows)
        return 0;
    if (!job->block) {
        if (s->next.at == job->record_at)
            s->place = s->next;
        BP_TRY(csv_place_advance(&s->r, job->file, &s->place, job->record_at, err));
        before = s->place.lines;
        s->next = (struct csv_place){job->end_at, before + job->lines,
                                     s->place.records + job->batch.n_rows};
    }
    text_lines_shift(&job->batch, s->r.line_col, before);
    return 0;
}

/* A job was taken: its batch is to be handed out, or the slow path started. */
static int use_job(struct csv_source *s, struct csv_job *job, struct bp_err *err)
{
    int rc = 0;

    if (job->odd)
        rc = start_slow(s, job, err);
    else if (job->record_at >= 0)
        s->record_at = job->record_at;
    if (!job->odd && job->end_at >= 0)
        s->ended_at = job->end_at;
    if (!job->odd && job->batch.n_rows) {
        csv_dicts_renew(s->dicts);
        rc = csv_dicts_unify(s->dicts, job->worker, &job->batch, err);
    }
    if (!job->odd && rc == 0)
        rc = number_lines(s, job, err);
    s->stream_lines += job->lines;
    s->stream_records += job->batch.n_rows;
    if (rc < 0 || job->odd || !job->batch.n_rows) {
        csv_job_free(job);
        return rc;
    }
    s->job = job;
    s->job_from = 0;
    return 0;
}

static void work(void *ctx, int worker, void *job)
{
    struct csv_source *s = ctx;
    struct csv_job *j = job;

    j->worker = worker;
    if (!j->odd) /* else the border is not plain: nothing to do here */
        csv_worker_run(s->workers[worker], j);
    else
        csv_worker_skip(s->workers[worker], j);
}

static void drop(void *ctx, void *job)
{
    (void)ctx;
    csv_job_free(job);
}

static const struct bp_pool_ops pool_ops = {work, drop};

static int start_workers(struct csv_source *s, struct bp_err *err)
{
    int n = csv_threads_for(&s->r), slots = TEXT_SLOTS_MOST(n);

    BP_TRY(csv_chain_new(&s->chain, slots, err));
    s->r.n_threads = n;
    s->workers = bp_mem_new((size_t)n, sizeof *s->workers, err);
    if (!s->workers)
        return err->code;
    for (int i = 0; i < n; i++)
        BP_TRY(csv_worker_new(&s->workers[i], &s->r, s->chain, err));
    BP_TRY(csv_dicts_open(&s->dicts, &s->r, n, err));
    return bp_pool_open(&s->pool, n, slots, &pool_ops, s, err);
}

static int csv_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct csv_source *s = self;
    struct csv_job *job;
    int rc;

    if (!s->pool)
        BP_TRY(start_workers(s, err));
    if (s->share.n && !s->said_share) {
        BP_TRY(bp_batch_init(out, s->r.n_cols, err));
        for (int c = 0; c < s->r.n_cols; c++)
            BP_TRY(bp_column_nulls(&out->cols[c], s->r.cols[c].type, 0, err));
        return hand_out(s, 0, out);
    }
    for (;;) {
        if (s->job) {
            BP_TRY(slice_job(s, out, err));
            return hand_out(s, s->taken_file, out);
        }
        if (s->slow) {
            rc = next_slow(s, out, err);
            if (rc < 0)
                return rc;
            if (rc == 0)
                return hand_out(s, s->slow_file, out);
            continue;
        }
        rc = take_job(s, &job, err);
        if (rc != 0)
            return rc;
        if (job)
            BP_TRY(use_job(s, job, err));
    }
}

/* ---- opening and closing ---- */

static void csv_free_source(void *self)
{
    struct csv_source *s = self;

    bp_pool_free(s->pool); /* first: workers read the inputs */
    for (int i = 0; s->workers && i < s->r.n_threads; i++)
        csv_worker_free(s->workers[i]);
    bp_mem_free(s->workers);
    csv_chain_free(s->chain);
    csv_job_free(s->job);
    csv_job_free(s->held);
    csv_slow_free(s->slow);
    csv_dicts_free(s->dicts);
    csv_cut_release(&s->cut);
    bp_block_unref(s->feed);
    csv_reader_release(&s->r);
    bp_mem_free(s->r.declared);
    bp_mem_free(s);
}

/* Workers do not exist yet: they are made for the columns that are left. */
static int csv_project(void *self, const int *cols, int n, struct bp_err *err)
{
    struct csv_source *s = self;

    return csv_reader_project(&s->r, cols, n, err);
}

static const struct bp_source_ops csv_ops = {
    .next = csv_next, .free = csv_free_source, .project = csv_project};

static int make_schema(const struct csv_source *s, struct bp_schema *out, struct bp_err *err)
{
    for (int c = 0; c < s->r.n_cols; c++) {
        BP_TRY(bp_schema_add(out, s->r.cols[c].name, s->r.cols[c].type, err));
        out->fields[c].nullable = !s->r.cols[c].not_null;
        out->fields[c].dict = (uint8_t)s->r.cols[c].dict;
        out->fields[c].pseudo = s->r.cols[c].is_line;
    }
    return s->share.n ? bp_mark_set_task(out, s->share, err) : 0;
}

static int open_all(struct csv_source *s, const struct bp_csv_opts *opts, struct bp_source *out,
                    struct bp_err *err)
{
    size_t chunk = opts->chunk_bytes > 0
                       ? (size_t)opts->chunk_bytes
                       : text_chunk_bytes_for(s->r.ctx, CSV_CHUNK_BYTES, CSV_CHUNK_MIN_BYTES);

    s->r.kernels = csv_kernels_pick();
    s->r.chunk_bytes = chunk;
    s->r.record_max_bytes = text_record_max_for(s->r.ctx);
    s->r.border_bytes = opts->border_bytes > 0 ? opts->border_bytes : CSV_BORDER_BYTES;
    s->slow_file = s->taken_file = -1;
    s->resumed_at = -1;
    s->r.rejects = opts->rejects;
    s->share = (struct bp_share){opts->n_tasks ? opts->task : 0, opts->n_tasks};
    BP_TRY(csv_set_dialect(&s->r, opts, err));
    if (!s->r.n_files)
        return bp_fail(err, BP_EUSAGE, "no input");
    BP_TRY(csv_heads_read(&s->r, opts, err));
    BP_TRY(csv_columns_resolve(&s->r, opts, err));
    if (s->r.any_guess)
        BP_TRY(text_keep_declared(&s->r.declared, opts->schema, err));
    BP_TRY(csv_infer(&s->r, err));
    BP_TRY(csv_share_cut(&s->r, opts->task, opts->n_tasks, err));
    BP_TRY(csv_note_read(&s->r, s->share, err));
    csv_tell_least(&s->r);
    return make_schema(s, &out->schema, err);
}

int bp_csv_source(struct bp_source *out, struct bp_input *inputs, int n_inputs,
                  const struct bp_csv_opts *opts, struct bp_ctx *ctx, struct bp_err *err)
{
    struct csv_source *s = bp_mem_new(1, sizeof *s, err);
    struct csv_file *files = s ? bp_mem_new((size_t)n_inputs, sizeof *files, err) : NULL;

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
    s->cut.r = &s->r;
    s->r.files = files;
    s->r.n_files = n_inputs;
    s->r.ctx = ctx;
    out->ops = &csv_ops;
    out->self = s;
    if (open_all(s, opts, out, err) < 0)
        goto fail;
    out->name = bp_mem_str(n_inputs ? files[0].in.name : "", err);
    if (out->name)
        return 0;
fail:
    bp_source_free(out);
    return err->code;
}
