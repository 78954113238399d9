/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows wait in the batches they came in until there are enough of them that every
 * partition's share makes a block worth writing; then they are gathered partition by
 * partition.
 */
#include "op/join_split.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define STEP 1024
#define WAIT_SHARE 8 /* of the free memory */
#define WAIT_MIN_BYTES ((int64_t)256 << 10)
#define WAIT_MAX_BYTES ((int64_t)32 << 20)
#define BLOCK_BYTES ((int64_t)128 << 10) /* what reading a partition holds at a time */

int64_t bp_join_free_bytes(const struct bp_ctx *ctx)
{
    const struct bp_budget *b = &ctx->budget;

    if (!b->limit_bytes)
        return INT64_MAX / 4;
    return BP_MAX(0, b->limit_bytes - (int64_t)atomic_load(&b->used_bytes));
}

void bp_join_part_free(struct bp_join_part_rows *p)
{
    bp_spill_free(p->spill);
    *p = (struct bp_join_part_rows){0};
}

void bp_join_split_open(struct bp_join_split *s, const struct bp_schema *schema,
                        const struct bp_join_hash *hash, int level, bool numbered,
                        struct bp_ctx *ctx)
{
    *s = (struct bp_join_split){
        .schema = schema, .hash = hash, .level = level, .numbered = numbered, .ctx = ctx};
}

static void drop_waiting(struct bp_join_split *s)
{
    for (int i = 0; i < s->n_waiting; i++)
        bp_batch_release(&s->waiting[i]);
    s->n_waiting = 0;
    s->waiting_bytes = s->waiting_rows = 0;
}

void bp_join_split_release(struct bp_join_split *s)
{
    drop_waiting(s);
    bp_mem_free(s->waiting);
    bp_mem_free(s->part);
    for (int p = 0; p < BP_JOIN_SPLIT_PARTS; p++)
        bp_join_part_free(&s->parts[p]);
    memset(s, 0, sizeof *s);
}

/* ---- which partition ---- */

/* part[0, n) of rows [from, from + n); dead rows by their number. */
static void cut(const struct bp_join_split *s, const uint64_t *hash, const uint8_t *dead,
                int64_t from, int64_t n, uint8_t *part)
{
    int shift = 64 - BP_JOIN_SPLIT_BITS * (s->level + 1);

    for (int64_t i = 0; i < n; i++)
        part[i] = (uint8_t)((dead[i] ? (uint64_t)(from + i) : hash[i] >> shift) &
                            (BP_JOIN_SPLIT_PARTS - 1));
}

static void hash_words(const struct bp_join_split *s, const struct bp_batch *b, uint8_t *part)
{
    uint64_t words[STEP], hash[STEP], seed = bp_table_seed();
    uint8_t dead[STEP];

    for (int64_t from = 0; from < b->n_rows; from += STEP) {
        int64_t n = BP_MIN(b->n_rows - from, STEP);

        memset(dead, 0, sizeof dead);
        for (int64_t i = 0; i < n; i++)
            hash[i] = seed;
        for (int k = 0; k < s->hash->n_keys; k++) {
            bp_join_words(&s->hash->forms[k], &b->cols[s->hash->cols[k]], from, n, words, dead);
            for (int64_t i = 0; i < n; i++)
                hash[i] = bp_mix64(words[i], hash[i]);
        }
        cut(s, hash, dead, from, n, part + from);
    }
}

static int hash_bytes(const struct bp_join_split *s, const struct bp_batch *b, uint8_t *part,
                      struct bp_err *err)
{
    struct bp_buf line = {0};
    uint64_t hash, seed = bp_table_seed();
    int rc = 0;

    for (int64_t i = 0; i < b->n_rows; i++) {
        uint8_t is_dead;
        bool dead = false;

        line.len = 0;
        for (int k = 0; k < s->hash->n_keys && !dead; k++)
            BP_GO(bp_join_bytes(&s->hash->forms[k], &b->cols[s->hash->cols[k]], i, &line, &dead,
                                err));
        hash = dead ? 0 : bp_xxh3_seeded(line.data, line.len, seed);
        is_dead = dead;
        cut(s, &hash, &is_dead, i, 1, part + i);
    }
out:
    bp_buf_release(&line);
    return rc;
}

/* ---- writing ---- */

static int write_rows(struct bp_join_split *s, int p, const uint64_t *refs, int64_t n,
                      const struct bp_column **srcs, struct bp_err *err)
{
    struct bp_join_part_rows *to = &s->parts[p];
    struct bp_batch b = {0};
    int rc = 0;

    if (!to->spill)
        BP_TRY(bp_spill_open(&to->spill, s->schema, s->ctx, err));
    BP_GO(bp_batch_init(&b, s->schema->n_fields, err));
    b.n_rows = n;
    for (int c = 0; c < b.n_cols; c++) {
        for (int i = 0; i < s->n_waiting; i++)
            srcs[i] = &s->waiting[i].cols[c];
        BP_GO(bp_column_gather_many(&b.cols[c], srcs, s->n_waiting, refs, n, err));
    }
    rc = bp_spill_put(to->spill, &b, err);
out:
    bp_batch_release(&b);
    return rc;
}

/* The waiting rows of partition p as refs; how many. */
static int64_t rows_of(const struct bp_join_split *s, int p, uint64_t *refs)
{
    const uint8_t *part = s->part;
    int64_t n = 0;

    for (int i = 0; i < s->n_waiting; i++) {
        for (int64_t row = 0; row < s->waiting[i].n_rows; row++) {
            refs[n] = (uint64_t)i << 32 | (uint64_t)row;
            n += part[row] == p;
        }
        part += s->waiting[i].n_rows;
    }
    return n;
}

static int flush(struct bp_join_split *s, struct bp_err *err)
{
    size_t n_srcs = (size_t)s->n_waiting + 1;
    const struct bp_column **srcs = bp_mem_new(n_srcs, sizeof *srcs, err);
    uint64_t *refs = srcs ? bp_mem_new((size_t)s->waiting_rows + 1, sizeof *refs, err) : NULL;
    int64_t row_bytes = s->waiting_bytes / BP_MAX(s->waiting_rows, 1) + 1;
    int64_t most = BP_MAX(1, BP_MIN(BLOCK_BYTES / row_bytes, s->ctx->batch_rows)), n;
    int rc = refs ? 0 : err->code;

    for (int p = 0; p < BP_JOIN_SPLIT_PARTS && rc == 0; p++) {
        n = rows_of(s, p, refs);
        for (int64_t from = 0; from < n && rc == 0; from += most)
            rc = write_rows(s, p, refs + from, BP_MIN(n - from, most), srcs, err);
    }
    bp_mem_free(srcs);
    bp_mem_free(refs);
    drop_waiting(s);
    return rc;
}

/* in with its row numbers behind. */
static int number(struct bp_join_split *s, const struct bp_batch *in, struct bp_batch *out,
                  struct bp_err *err)
{
    struct bp_column *c;
    int64_t *rows;

    if (s->numbered)
        return bp_batch_ref(out, in, err);
    BP_TRY(bp_batch_init(out, in->n_cols + 1, err));
    out->n_rows = in->n_rows;
    for (int i = 0; i < in->n_cols; i++)
        bp_column_ref(&out->cols[i], &in->cols[i]);
    c = &out->cols[in->n_cols];
    c->type = BP_JOIN_ROW_TYPE;
    c->n_rows = in->n_rows;
    BP_TRY(bp_block_new(&c->own[1], (size_t)in->n_rows * sizeof *rows, err));
    c->data = rows = (int64_t *)(void *)c->own[1]->data;
    for (int64_t i = 0; i < in->n_rows; i++)
        rows[i] = s->n_rows + i;
    return 0;
}

static int room_for(struct bp_join_split *s, int64_t n_rows, struct bp_err *err)
{
    if (s->n_waiting == s->cap_waiting) {
        int cap = s->cap_waiting ? s->cap_waiting * 2 : 64;
        struct bp_batch *p = bp_mem_grow(s->waiting, (size_t)cap, sizeof *p, err);

        if (!p)
            return err->code;
        s->waiting = p;
        s->cap_waiting = cap;
    }
    if (s->waiting_rows + n_rows > s->cap_part) {
        int64_t cap = BP_MAX(s->waiting_rows + n_rows, 2 * s->cap_part);
        uint8_t *p = bp_mem_grow(s->part, (size_t)cap, 1, err);

        if (!p)
            return err->code;
        s->part = p;
        s->cap_part = cap;
    }
    return 0;
}

int bp_join_split_put(struct bp_join_split *s, const struct bp_batch *in, struct bp_err *err)
{
    int64_t wait = bp_join_free_bytes(s->ctx) / WAIT_SHARE;
    struct bp_batch *b;

    if (in->n_rows == 0)
        return 0;
    BP_TRY(room_for(s, in->n_rows, err));
    b = &s->waiting[s->n_waiting];
    memset(b, 0, sizeof *b);
    s->n_waiting++;
    BP_TRY(number(s, in, b, err));
    if (s->hash->by_words)
        hash_words(s, b, s->part + s->waiting_rows);
    else
        BP_TRY(hash_bytes(s, b, s->part + s->waiting_rows, err));
    s->n_rows += b->n_rows;
    s->waiting_rows += b->n_rows;
    s->waiting_bytes +=
        bp_batch_size_bytes(b) + bp_batch_dict_bytes(b, s->n_waiting > 1 ? b - 1 : NULL);
    wait = BP_MAX(WAIT_MIN_BYTES, BP_MIN(wait, WAIT_MAX_BYTES));
    return s->waiting_bytes >= wait ? flush(s, err) : 0;
}

int bp_join_split_end(struct bp_join_split *s, struct bp_err *err)
{
    BP_TRY(flush(s, err));
    for (int p = 0; p < BP_JOIN_SPLIT_PARTS; p++)
        if (s->parts[p].spill)
            BP_TRY(bp_spill_end(s->parts[p].spill, &s->parts[p].run, err));
    return 0;
}
