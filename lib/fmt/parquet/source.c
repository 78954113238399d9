/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a Parquet file. A page is the unit of work: this thread walks the chunks
 * of the wanted columns, always where the fewest rows have been given out, and gives
 * pages to the pool, which decodes them; what comes back is a piece of a column.
 * Batches are cut from the pieces: a slice where a piece reaches, a copy where it
 * ends. So memory is that of a page of each column and of the pages in flight,
 * whatever the size of a row group; even one column keeps several threads busy.
 */
#include <string.h>

#include "flow/marks.h"
#include "flow/pool.h"
#include "fmt/parquet/decode.h"
#include "fmt/parquet/parquet.h"

#define CUTS_MAX 64 /* pieces that a batch's column is put together from */

/* A column that somebody wants. Row groups [group, end) of it are not opened yet. */
struct want {
    const struct bp_pq_column *column;
    int leaf;
    struct bp_pq_pages pages;
    struct bp_pq_dict *dict;
    int group;
    int64_t group_left; /* rows of the open group that were not given out */
    int64_t given_rows;
    struct bp_column *pieces; /* decoded, in order */
    int n_pieces, cap_pieces;
    int64_t at, have; /* used rows of pieces[0]; rows of all of them that are not used */
};

struct job {
    struct want *want;
    int codec, group;
    struct bp_pq_raw raw;
    struct bp_pq_dict *dict;
    struct bp_column col;
    struct bp_err err;
    struct job *next; /* free ones */
};

struct pq_source {
    struct bp_pq_file *file;
    struct bp_ctx *ctx;
    struct want *wants;
    int n_wants;
    struct bp_schema all; /* of the file */
    int *leaf_of_field;
    struct bp_share share;
    bool share_due;
    int group, end; /* row groups whose rows come out */
    bool *skip;     /* not those; NULL: all do */
    int64_t group_left, n_rows;

    struct bp_pool *pool;
    int64_t flying_bytes;          /* of pages that were given and not taken */
    struct bp_pq_scratch *scratch; /* one a worker, and this thread's */
    int n_scratch;
    struct job *idle;
};

/* ---- jobs ---- */

static void work(void *ctx, int worker, void *job)
{
    struct pq_source *s = ctx;
    struct job *j = job;

    if (bp_pq_decode(&j->col, j->want->column, j->codec, &j->raw, j->dict, &s->scratch[worker],
                     &j->err) < 0)
        bp_err_prefix(&j->err, "%s: column %s: row group %d: page %lld", s->file->in.name,
                      j->want->column->name, j->group, (long long)j->raw.number);
}

static void free_job(struct job *j)
{
    bp_column_release(&j->col);
    bp_pq_dict_unref(j->dict);
    bp_buf_release(&j->raw.body);
    bp_mem_free(j);
}

static void drop(void *ctx, void *job)
{
    (void)ctx;
    free_job(job);
}

static struct job *new_job(struct pq_source *s, struct bp_err *err)
{
    struct job *j = s->idle;

    if (!j)
        return bp_mem_new(1, sizeof *j, err);
    s->idle = j->next;
    return j;
}

static void rest_job(struct pq_source *s, struct job *j)
{
    struct bp_buf body = j->raw.body; /* its memory is used again */

    bp_pq_dict_unref(j->dict);
    *j = (struct job){.raw.body = body, .next = s->idle};
    s->idle = j;
}

/* ---- giving pages out ---- */

static const struct bp_pq_chunk *chunk_of(const struct pq_source *s, const struct want *w, int g)
{
    return &s->file->groups[g].chunks[w->leaf];
}

static bool is_skipped(const struct pq_source *s, int group)
{
    return s->skip && s->skip[group];
}

/* The next row group that has rows; false: there is none. */
static bool open_group(struct pq_source *s, struct want *w)
{
    while (w->group_left == 0) {
        if (w->group == s->end)
            return false;
        if (is_skipped(s, w->group)) {
            w->group++;
            continue;
        }
        bp_pq_pages_open(&w->pages, s->file, w->column, chunk_of(s, w, w->group));
        bp_pq_dict_unref(w->dict);
        w->dict = NULL;
        w->group_left = s->file->groups[w->group++].n_rows;
    }
    return true;
}

static int take_dict(struct pq_source *s, struct want *w, const struct bp_pq_raw *raw,
                     struct bp_err *err)
{
    const char *name = s->file->in.name;

    if (w->dict || raw->number)
        return bp_fail(err, BP_EDATA,
                       "%s: column %s: row group %d: page %lld is a dictionary, which only the "
                       "first can be",
                       name, w->column->name, w->group - 1, (long long)raw->number);
    if (bp_pq_dict_decode(&w->dict, w->column, chunk_of(s, w, w->group - 1)->codec, raw,
                          &s->scratch[s->n_scratch - 1], err) < 0)
        return bp_err_prefix(err, "%s: column %s: row group %d: dictionary", name, w->column->name,
                             w->group - 1);
    return 0;
}

#define PAGE_LEAST_BYTES ((int64_t)16 << 20)
#define PAGE_MOST_BYTES ((int64_t)1 << 30)

/* A page may claim any size: at most half of the memory is believed. */
static int64_t most_bytes(const struct pq_source *s)
{
    int64_t limit = s->ctx->budget.limit_bytes;

    return limit ? BP_MIN(BP_MAX(limit / 2, PAGE_LEAST_BYTES), PAGE_MOST_BYTES) : PAGE_MOST_BYTES;
}

/* What a page takes when it is decoded, as far as its header says. */
static int64_t page_bytes(const struct want *w, const struct bp_pq_raw *raw)
{
    int64_t width = BP_MAX((int64_t)bp_type_width_bytes(w->column->type), 4);

    return BP_MAX(width * raw->h.n_values, raw->h.raw_bytes);
}

static int check_size(const struct pq_source *s, const struct want *w, struct bp_pq_raw *raw,
                      struct bp_err *err)
{
    int64_t bytes = page_bytes(w, raw);

    raw->most_bytes = most_bytes(s);
    if (bytes <= raw->most_bytes)
        return 0;
    return bp_fail(err, BP_EDATA,
                   "%s: column %s: row group %d: page %lld has %lld values in %lld bytes, more "
                   "than is read at once under this --mem (%lld bytes)",
                   s->file->in.name, w->column->name, w->group - 1, (long long)raw->number,
                   (long long)raw->h.n_values, (long long)bytes, (long long)raw->most_bytes);
}

/* The next data page with values -> j. */
static int next_page(struct pq_source *s, struct want *w, struct job *j, struct bp_err *err)
{
    int rc;

    do {
        rc = bp_pq_pages_next(&w->pages, &j->raw, err);
        if (rc == BP_DONE ||
            (rc == 0 && j->raw.h.type != BP_PQ_DICT_PAGE && j->raw.h.n_values > w->group_left))
            return bp_fail(err, BP_EDATA,
                           "%s: column %s: the pages of row group %d have %s values than it has "
                           "rows (%lld)",
                           s->file->in.name, w->column->name, w->group - 1, rc ? "fewer" : "more",
                           (long long)s->file->groups[w->group - 1].n_rows);
        if (rc < 0)
            return rc;
        BP_TRY(check_size(s, w, &j->raw, err));
        if (j->raw.h.type == BP_PQ_DICT_PAGE)
            BP_TRY(take_dict(s, w, &j->raw, err));
    } while (j->raw.h.type == BP_PQ_DICT_PAGE || j->raw.h.n_values == 0);
    return 0;
}

static int give_page(struct pq_source *s, struct want *w, struct bp_err *err)
{
    struct job *j = new_job(s, err);
    int rc;

    if (!j)
        return err->code;
    rc = next_page(s, w, j, err);
    if (rc < 0) {
        free_job(j);
        return rc;
    }
    j->want = w;
    j->group = w->group - 1;
    j->codec = chunk_of(s, w, j->group)->codec;
    j->dict = bp_pq_dict_ref(w->dict);
    w->group_left -= j->raw.h.n_values;
    w->given_rows += j->raw.h.n_values;
    s->flying_bytes += page_bytes(w, &j->raw);
    bp_pool_give(s->pool, j);
    return 0;
}

#define FLYING_SHARE 8 /* pages in work are to be so small a part of the memory */

/* As many pages as the pool takes, first those of the column that is behind. */
static int give_pages(struct pq_source *s, struct bp_err *err)
{
    int64_t limit = s->ctx->budget.limit_bytes;

    while (bp_pool_has_room(s->pool) &&
           (!s->flying_bytes || !limit || s->flying_bytes < limit / FLYING_SHARE)) {
        struct want *least = NULL;

        for (int i = 0; i < s->n_wants; i++)
            if ((!least || s->wants[i].given_rows < least->given_rows) &&
                open_group(s, &s->wants[i]))
                least = &s->wants[i];
        if (!least)
            return 0;
        BP_TRY(give_page(s, least, err));
    }
    return 0;
}

/* ---- taking pieces ---- */

static int take_piece(struct pq_source *s, struct bp_err *err)
{
    struct job *j = bp_pool_take(s->pool);
    struct want *w;

    if (!j)
        return bp_fail(err, BP_EDATA, "%s: its columns end before its rows do", s->file->in.name);
    w = j->want;
    s->flying_bytes -= page_bytes(w, &j->raw);
    if (j->err.code) {
        *err = j->err;
        free_job(j);
        return err->code;
    }
    if (w->n_pieces == w->cap_pieces) {
        struct bp_column *p = bp_mem_grow(w->pieces, (size_t)w->cap_pieces + 8, sizeof *p, err);

        if (!p) {
            free_job(j);
            return err->code;
        }
        w->pieces = p;
        w->cap_pieces += 8;
    }
    w->pieces[w->n_pieces++] = j->col;
    w->have += j->col.n_rows;
    j->col = (struct bp_column){0};
    rest_job(s, j);
    return 0;
}

static void drop_piece(struct want *w)
{
    bp_column_release(&w->pieces[0]);
    memmove(w->pieces, w->pieces + 1, (size_t)--w->n_pieces * sizeof *w->pieces);
    w->at = 0;
}

/* The next n rows of w, which are all there. */
static int cut_rows(struct want *w, int64_t n, struct bp_column *out, struct bp_err *err)
{
    const struct bp_column *srcs[CUTS_MAX] = {0};
    struct bp_column cuts[CUTS_MAX] = {0};
    int n_cuts = 0, rc = 0;

    w->have -= n;
    while (n > 0 && n_cuts < CUTS_MAX) {
        int64_t some = BP_MIN(n, w->pieces[0].n_rows - w->at);

        BP_GO(bp_column_slice(&cuts[n_cuts], &w->pieces[0], w->at, some, err));
        srcs[n_cuts] = &cuts[n_cuts];
        n_cuts++;
        n -= some;
        w->at += some;
        if (w->at == w->pieces[0].n_rows)
            drop_piece(w);
    }
    rc = bp_column_concat(out, srcs, n_cuts, err);
out:
    for (int i = 0; i < n_cuts; i++)
        bp_column_release(&cuts[i]);
    return rc;
}

#define LONG_BATCHES 8 /* times batch_rows */

/* How many rows of w the next batch may get: what the first piece has, which costs no
 * copy, where it is long; else n, or as many pages as are cut together. */
static int64_t reach(const struct pq_source *s, const struct want *w, int64_t n)
{
    int64_t rows = w->pieces[0].n_rows - w->at;

    if (rows >= s->ctx->batch_rows)
        return BP_MIN(rows, LONG_BATCHES * s->ctx->batch_rows);
    for (int i = 1; i < w->n_pieces && i < CUTS_MAX; i++)
        rows += w->pieces[i].n_rows;
    return BP_MIN(rows, n);
}

static int next_rows(struct pq_source *s, struct bp_batch *out, struct bp_err *err)
{
    int64_t least = BP_MIN(s->ctx->batch_rows, s->group_left), n = s->group_left;

    for (int i = 0; i < s->n_wants; i++) {
        while (s->wants[i].have < least) {
            BP_TRY(give_pages(s, err));
            BP_TRY(take_piece(s, err));
        }
        n = BP_MIN(n, reach(s, &s->wants[i], least));
    }
    BP_TRY(give_pages(s, err)); /* the pool works while this batch is used */
    BP_TRY(bp_batch_init(out, s->n_wants, err));
    out->n_rows = n;
    for (int i = 0; i < s->n_wants; i++)
        if (cut_rows(&s->wants[i], n, &out->cols[i], err) < 0) {
            bp_batch_release(out);
            return err->code;
        }
    out->first_row = s->n_rows;
    out->share = s->share;
    s->n_rows += n;
    s->group_left -= n;
    return 0;
}

/* ---- the source ---- */

static int share_batch(struct pq_source *s, struct bp_batch *out, struct bp_err *err)
{
    s->share_due = false;
    BP_TRY(bp_batch_init(out, s->n_wants, err));
    out->share = s->share;
    for (int i = 0; i < s->n_wants; i++)
        if (bp_column_nulls(&out->cols[i], s->wants[i].column->type, 0, err) < 0) {
            bp_batch_release(out);
            return err->code;
        }
    return 0;
}

/* When it is known which columns are wanted. */
static int start(struct pq_source *s, struct bp_err *err)
{
    static const struct bp_pool_ops ops = {.work = work, .drop = drop};
    int n = s->ctx->n_threads;

    for (int i = 0; i < s->n_wants; i++)
        if (s->wants[i].column->refused)
            return bp_fail(err, BP_EDATA,
                           "%s: column %s is %s, which this version does not read: name the "
                           "others (bp-read -c)",
                           s->file->in.name, s->wants[i].column->name, s->wants[i].column->refused);
    s->scratch = bp_mem_new((size_t)n + 1, sizeof *s->scratch, err);
    if (!s->scratch)
        return err->code;
    s->n_scratch = n + 1;
    return bp_pool_open(&s->pool, n, n > 1 ? 2 * n + 2 : 1, &ops, s, err);
}

static int pq_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct pq_source *s = self;

    if (!s->pool)
        BP_TRY(start(s, err));
    if (s->share_due)
        return share_batch(s, out, err);
    while (s->group_left == 0) {
        if (s->group == s->end)
            return BP_DONE;
        if (!is_skipped(s, s->group))
            s->group_left = s->file->groups[s->group].n_rows;
        s->group++;
    }
    return next_rows(s, out, err);
}

static void free_wants(struct pq_source *s)
{
    for (int i = 0; i < s->n_wants; i++) {
        struct want *w = &s->wants[i];

        while (w->n_pieces)
            drop_piece(w);
        bp_mem_free(w->pieces);
        bp_pq_pages_close(&w->pages);
        bp_pq_dict_unref(w->dict);
    }
    bp_mem_free(s->wants);
    s->wants = NULL;
    s->n_wants = 0;
}

static void pq_free(void *self)
{
    struct pq_source *s = self;

    bp_pool_free(s->pool);
    while (s->idle) {
        struct job *j = s->idle;

        s->idle = j->next;
        free_job(j);
    }
    for (int i = 0; i < s->n_scratch; i++)
        bp_pq_scratch_release(&s->scratch[i]);
    bp_mem_free(s->scratch);
    free_wants(s);
    bp_schema_release(&s->all);
    bp_mem_free(s->leaf_of_field);
    bp_mem_free(s->skip);
    bp_pq_file_free(s->file);
    bp_mem_free(s);
}

/* leaves[0..n): of the file's columns. */
static int set_wants(struct pq_source *s, const int *leaves, int n, struct bp_err *err)
{
    struct want *wants = bp_mem_new((size_t)n + 1, sizeof *wants, err);

    if (!wants)
        return err->code;
    for (int i = 0; i < n; i++) {
        wants[i].leaf = leaves[i];
        wants[i].column = &s->file->columns[leaves[i]];
        wants[i].group = s->group;
    }
    free_wants(s);
    s->wants = wants;
    s->n_wants = n;
    return 0;
}

static int pq_project(void *self, const int *cols, int n, struct bp_err *err)
{
    struct pq_source *s = self;
    int *leaves = bp_mem_new((size_t)n + 1, sizeof *leaves, err);
    int rc;

    if (!leaves)
        return err->code;
    for (int i = 0; i < n; i++)
        leaves[i] = s->wants[cols[i]].leaf;
    rc = set_wants(s, leaves, n, err);
    bp_mem_free(leaves);
    return rc;
}

/* The bounds of the wanted columns in a row group: one row of low, one of high. */
static int read_bounds(const struct pq_source *s, int group, struct bp_batch *low,
                       struct bp_batch *high, struct bp_err *err)
{
    BP_TRY(bp_batch_init(low, s->n_wants, err));
    BP_TRY(bp_batch_init(high, s->n_wants, err));
    low->n_rows = high->n_rows = 1;
    for (int i = 0; i < s->n_wants; i++) {
        const struct bp_pq_column *c = s->wants[i].column;
        const struct bp_pq_stats *k = &chunk_of(s, &s->wants[i], group)->stats;
        bool none = c->refused || c->convert == BP_PQ_HALF || c->convert == BP_PQ_DURATION;

        BP_TRY(bp_pq_decode_bound(&low->cols[i], c, none ? NULL : k->min, k->min_bytes, err));
        BP_TRY(bp_pq_decode_bound(&high->cols[i], c,
                                  none || bp_type_is_float(c->type) ? NULL : k->max, k->max_bytes,
                                  err));
    }
    return 0;
}

static int pq_prune(void *self, bp_may_match may, void *ctx, struct bp_err *err)
{
    struct pq_source *s = self;
    struct bp_batch low = {0}, high = {0};
    struct bp_bounds known = {&low, &high};
    int rc = 0;

    s->skip = bp_mem_new((size_t)s->end + 1, sizeof *s->skip, err);
    if (!s->skip)
        return err->code;
    for (int g = s->group; g < s->end && rc == 0; g++) {
        rc = read_bounds(s, g, &low, &high, err);
        if (rc == 0)
            s->skip[g] = !may(ctx, &known);
        bp_batch_release(&low);
        bp_batch_release(&high);
    }
    return rc;
}

static const struct bp_source_ops pq_ops = {
    .next = pq_next, .free = pq_free, .project = pq_project, .prune = pq_prune};

/* A text all of whose pages are codes stays a dictionary on the stream. */
static bool is_dict(const struct bp_pq_file *f, int leaf)
{
    bool all = f->columns[leaf].type.kind == BP_TEXT && f->n_groups;

    for (int g = 0; all && g < f->n_groups; g++)
        all = f->groups[g].n_rows == 0 || f->groups[g].chunks[leaf].all_dict;
    return all;
}

/* One field for each top-level field of the file: of what is nested, the first leaf
 * stands for all of it. */
static int list_fields(struct pq_source *s, struct bp_err *err)
{
    const struct bp_pq_file *f = s->file;

    s->leaf_of_field = bp_mem_new((size_t)f->n_columns + 1, sizeof *s->leaf_of_field, err);
    if (!s->leaf_of_field)
        return err->code;
    for (int i = 0; i < f->n_columns; i++) {
        if (i && f->columns[i].refused && f->columns[i].name == f->columns[i - 1].name)
            continue;
        s->leaf_of_field[s->all.n_fields] = i;
        BP_TRY(bp_schema_add(&s->all, f->columns[i].name, f->columns[i].type, err));
        s->all.fields[s->all.n_fields - 1].dict = is_dict(f, i);
    }
    return set_wants(s, s->leaf_of_field, s->all.n_fields, err);
}

/* Our marks, where we wrote the file. */
static int take_marks(struct pq_source *s, struct bp_err *err)
{
    const struct bp_pq_file *f = s->file;

    for (int i = 0; i < f->n_meta; i++)
        if (strncmp(f->meta[i].key, "bp.", 3) == 0)
            BP_TRY(bp_schema_set_meta(&s->all, f->meta[i].key, f->meta[i].value, err));
    return bp_mark_task(&s->all, &s->share, err);
}

static int take_share(struct pq_source *s, const struct bp_parquet_opts *o, struct bp_err *err)
{
    s->end = s->file->n_groups;
    if (o->some_groups) {
        s->group = BP_MIN(o->first_group, s->end);
        s->end = BP_MIN(s->group + o->n_groups, s->end);
    }
    BP_TRY(take_marks(s, err));
    if (o->unite)
        s->share = (struct bp_share){0, 0};
    if (o->n_tasks > 0 && s->share.n)
        return bp_fail(err, BP_EDATA,
                       "%s: it is share %d of %d already, and cannot be cut into shares again",
                       s->file->in.name, s->share.i, s->share.n);
    if (o->n_tasks > 0)
        s->share = (struct bp_share){o->task, o->n_tasks};
    /* cut or united otherwise than by its keys: they promise nothing any more */
    if (o->unite || o->n_tasks > 0)
        BP_TRY(bp_schema_set_meta(&s->all, BP_MARK_PARTED, NULL, err));
    s->share_due = s->share.n > 0;
    return bp_mark_set_task(&s->all, s->share, err);
}

int bp_parquet_source(struct bp_source *out, struct bp_input *in,
                      const struct bp_parquet_opts *opts, struct bp_ctx *ctx, struct bp_err *err)
{
    static const struct bp_parquet_opts none;
    struct pq_source *s = bp_mem_new(1, sizeof *s, err);
    int rc;

    *out = (struct bp_source){0};
    if (!s) {
        bp_input_close(in);
        return err->code;
    }
    s->ctx = ctx;
    BP_GO(bp_pq_file_open(&s->file, in, err));
    BP_GO(take_share(s, opts ? opts : &none, err));
    BP_GO(list_fields(s, err));
    BP_GO(bp_schema_copy(&out->schema, &s->all, err));
    out->name = bp_mem_str(s->file->in.name, err);
    BP_GO(out->name ? 0 : err->code);
    out->ops = &pq_ops;
    out->self = s;
    return 0;
out:
    bp_schema_release(&out->schema);
    bp_mem_free(out->name);
    *out = (struct bp_source){0};
    pq_free(s);
    return rc;
}

bool bp_parquet_is_file(const uint8_t *head, size_t n)
{
    return n >= 4 && memcmp(head, "PAR1", 4) == 0;
}

int bp_parquet_count_groups(struct bp_input *in, int *n, struct bp_err *err)
{
    struct bp_pq_file *f;

    BP_TRY(bp_pq_file_open(&f, in, err));
    *n = f->n_groups;
    bp_pq_file_free(f);
    return 0;
}
