/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One chunk, in a worker: its bytes are read into the worker's own buffer (which
 * stays in the second-level cache), indexed piece by piece, and the complete rows
 * of each piece are converted, column by column, while they are in the first.
 *
 *   idx:  [0] the end of the record before, [1..] ends of fields:
 *         field k of row r ends at idx[1 + r * n_fields + k] and begins behind the
 *         entry before. What is not a complete row moves to the front.
 */
#include <stdatomic.h>
#include <string.h>

#include "col/text.h"
#include "fmt/csv_reader.h"
#include "sys/thread.h"

/* ---- the chain ---- */

struct csv_chain {
    pthread_mutex_t lock;
    atomic_bool saw_quote; /* in any file so far: then count first */
    int n;
    struct {
        int64_t seq; /* of the job that told; -1 none */
        bool inside;
        pthread_cond_t told; /* waits: the job behind it, if any (pool.c says why but one) */
    } * slot;
};

int csv_chain_new(struct csv_chain **out, int n_slots, struct bp_err *err)
{
    struct csv_chain *c = bp_mem_new(1, sizeof *c, err);

    if (!c)
        return err->code;
    c->n = n_slots + 1;
    c->slot = bp_mem_new((size_t)c->n, sizeof *c->slot, err);
    if (!c->slot) {
        bp_mem_free(c);
        return err->code;
    }
    for (int i = 0; i < c->n; i++) {
        c->slot[i].seq = -1;
        pthread_cond_init(&c->slot[i].told, NULL);
    }
    pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return 0;
}

void csv_chain_free(struct csv_chain *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->n; i++)
        pthread_cond_destroy(&c->slot[i].told);
    pthread_mutex_destroy(&c->lock);
    bp_mem_free(c->slot);
    bp_mem_free(c);
}

static void chain_tell(struct csv_chain *c, int64_t seq, bool inside)
{
    pthread_mutex_lock(&c->lock);
    c->slot[seq % c->n].seq = seq;
    c->slot[seq % c->n].inside = inside;
    pthread_cond_signal(&c->slot[seq % c->n].told);
    pthread_mutex_unlock(&c->lock);
}

/* Jobs start in order, so the one before is running or done: no deadlock. */
static bool chain_ask(struct csv_chain *c, int64_t seq)
{
    bool inside;

    pthread_mutex_lock(&c->lock);
    while (c->slot[seq % c->n].seq != seq)
        pthread_cond_wait(&c->slot[seq % c->n].told, &c->lock);
    inside = c->slot[seq % c->n].inside;
    pthread_mutex_unlock(&c->lock);
    return inside;
}

/* ---- the worker ---- */

struct csv_worker {
    struct csv_reader *r;
    struct csv_chain *chain;
    struct bp_block *buf; /* CSV_FRONT_BYTES, the chunk, the bytes behind it, the pad */
    size_t behind_bytes;  /* how much is read behind a chunk */
    uint32_t *idx;
    size_t idx_cap;
    uint32_t *starts, *ends; /* of one column, where fields need a second look */
    size_t span_cap;
    struct csv_out *outs;
    struct bp_dictset *dicts; /* [n_cols], of columns that are dict: what outs uses */
    int64_t rows_guess;       /* as many as the last chunk had */
    struct csv_dates dates;
};

/* One pass over the bytes of a job. */
struct pass {
    struct csv_scan scan;
    const uint8_t *p;     /* positions count from here; the bytes begin at CSV_FRONT_BYTES */
    uint32_t n;           /* where they end; an LF is put behind the last record */
    uint32_t stop;        /* records end with the first LF at or behind stop */
    int64_t n_rows;       /* converted so far */
    bool started;         /* idx[0] is the end of a record */
    bool speculate;       /* give up at the first quote */
    bool high, quote, cr; /* seen in bytes that are not converted yet */
    bool checks_values;   /* bytes that are no UTF-8 are found where values are converted */
    uint32_t first;       /* where the first record begins */
    uint32_t end;         /* where the last one ends; 0: not yet */
    int64_t lines;        /* of the rows converted so far, where they are wanted */
    enum { PASS_OK, PASS_ODD, PASS_MORE, PASS_QUOTE } verdict;
};

int csv_worker_new(struct csv_worker **out, struct csv_reader *r, struct csv_chain *chain,
                   struct bp_err *err)
{
    struct csv_worker *w = bp_mem_new(1, sizeof *w, err);

    if (!w)
        return err->code;
    w->r = r;
    w->chain = chain;
    w->behind_bytes = 4096;
    w->rows_guess = 64;
    w->outs = bp_mem_new((size_t)r->n_cols, sizeof *w->outs, err);
    w->dicts = w->outs ? bp_mem_new((size_t)r->n_cols, sizeof *w->dicts, err) : NULL;
    if (!w->dicts) {
        bp_mem_free(w->outs);
        bp_mem_free(w);
        return err->code;
    }
    for (int c = 0; c < r->n_cols; c++) {
        w->outs[c].type = r->cols[c].type;
        w->outs[c].dict = r->cols[c].dict ? &w->dicts[c] : NULL;
    }
    *out = w;
    return 0;
}

void csv_worker_free(struct csv_worker *w)
{
    if (!w)
        return;
    for (int c = 0; c < w->r->n_cols; c++) {
        csv_out_release(&w->outs[c]);
        bp_dictset_release(&w->dicts[c]);
    }
    bp_mem_free(w->dicts);
    bp_block_unref(w->buf);
    bp_mem_free(w->idx);
    bp_mem_free(w->starts);
    bp_mem_free(w->ends);
    bp_mem_free(w->outs);
    bp_mem_free(w);
}

static int grow_u32(uint32_t **p, size_t *cap, size_t need, struct bp_err *err)
{
    uint32_t *q;

    if (*cap >= need)
        return 0;
    need = BP_MAX(need, *cap * 2);
    q = bp_mem_grow(*p, need, sizeof **p, err);
    if (!q)
        return err->code;
    *p = q;
    *cap = need;
    return 0;
}

static int grow_spans(struct csv_worker *w, size_t need, struct bp_err *err)
{
    size_t cap = w->span_cap;

    BP_TRY(grow_u32(&w->starts, &cap, need, err));
    return grow_u32(&w->ends, &w->span_cap, need, err);
}

/* ---- rows to columns ---- */

/* Every n-th separator is an LF and no other one is. */
static bool rows_are_even(const struct pass *t, size_t n_rows, size_t n_fields)
{
    const uint32_t *end = t->scan.idx + n_fields;
    uint8_t wrong = 0;

    for (size_t r = 0; r < n_rows; r++, end += n_fields)
        wrong |= t->p[*end] ^ '\n';
    return !wrong && (size_t)t->scan.n_lf == n_rows;
}

/* One field: quotes and the CR of CRLF off, NULL and '' told apart. */
static void look_at(const struct csv_worker *w, const uint8_t *p, bool last, uint32_t *start,
                    uint32_t *end)
{
    const struct csv_dialect *d = &w->r->dialect;
    uint32_t s = *start + 1, e = *end;

    if (last && e > s && p[e - 1] == '\r')
        e--;
    if (d->quotes && e > s && p[s] == d->quote) {
        s++;
        e--;
        *end = e;
        *start = s - 1;
        if (e == s)
            *end = e - 1; /* length -1 */
        else if (memchr(p + s, d->quote, e - s))
            *start |= CSV_ESCAPED;
        return;
    }
    if (d->null_text && e - s == d->null_len && memcmp(p + s, d->null_text, e - s) == 0)
        e = s;
    *end = e;
}

/* False: a number with a quote in it. */
static bool gather_spans(struct csv_worker *w, const struct pass *t, int64_t n_rows,
                         size_t n_fields, size_t field, bool text)
{
    const uint32_t *idx = t->scan.idx + field;
    uint32_t marks = 0;

    for (int64_t r = 0; r < n_rows; r++, idx += n_fields) {
        w->starts[r] = idx[0];
        w->ends[r] = idx[1];
        look_at(w, t->p, field + 1 == n_fields, &w->starts[r], &w->ends[r]);
        marks |= w->starts[r];
    }
    return text || !(marks & CSV_ESCAPED);
}

static bool convert_column(struct csv_worker *w, const struct pass *t, int64_t n_rows,
                           size_t n_fields, size_t field, struct csv_out *o, struct bp_err *err)
{
    bool look = t->quote || w->r->dialect.null_text || (t->cr && field + 1 == n_fields);
    struct csv_span f = {.p = t->p,
                         .s = t->scan.idx + field,
                         .e = t->scan.idx + field + 1,
                         .step = n_fields,
                         .n = n_rows,
                         .quote = w->r->dialect.quote,
                         .unchecked = t->high && t->checks_values,
                         .dates = &w->dates,
                         .err = err};

    if (look) {
        if (!gather_spans(w, t, n_rows, n_fields, field, o->type.kind == BP_TEXT))
            return false;
        f.s = w->starts;
        f.e = w->ends;
        f.step = 1;
        f.marked = true;
    }
    return csv_convert(o, &f, w->r->kernels->level);
}

/* The lines of the pass that the rows begin in, from 0. Without quotes a row is a line. */
static void add_lines(struct csv_worker *w, struct pass *t, size_t n_rows, size_t n_fields,
                      struct csv_out *o)
{
    const uint32_t *idx = t->scan.idx;

    for (size_t r = 0; r < n_rows; r++, idx += n_fields) {
        csv_out_value(o, &t->lines);
        t->lines += t->quote ? csv_count_lines(w->r->kernels, t->p + idx[0] + 1,
                                               (size_t)(idx[n_fields] - idx[0]))
                             : 1;
    }
}

/* The first n_rows rows of idx become rows of the columns; PASS_ODD is set where
 * they cannot. */
static int flush_rows(struct csv_worker *w, struct pass *t, const struct csv_file *file,
                      size_t n_rows, struct bp_err *err)
{
    size_t nf = (size_t)file->n_fields, bad;
    uint32_t from = t->scan.idx[0] + 1, to = t->scan.idx[n_rows * nf] + 1;

    if (!n_rows)
        return 0;
    if (!rows_are_even(t, n_rows, nf) ||
        (t->high && !t->checks_values && !bp_utf8_check(t->p + from, to - from, &bad))) {
        t->verdict = PASS_ODD;
        return 0;
    }
    BP_TRY(grow_spans(w, n_rows, err));
    for (int c = 0; c < w->r->n_cols; c++) {
        struct csv_out *o = &w->outs[c];

        if (!o->data)
            BP_TRY(csv_out_reserve(o, BP_MAX(w->rows_guess, (int64_t)n_rows), to - from, err));
        BP_TRY(csv_out_reserve(o, (int64_t)n_rows, to - from, err));
        if (c == w->r->line_col)
            add_lines(w, t, n_rows, nf, o);
        else if (file->field_of[c] < 0)
            csv_out_nulls(o, (int64_t)n_rows);
        else if (!convert_column(w, t, (int64_t)n_rows, nf, (size_t)file->field_of[c], o, err)) {
            t->verdict = PASS_ODD;
            return err->code;
        }
    }
    t->n_rows += (int64_t)n_rows;
    t->scan.n_idx -= n_rows * nf;
    t->scan.n_lf -= (int64_t)n_rows;
    memmove(t->scan.idx, t->scan.idx + n_rows * nf, t->scan.n_idx * sizeof *t->scan.idx);
    return 0;
}

/* ---- a pass ---- */

/* Drop what stands before the first record; false: no record has begun yet. */
static bool seek_first(struct pass *t)
{
    size_t k = 0;

    while (k < t->scan.n_idx && t->p[t->scan.idx[k]] != '\n')
        k++;
    if (k == t->scan.n_idx || t->scan.idx[k] >= t->stop) {
        t->scan.n_idx = 0;
        t->scan.n_lf = 0;
        return false;
    }
    t->scan.n_idx -= k;
    memmove(t->scan.idx, t->scan.idx + k, t->scan.n_idx * sizeof *t->scan.idx);
    t->scan.n_lf--;
    t->first = t->scan.idx[0] + 1;
    return true;
}

static int scan_piece(struct csv_worker *w, struct pass *t, uint32_t from, uint32_t to,
                      struct bp_err *err)
{
    BP_TRY(grow_u32(&w->idx, &w->idx_cap, t->scan.n_idx + (to - from) + 192, err));
    t->scan.idx = w->idx;
    t->scan.saw_quote = t->scan.saw_cr = 0;
    t->scan.saw_high = false;
    w->r->kernels->scan(&t->scan, t->p, from, to);
    t->quote |= t->scan.saw_quote != 0;
    t->cr |= t->scan.saw_cr != 0;
    t->high |= t->scan.saw_high;
    if (t->speculate && t->scan.saw_quote)
        t->verdict = PASS_QUOTE;
    else if (t->scan.odd || t->scan.saw_nul)
        t->verdict = PASS_ODD;
    return 0;
}

/* What was seen in this piece may be in the bytes that wait for the next. */
static void keep_seen(struct pass *t)
{
    t->quote = t->scan.saw_quote != 0;
    t->cr = t->scan.saw_cr != 0;
    t->high = t->scan.saw_high;
}

/* Whole rows among the separators known so far. */
static int flush_whole(struct csv_worker *w, struct pass *t, const struct csv_file *file,
                       struct bp_err *err)
{
    size_t n_rows;

    if (!t->started)
        t->started = seek_first(t);
    if (!t->started)
        return 0;
    n_rows = (t->scan.n_idx - 1) / (size_t)file->n_fields;
    if (!n_rows && t->scan.n_lf > 0)
        t->verdict = PASS_ODD; /* a short row */
    BP_TRY(flush_rows(w, t, file, n_rows, err));
    keep_seen(t);
    return 0;
}

/* Behind stop: go on until the record that began before it has ended. */
static int flush_tail(struct csv_worker *w, struct pass *t, const struct csv_file *file,
                      uint32_t at, struct bp_err *err)
{
    size_t k = 1, nf = (size_t)file->n_fields;

    for (;;) {
        for (; k < t->scan.n_idx; k++)
            if (t->p[t->scan.idx[k]] == '\n' && t->scan.idx[k] >= t->stop)
                break;
        if (k < t->scan.n_idx)
            break;
        if (at >= t->n) {
            t->verdict = PASS_MORE;
            return 0;
        }
        BP_TRY(scan_piece(w, t, at, BP_MIN(at + 512, t->n), err));
        if (t->verdict != PASS_OK)
            return 0;
        at += BP_MIN(512, t->n - at);
    }
    t->scan.n_lf = 0; /* those up to k only */
    for (size_t i = 1; i <= k; i++)
        t->scan.n_lf += t->p[t->scan.idx[i]] == '\n';
    if (k % nf) {
        t->verdict = PASS_ODD;
        return 0;
    }
    t->end = t->scan.idx[k] + 1;
    return flush_rows(w, t, file, k / nf, err);
}

/* Is each field of a record looked at where it is converted? Then nobody need look at all bytes. */
static bool file_checks_values(const struct csv_reader *r, const struct csv_file *file)
{
    int n = 0;

    for (int c = 0; c < r->n_cols; c++)
        if (c != r->line_col && file->field_of[c] >= 0 &&
            csv_convert_checks(r->cols[c].type, r->cols[c].dict))
            n++;
    return n == file->n_fields;
}

static int run_pass(struct csv_worker *w, struct pass *t, const struct csv_file *file,
                    struct bp_err *err)
{
    uint32_t at = CSV_FRONT_BYTES, to;

    BP_TRY(grow_u32(&w->idx, &w->idx_cap, CSV_PIECE_BYTES, err));
    t->scan.idx = w->idx;
    t->checks_values = file_checks_values(w->r, file);
    if (t->started) {
        t->scan.idx[0] = CSV_FRONT_BYTES - 1;
        t->scan.n_idx = 1;
        t->first = CSV_FRONT_BYTES;
    }
    for (; at < t->stop && t->verdict == PASS_OK; at = to) {
        to = BP_MIN(at + CSV_PIECE_BYTES, t->stop);
        BP_TRY(scan_piece(w, t, at, to, err));
        /* the last step may have read behind stop; scanning goes on from there */
        if (to == t->stop)
            to = at + ((to - at + 63) & ~63u);
        if (t->verdict == PASS_OK && to < t->stop)
            BP_TRY(flush_whole(w, t, file, err));
    }
    if (t->verdict != PASS_OK)
        return 0;
    if (!t->started)
        t->started = seek_first(t);
    if (t->started)
        return flush_tail(w, t, file, at, err);
    return 0;
}

/* ---- a job ---- */

static void reset_outs(struct csv_worker *w)
{
    for (int c = 0; c < w->r->n_cols; c++)
        csv_out_release(&w->outs[c]);
}

static int make_batch(struct csv_worker *w, struct csv_job *job, int64_t n_rows, struct bp_err *err)
{
    if (!n_rows)
        return 0;
    for (int c = 0; c < w->r->n_cols; c++)
        if (w->r->cols[c].not_null && w->outs[c].n_nulls) {
            job->odd = true;
            return 0;
        }
    BP_TRY(bp_batch_init(&job->batch, w->r->n_cols, err));
    for (int c = 0; c < w->r->n_cols; c++)
        BP_TRY(csv_out_finish(&w->outs[c], &job->batch.cols[c], err));
    job->batch.n_rows = n_rows;
    w->rows_guess = n_rows + n_rows / 16;
    return 0;
}

/* Over n bytes behind CSV_FRONT_BYTES of base; stop counts from the first of them. */
static void init_pass(const struct csv_worker *w, struct pass *t, const uint8_t *base, uint32_t n,
                      uint32_t stop, bool started, bool inside)
{
    const struct csv_dialect *d = &w->r->dialect;
    const uint8_t *p = base + CSV_FRONT_BYTES;

    *t = (struct pass){.p = base,
                       .n = CSV_FRONT_BYTES + n,
                       .stop = CSV_FRONT_BYTES + stop,
                       .started = started,
                       .verdict = PASS_OK};
    t->scan.delim = d->delim;
    t->scan.quote = d->quote;
    t->scan.quotes = d->quotes;
    t->scan.inside = inside ? ~(uint64_t)0 : 0;
    if (!started && !inside) {
        t->scan.edge_quote = d->quotes && p[-1] == d->quote;
        t->scan.edge_cr = p[-1] == '\r';
    }
}

static void run_stream_job(struct csv_worker *w, struct csv_job *job)
{
    uint8_t *p = job->block->data + CSV_FRONT_BYTES;
    uint32_t n = (uint32_t)job->n_bytes;
    struct pass t;

    job->lines = csv_count_lines(w->r->kernels, p, n);
    p[-1] = '\n';
    if (p[n - 1] != '\n')
        p[n++] = '\n';
    memset(p + n, ' ', CSV_PAD_BYTES);
    init_pass(w, &t, job->block->data, n, n - 1, true, false);
    job->record_at = job->a;
    job->rc = run_pass(w, &t, &w->r->files[job->file], &job->err);
    job->odd = t.verdict != PASS_OK;
    if (job->rc >= 0 && !job->odd)
        job->rc = make_batch(w, job, t.n_rows, &job->err);
}

/* The bytes [a - 1, b + behind) of the file into the buffer. */
static int read_chunk(struct csv_worker *w, const struct csv_job *job, uint32_t *n, bool *end,
                      struct bp_err *err)
{
    const struct bp_input *in = &w->r->files[job->file].in;
    size_t want = (size_t)(job->b - job->a) + w->behind_bytes, got;
    size_t front = job->a > 0 ? 1 : 0;
    uint8_t *p;

    BP_TRY(bp_block_grow(&w->buf, 0, CSV_FRONT_BYTES + want + 1 + CSV_PAD_BYTES, err));
    p = w->buf->data + CSV_FRONT_BYTES;
    BP_TRY(bp_input_read_at(in, p - front, want + front, job->a - (int64_t)front, &got, err));
    got -= BP_MIN(front, got);
    *end = got < want;
    BP_TRY(csv_check_size(in, job->a + (int64_t)got, *end, err));
    if (*end && got && p[got - 1] != '\n')
        p[got++] = '\n';
    if (got && p[got - 1] == '\r')
        got--; /* its LF may be the next byte */
    memset(p + got, ' ', CSV_PAD_BYTES);
    if (!*end && got && p[got - 1] == w->r->dialect.quote)
        p[got] = w->r->dialect.delim; /* no byte that would be odd behind a quote */
    if (job->at_start)
        p[-1] = '\n';
    *n = (uint32_t)got;
    return 0;
}

static size_t count_quotes(const struct csv_worker *w, const struct csv_job *job, uint32_t n)
{
    const struct csv_dialect *d = &w->r->dialect;
    size_t len = BP_MIN((size_t)(job->b - job->a), (size_t)n);

    return d->quotes ? w->r->kernels->count(w->buf->data + CSV_FRONT_BYTES, len, d->quote) : 0;
}

static bool job_inside(struct csv_worker *w, const struct csv_job *job)
{
    return job->inside >= 0 ? job->inside : chain_ask(w->chain, job->seq - 1);
}

/*
 * Until a quote is seen, a chunk is converted at once on the guess that it begins
 * outside quotes, and the chain is asked afterwards. From then on quotes are
 * counted first.
 */
static int run_file_job(struct csv_worker *w, struct csv_job *job, bool *told, struct bp_err *err)
{
    const struct csv_file *file = &w->r->files[job->file];
    bool speculate = w->r->dialect.quotes && !atomic_load(&w->chain->saw_quote);
    bool inside = false, end;
    struct pass t;
    uint32_t n, stop;

    for (;;) {
        BP_TRY(read_chunk(w, job, &n, &end, err));
        stop = (uint32_t)BP_MIN(job->b - job->a, (int64_t)n);
        if (!speculate && !*told) {
            size_t quotes = count_quotes(w, job, n);

            inside = job_inside(w, job);
            chain_tell(w->chain, job->seq, (inside + quotes) & 1);
            *told = true;
        }
        init_pass(w, &t, w->buf->data, n, stop, job->at_start, !speculate && inside);
        t.speculate = speculate;
        BP_TRY(run_pass(w, &t, file, err));
        if (speculate && t.verdict != PASS_MORE) {
            if (t.verdict != PASS_QUOTE && !job_inside(w, job))
                break;
            if (t.verdict == PASS_QUOTE)
                atomic_store(&w->chain->saw_quote, true);
            speculate = false;
        } else if (t.verdict == PASS_MORE && !end && w->behind_bytes < w->r->record_max_bytes) {
            w->behind_bytes *= 4;
        } else {
            break;
        }
        reset_outs(w);
    }
    if (!*told) { /* nothing was seen; and what follows an odd chunk is not used */
        chain_tell(w->chain, job->seq, false);
        *told = true;
    }
    job->record_at = t.started ? job->a + t.first - CSV_FRONT_BYTES : -1;
    job->end_at = t.end ? job->a + t.end - CSV_FRONT_BYTES : -1;
    job->odd = t.verdict != PASS_OK;
    job->lines = t.lines;
    return job->odd ? 0 : make_batch(w, job, t.n_rows, err);
}

void csv_worker_run(struct csv_worker *w, struct csv_job *job)
{
    bool told = false;

    job->record_at = job->end_at = -1;
    if (job->block) {
        run_stream_job(w, job);
    } else {
        job->rc = run_file_job(w, job, &told, &job->err);
        if (!told)
            chain_tell(w->chain, job->seq, false);
    }
    reset_outs(w);
    for (int c = 0; c < w->r->n_cols; c++)
        if (csv_dict_is_full(&w->dicts[c]))
            bp_dictset_clear(&w->dicts[c]);
}

void csv_worker_skip(struct csv_worker *w, struct csv_job *job)
{
    job->record_at = job->end_at = -1;
    chain_tell(w->chain, job->seq, false);
}

void csv_job_free(struct csv_job *job)
{
    if (!job)
        return;
    bp_batch_release(&job->batch);
    bp_block_unref(job->block);
    bp_mem_free(job);
}
