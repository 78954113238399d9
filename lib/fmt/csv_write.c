/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSV sink. Slices of the batches are made text by csv_cells.h, on the threads of
 * an ordered pool or on this one, and go out in pieces of at least FLUSH_BYTES.
 */
#include <string.h>

#include "col/text.h"
#include "flow/flow.h"
#include "fmt/csv.h"
#include "fmt/csv_cells.h"
#include "sys/pool.h"

#define FLUSH_BYTES ((size_t)256 << 10)
#define SLICE_ROWS 8192
#define JOBS(n_workers) (2 * (n_workers))
#define SLICE_BYTES ((int64_t)1 << 20) /* of values, by the batch rule */
#define CELL_BYTES 24                  /* room for the text of a value that is no text */
#define NULL_PAD_BYTES 32 /* behind the text for NULL, which is read 16 bytes at a time */

struct job {
    struct bp_batch rows;
    struct bp_buf text;
    struct bp_err err;
};

struct csv_sink {
    struct bp_outfile file;
    struct csv_text text;
    char *null_text;
    bool header;
    int n_cols;
    char **names;
    struct bp_buf buf; /* not yet written */
    int n_workers;
    struct csv_cells **workers;
    struct bp_pool *pool; /* NULL: one thread */
    struct job *jobs;     /* a ring */
    int n_jobs, next_job;
};

/* ---- out ---- */

static int flush(struct csv_sink *s, struct bp_err *err)
{
    int rc = s->buf.len ? bp_outfile_write(&s->file, s->buf.data, s->buf.len, err) : 0;

    s->buf.len = 0;
    return rc;
}

/* Text that comes next; small pieces wait for others. */
static int write_text(struct csv_sink *s, const struct bp_buf *text, struct bp_err *err)
{
    if (text->len < FLUSH_BYTES) {
        BP_TRY(bp_buf_append(&s->buf, text->data, text->len, err));
        return s->buf.len < FLUSH_BYTES ? 0 : flush(s, err);
    }
    BP_TRY(flush(s, err));
    return bp_outfile_write(&s->file, text->data, text->len, err);
}

/* ---- rows ---- */

static void work(void *ctx, int worker, void *job)
{
    struct csv_sink *s = ctx;
    struct job *j = job;

    j->text.len = 0;
    (void)!csv_cells_append(s->workers[worker], &j->rows, &j->text, &j->err);
    bp_batch_release(&j->rows);
}

static void drop(void *ctx, void *job)
{
    (void)ctx;
    bp_batch_release(&((struct job *)job)->rows);
}

static const struct bp_pool_ops pool_ops = {work, drop};

/* The oldest job's text goes out. */
static int take_job(struct csv_sink *s, struct bp_err *err)
{
    struct job *j = bp_pool_take(s->pool);

    if (!j)
        return BP_DONE;
    if (j->err.code) {
        *err = j->err;
        return err->code;
    }
    return write_text(s, &j->text, err);
}

static int give_slice(struct csv_sink *s, struct bp_batch *slice, struct bp_err *err)
{
    struct job *j;
    int rc = 0;

    if (!bp_pool_has_room(s->pool))
        rc = take_job(s, err);
    if (rc < 0) {
        bp_batch_release(slice);
        return rc;
    }
    j = &s->jobs[s->next_job];
    s->next_job = (s->next_job + 1) % s->n_jobs;
    bp_batch_move(&j->rows, slice);
    bp_pool_give(s->pool, j);
    return 0;
}

static int put_slice(struct csv_sink *s, struct bp_batch *slice, struct bp_err *err)
{
    int rc;

    if (s->pool)
        return give_slice(s, slice, err);
    rc = csv_cells_append(s->workers[0], slice, &s->buf, err);
    bp_batch_release(slice);
    if (rc == 0 && s->buf.len >= FLUSH_BYTES)
        rc = flush(s, err);
    return rc;
}

static int put_header(struct csv_sink *s, struct bp_err *err)
{
    if (!s->header)
        return 0;
    s->header = false;
    for (int c = 0; c < s->n_cols; c++) {
        size_t n = strlen(s->names[c]);

        BP_TRY(bp_buf_reserve(&s->buf, 2 * n + 4, err));
        s->buf.len = (size_t)(csv_put_text(&s->text, s->buf.data + s->buf.len,
                                           (const uint8_t *)s->names[c], n) -
                              s->buf.data);
        s->buf.data[s->buf.len++] = (uint8_t)(c + 1 < s->n_cols ? s->text.delim : '\n');
    }
    return 0;
}

/* Lists and structs become their text. */
static int flatten(struct bp_batch *b, struct bp_err *err)
{
    for (int i = 0; i < b->n_cols; i++) {
        struct bp_column text;

        if (!bp_type_is_nested(b->cols[i].type))
            continue;
        BP_TRY(bp_text_column(&text, &b->cols[i], err));
        bp_column_release(&b->cols[i]);
        b->cols[i] = text;
    }
    return 0;
}

static int csv_put(void *self, struct bp_batch *in, struct bp_err *err)
{
    struct csv_sink *s = self;
    int rc = put_header(s, err);

    for (int64_t from = 0; from < in->n_rows && rc == 0; from += SLICE_ROWS) {
        struct bp_batch slice;

        rc = bp_batch_slice(&slice, in, from, BP_MIN(SLICE_ROWS, in->n_rows - from), err);
        if (rc == 0 && (rc = flatten(&slice, err)) < 0)
            bp_batch_release(&slice);
        if (rc == 0)
            rc = put_slice(s, &slice, err);
    }
    bp_batch_release(in);
    return rc;
}

static int csv_commit(void *self, struct bp_err *err)
{
    struct csv_sink *s = self;

    int rc = put_header(s, err);

    while (rc == 0 && s->pool)
        rc = take_job(s, err);
    if (rc < 0)
        return rc;
    BP_TRY(flush(s, err));
    return bp_outfile_commit(&s->file, err);
}

static void csv_abort(void *self, const char *reason)
{
    struct csv_sink *s = self;

    (void)reason;
    bp_outfile_abort(&s->file);
}

static void csv_sink_free(void *self)
{
    struct csv_sink *s = self;

    bp_pool_free(s->pool);
    bp_outfile_abort(&s->file);
    for (int i = 0; s->workers && i < s->n_workers; i++)
        csv_cells_free(s->workers[i]);
    bp_mem_free(s->workers);
    for (int i = 0; s->jobs && i < s->n_jobs; i++)
        bp_buf_release(&s->jobs[i].text);
    bp_mem_free(s->jobs);
    for (int c = 0; c < s->n_cols; c++)
        bp_mem_free(s->names[c]);
    bp_mem_free(s->names);
    bp_mem_free(s->null_text);
    bp_buf_release(&s->buf);
    bp_mem_free(s);
}

static const struct bp_sink_ops csv_sink_ops = {csv_put, csv_commit, csv_abort, csv_sink_free};

/* How values are written. Quoted, the text for NULL would be a text like others. */
static int set_text(struct csv_sink *s, const struct bp_csv_out_opts *o, struct bp_err *err)
{
    struct csv_text *t = &s->text;
    const char *null_text = o->null_text ? o->null_text : "";
    size_t n = strlen(null_text);

    t->delim = o->delim;
    t->special[(uint8_t)o->delim] = t->special['"'] = true;
    t->special['\r'] = t->special['\n'] = true;
    t->plain_values = strchr(",\t;|", o->delim) && n == 0;
    for (size_t i = 0; i < n; i++)
        if (t->special[(uint8_t)null_text[i]])
            return bp_fail(err, BP_EUSAGE,
                           "the text for NULL must not hold the delimiter, quotes or line ends");
    s->null_text = bp_mem_new(n + NULL_PAD_BYTES, 1, err);
    if (!s->null_text)
        return err->code;
    memcpy(s->null_text, null_text, n);
    t->null_text = s->null_text;
    t->null_len = n;
    return 0;
}

int bp_csv_out_threads(const struct bp_schema *schema, int n, int64_t limit_bytes)
{
    int64_t row_bytes = BP_MAX(bp_least_batch_bytes(schema) / 256, 1);
    int64_t rows = BP_MAX(BP_MIN(SLICE_BYTES / row_bytes, SLICE_ROWS), 256);
    int64_t job = rows * (row_bytes + (int64_t)schema->n_fields * CELL_BYTES);

    while (limit_bytes && n > 1 && JOBS(n) * job > limit_bytes / 2)
        n--;
    return n;
}

static int open_workers(struct csv_sink *s, int n_threads, struct bp_err *err)
{
    s->n_workers = BP_MAX(n_threads, 1);
    s->workers = bp_mem_new((size_t)s->n_workers, sizeof(struct csv_cells *), err);
    if (!s->workers)
        return err->code;
    for (int i = 0; i < s->n_workers; i++)
        BP_TRY(csv_cells_open(&s->workers[i], &s->text, s->n_cols, err));
    if (s->n_workers == 1)
        return 0;
    s->n_jobs = JOBS(s->n_workers);
    s->jobs = bp_mem_new((size_t)s->n_jobs, sizeof *s->jobs, err);
    if (!s->jobs)
        return err->code;
    return bp_pool_open(&s->pool, s->n_workers, s->n_jobs, &pool_ops, s, err);
}

static int take_names(struct csv_sink *s, const struct bp_schema *schema, struct bp_err *err)
{
    s->names = bp_mem_new((size_t)schema->n_fields, sizeof *s->names, err);
    if (!s->names)
        return err->code;
    for (int c = 0; c < schema->n_fields; c++) {
        s->names[c] = bp_mem_str(schema->fields[c].name, err);
        if (!s->names[c])
            return err->code;
        s->n_cols++;
    }
    return 0;
}

int bp_csv_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                const struct bp_csv_out_opts *opts, struct bp_err *err)
{
    struct csv_sink *s = bp_mem_new(1, sizeof *s, err);

    *out = (struct bp_sink){0};
    if (!s) {
        bp_outfile_abort(f);
        return err->code;
    }
    s->file = *f;
    *f = (struct bp_outfile){.fd = -1, .guard = -1};
    s->header = opts->header;
    out->ops = &csv_sink_ops;
    out->self = s;
    if (set_text(s, opts, err) < 0 || take_names(s, schema, err) < 0 ||
        open_workers(s, opts->n_threads, err) < 0)
        goto fail;
    out->name = bp_mem_str(s->file.path ? s->file.path : "", err);
    if (out->name)
        return 0;
fail:
    bp_sink_free(out);
    return err->code;
}
