/* SPDX-License-Identifier: Apache-2.0 */
#include "op/join_spill.h"

#include <string.h>

#include "base/mem.h"
#include "op/join_split.h"
#include "op/sort_runs.h"

#define LEFT_ROW "left row of the join"
#define RIGHT_ROW "right row of the join"
#define LEVELS_MAX 8
#define TABLE_BYTES 64 /* of a held row beside its values: slot, id, group, chunk */
#define FREE_PARTS 4   /* a partition may have 1/FREE_PARTS less than what is free */

struct side {
    struct bp_schema schema; /* numbered */
    struct bp_join_hash hash;
    int *cols;
    struct bp_join_form *forms;
    struct bp_join_split split;
};

struct bp_join_spill {
    const struct bp_join_plan *plan;
    struct bp_join_opts opts;
    struct bp_ctx *ctx;
    struct side left, right;
    /* the result, numbered */
    struct bp_schema schema;
    struct bp_sort_keys order;
    struct bp_sort_runs runs;
    int left_row, right_row; /* columns; right_row -1: none */
    int64_t *left_rows;      /* of the batch given last */
    int64_t cap_left_rows;
};

static int join_part(struct bp_join_spill *s, struct bp_join_part_rows *left,
                     struct bp_join_part_rows *right, int level, int64_t parent_rows,
                     struct bp_err *err);

/* ---- opening ---- */

static void release_side(struct side *e)
{
    bp_join_split_release(&e->split);
    bp_schema_release(&e->schema);
    bp_mem_free(e->cols);
    bp_mem_free(e->forms);
}

void bp_join_spill_free(struct bp_join_spill *s)
{
    if (!s)
        return;
    release_side(&s->left);
    release_side(&s->right);
    bp_sort_runs_release(&s->runs);
    bp_sort_keys_release(&s->order);
    bp_schema_release(&s->schema);
    bp_mem_free(s->left_rows);
    bp_mem_free(s);
}

/* Names and types, no marks: shares are the business of whoever gives the rows. */
static int numbered_schema(const struct bp_schema *from, const char *row, struct bp_schema *out,
                           struct bp_err *err)
{
    for (int i = 0; i < from->n_fields; i++)
        BP_TRY(bp_schema_add(out, from->fields[i].name, from->fields[i].type, err));
    return bp_schema_add(out, row, BP_JOIN_ROW_TYPE, err);
}

static int open_side(struct bp_join_spill *s, struct side *e, const struct bp_schema *from,
                     bool is_left, struct bp_err *err)
{
    size_t n = (size_t)s->plan->n_keys + 1;

    BP_TRY(numbered_schema(from, is_left ? LEFT_ROW : RIGHT_ROW, &e->schema, err));
    e->cols = bp_mem_new(n, sizeof *e->cols, err);
    e->forms = e->cols ? bp_mem_new(n, sizeof *e->forms, err) : NULL;
    if (!e->forms)
        return err->code;
    e->hash = (struct bp_join_hash){
        .n_keys = s->plan->n_keys, .cols = e->cols, .forms = e->forms, .by_words = true};
    bp_join_split_open(&e->split, &e->schema, &e->hash, 0, false, s->ctx);
    return 0;
}

static bool has_word(const struct bp_join_form *f)
{
    return f->kind != BP_FORM_BYTES && f->kind != BP_FORM_DECIMAL;
}

static void set_keys(struct bp_join_spill *s)
{
    bool by_words = true;

    for (int k = 0; k < s->plan->n_keys; k++) {
        const struct bp_join_key *key = &s->plan->keys[k];

        s->left.cols[k] = key->left;
        s->right.cols[k] = key->right;
        bp_join_forms(key->left_type, key->right_type, &s->left.forms[k], &s->right.forms[k]);
        by_words &= has_word(&s->left.forms[k]) && has_word(&s->right.forms[k]);
    }
    s->left.hash.by_words = s->right.hash.by_words = by_words;
}

int bp_join_spill_new(struct bp_join_spill **out, const struct bp_join_plan *plan,
                      const struct bp_schema *right, const struct bp_join_opts *opts,
                      struct bp_ctx *ctx, struct bp_err *err)
{
    struct bp_join_spill *s = bp_mem_new(1, sizeof *s, err);
    int rc = 0;

    if (!s)
        return err->code;
    s->plan = plan;
    s->opts = *opts;
    s->ctx = ctx;
    s->left_row = plan->left.n_fields;
    s->right_row = -1;
    BP_GO(open_side(s, &s->left, &plan->left, true, err));
    BP_GO(open_side(s, &s->right, right, false, err));
    set_keys(s);
    *out = s;
    return 0;
out:
    bp_join_spill_free(s);
    return rc;
}

int bp_join_spill_right(struct bp_join_spill *s, const struct bp_batch *b, struct bp_err *err)
{
    return bp_join_split_put(&s->right.split, b, err);
}

int bp_join_spill_left(struct bp_join_spill *s, const struct bp_batch *b, struct bp_err *err)
{
    return bp_join_split_put(&s->left.split, b, err);
}

/* ---- the result's runs ---- */

static int open_runs(struct bp_join_spill *s, const struct bp_schema *schema, struct bp_err *err)
{
    struct bp_clause order = {.text = "\"" LEFT_ROW "\""};

    if (s->schema.n_fields)
        return 0;
    BP_TRY(bp_schema_copy(&s->schema, schema, err));
    if (!s->plan->only_left) {
        order.text = "\"" LEFT_ROW "\", \"" RIGHT_ROW "\"";
        s->right_row = schema->n_fields - 1;
    }
    BP_TRY(bp_sort_keys_open(&s->order, &order, &s->schema, err));
    bp_sort_runs_init(&s->runs, &s->schema, &s->order, s->ctx);
    return 0;
}

/* b in pieces, which is what merging will hold of each run. */
static int put_result(struct bp_join_spill *s, const struct bp_batch *b, struct bp_err *err)
{
    int64_t n = bp_sort_runs_batch_rows(&s->runs, bp_batch_size_bytes(b) / b->n_rows);
    struct bp_batch piece;
    int rc;

    for (int64_t from = 0; from < b->n_rows; from += n) {
        BP_TRY(bp_batch_slice(&piece, b, from, BP_MIN(n, b->n_rows - from), err));
        rc = bp_sort_runs_put(&s->runs, &piece, err);
        bp_batch_release(&piece);
        BP_TRY(rc);
    }
    return 0;
}

/* Where the rows of one join go: a run of the result, or, of an anti join whose rows
 * have more blocks to meet, back to disk. */
struct outlet {
    struct bp_join_spill *s;
    struct bp_join_part_rows *rest; /* NULL: a run of the result */
    bool any;
};

static int let_out(struct outlet *o, const struct bp_batch *b, struct bp_err *err)
{
    if (b->n_rows == 0)
        return 0;
    o->any = true;
    if (!o->rest)
        return put_result(o->s, b, err);
    if (!o->rest->spill)
        BP_TRY(bp_spill_open(&o->rest->spill, &o->s->left.schema, o->s->ctx, err));
    return bp_spill_put(o->rest->spill, b, err);
}

static int end_outlet(struct outlet *o, struct bp_err *err)
{
    if (!o->any)
        return 0;
    return o->rest ? bp_spill_end(o->rest->spill, &o->rest->run, err)
                   : bp_sort_runs_end(&o->s->runs, err);
}

/* ---- sources ---- */

static int nothing_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    (void)self, (void)out, (void)err;
    return BP_DONE;
}

static void nothing_free(void *self)
{
    (void)self;
}

static const struct bp_source_ops nothing_ops = {.next = nothing_next, .free = nothing_free};

static int open_part(struct bp_source *out, const struct bp_join_part_rows *p,
                     const struct bp_schema *schema, struct bp_err *err)
{
    if (p && p->spill)
        return bp_spill_source(out, p->spill, &p->run, err);
    *out = (struct bp_source){.ops = &nothing_ops};
    return bp_schema_copy(&out->schema, schema, err);
}

/* A block: right rows in memory, which several joins read. */
struct block {
    struct bp_batch *batches;
    int n, cap, at;
    int64_t bytes;
};

static void clear_block(struct block *k)
{
    for (int i = 0; i < k->n; i++)
        bp_batch_release(&k->batches[i]);
    k->n = 0;
    k->bytes = 0;
}

static int block_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct block *k = self;

    return k->at == k->n ? BP_DONE : bp_batch_ref(out, &k->batches[k->at++], err);
}

static const struct bp_source_ops block_ops = {.next = block_next, .free = nothing_free};

static int open_block(struct bp_source *out, struct block *k, const struct bp_schema *schema,
                      struct bp_err *err)
{
    k->at = 0;
    *out = (struct bp_source){.ops = &block_ops, .self = k};
    return bp_schema_copy(&out->schema, schema, err);
}

static int fill_block(struct block *k, struct bp_source *src, int64_t most_bytes, bool *ended,
                      struct bp_err *err)
{
    int rc;

    clear_block(k);
    while (k->bytes < most_bytes) {
        if (k->n == k->cap) {
            struct bp_batch *p = bp_mem_grow(k->batches, (size_t)k->cap + 64, sizeof *p, err);

            if (!p)
                return err->code;
            k->batches = p;
            k->cap += 64;
        }
        rc = bp_source_next(src, &k->batches[k->n], err);
        *ended = rc == BP_DONE;
        if (rc)
            return rc < 0 ? rc : 0;
        k->bytes += bp_batch_size_bytes(&k->batches[k->n]) + k->batches[k->n].n_rows * TABLE_BYTES;
        k->n++;
    }
    return 0;
}

/* ---- one join in memory ---- */

static int run_join(struct bp_join_spill *s, enum bp_join_type type, struct bp_source *left,
                    struct bp_source *right, struct bp_join_part_rows *rest, struct bp_err *err)
{
    struct outlet o = {.s = s, .rest = rest};
    struct bp_join_opts opts = s->opts;
    struct bp_source joined;
    struct bp_batch b;
    int rc;

    opts.type = type;
    opts.broadcast = opts.per_task = false;
    if (type != BP_JOIN_LEFT && type != BP_JOIN_RIGHT && type != BP_JOIN_FULL)
        opts.fill = NULL; /* of a left join's blocks: no side is missing here */
    BP_TRY(bp_join_open_held(&joined, left, right, &opts, s->ctx, err));
    rc = rest ? 0 : open_runs(s, &joined.schema, err);
    while (rc == 0 && (rc = bp_source_next(&joined, &b, err)) == 0) {
        rc = let_out(&o, &b, err);
        bp_batch_release(&b);
    }
    bp_source_free(&joined);
    return rc < 0 ? rc : end_outlet(&o, err);
}

/* left and right: rows on disk; NULL is an empty side. */
static int join_rows(struct bp_join_spill *s, enum bp_join_type type,
                     const struct bp_join_part_rows *left, const struct bp_join_part_rows *right,
                     struct bp_err *err)
{
    struct bp_source l = {0}, r = {0};
    int rc;

    BP_GO(open_part(&l, left, &s->left.schema, err));
    BP_GO(open_part(&r, right, &s->right.schema, err));
    return run_join(s, type, &l, &r, NULL, err);
out:
    bp_source_free(&l);
    bp_source_free(&r);
    return rc;
}

static int join_block(struct bp_join_spill *s, enum bp_join_type type,
                      const struct bp_join_part_rows *left, struct block *k,
                      struct bp_join_part_rows *rest, struct bp_err *err)
{
    struct bp_source l = {0}, r = {0};
    int rc;

    BP_GO(open_part(&l, left, &s->left.schema, err));
    BP_GO(open_block(&r, k, &s->right.schema, err));
    return run_join(s, type, &l, &r, rest, err);
out:
    bp_source_free(&l);
    bp_source_free(&r);
    return rc;
}

/* ---- block by block ---- */

/* *left becomes those of its rows that match nothing in the block. */
static int keep_unmatched(struct bp_join_spill *s, struct bp_join_part_rows *left, struct block *k,
                          struct bp_err *err)
{
    struct bp_join_part_rows rest = {0};
    int rc = join_block(s, BP_JOIN_ANTI, left, k, &rest, err);

    if (rc < 0) {
        bp_join_part_free(&rest);
        return rc;
    }
    bp_join_part_free(left);
    *left = rest;
    return 0;
}

/* all: the left rows that meet each block; rest: those without a match so far (where
 * semi and anti are asked, the only ones). */
static int meet_block(struct bp_join_spill *s, const struct bp_join_part_rows *all,
                      struct bp_join_part_rows *rest, struct block *k, struct bp_err *err)
{
    switch (s->plan->type) {
    case BP_JOIN_SEMI:
        BP_TRY(join_block(s, BP_JOIN_SEMI, rest, k, NULL, err));
        return keep_unmatched(s, rest, k, err);
    case BP_JOIN_ANTI: return keep_unmatched(s, rest, k, err);
    case BP_JOIN_LEFT:
        BP_TRY(join_block(s, BP_JOIN_INNER, all, k, NULL, err));
        return keep_unmatched(s, rest, k, err);
    case BP_JOIN_FULL:
        BP_TRY(join_block(s, BP_JOIN_RIGHT, all, k, NULL, err));
        return keep_unmatched(s, rest, k, err);
    default: return join_block(s, s->plan->type, all, k, NULL, err);
    }
}

static int copy_rows(struct bp_join_spill *s, const struct bp_join_part_rows *from,
                     struct bp_join_part_rows *to, struct bp_err *err)
{
    struct outlet o = {.s = s, .rest = to};
    struct bp_source src;
    struct bp_batch b;
    int rc;

    BP_TRY(open_part(&src, from, &s->left.schema, err));
    while ((rc = bp_source_next(&src, &b, err)) == 0) {
        rc = let_out(&o, &b, err);
        bp_batch_release(&b);
        if (rc < 0)
            break;
    }
    bp_source_free(&src);
    return rc < 0 ? rc : end_outlet(&o, err);
}

static int join_blocks(struct bp_join_spill *s, struct bp_join_part_rows *left,
                       const struct bp_join_part_rows *right, struct bp_err *err)
{
    enum bp_join_type type = s->plan->type;
    bool both = type == BP_JOIN_LEFT || type == BP_JOIN_FULL, ended = false;
    int64_t most = bp_join_free_bytes(s->ctx);
    struct bp_join_part_rows copy = {0}, *rest = both ? &copy : left;
    struct block k = {0};
    struct bp_source src = {0};
    int rc = 0;

    most -= most / FREE_PARTS;
    if (both)
        BP_GO(copy_rows(s, left, &copy, err));
    BP_GO(open_part(&src, right, &s->right.schema, err));
    while (!ended) {
        BP_GO(fill_block(&k, &src, most, &ended, err));
        if (k.n)
            BP_GO(meet_block(s, left, rest, &k, err));
    }
    clear_block(&k);
    if (both || type == BP_JOIN_ANTI)
        rc = join_rows(s, both ? BP_JOIN_LEFT : BP_JOIN_ANTI, rest, NULL, err);
out:
    clear_block(&k);
    bp_mem_free(k.batches);
    bp_source_free(&src);
    bp_join_part_free(&copy);
    return rc;
}

/* ---- partitions ---- */

static bool fits(const struct bp_join_spill *s, const struct bp_join_part_rows *right)
{
    int64_t room = bp_join_free_bytes(s->ctx);

    return right->run.value_bytes + right->run.n_rows * TABLE_BYTES <= room - room / FREE_PARTS;
}

static int split_again(struct bp_join_spill *s, struct side *e, struct bp_join_part_rows *part,
                       int level, struct bp_join_split *split, struct bp_err *err)
{
    struct bp_source src;
    struct bp_batch b;
    int rc;

    bp_join_split_open(split, &e->schema, &e->hash, level, true, s->ctx);
    BP_TRY(open_part(&src, part, &e->schema, err));
    while ((rc = bp_source_next(&src, &b, err)) == 0) {
        rc = bp_join_split_put(split, &b, err);
        bp_batch_release(&b);
        if (rc < 0)
            break;
    }
    bp_source_free(&src);
    bp_join_part_free(part);
    return rc < 0 ? rc : bp_join_split_end(split, err);
}

static int join_splits(struct bp_join_spill *s, struct bp_join_split *left,
                       struct bp_join_split *right, int64_t right_rows, struct bp_err *err)
{
    for (int p = 0; p < BP_JOIN_SPLIT_PARTS; p++) {
        BP_TRY(join_part(s, &left->parts[p], &right->parts[p], left->level + 1, right_rows, err));
        bp_join_part_free(&left->parts[p]);
        bp_join_part_free(&right->parts[p]);
    }
    return 0;
}

static int join_part(struct bp_join_spill *s, struct bp_join_part_rows *left,
                     struct bp_join_part_rows *right, int level, int64_t parent_rows,
                     struct bp_err *err)
{
    int64_t rows = right->run.n_rows;
    struct bp_join_split l = {0}, r = {0};
    int rc;

    if (fits(s, right))
        return join_rows(s, s->plan->type, left, right, err);
    /* most of it is one key: cutting does not help */
    if (!s->plan->n_keys || level >= LEVELS_MAX || rows - rows / 10 > parent_rows - parent_rows / 5)
        return join_blocks(s, left, right, err);
    BP_GO(split_again(s, &s->left, left, level, &l, err));
    BP_GO(split_again(s, &s->right, right, level, &r, err));
    rc = join_splits(s, &l, &r, rows, err);
out:
    bp_join_split_release(&l);
    bp_join_split_release(&r);
    return rc;
}

int bp_join_spill_join(struct bp_join_spill *s, struct bp_err *err)
{
    BP_TRY(bp_join_split_end(&s->left.split, err));
    BP_TRY(bp_join_split_end(&s->right.split, err));
    BP_TRY(join_splits(s, &s->left.split, &s->right.split, s->right.split.n_rows, err));
    return s->runs.n ? bp_sort_runs_start(&s->runs, -1, err) : 0;
}

/* ---- giving ---- */

static int note_left_rows(struct bp_join_spill *s, const struct bp_batch *b, struct bp_err *err)
{
    const struct bp_column *c = &b->cols[s->left_row];

    if (b->n_rows > s->cap_left_rows) {
        int64_t *p = bp_mem_grow(s->left_rows, (size_t)b->n_rows, sizeof *p, err);

        if (!p)
            return err->code;
        s->left_rows = p;
        s->cap_left_rows = b->n_rows;
    }
    for (int64_t i = 0; i < b->n_rows; i++)
        s->left_rows[i] = bp_column_is_null(c, i) ? -1 : ((const int64_t *)c->data)[i];
    return 0;
}

static void drop_column(struct bp_batch *b, int col)
{
    bp_column_release(&b->cols[col]);
    memmove(&b->cols[col], &b->cols[col + 1], (size_t)(b->n_cols - col - 1) * sizeof *b->cols);
    memset(&b->cols[--b->n_cols], 0, sizeof *b->cols);
}

int bp_join_spill_next(struct bp_join_spill *s, struct bp_batch *out, const int64_t **left_rows,
                       struct bp_err *err)
{
    int rc = s->runs.n ? bp_sort_runs_next(&s->runs, out, err) : BP_DONE;

    if (rc)
        return rc;
    rc = note_left_rows(s, out, err);
    if (rc < 0) {
        bp_batch_release(out);
        return rc;
    }
    *left_rows = s->left_rows;
    if (s->right_row >= 0)
        drop_column(out, s->right_row);
    drop_column(out, s->left_row);
    return 0;
}
