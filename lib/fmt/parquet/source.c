/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a Parquet file. A page is the unit of work: this thread walks the chunks
 * of the wanted columns (want.h), always where it is the least far, and gives pages to
 * the pool, which decodes them; what comes back is a piece of a column. Batches are cut
 * from the pieces, lists and structs put together from those of their leaves (field.h). So memory
 * is that of a page of each column and of the pages in flight, whatever the size of a row group;
 * even one column keeps several threads busy.
 *
 * Which rows are read is decided a row group at a time, in two steps that fill two lists
 * of stretches. `planned`: what the file itself does not rule out (prune.h). `kept`: what
 * a condition, where there is one, is true of by the values of the columns that it reads.
 * These columns lead: their pages follow `planned`, and the condition is judged on their
 * pieces a window at a time; of a window the rows between the first and the last that
 * pass are kept. The pages of all other columns follow `kept`, so that where few rows
 * pass, most of them are neither unpacked nor decoded. A row group in which that does not
 * pay (most windows have rows that pass) is kept as planned for its rest. Whoever gave
 * the condition still judges each row.
 */
#include <string.h>

#include "flow/marks.h"
#include "fmt/parquet/field.h"
#include "fmt/parquet/parquet.h"
#include "fmt/parquet/prune.h"
#include "sys/pool.h"

struct job {
    struct bp_pq_want *want;
    int codec;
    struct bp_pq_raw raw;
    struct bp_pq_dict *dict;
    struct bp_pq_piece piece;
    struct bp_err err;
    struct job *next; /* free ones */
};

struct pq_source {
    struct bp_pq_file *file;
    struct bp_ctx *ctx;
    struct bp_pq_field *fields; /* wanted ones, in the order of the batch's columns */
    int n_fields;
    struct bp_pq_want *wants; /* of all their leaves */
    int n_wants;
    struct bp_schema all; /* of the file */
    struct bp_share share;
    bool share_due;

    int group, end; /* row groups that are not planned yet */
    int64_t row;    /* rows before it were given to whoever pulls */
    struct bp_pq_stretches planned, kept;
    int64_t known_row; /* kept is complete before it */

    bool has_condition;
    struct bp_pq_prune prune;
    const struct bp_pq_node **nodes; /* of the fields, for prune */
    bool *used;
    int n_leaders;
    int32_t *sel;
    int judged_group; /* -1: none yet */
    bool judging;     /* is what is planned of it judged, or kept as it is? */
    int n_windows, n_passed, windows_least;

    struct bp_pool *pool;
    int64_t flying_bytes;          /* of pages that were given and not taken */
    int64_t dict_bytes;            /* of the budget, for dictionaries */
    struct bp_pq_scratch *scratch; /* one a worker, and this thread's */
    int n_scratch;
    struct job *idle;
};

/* ---- jobs ---- */

static void work(void *ctx, int worker, void *job)
{
    struct pq_source *s = ctx;
    struct job *j = job;

    if (bp_pq_decode(&j->piece.col, &j->piece.levels, j->want->column, j->codec, &j->raw, j->dict,
                     &s->scratch[worker], &j->err) < 0)
        bp_err_prefix(&j->err, "%s: column %s: row group %d: page %lld", s->file->in.name,
                      j->want->column->name, j->piece.group, (long long)j->raw.number);
}

static void free_job(struct job *j)
{
    bp_pq_piece_release(&j->piece);
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

/* ---- which rows ---- */

static int plan_group(struct pq_source *s, struct bp_err *err)
{
    const struct bp_pq_group *g = &s->file->groups[s->group];
    int n = s->group++;

    if (s->has_condition)
        return bp_pq_prune_group(&s->prune, n, &s->planned, err);
    return bp_pq_stretch_add(&s->planned, g->first_row, g->first_row + g->n_rows, n, err);
}

/* The first planned stretch with rows from this one on; NULL: there is none. */
static int planned_at(struct pq_source *s, int64_t row, const struct bp_pq_stretch **out,
                      struct bp_err *err)
{
    while (!(*out = bp_pq_stretch_at(&s->planned, row)) && s->group < s->end)
        BP_TRY(plan_group(s, err));
    return 0;
}

/* Judged before it is asked whether that pays, half of a usual row group (DuckDB's have 15); of a
 * row group behind one where it did not. */
#define WINDOWS_LEAST 8
#define WINDOWS_AGAIN 2

/* The condition on rows [from, from + n), which the leaders have. */
static int judge(struct pq_source *s, int64_t from, int64_t n, int group, struct bp_err *err)
{
    const struct bp_condition *c = &s->prune.condition;
    struct bp_batch b = {0};
    int64_t n_sel = 0;
    int rc;

    BP_TRY(bp_batch_init(&b, s->n_fields, err));
    b.n_rows = n;
    b.first_row = from;
    for (int i = 0; i < s->n_fields; i++)
        if (s->used[i])
            BP_GO(bp_pq_field_cut(&s->fields[i], from, n, &b.cols[i], err));
    BP_GO(c->select(c->ctx, &b, s->sel, &n_sel, err));
    if (n_sel)
        BP_GO(bp_pq_stretch_add(&s->kept, from + s->sel[0], from + s->sel[n_sel - 1] + 1, group,
                                err));
    s->n_passed += n_sel > 0;
    if (++s->n_windows >= s->windows_least && 4 * s->n_passed > 3 * s->n_windows) {
        s->judging = false;
        s->windows_least = WINDOWS_AGAIN;
    }
out:
    bp_batch_release(&b);
    return rc;
}

/* More of kept, if that can be known; *more: it was. */
static int know_more(struct pq_source *s, bool *more, struct bp_err *err)
{
    const struct bp_pq_stretch *st;
    int64_t from, least, n = INT64_MAX;

    *more = false;
    BP_TRY(planned_at(s, s->known_row, &st, err));
    if (!st)
        return 0;
    if (st->group != s->judged_group) {
        s->judged_group = st->group;
        if (s->judging) /* to its end: that paid */
            s->windows_least = WINDOWS_LEAST;
        s->judging = s->n_leaders > 0;
        s->n_windows = s->n_passed = 0;
    }
    from = BP_MAX(s->known_row, st->from);
    least = BP_MIN(s->ctx->batch_rows, st->to - from);
    for (int i = 0; s->judging && i < s->n_fields; i++) {
        if (!s->used[i])
            continue;
        if (!bp_pq_field_ready(&s->fields[i], from, least))
            return 0;
        n = BP_MIN(n, bp_pq_field_reach(&s->fields[i], from, least, least));
    }
    *more = true;
    if (!s->judging) {
        s->known_row = st->to;
        return bp_pq_stretch_add(&s->kept, from, st->to, st->group, err);
    }
    s->known_row = from + n;
    return judge(s, from, n, st->group, err);
}

/* The first row that may still be needed. */
static int64_t needed_row(const struct pq_source *s)
{
    const struct bp_pq_stretch *st = bp_pq_stretch_at(&s->kept, s->row);
    int64_t row = s->row;

    if (!st) { /* the next that is kept is behind what is known */
        row = s->known_row;
        st = bp_pq_stretch_at(&s->planned, row);
    }
    return st ? BP_MAX(row, st->from) : row;
}

static void drop_pieces(struct pq_source *s)
{
    int64_t needed = needed_row(s);

    for (int i = 0; i < s->n_wants; i++)
        bp_pq_pieces_drop(&s->wants[i].pieces,
                          s->wants[i].leads ? BP_MIN(needed, s->known_row) : needed);
    bp_pq_stretch_forget(&s->planned, s->row);
    bp_pq_stretch_forget(&s->kept, s->row);
}

/* ---- giving pages out ---- */

#define PAGE_LEAST_BYTES ((int64_t)16 << 20)
#define PAGE_MOST_BYTES ((int64_t)1 << 30)

/* A page may claim any size: at most half of the memory is believed. */
static int64_t most_bytes(const struct pq_source *s)
{
    int64_t limit = s->ctx->budget.limit_bytes;

    return limit ? BP_MIN(BP_MAX(limit / 2, PAGE_LEAST_BYTES), PAGE_MOST_BYTES) : PAGE_MOST_BYTES;
}

#define DICTS_SHARE 4 /* of the memory, at most */

/* Asks for the memory of the dictionaries, twice: those of the row group before are still in
 * use. Whoever reads has less of it then. */
static void hold_dicts(struct pq_source *s)
{
    int64_t need = 0, limit = s->ctx->budget.limit_bytes;

    for (int i = 0; i < s->n_wants; i++) {
        const struct bp_pq_dict *d = s->wants[i].dict;

        if (d)
            need += 2 * bp_column_size_bytes(d->shared ? &d->shared->values : &d->values);
    }
    need = BP_MIN(need, limit / DICTS_SHARE) - s->dict_bytes;
    if (need > 0 && bp_budget_take(&s->ctx->budget, need))
        s->dict_bytes += need;
}

static int give_page(struct pq_source *s, struct bp_pq_want *w, const struct bp_pq_stretch *st,
                     struct bp_err *err)
{
    const struct bp_pq_dict *before = w->dict;
    struct job *j = new_job(s, err);
    int rc;

    if (!j)
        return err->code;
    rc = bp_pq_want_page(w, st, most_bytes(s), &s->scratch[s->n_scratch - 1], &j->raw, &j->piece,
                         err);
    if (rc < 0) {
        free_job(j);
        return rc;
    }
    if (w->dict != before)
        hold_dicts(s);
    j->want = w;
    j->codec = s->file->groups[w->group].chunks[w->leaf].codec;
    j->dict = bp_pq_dict_ref(w->dict);
    s->flying_bytes += bp_pq_want_bytes(w, &j->raw);
    bp_pool_give(s->pool, j);
    return 0;
}

#define LEAD_BATCHES 16 /* by so many leaders may be ahead of what is needed */

/* The stretch that w's next page is of; NULL: none, or it is not known yet. */
static int next_stretch(struct pq_source *s, const struct bp_pq_want *w,
                        const struct bp_pq_stretch **out, struct bp_err *err)
{
    bool more = true;

    if (!w->leads) {
        while (!(*out = bp_pq_stretch_at(&s->kept, w->row)) && more)
            BP_TRY(know_more(s, &more, err));
        return 0;
    }
    BP_TRY(planned_at(s, w->row, out, err));
    if (*out && BP_MAX(w->row, (*out)->from) - needed_row(s) > LEAD_BATCHES * s->ctx->batch_rows)
        *out = NULL;
    return 0;
}

/* The column that is behind, and the stretch that its next page is of; NULL: none may go on.
 * Of one whose pages on their way are enough already nobody knows how far they reach: others
 * wait for them. */
static int next_want(struct pq_source *s, struct bp_pq_want **out, struct bp_pq_stretch *stretch,
                     struct bp_err *err)
{
    int64_t least_row = INT64_MAX, most_row = INT64_MAX;

    *out = NULL;
    for (int i = 0; i < s->n_wants; i++) {
        struct bp_pq_want *w = &s->wants[i];
        const struct bp_pq_stretch *st;
        int64_t row;

        BP_TRY(next_stretch(s, w, &st, err));
        if (!st)
            continue;
        row = BP_MAX(w->row, st->from);
        if (bp_pq_want_waits(w)) {
            most_row = BP_MIN(most_row, row + s->ctx->batch_rows);
        } else if (row < least_row) {
            *out = w;
            *stretch = *st;
            least_row = row;
        }
    }
    if (least_row > most_row)
        *out = NULL;
    return 0;
}

#define FLYING_SHARE 8 /* pages in work are to be so small a part of the memory */

/* As many pages as the pool takes, first those of the column that is behind. */
static int give_pages(struct pq_source *s, struct bp_err *err)
{
    int64_t limit = s->ctx->budget.limit_bytes;

    while (bp_pool_has_room(s->pool) &&
           (!s->flying_bytes || !limit || s->flying_bytes < limit / FLYING_SHARE)) {
        struct bp_pq_stretch stretch = {0};
        struct bp_pq_want *w;

        BP_TRY(next_want(s, &w, &stretch, err));
        if (!w)
            return 0;
        BP_TRY(give_page(s, w, &stretch, err));
    }
    return 0;
}

/* ---- taking pieces ---- */

static int take_piece(struct pq_source *s, struct bp_err *err)
{
    struct job *j = bp_pool_take(s->pool);
    int rc;

    if (!j)
        return bp_fail(err, BP_EDATA, "%s: its columns end before its rows do", s->file->in.name);
    s->flying_bytes -= bp_pq_want_bytes(j->want, &j->raw);
    if (j->err.code) {
        *err = j->err;
        free_job(j);
        return err->code;
    }
    rc = bp_pq_want_keep(j->want, &j->piece, err);
    rest_job(s, j);
    return rc;
}

#define LONG_BATCHES 8 /* times batch_rows */

static int next_rows(struct pq_source *s, const struct bp_pq_stretch *st, struct bp_batch *out,
                     struct bp_err *err)
{
    int64_t from = BP_MAX(s->row, st->from), n = st->to - from;
    int64_t least = BP_MIN(s->ctx->batch_rows, n);

    for (int i = 0; i < s->n_fields; i++) {
        while (!bp_pq_field_ready(&s->fields[i], from, least)) {
            BP_TRY(give_pages(s, err));
            BP_TRY(take_piece(s, err));
        }
        n = BP_MIN(
            n, bp_pq_field_reach(&s->fields[i], from, least, LONG_BATCHES * s->ctx->batch_rows));
    }
    BP_TRY(give_pages(s, err)); /* the pool works while this batch is used */
    BP_TRY(bp_batch_init(out, s->n_fields, err));
    out->n_rows = n;
    for (int i = 0; i < s->n_fields; i++)
        if (bp_pq_field_cut(&s->fields[i], from, n, &out->cols[i], err) < 0) {
            bp_batch_release(out);
            return err->code;
        }
    out->first_row = from;
    out->share = s->share;
    s->row = from + n;
    drop_pieces(s);
    return 0;
}

/* ---- the source ---- */

static int share_batch(struct pq_source *s, struct bp_batch *out, struct bp_err *err)
{
    s->share_due = false;
    BP_TRY(bp_batch_init(out, s->n_fields, err));
    out->share = s->share;
    for (int i = 0; i < s->n_fields; i++)
        if (bp_column_nulls(&out->cols[i], s->fields[i].node->type, 0, err) < 0) {
            bp_batch_release(out);
            return err->code;
        }
    return 0;
}

/* The columns that a condition reads lead where others follow. */
static int choose_leaders(struct pq_source *s, struct bp_err *err)
{
    size_t n = (size_t)s->n_fields + 1;
    int n_used = 0;

    if (!s->has_condition)
        return 0;
    s->nodes = bp_mem_new(n, sizeof *s->nodes, err);
    s->used = bp_mem_new(n, sizeof *s->used, err);
    s->sel = bp_mem_new((size_t)s->ctx->batch_rows + 1, sizeof *s->sel, err);
    if (!s->nodes || !s->used || !s->sel)
        return err->code;
    s->prune.condition.mark(s->prune.condition.ctx, s->used);
    for (int i = 0; i < s->n_fields; i++) {
        s->nodes[i] = s->fields[i].node;
        n_used += s->used[i];
    }
    s->prune.file = s->file;
    s->prune.nodes = s->nodes;
    s->prune.used = s->used;
    s->prune.n = s->n_fields;
    s->prune.most_bytes = most_bytes(s) / 4;
    if (!s->prune.condition.select || n_used == s->n_fields)
        return 0;
    s->n_leaders = n_used;
    for (int i = 0; i < s->n_fields; i++)
        for (int k = 0; k < s->fields[i].node->n_leaves; k++)
            s->fields[i].wants[k].leads = s->used[i];
    return 0;
}

/* When it is known which columns are wanted. */
static int start(struct pq_source *s, struct bp_err *err)
{
    static const struct bp_pool_ops ops = {.work = work, .drop = drop};
    int n = s->ctx->n_threads;

    for (int i = 0; i < s->n_fields; i++)
        if (s->fields[i].node->refused)
            return bp_fail(err, BP_EDATA,
                           "%s: column %s is %s, which is not read here: name the others "
                           "(bp-read -c)",
                           s->file->in.name, s->fields[i].node->name, s->fields[i].node->refused);
    BP_TRY(choose_leaders(s, err));
    s->scratch = bp_mem_new((size_t)n + 1, sizeof *s->scratch, err);
    if (!s->scratch)
        return err->code;
    s->n_scratch = n + 1;
    /* a page for each thread, and one that waits: more take memory and save no time */
    return bp_pool_open(&s->pool, n, n > 1 ? 2 * n : 1, &ops, s, err);
}

static int pq_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct pq_source *s = self;
    const struct bp_pq_stretch *st;
    bool more;

    if (!s->pool)
        BP_TRY(start(s, err));
    if (s->share_due)
        return share_batch(s, out, err);
    while (!(st = bp_pq_stretch_at(&s->kept, s->row))) {
        BP_TRY(know_more(s, &more, err));
        if (more)
            continue;
        if (!bp_pq_stretch_at(&s->planned, s->known_row))
            return BP_DONE;
        drop_pieces(s); /* what was judged, and did not pass */
        BP_TRY(give_pages(s, err));
        BP_TRY(take_piece(s, err));
    }
    return next_rows(s, &(struct bp_pq_stretch){st->from, st->to, st->group}, out, err);
}

static void free_wants(struct pq_source *s)
{
    for (int i = 0; i < s->n_wants; i++)
        bp_pq_want_release(&s->wants[i]);
    bp_mem_free(s->wants);
    bp_mem_free(s->fields);
    s->wants = NULL;
    s->fields = NULL;
    s->n_wants = s->n_fields = 0;
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
    bp_budget_give(&s->ctx->budget, s->dict_bytes);
    bp_pq_stretches_release(&s->planned);
    bp_pq_stretches_release(&s->kept);
    bp_schema_release(&s->all);
    bp_mem_free(s->nodes);
    bp_mem_free(s->used);
    bp_mem_free(s->sel);
    bp_pq_file_free(s->file);
    bp_mem_free(s);
}

/* fields, whose nodes are set, are taken over, also on error. */
static int set_fields(struct pq_source *s, struct bp_pq_field *fields, int n, struct bp_err *err)
{
    int n_wants = 0;

    free_wants(s);
    s->fields = fields;
    s->n_fields = n;
    for (int i = 0; i < n; i++)
        n_wants += fields[i].node->n_leaves;
    s->wants = bp_mem_new((size_t)n_wants + 1, sizeof *s->wants, err);
    if (!s->wants)
        return err->code;
    for (int i = 0; i < n; i++) {
        const struct bp_pq_node *node = fields[i].node;

        fields[i].wants = &s->wants[s->n_wants];
        for (int k = 0; k < node->n_leaves; k++)
            bp_pq_want_init(&s->wants[s->n_wants++], s->file, node->first_leaf + k);
    }
    return 0;
}

static int pq_project(void *self, const int *cols, int n, struct bp_err *err)
{
    struct pq_source *s = self;
    struct bp_pq_field *fields = bp_mem_new((size_t)n + 1, sizeof *fields, err);

    if (!fields)
        return err->code;
    for (int i = 0; i < n; i++)
        fields[i].node = s->fields[cols[i]].node;
    return set_fields(s, fields, n, err);
}

static int pq_prune(void *self, const struct bp_condition *c, struct bp_err *err)
{
    struct pq_source *s = self;

    (void)err;
    s->has_condition = true;
    s->prune.condition = *c;
    return 0;
}

static const struct bp_source_ops pq_ops = {
    .next = pq_next, .free = pq_free, .project = pq_project, .prune = pq_prune};

/* A text all of whose pages are codes stays a dictionary on the stream. */
static bool is_dict(const struct bp_pq_file *f, const struct bp_pq_node *node)
{
    bool all = node->type.kind == BP_TEXT && f->n_groups;

    for (int g = 0; all && g < f->n_groups; g++)
        all = f->groups[g].n_rows == 0 || f->groups[g].chunks[node->first_leaf].all_dict;
    return all;
}

static int list_fields(struct pq_source *s, struct bp_err *err)
{
    const struct bp_pq_file *f = s->file;
    struct bp_pq_field *fields;

    for (int i = 0; i < f->n_fields; i++) {
        BP_TRY(bp_schema_add(&s->all, f->fields[i].name, f->fields[i].type, err));
        if (is_dict(f, &f->fields[i])) /* each row group has its own values */
            s->all.fields[i].dict = BP_DICT_GROWING;
    }
    fields = bp_mem_new((size_t)f->n_fields + 1, sizeof *fields, err);
    if (!fields)
        return err->code;
    for (int i = 0; i < f->n_fields; i++)
        fields[i].node = &f->fields[i];
    return set_fields(s, fields, f->n_fields, err);
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
    s->judged_group = -1;
    s->windows_least = WINDOWS_LEAST;
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
