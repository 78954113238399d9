/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The condition is asked of the row group first, by the chunks' statistics; where these
 * leave it open it looks itself whether a Bloom filter lacks a value, or asks for the
 * dictionary. Then it is asked of parts of the group: pages of different columns have
 * their borders at different rows, and a part lies between two that follow one another.
 */
#include "fmt/parquet/prune.h"

#include <string.h>

#include "base/mem.h"
#include "fmt/parquet/bloom.h"
#include "fmt/parquet/decode.h"
#include "fmt/parquet/index_read.h"

struct group {
    const struct bp_pq_prune *p;
    const struct bp_pq_group *g;
    struct bp_batch low, high;
    uint8_t *nulls;
    struct bp_pq_dict **dicts; /* of each column, once it was asked for */
    struct bp_pq_scratch scratch;
    struct bp_pq_places *places;    /* of each column; n == 0: no index */
    struct bp_pq_page_facts *facts; /* the same */
};

static const struct bp_pq_chunk *chunk_of(const struct group *k, int col)
{
    return &k->g->chunks[k->p->nodes[col]->first_leaf];
}

static const struct bp_pq_column *column_of(const struct group *k, int col)
{
    return &k->p->file->columns[k->p->nodes[col]->first_leaf];
}

/* Of lists and structs nothing is known: statistics are those of their leaves. */
static bool is_flat(const struct group *k, int col)
{
    return !k->p->nodes[col]->refused && !column_of(k, col)->nested;
}

/* ---- what the condition may ask ---- */

static bool lacks(void *self, int col, const struct bp_column *value)
{
    const struct group *k = self;

    return is_flat(k, col) &&
           bp_pq_bloom_lacks(k->p->file, column_of(k, col), chunk_of(k, col), value);
}

/* The dictionary page, which is the first of the chunk. What is wrong with it will be said
 * when its rows are read. */
static struct bp_pq_dict *load_dict(struct group *k, int col)
{
    struct bp_pq_pages pages = {0};
    struct bp_pq_raw raw = {0};
    struct bp_pq_dict *d = NULL;
    struct bp_err quiet = {0};
    int64_t skip = 0;

    bp_pq_pages_open(&pages, k->p->file, column_of(k, col), chunk_of(k, col));
    pages.first_only = true;
    if (bp_pq_pages_next(&pages, &skip, &raw, &quiet) == 0 && raw.h.type == BP_PQ_DICT_PAGE &&
        raw.h.raw_bytes <= k->p->most_bytes && raw.h.n_values <= k->p->most_bytes / 16) {
        raw.most_bytes = k->p->most_bytes;
        if (bp_pq_dict_decode(&d, column_of(k, col), chunk_of(k, col)->codec, &raw, &k->scratch,
                              &quiet) < 0)
            d = NULL;
    }
    bp_buf_release(&raw.body);
    bp_pq_pages_close(&pages);
    return d;
}

static const struct bp_column *all_values(void *self, int col)
{
    struct group *k = self;

    if (!k->dicts[col] && is_flat(k, col) && chunk_of(k, col)->all_dict)
        k->dicts[col] = load_dict(k, col);
    return k->dicts[col] ? &k->dicts[col]->values : NULL;
}

/* ---- the row group ---- */

static int group_bounds(struct group *k, struct bp_err *err)
{
    BP_TRY(bp_batch_init(&k->low, k->p->n, err));
    BP_TRY(bp_batch_init(&k->high, k->p->n, err));
    k->low.n_rows = k->high.n_rows = 1;
    for (int i = 0; i < k->p->n; i++) {
        const struct bp_pq_column *c = column_of(k, i);
        const struct bp_pq_stats *s = &chunk_of(k, i)->stats;
        bool none = c->convert == BP_PQ_HALF || c->convert == BP_PQ_DURATION;

        k->nulls[i] = BP_NULLS_UNKNOWN;
        if (!is_flat(k, i)) {
            BP_TRY(bp_column_nulls(&k->low.cols[i], k->p->nodes[i]->type, 1, err));
            BP_TRY(bp_column_nulls(&k->high.cols[i], k->p->nodes[i]->type, 1, err));
            continue;
        }
        BP_TRY(bp_pq_decode_bound(&k->low.cols[i], c, none ? NULL : s->min, s->min_bytes, err));
        BP_TRY(bp_pq_decode_bound(&k->high.cols[i], c,
                                  none || bp_type_is_float(c->type) ? NULL : s->max, s->max_bytes,
                                  err));
        k->nulls[i] = s->n_nulls < 0               ? BP_NULLS_UNKNOWN
                      : s->n_nulls == 0            ? BP_NULLS_NONE
                      : s->n_nulls >= k->g->n_rows ? BP_NULLS_ALL
                                                   : BP_NULLS_UNKNOWN;
    }
    return 0;
}

static bool may_match(struct group *k, bool ask)
{
    struct bp_bounds known = {
        &k->low, &k->high, k->nulls, ask ? lacks : NULL, ask ? all_values : NULL, k};

    return k->p->condition.may(k->p->condition.ctx, &known);
}

/* ---- parts of it ---- */

/* The index of a column that is asked about; BP_DONE: there is none, or *left does not hold it. */
static int load_index(struct group *k, int col, int64_t *left, struct bp_err *err)
{
    struct bp_pq_places *places = &k->places[col];
    int64_t bytes;

    BP_TRY(bp_pq_places_read(k->p->file, chunk_of(k, col), k->g->n_rows, places, err));
    if (!places->n)
        return BP_DONE;
    bytes = (int64_t)places->n * BP_PQ_PAGE_FACTS_BYTES;
    if (bytes > *left)
        return BP_DONE;
    *left -= bytes;
    return bp_pq_page_facts_read(k->p->file, column_of(k, col), chunk_of(k, col), places->n,
                                 &k->facts[col], err);
}

static int load_indexes(struct group *k, bool *any, struct bp_err *err)
{
    int64_t left = k->p->most_bytes;
    int rc;

    *any = false;
    for (int i = 0; i < k->p->n; i++) {
        if (!k->p->used[i] || !is_flat(k, i))
            continue;
        rc = load_index(k, i, &left, err);
        if (rc < 0)
            return rc;
        if (rc)
            bp_pq_places_release(&k->places[i]);
        *any |= rc == 0 && k->places[i].n > 1;
    }
    return 0;
}

/* The facts of the pages that have this row; *end: the first row that one of them has not. */
static void take_facts(struct group *k, int64_t row, int64_t *end)
{
    *end = k->g->n_rows;
    for (int i = 0; i < k->p->n; i++) {
        const struct bp_pq_places *p = &k->places[i];
        int page;

        if (!p->n)
            continue;
        page = bp_pq_places_find(p, row);
        bp_column_release(&k->low.cols[i]);
        bp_column_release(&k->high.cols[i]);
        bp_column_ref(&k->low.cols[i], &k->facts[i].low[page]);
        bp_column_ref(&k->high.cols[i], &k->facts[i].high[page]);
        k->nulls[i] = k->facts[i].nulls[page];
        if (page + 1 < p->n)
            *end = BP_MIN(*end, p->items[page + 1].first_row);
    }
}

static int prune_parts(struct group *k, int group, struct bp_pq_stretches *out, struct bp_err *err)
{
    int64_t first = k->g->first_row, end;
    bool any;

    BP_TRY(load_indexes(k, &any, err));
    if (!any)
        return bp_pq_stretch_add(out, first, first + k->g->n_rows, group, err);
    for (int64_t row = 0; row < k->g->n_rows; row = end) {
        take_facts(k, row, &end);
        if (may_match(k, false))
            BP_TRY(bp_pq_stretch_add(out, first + row, first + end, group, err));
    }
    return 0;
}

static void release(struct group *k)
{
    for (int i = 0; i < k->p->n; i++) {
        if (k->dicts)
            bp_pq_dict_unref(k->dicts[i]);
        if (k->places)
            bp_pq_places_release(&k->places[i]);
        if (k->facts)
            bp_pq_page_facts_release(&k->facts[i]);
    }
    bp_pq_scratch_release(&k->scratch);
    bp_batch_release(&k->low);
    bp_batch_release(&k->high);
    bp_mem_free(k->dicts);
    bp_mem_free(k->places);
    bp_mem_free(k->facts);
    bp_mem_free(k->nulls);
}

int bp_pq_prune_group(const struct bp_pq_prune *p, int group, struct bp_pq_stretches *out,
                      struct bp_err *err)
{
    size_t n = (size_t)p->n + 1;
    struct group k = {.p = p,
                      .g = &p->file->groups[group],
                      .nulls = bp_mem_new(n, sizeof *k.nulls, err),
                      .dicts = bp_mem_new(n, sizeof(struct bp_pq_dict *), err),
                      .places = bp_mem_new(n, sizeof *k.places, err),
                      .facts = bp_mem_new(n, sizeof *k.facts, err)};
    int rc = k.nulls && k.dicts && k.places && k.facts ? 0 : err->code;

    if (rc == 0)
        rc = group_bounds(&k, err);
    if (rc == 0 && may_match(&k, true))
        rc = prune_parts(&k, group, out, err);
    release(&k);
    return rc;
}
