/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-stat: columns at a glance, and the fingerprint of a table.
 *
 * Distinct values are counted by their key hashes in a set of bounded size. When
 * it is full, only hashes with one more low zero bit are kept, from then on and of
 * those that were there: the count times 2^bits is the estimate. What is kept at
 * the end does not depend on the order of the rows.
 */
#include <string.h>

#include "agg/agg.h"
#include "base/mem.h"
#include "col/key.h"
#include "col/text.h"
#include "op/op.h"

#define EXACT_MAX 16384     /* distinct values that are counted one by one */
#define EXACT_MAX_WIDE 2048 /* the same in tables of more than WIDE columns */
#define WIDE 64
#define FIRST_BITS 8

struct distinct {
    uint64_t *slots; /* 0: free */
    int bits;        /* 2^bits slots */
    int level;       /* low bits that are zero in every hash held */
    int64_t n, max;
    uint64_t last; /* the hash seen last: runs cost nothing */
};

struct stat_column {
    struct distinct distinct;
    struct bp_agg *min, *max; /* NULL where the type has no order */
    int64_t n_nulls, longest;
};

struct profile {
    const struct bp_schema *schema;
    struct stat_column *cols;
    uint64_t *hashes;
    int64_t cap;
};

/* ---- distinct ---- */

static void place(struct distinct *d, uint64_t h)
{
    uint64_t mask = ((uint64_t)1 << d->bits) - 1, at = h >> (64 - d->bits);

    while (d->slots[at] && d->slots[at] != h)
        at = (at + 1) & mask;
    d->n += !d->slots[at];
    d->slots[at] = h;
}

/* The same hashes, but for those below the level, in 2^bits slots. */
static int rebuild(struct distinct *d, int bits, struct bp_err *err)
{
    uint64_t *old = d->slots, kept = ((uint64_t)1 << d->level) - 1;
    size_t n_old = old ? (size_t)1 << d->bits : 0;

    d->slots = bp_mem_new((size_t)1 << bits, sizeof *d->slots, err);
    if (!d->slots) {
        d->slots = old;
        return err->code;
    }
    d->bits = bits;
    d->n = 0;
    for (size_t i = 0; i < n_old; i++)
        if (old[i] && !(old[i] & kept))
            place(d, old[i]);
    bp_mem_free(old);
    return 0;
}

static int make_room(struct distinct *d, struct bp_err *err)
{
    while (d->n > d->max) {
        d->level++;
        BP_TRY(rebuild(d, d->bits, err));
    }
    if (!d->slots || 2 * d->n >= (int64_t)1 << d->bits)
        return rebuild(d, d->slots ? d->bits + 1 : FIRST_BITS, err);
    return 0;
}

static int count_distinct(struct distinct *d, const struct bp_column *c, const uint64_t *hashes,
                          struct bp_err *err)
{
    for (int64_t i = 0; i < c->n_rows; i++) {
        uint64_t h = hashes[i];

        if (h == d->last || (h & (((uint64_t)1 << d->level) - 1)) || bp_column_is_null(c, i))
            continue;
        d->last = h;
        BP_TRY(make_room(d, err));
        if (!(h & (((uint64_t)1 << d->level) - 1))) /* room may have been made by a level */
            place(d, h ? h : (uint64_t)1 << 63);
    }
    while (d->n > d->max)
        BP_TRY(make_room(d, err));
    return 0;
}

int64_t bp_stat_profile_bytes(int n_cols)
{
    int64_t max = n_cols > WIDE ? EXACT_MAX_WIDE : EXACT_MAX;

    return n_cols * 2 * max * (int64_t)sizeof(uint64_t);
}

/* ---- one column ---- */

static int64_t count_chars(const uint8_t *s, size_t n)
{
    int64_t chars = 0;

    for (size_t i = 0; i < n; i++)
        chars += (s[i] & 0xC0) != 0x80;
    return chars;
}

/* Characters of text, bytes of binary. */
static void note_longest(struct stat_column *s, const struct bp_column *c)
{
    size_t n;

    for (int64_t i = 0; i < c->n_rows; i++) {
        const uint8_t *p = bp_column_bytes(c, i, &n);

        if ((int64_t)n > s->longest) {
            int64_t len = c->type.kind == BP_TEXT ? count_chars(p, n) : (int64_t)n;

            s->longest = BP_MAX(s->longest, len);
        }
    }
}

static int note_column(struct profile *p, int i, const struct bp_column *c, struct bp_err *err)
{
    struct stat_column *s = &p->cols[i];
    struct bp_agg_rows rows = {.cols = c, .n_rows = c->n_rows};

    s->n_nulls += c->n_nulls;
    BP_TRY(bp_key_hash(&c, 1, c->n_rows, p->hashes, err));
    BP_TRY(count_distinct(&s->distinct, c, p->hashes, err));
    if (bp_type_is_bytes(c->type))
        note_longest(s, c);
    if (!s->min)
        return 0;
    BP_TRY(s->min->kind->ops->update(s->min, &rows, err));
    return s->max->kind->ops->update(s->max, &rows, err);
}

static int open_agg(struct bp_agg **out, const char *func, const struct bp_field *f,
                    struct bp_err *err)
{
    BP_TRY(bp_agg_new(out, func, &f->type, 1, f->name, err));
    return (*out)->kind->ops->grow(*out, 1, err);
}

static int open_columns(struct profile *p, struct bp_err *err)
{
    int n = p->schema->n_fields;

    p->cols = bp_mem_new((size_t)n + 1, sizeof *p->cols, err);
    if (!p->cols)
        return err->code;
    for (int i = 0; i < n; i++) {
        const struct bp_field *f = &p->schema->fields[i];
        int rc = open_agg(&p->cols[i].min, "min", f, err);

        if (rc == 0)
            rc = open_agg(&p->cols[i].max, "max", f, err);
        if (rc == BP_EUSAGE) /* the type has no min: then none is shown */
            bp_err_clear(err);
        else
            BP_TRY(rc);
        p->cols[i].distinct.max = n > WIDE ? EXACT_MAX_WIDE : EXACT_MAX;
    }
    return 0;
}

static void profile_release(struct profile *p)
{
    for (int i = 0; p->cols && i < p->schema->n_fields; i++) {
        bp_agg_free(p->cols[i].min);
        bp_agg_free(p->cols[i].max);
        bp_mem_free(p->cols[i].distinct.slots);
    }
    bp_mem_free(p->cols);
    bp_mem_free(p->hashes);
}

/* ---- the whole input ---- */

static int hash_room(uint64_t **hashes, int64_t *cap, int64_t n, struct bp_err *err)
{
    void *grown;

    if (n <= *cap)
        return 0;
    grown = bp_mem_grow(*hashes, (size_t)n, sizeof **hashes, err);
    if (!grown)
        return err->code;
    *hashes = grown;
    *cap = n;
    return 0;
}

static int note_batch(struct profile *p, const struct bp_batch *in, struct bp_err *err)
{
    BP_TRY(hash_room(&p->hashes, &p->cap, in->n_rows, err));
    for (int i = 0; in->n_rows && i < in->n_cols; i++)
        BP_TRY(note_column(p, i, &in->cols[i], err));
    return 0;
}

static int note_all(struct profile *p, struct bp_source *in, struct bp_stat_facts *facts,
                    struct bp_err *err)
{
    struct bp_shareset shares = {0};
    struct bp_batch b = {0};
    int rc;

    while ((rc = bp_source_next(in, &b, err)) == 0) {
        rc = bp_shareset_add(&shares, b.share, err);
        if (rc == 0)
            rc = note_batch(p, &b, err);
        facts->n_rows += b.n_rows;
        bp_batch_release(&b);
        if (rc < 0)
            break;
    }
    facts->n_seen = shares.n_seen;
    facts->n_shares = shares.n;
    bp_shareset_release(&shares);
    return rc < 0 ? rc : 0;
}

/* ---- the table that comes of it ---- */

enum { NAME, TYPE, NULLS, DISTINCT, LEAST, LARGEST, LONGEST, N_OUT };

static int add_text(struct bp_builder *b, const char *s, struct bp_err *err)
{
    return bp_builder_add_bytes(b, s, strlen(s), err);
}

static int add_value(struct bp_builder *b, struct bp_agg *a, struct bp_err *err)
{
    static const uint32_t ids[1];
    struct bp_column c = {0};
    struct bp_buf text = {0};
    int rc;

    if (!a)
        return bp_builder_add_null(b, err);
    BP_TRY(a->kind->ops->final(a, ids, 1, &c, err));
    if (bp_column_is_null(&c, 0)) {
        rc = bp_builder_add_null(b, err);
    } else {
        rc = bp_text_append(&c, 0, &text, err);
        if (rc == 0)
            rc = bp_builder_add_bytes(b, text.data, text.len, err);
    }
    bp_buf_release(&text);
    bp_column_release(&c);
    return rc;
}

static int add_row(struct bp_builder *b, const struct bp_field *f, const struct stat_column *s,
                   struct bp_err *err)
{
    int64_t n_distinct = s->distinct.n << s->distinct.level;
    char type[BP_TYPE_NAME_MAX];

    BP_TRY(add_text(&b[NAME], f->name, err));
    BP_TRY(add_text(&b[TYPE], bp_type_name(f->type, type), err));
    BP_TRY(bp_builder_add(&b[NULLS], &s->n_nulls, err));
    BP_TRY(bp_builder_add(&b[DISTINCT], &n_distinct, err));
    BP_TRY(add_value(&b[LEAST], s->min, err));
    BP_TRY(add_value(&b[LARGEST], s->max, err));
    if (bp_type_is_bytes(f->type))
        return bp_builder_add(&b[LONGEST], &s->longest, err);
    return bp_builder_add_null(&b[LONGEST], err);
}

struct table {
    struct bp_batch batch;
    bool given;
};

static int table_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct table *t = self;

    (void)err;
    if (t->given)
        return BP_DONE;
    bp_batch_move(out, &t->batch);
    t->given = true;
    return 0;
}

static void table_free(void *self)
{
    struct table *t = self;

    bp_batch_release(&t->batch);
    bp_mem_free(t);
}

static int make_batch(struct bp_batch *out, struct bp_schema *schema, const struct profile *p,
                      struct bp_err *err)
{
    static const char *const names[N_OUT] = {"column", "type", "nulls",  "distinct",
                                             "min",    "max",  "longest"};
    struct bp_builder b[N_OUT];
    int rc = 0;

    for (int i = 0; i < N_OUT; i++) {
        bool number = i == NULLS || i == DISTINCT || i == LONGEST;

        bp_builder_init(&b[i], BP_TYPE(number ? BP_INT64 : BP_TEXT));
        if (rc == 0)
            rc = bp_schema_add(schema, names[i], b[i].type, err);
    }
    for (int i = 0; rc == 0 && i < p->schema->n_fields; i++)
        rc = add_row(b, &p->schema->fields[i], &p->cols[i], err);
    if (rc == 0)
        rc = bp_batch_init(out, N_OUT, err);
    for (int i = 0; rc == 0 && i < N_OUT; i++)
        rc = bp_builder_finish(&b[i], &out->cols[i], err);
    out->n_rows = p->schema->n_fields;
    for (int i = 0; i < N_OUT; i++)
        bp_builder_release(&b[i]);
    return rc;
}

int bp_stat_profile(struct bp_source *out, struct bp_source *in, struct bp_stat_facts *facts,
                    struct bp_err *err)
{
    static const struct bp_source_ops ops = {.next = table_next, .free = table_free};
    struct profile p = {.schema = &in->schema};
    struct table *t = NULL;
    int rc;

    *out = (struct bp_source){0};
    *facts = (struct bp_stat_facts){0};
    BP_GO(open_columns(&p, err));
    BP_GO(note_all(&p, in, facts, err));
    t = bp_mem_new(1, sizeof *t, err);
    BP_GO(t ? 0 : err->code);
    BP_GO(make_batch(&t->batch, &out->schema, &p, err));
    for (int i = 0; i < p.schema->n_fields; i++) {
        facts->exact_max = p.cols[i].distinct.max;
        facts->estimated |= p.cols[i].distinct.level > 0;
    }
    out->ops = &ops;
    out->self = t;
    t = NULL;
out:
    if (t)
        table_free(t);
    if (rc < 0)
        bp_schema_release(&out->schema);
    profile_release(&p);
    return rc;
}

/* ---- the fingerprint ---- */

static int add_hashes(const struct bp_batch *b, const struct bp_column **cols, uint64_t *hashes,
                      uint64_t *sum, struct bp_err *err)
{
    for (int i = 0; i < b->n_cols; i++)
        cols[i] = &b->cols[i];
    BP_TRY(bp_key_hash(cols, b->n_cols, b->n_rows, hashes, err));
    for (int64_t i = 0; i < b->n_rows; i++)
        *sum += hashes[i];
    return 0;
}

int bp_stat_fingerprint(struct bp_source *in, uint64_t *sum, int64_t *n_rows, struct bp_err *err)
{
    const struct bp_column **cols = bp_mem_new((size_t)in->schema.n_fields + 1, sizeof *cols, err);
    struct bp_shareset shares = {0};
    struct bp_batch b = {0};
    uint64_t *hashes = NULL;
    int64_t cap = 0;
    int rc = cols ? 0 : err->code;

    *sum = 0;
    *n_rows = 0;
    while (rc == 0 && (rc = bp_source_next(in, &b, err)) == 0) {
        rc = bp_shareset_add(&shares, b.share, err);
        if (rc == 0)
            rc = hash_room(&hashes, &cap, b.n_rows, err);
        if (rc == 0 && b.n_rows)
            rc = add_hashes(&b, cols, hashes, sum, err);
        *n_rows += b.n_rows;
        bp_batch_release(&b);
    }
    if (rc == BP_DONE && !bp_shareset_whole(&shares))
        rc = bp_fail(err, BP_EDATA,
                     "the input is only %d of %d shares: a fingerprint is of a whole table",
                     shares.n_seen, shares.n);
    bp_shareset_release(&shares);
    bp_mem_free(cols);
    bp_mem_free(hashes);
    return rc < 0 ? rc : 0;
}
