/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/route.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "col/key.h"

#define HOT_BITS 16 /* upper bits of a hash that are looked at first */

static int open_hot(struct bp_route *r, const struct bp_stage_opts *o, struct bp_err *err)
{
    if (!o->n_hot)
        return 0;
    r->hot_bits = bp_mem_new(((size_t)1 << HOT_BITS) / 64, sizeof *r->hot_bits, err);
    if (!r->hot_bits)
        return err->code;
    r->hot = o->hot;
    r->n_hot = o->n_hot;
    for (int64_t i = 0; i < o->n_hot; i++) {
        uint64_t bit = o->hot[i] >> (64 - HOT_BITS);

        r->hot_bits[bit / 64] |= (uint64_t)1 << bit % 64;
    }
    return 0;
}

int bp_route_open(struct bp_route *r, const struct bp_schema *schema, const struct bp_stage_opts *o,
                  struct bp_err *err)
{
    size_t n = 0;

    memset(r, 0, sizeof *r);
    while (!o->even && o->keys && o->keys[n])
        n++;
    r->key_cols = bp_mem_new(n, sizeof *r->key_cols, err);
    r->keys = bp_mem_new(n, sizeof(struct bp_column *), err);
    if (err->code)
        return err->code;
    for (size_t i = 0; i < n; i++)
        BP_TRY(bp_schema_index(schema, o->keys[i], &r->key_cols[i], err));
    r->n_keys = (int)n;
    r->even = o->even;
    r->router = o->router;
    r->copied = o->copied;
    r->parts = n || o->even ? o->parts : 1; /* no keys: one group of rows */
    return open_hot(r, o, err);
}

void bp_route_release(struct bp_route *r)
{
    bp_block_unref(r->hashes);
    bp_mem_free(r->key_cols);
    bp_mem_free(r->keys);
    bp_mem_free(r->hot_bits);
    memset(r, 0, sizeof *r);
}

static void rows_even(struct bp_route *r, int64_t n, uint32_t *part_of)
{
    uint32_t part = (uint32_t)(r->n_even_rows % r->parts);

    for (int64_t i = 0; i < n; i++) {
        part_of[i] = part;
        part = part + 1 == r->parts ? 0 : part + 1;
    }
    r->n_even_rows += (uint64_t)n;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static bool is_hot(const struct bp_route *r, uint64_t hash)
{
    uint64_t bit = hash >> (64 - HOT_BITS);

    return (r->hot_bits[bit / 64] >> bit % 64 & 1) &&
           bsearch(&hash, r->hot, (size_t)r->n_hot, sizeof hash, by_value);
}

/* What was sent where its hash says, sent to each partition in turn, or to all. */
static void spread_hot(struct bp_route *r, const uint64_t *hashes, int64_t n, uint32_t *part_of)
{
    for (int64_t i = 0; i < n; i++)
        if (is_hot(r, hashes[i]))
            part_of[i] = r->copied ? r->parts : (uint32_t)(r->n_even_rows++ % r->parts);
}

static int rows_hash(struct bp_route *r, const struct bp_batch *in, uint32_t *part_of,
                     struct bp_err *err)
{
    uint64_t *hashes;

    BP_TRY(bp_block_grow(&r->hashes, 0, (size_t)in->n_rows * sizeof *hashes, err));
    hashes = (uint64_t *)(void *)r->hashes->data;
    for (int k = 0; k < r->n_keys; k++)
        r->keys[k] = &in->cols[r->key_cols[k]];
    BP_TRY(bp_key_hash(r->keys, r->n_keys, in->n_rows, hashes, err));
    for (int64_t i = 0; i < in->n_rows; i++)
        part_of[i] = bp_key_part(hashes[i], r->parts);
    if (r->n_hot)
        spread_hot(r, hashes, in->n_rows, part_of);
    return 0;
}

int bp_route_rows(struct bp_route *r, const struct bp_batch *in, uint32_t *part_of,
                  struct bp_err *err)
{
    if (r->parts == 1 && !r->copied)
        memset(part_of, 0, (size_t)in->n_rows * sizeof *part_of);
    else if (r->even)
        rows_even(r, in->n_rows, part_of);
    else if (r->router)
        return r->router->route(r->router->self, in, part_of, err);
    else
        return rows_hash(r, in, part_of, err);
    return 0;
}
