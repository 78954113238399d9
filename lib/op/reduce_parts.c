/* SPDX-License-Identifier: Apache-2.0 */
#include "op/reduce_parts.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "col/key.h"
#include "op/reduce_chunks.h"
#include "sys/pool.h"

#define STEP_ROWS BP_TEXTS_ROWS              /* rows packed, or fed to a table, at a time */
#define LEAST_MEM_BYTES ((int64_t)128 << 20) /* with less memory parts are not worth it */
#define PART_SHARE 16                        /* one part's part of the memory */
#define PART_THREADS 4                       /* ... as so many threads have one each */
/* Rows are not put off where texts of keys take more of the memory than one part in TEXTS_SHARE, or
 * have grown by one in GROWN_SHARE: they will grow on, and rows that wait do not make room for
 * them. */
#define TEXTS_SHARE 4
#define GROWN_SHARE 16

struct part {
    uint64_t *to; /* the next record */
    int32_t left; /* records that the chunk still takes */
    struct bp_chunk *first, *last;
    int64_t n_rows;
};

/* An argument in a record. */
struct arg {
    struct bp_type type;
    int word, n_words;
};

/* A batch on its way. */
struct load {
    struct bp_column *keys, *args;
    int64_t n_rows, first_row;
    uint32_t task;
    bool nulls;           /* in arguments */
    int turn;             /* the key whose texts are numbered first */
    uint32_t **text_ids;  /* of each key, or NULL */
    struct bp_block *own; /* records, then a hash of each row */
    uint64_t *records;
    struct bp_err err;
};

struct bp_parts {
    const struct bp_reduce_plan *plan;
    struct bp_pack *pack;
    struct bp_ctx *ctx;
    struct arg *args;
    int n_args, key_words, words; /* words: of a record without NULL bits */
    struct part part[BP_PARTS];
    uint32_t task; /* of all chunks that are not full */
    bool chunk_nulls;
    bool nulls;                /* some argument had one */
    int64_t n_rows, most_rows; /* of all parts; of the largest */

    pthread_mutex_t *text_locks; /* of each key: one thread at a time numbers its texts */
    int turn;
    struct bp_chunks *chunks;
    int64_t coming_rows; /* not in chunks yet */
    int64_t texts_bytes; /* of the pack's texts, that are in the budget */
    int64_t taken_bytes; /* of the budget, for texts by this */
    struct bp_pool *pool;
};

/* ---- open ---- */

static int n_args_of(const struct bp_reduce_plan *plan, int i)
{
    const struct bp_agg *a = plan->aggs[i].agg;

    return plan->merging ? a->n_parts : a->kind->n_args;
}

static struct bp_type arg_type(const struct bp_reduce_plan *plan, int i, int k)
{
    const struct bp_agg *a = plan->aggs[i].agg;

    return plan->merging ? a->parts[k].type : a->args[k];
}

bool bp_parts_suit(const struct bp_reduce_plan *plan, const struct bp_ctx *ctx)
{
    int n = 0;

    if (!plan->n_keys || plan->form == BP_REDUCE_PARTIAL)
        return false;
    if (ctx->budget.limit_bytes && ctx->budget.limit_bytes < LEAST_MEM_BYTES)
        return false;
    for (int i = 0; i < plan->n_aggs; i++) {
        if (plan->aggs[i].filter)
            return false;
        for (int k = 0; k < n_args_of(plan, i); k++, n++)
            if (bp_type_is_bytes(arg_type(plan, i, k)))
                return false;
    }
    return n <= BP_PARTS_ARGS_MAX;
}

static int lay_out(struct bp_parts *p, struct bp_err *err)
{
    const struct bp_reduce_plan *plan = p->plan;

    p->args = bp_mem_new(BP_PARTS_ARGS_MAX, sizeof *p->args, err);
    if (!p->args)
        return err->code;
    p->key_words = p->pack->n_words;
    p->words = p->key_words + 1;
    for (int i = 0; i < plan->n_aggs; i++) {
        for (int k = 0; k < n_args_of(plan, i); k++) {
            struct arg *a = &p->args[p->n_args++];

            a->type = arg_type(plan, i, k);
            a->n_words = bp_type_width_bytes(a->type) > 8 ? 2 : 1;
            a->word = p->words;
            p->words += a->n_words;
        }
    }
    if (p->words >= BP_CHUNK_WORDS / 8)
        return bp_fail(err, BP_EUSAGE, "too many keys and aggregates");
    return 0;
}

static void drop_load(void *ctx, void *job)
{
    const struct bp_parts *p = ctx;
    struct load *l = job;

    if (!l)
        return;
    for (int i = 0; l->keys && i < p->plan->n_keys; i++)
        bp_column_release(&l->keys[i]);
    for (int i = 0; l->args && i < p->n_args; i++)
        bp_column_release(&l->args[i]);
    for (int i = 0; l->text_ids && i < p->plan->n_keys; i++)
        bp_mem_free(l->text_ids[i]);
    bp_mem_free(l->keys);
    bp_mem_free(l->args);
    bp_mem_free(l->text_ids);
    bp_block_unref(l->own);
    bp_mem_free(l);
}

static void make_records(void *ctx, int worker, void *job);
static int64_t texts_bytes(const struct bp_parts *p, int64_t n_rows);

int bp_parts_open(struct bp_parts **out, const struct bp_reduce_plan *plan, struct bp_pack *pack,
                  struct bp_ctx *ctx, struct bp_err *err)
{
    static const struct bp_pool_ops ops = {make_records, drop_load};
    struct bp_parts *p = bp_mem_new(1, sizeof *p, err);
    int rc = 0;

    *out = NULL;
    if (!p)
        return err->code;
    p->plan = plan;
    p->pack = pack;
    p->ctx = ctx;
    p->text_locks = bp_mem_new((size_t)plan->n_keys, sizeof *p->text_locks, err);
    if (!p->text_locks) {
        rc = err->code;
        goto out;
    }
    for (int i = 0; i < plan->n_keys; i++)
        pthread_mutex_init(&p->text_locks[i], NULL);
    p->texts_bytes = texts_bytes(p, 0);
    BP_GO(lay_out(p, err));
    BP_GO(bp_chunks_open(&p->chunks, BP_PARTS, ctx, err));
    BP_GO(bp_pool_open(&p->pool, ctx->n_threads, ctx->n_threads + 1, &ops, p, err));
    *out = p;
    return 0;
out:
    bp_parts_free(p);
    return rc;
}

void bp_parts_free(struct bp_parts *p)
{
    if (!p)
        return;
    bp_pool_free(p->pool);
    for (int i = 0; p->text_locks && i < p->plan->n_keys; i++)
        pthread_mutex_destroy(&p->text_locks[i]);
    bp_mem_free(p->text_locks);
    bp_chunks_free(p->chunks);
    bp_budget_give(&p->ctx->budget, p->taken_bytes);
    bp_mem_free(p->args);
    bp_mem_free(p);
}

/* ---- memory ---- */

static int64_t texts_bytes(const struct bp_parts *p, int64_t n_rows)
{
    int64_t n = 0;

    for (int i = 0; i < p->pack->n_cols; i++) {
        const struct bp_texts *t = &p->pack->cols[i].texts;

        if (!bp_type_is_bytes(p->pack->cols[i].type))
            continue;
        pthread_mutex_lock(&p->text_locks[i]);
        n += bp_texts_held_bytes(t) + (n_rows ? bp_texts_growth_bytes(t, n_rows) : 0);
        pthread_mutex_unlock(&p->text_locks[i]);
    }
    return n;
}

static int64_t chunk_rows(const struct bp_parts *p)
{
    return BP_CHUNK_WORDS / (p->words + 1);
}

/* Its table, and what is made of it, must find room with those of other threads. */
static bool part_too_large(const struct bp_parts *p)
{
    int64_t limit = p->ctx->budget.limit_bytes, row = p->words * 8 * 4;
    int64_t threads = BP_MAX(p->ctx->n_threads, PART_THREADS);

    return limit && p->most_rows * row > limit * PART_THREADS / (PART_SHARE * threads);
}

/* The texts stay in memory, however long rows wait. */
static bool texts_room(struct bp_parts *p, int64_t n_rows)
{
    int64_t need = texts_bytes(p, p->coming_rows + n_rows), more = need - p->texts_bytes;

    if (more <= 0)
        return true;
    if (!bp_budget_take(&p->ctx->budget, more))
        return false;
    p->texts_bytes = need;
    p->taken_bytes += more;
    return true;
}

bool bp_parts_room(struct bp_parts *p, int64_t n_rows)
{
    int64_t chunks = (p->coming_rows + n_rows) / chunk_rows(p) + 1 + BP_PARTS;

    return !part_too_large(p) && texts_room(p, n_rows) && bp_chunks_room(p->chunks, chunks);
}

static int32_t chunk_fill(const struct part *t)
{
    return (int32_t)((t->to - t->last->words) / t->last->step);
}

static int new_chunk(struct bp_parts *p, struct part *t, const struct load *l, int64_t row,
                     struct bp_err *err)
{
    struct bp_chunk *c;

    c = bp_chunks_new(p->chunks, err);
    if (!c)
        return err->code;
    c->next = NULL;
    c->first_row = l->first_row + row;
    c->task = l->task;
    c->nulls = l->nulls;
    c->step = p->words + l->nulls;
    if (t->last) {
        t->last->n = chunk_fill(t);
        t->last->next = c;
    } else {
        t->first = c;
    }
    t->last = c;
    t->to = c->words;
    t->left = BP_CHUNK_WORDS / c->step;
    return 0;
}

/* ---- records ---- */

#define PUT(T, expr)                                                                               \
    do {                                                                                           \
        const T *v = (const T *)c->data + from;                                                    \
        for (int64_t i = 0; i < n; i++)                                                            \
            to[i * step] = (uint64_t)(expr);                                                       \
    } while (0)

static void put_arg(const struct arg *a, const struct bp_column *c, int64_t from, int64_t n,
                    uint64_t *to, int step)
{
    switch (a->type.kind == BP_BOOL ? 0 : bp_type_width_bytes(a->type)) {
    case 0:
        for (int64_t i = 0; i < n; i++)
            to[i * step] = bp_bit_get(c->data, from + i);
        break;
    case 1: PUT(uint8_t, v[i]); break;
    case 2: PUT(uint16_t, v[i]); break;
    case 4: PUT(uint32_t, v[i]); break;
    case 8: PUT(uint64_t, v[i]); break;
    default:
        for (int64_t i = 0; i < n; i++)
            memcpy(&to[i * step], (const bp_int128 *)c->data + from + i, 16);
    }
}

static void put_nulls(const struct bp_parts *p, const struct load *l, int64_t from, int64_t n,
                      uint64_t *to, int step)
{
    for (int64_t i = 0; i < n; i++)
        to[i * step] = 0;
    for (int k = 0; k < p->n_args; k++) {
        const struct bp_column *c = &l->args[k];

        for (int64_t i = 0; c->n_nulls && i < n; i++)
            to[i * step] |= (uint64_t)!bp_bit_get(c->valid, from + i) << k;
    }
}

static int hash_rows(const struct bp_parts *p, const struct load *l, uint64_t *hash,
                     struct bp_err *err)
{
    const struct bp_column **ptrs = bp_mem_new((size_t)p->plan->n_keys, sizeof *ptrs, err);
    int rc;

    if (!ptrs)
        return err->code;
    for (int k = 0; k < p->plan->n_keys; k++)
        ptrs[k] = &l->keys[k];
    rc = bp_key_hash(ptrs, p->plan->n_keys, l->n_rows, hash, err);
    bp_mem_free(ptrs);
    return rc;
}

/* Which number a text gets depends on who comes first; the result does not depend on it. */
static int number_column(const struct bp_parts *p, struct load *l, int k, struct bp_err *err)
{
    int rc = 0;

    l->text_ids[k] = bp_mem_grow(NULL, (size_t)l->n_rows, sizeof(uint32_t), err);
    if (!l->text_ids[k])
        return err->code;
    pthread_mutex_lock(&p->text_locks[k]);
    for (int64_t from = 0; from < l->n_rows && rc == 0; from += STEP_ROWS)
        rc = bp_texts_find(&p->pack->cols[k].texts, &l->keys[k], from,
                           BP_MIN(l->n_rows - from, STEP_ROWS), l->text_ids[k] + from, err);
    pthread_mutex_unlock(&p->text_locks[k]);
    return rc;
}

/* Batches begin with different columns, so that threads seldom want the same. */
static int number_texts(const struct bp_parts *p, struct load *l, struct bp_err *err)
{
    int n = p->plan->n_keys;

    l->text_ids = bp_mem_new((size_t)n, sizeof *l->text_ids, err);
    if (!l->text_ids)
        return err->code;
    for (int i = 0; i < n; i++) {
        int k = (l->turn + i) % n;

        if (bp_type_is_bytes(l->keys[k].type))
            BP_TRY(number_column(p, l, k, err));
    }
    return 0;
}

/* On a worker: whatever only this batch has a part in. */
static void make_records(void *ctx, int worker, void *job)
{
    const struct bp_parts *p = ctx;
    struct load *l = job;
    int step = p->words + l->nulls;
    int64_t bytes = l->n_rows * step * 8;
    uint64_t *hash;

    (void)worker;
    if (bp_block_new(&l->own, (size_t)(bytes + l->n_rows * 8), &l->err) < 0)
        return;
    l->records = (uint64_t *)(void *)l->own->data;
    hash = l->records + l->n_rows * step;
    if (number_texts(p, l, &l->err) < 0 || hash_rows(p, l, hash, &l->err) < 0)
        return;
    for (int64_t from = 0; from < l->n_rows; from += STEP_ROWS) {
        int64_t n = BP_MIN(l->n_rows - from, STEP_ROWS);
        uint64_t *to = l->records + from * step;

        bp_pack_records(p->pack, l->keys, (const uint32_t *const *)l->text_ids, from, n, to, step);
        for (int64_t i = 0; i < n; i++)
            to[i * step + p->key_words] = hash[from + i];
        for (int k = 0; k < p->n_args; k++)
            put_arg(&p->args[k], &l->args[k], from, n, to + p->args[k].word, step);
        if (l->nulls)
            put_nulls(p, l, from, n, to + p->words, step);
    }
}

/* ---- into the parts ---- */

/* Chunks that are not full are of the task and the form of the rows that come. */
static void close_chunks(struct bp_parts *p, const struct load *l)
{
    if (p->task == l->task && p->chunk_nulls == l->nulls)
        return;
    for (int i = 0; i < BP_PARTS; i++)
        p->part[i].left = 0;
    p->task = l->task;
    p->chunk_nulls = l->nulls;
}

static int scatter(struct bp_parts *p, const struct load *l, struct bp_err *err)
{
    int step = p->words + l->nulls, at = p->key_words;
    const uint64_t *r = l->records;

    close_chunks(p, l);
    for (int64_t i = 0; i < l->n_rows; i++, r += step) {
        struct part *t = &p->part[r[at] >> (64 - BP_PARTS_BITS)];

        if (!t->left) {
            p->most_rows = BP_MAX(p->most_rows, t->n_rows);
            BP_TRY(new_chunk(p, t, l, i, err));
        }
        for (int w = 0; w < step; w++)
            t->to[w] = r[w];
        t->to += step;
        t->left--;
        t->n_rows++;
    }
    p->n_rows += l->n_rows;
    p->coming_rows -= l->n_rows;
    return 0;
}

static int take_load(struct bp_parts *p, struct bp_err *err)
{
    struct load *l = bp_pool_take(p->pool);
    int rc;

    if (!l)
        return BP_DONE;
    rc = l->err.code;
    if (rc < 0)
        *err = l->err;
    else
        rc = scatter(p, l, err);
    drop_load(p, l);
    return rc;
}

int bp_parts_add(struct bp_parts *p, struct bp_column *keys, struct bp_column *args, int64_t n_rows,
                 uint32_t task, int64_t first_row, struct bp_err *err)
{
    struct load *l = bp_mem_new(1, sizeof *l, err);
    int n_keys = p->plan->n_keys, rc = 0;

    if (!l)
        return err->code;
    *l = (struct load){.n_rows = n_rows, .first_row = first_row, .task = task};
    l->keys = bp_mem_new((size_t)n_keys, sizeof *l->keys, err);
    l->args = l->keys ? bp_mem_new((size_t)p->n_args, sizeof *l->args, err) : NULL;
    if (!l->args) {
        rc = err->code;
        goto out;
    }
    memcpy(l->keys, keys, (size_t)n_keys * sizeof *keys);
    memset(keys, 0, (size_t)n_keys * sizeof *keys);
    for (int k = 0; k < p->n_args; k++) {
        l->args[k] = args[k];
        args[k] = (struct bp_column){0};
        p->nulls |= l->args[k].n_nulls > 0;
    }
    l->nulls = p->nulls; /* once there are some, all that follow have room for them */
    l->turn = p->turn;
    p->turn = (p->turn + 1) % n_keys;
    if (!bp_pool_has_room(p->pool))
        BP_GO(take_load(p, err));
    bp_pool_give(p->pool, l);
    p->coming_rows += n_rows;
    return 0;
out:
    drop_load(p, l);
    return rc;
}

int bp_parts_flush(struct bp_parts *p, struct bp_err *err)
{
    int rc;

    while ((rc = take_load(p, err)) == 0)
        ;
    if (rc < 0)
        return rc;
    for (int i = 0; i < BP_PARTS; i++) {
        struct part *t = &p->part[i];

        if (t->last)
            t->last->n = chunk_fill(t);
        t->left = 0;
    }
    return bp_chunks_wait(p->chunks, err);
}

int64_t bp_parts_rows(const struct bp_parts *p, int part)
{
    return p->part[part].n_rows;
}

const struct bp_pack *bp_parts_pack(const struct bp_parts *p)
{
    return p->pack;
}

int64_t bp_parts_all_rows(const struct bp_parts *p)
{
    return p->n_rows;
}

bool bp_parts_on_disk(const struct bp_parts *p)
{
    return bp_chunks_any_saved(p->chunks);
}

int bp_parts_put_off(struct bp_parts *p, struct bp_err *err)
{
    int64_t limit = p->ctx->budget.limit_bytes;

    if (part_too_large(p))
        return BP_DONE;
    if (limit && (p->texts_bytes > limit / TEXTS_SHARE || p->taken_bytes > limit / GROWN_SHARE))
        return BP_DONE;
    for (int i = 0; i < BP_PARTS; i++) {
        struct part *t = &p->part[i];

        BP_TRY(bp_chunks_save(p->chunks, i, t->first, err));
        *t = (struct part){.n_rows = t->n_rows};
    }
    return 0;
}

/* ---- out of the parts ---- */

#define GET(T, expr)                                                                               \
    do {                                                                                           \
        T *v = (T *)(void *)out->own[1]->data;                                                     \
        for (int64_t i = 0; i < n; i++, from += step)                                              \
            v[i] = (expr);                                                                         \
    } while (0)

static int get_arg(const struct arg *a, const uint64_t *from, int step, int64_t n,
                   struct bp_column *out, struct bp_err *err)
{
    *out = (struct bp_column){.type = a->type, .n_rows = n};
    BP_TRY(bp_block_new(&out->own[1], (size_t)n * 16 + 16, err));
    out->data = out->own[1]->data;
    switch (a->type.kind == BP_BOOL ? 0 : bp_type_width_bytes(a->type)) {
    case 0:
        memset(out->own[1]->data, 0, bp_bits_bytes(n));
        for (int64_t i = 0; i < n; i++, from += step)
            bp_bit_put(out->own[1]->data, i, *from & 1);
        break;
    case 1: GET(uint8_t, (uint8_t)*from); break;
    case 2: GET(uint16_t, (uint16_t)*from); break;
    case 4: GET(uint32_t, (uint32_t)*from); break;
    case 8: GET(uint64_t, *from); break;
    default:
        for (int64_t i = 0; i < n; i++, from += step)
            memcpy(out->own[1]->data + 16 * i, from, 16);
    }
    return 0;
}

static int get_nulls(int k, const uint64_t *from, int step, int64_t n, struct bp_column *out,
                     struct bp_err *err)
{
    for (int64_t i = 0; i < n; i++)
        out->n_nulls += (int64_t)(from[i * step] >> k & 1);
    if (!out->n_nulls)
        return 0;
    BP_TRY(bp_block_new(&out->own[0], bp_bits_bytes(n) + 8, err));
    memset(out->own[0]->data, 0, bp_bits_bytes(n) + 8);
    out->valid = out->own[0]->data;
    for (int64_t i = 0; i < n; i++)
        bp_bit_put(out->own[0]->data, i, !(from[i * step] >> k & 1));
    return 0;
}

static int fill_agg(const struct bp_parts *p, const struct bp_chunk *c,
                    const struct bp_reduce_table *t, int i, int first_arg, struct bp_agg_rows *rows,
                    struct bp_err *err)
{
    struct bp_column cols[BP_AGG_PARTS_MAX + BP_AGG_ARGS_MAX] = {0};
    struct bp_agg *a = t->aggs[i];
    int n = n_args_of(p->plan, i), rc = 0;

    for (int k = 0; k < n; k++) {
        const struct arg *arg = &p->args[first_arg + k];

        BP_GO(get_arg(arg, c->words + arg->word, c->step, c->n, &cols[k], err));
        if (c->nulls)
            BP_GO(get_nulls(first_arg + k, c->words + p->words, c->step, c->n, &cols[k], err));
    }
    rows->cols = cols;
    BP_GO(a->kind->ops->grow(a, bp_groups_count(t->groups), err));
    rc = p->plan->merging ? a->kind->ops->merge(a, rows, err) : a->kind->ops->update(a, rows, err);
out:
    for (int k = 0; k < n; k++)
        bp_column_release(&cols[k]);
    return rc;
}

static int fill_chunk(const struct bp_parts *p, const struct bp_chunk *c, struct bp_reduce_table *t,
                      uint64_t *hash, struct bp_err *err)
{
    uint32_t ids[BP_CHUNK_WORDS / 2 + BP_AGG_AHEAD];
    struct bp_agg_rows rows = {.n_rows = c->n, .ids = ids, .task = c->task};
    const uint64_t *h = c->words + p->key_words;

    memset(&ids[c->n], 0, BP_AGG_AHEAD * sizeof *ids);
    rows.n_before = bp_groups_count(t->groups);
    rows.first_row = c->first_row;
    BP_TRY(bp_groups_find_rows(t->groups, c->words, c->step, c->n, ids, err));
    for (int32_t i = 0; hash && i < c->n; i++)
        hash[ids[i]] = h[(int64_t)i * c->step];
    for (int i = 0, arg = 0; i < t->n_aggs; i++) {
        BP_TRY(fill_agg(p, c, t, i, arg, &rows, err));
        arg += n_args_of(p->plan, i);
    }
    return 0;
}

/* A saved chunk on its way into a table. */
struct filling {
    const struct bp_parts *parts;
    struct bp_reduce_table *table;
    uint64_t *hash;
};

static int fill_saved(void *self, const struct bp_chunk *c, struct bp_err *err)
{
    const struct filling *f = self;
    int words = f->parts->words;

    if (c->step < words || c->step > words + 1 || c->n < 1 || c->n > BP_CHUNK_WORDS / c->step)
        return bp_fail(err, BP_EDATA, "the temporary file has been damaged");
    return fill_chunk(f->parts, c, f->table, f->hash, err);
}

int bp_parts_fill(const struct bp_parts *p, int part, struct bp_reduce_table *t, uint64_t *hash,
                  struct bp_err *err)
{
    struct filling f = {p, t, hash};

    BP_TRY(bp_chunks_read(p->chunks, part, fill_saved, &f, err));
    for (const struct bp_chunk *c = p->part[part].first; c; c = c->next)
        BP_TRY(fill_chunk(p, c, t, hash, err));
    return 0;
}

void bp_parts_discard(const struct bp_parts *p, int part)
{
    bp_chunks_discard(p->chunks, part);
}
