/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of open addressing over the documented hash, mixed with a seed of this
 * process. A key is kept as the canonical bytes of its columns, each with its length
 * in front, so that comparing is a memcmp. Rows that repeat the key of the row before
 * them are compared with that one first.
 */
#include "stage/key_ids.h"

#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "col/key.h"

struct key {
    uint64_t hash;
    size_t at, n; /* in bytes */
};

struct bp_key_ids {
    int n_cols;
    struct key *keys;
    uint32_t n_keys, cap_keys;
    uint32_t *slots; /* number + 1; 0: free */
    uint32_t n_slots;
    uint64_t seed;
    struct bp_buf bytes, row; /* of all keys; of the row at hand */
    struct bp_block *hashes;
};

int bp_key_ids_open(struct bp_key_ids **out, int n_cols, struct bp_err *err)
{
    struct bp_key_ids *k = bp_mem_new(1, sizeof *k, err);

    if (!k)
        return err->code;
    k->n_cols = n_cols;
    k->seed = bp_table_seed();
    *out = k;
    return 0;
}

void bp_key_ids_free(struct bp_key_ids *k)
{
    if (!k)
        return;
    bp_mem_free(k->keys);
    bp_mem_free(k->slots);
    bp_buf_release(&k->bytes);
    bp_buf_release(&k->row);
    bp_block_unref(k->hashes);
    bp_mem_free(k);
}

uint32_t bp_key_ids_count(const struct bp_key_ids *k)
{
    return k->n_keys;
}

int64_t bp_key_ids_bytes(const struct bp_key_ids *k)
{
    return (int64_t)(k->cap_keys * sizeof *k->keys + k->n_slots * sizeof *k->slots + k->bytes.cap);
}

/* The canonical bytes of a row, in k->row. */
static int take_row(struct bp_key_ids *k, const struct bp_column *const cols[], int64_t i,
                    struct bp_err *err)
{
    k->row.len = 0;
    for (int c = 0; c < k->n_cols; c++) {
        uint8_t small[BP_KEY_BYTES_MAX];
        const uint8_t *p = small;
        size_t n;
        uint64_t head; /* length + 1; 0: NULL */

        if (bp_column_is_null(cols[c], i)) {
            n = 0;
            head = 0;
        } else if (bp_type_is_bytes(cols[c]->type)) {
            p = bp_column_bytes(cols[c], i, &n);
            head = n + 1;
        } else {
            n = bp_key_bytes(cols[c], i, small);
            head = n + 1;
        }
        BP_TRY(bp_buf_append(&k->row, &head, sizeof head, err));
        BP_TRY(bp_buf_append(&k->row, p, n, err));
    }
    return 0;
}

static bool is_key(const struct bp_key_ids *k, uint32_t id, uint64_t hash)
{
    const struct key *x = &k->keys[id];

    return x->hash == hash && x->n == k->row.len &&
           memcmp(k->bytes.data + x->at, k->row.data, x->n) == 0;
}

static void enter(struct bp_key_ids *k, uint32_t id)
{
    uint32_t mask = k->n_slots - 1;
    uint32_t at = (uint32_t)bp_mix64(k->keys[id].hash, k->seed) & mask;

    while (k->slots[at])
        at = (at + 1) & mask;
    k->slots[at] = id + 1;
}

static int grow(struct bp_key_ids *k, struct bp_err *err)
{
    uint32_t cap = k->cap_keys ? k->cap_keys * 2 : 64, *slots;
    struct key *keys;

    if (k->n_keys < k->cap_keys)
        return 0;
    if (cap > UINT32_C(1) << 30)
        return bp_fail(err, BP_EDATA, "more than %u distinct keys", k->n_keys);
    keys = bp_mem_grow(k->keys, cap, sizeof *keys, err);
    if (!keys)
        return err->code;
    k->keys = keys;
    slots = bp_mem_new((size_t)cap * 2, sizeof *slots, err);
    if (!slots)
        return err->code;
    bp_mem_free(k->slots);
    k->slots = slots;
    k->n_slots = cap * 2;
    k->cap_keys = cap;
    for (uint32_t i = 0; i < k->n_keys; i++)
        enter(k, i);
    return 0;
}

static int find(struct bp_key_ids *k, uint64_t hash, uint32_t *id, struct bp_err *err)
{
    uint32_t mask, at;

    BP_TRY(grow(k, err));
    mask = k->n_slots - 1;
    for (at = (uint32_t)bp_mix64(hash, k->seed) & mask; k->slots[at]; at = (at + 1) & mask)
        if (is_key(k, k->slots[at] - 1, hash)) {
            *id = k->slots[at] - 1;
            return 0;
        }
    k->keys[k->n_keys] = (struct key){hash, k->bytes.len, k->row.len};
    BP_TRY(bp_buf_append(&k->bytes, k->row.data, k->row.len, err));
    *id = k->n_keys++;
    k->slots[at] = *id + 1;
    return 0;
}

int bp_key_ids_get(struct bp_key_ids *k, const struct bp_column *const cols[], int64_t n_rows,
                   uint32_t *ids, struct bp_err *err)
{
    uint64_t *hashes;

    if (!n_rows)
        return 0;
    BP_TRY(bp_block_grow(&k->hashes, 0, (size_t)n_rows * sizeof *hashes, err));
    hashes = (uint64_t *)(void *)k->hashes->data;
    BP_TRY(bp_key_hash(cols, k->n_cols, n_rows, hashes, err));
    for (int64_t i = 0; i < n_rows; i++) {
        BP_TRY(take_row(k, cols, i, err));
        if (i && is_key(k, ids[i - 1], hashes[i]))
            ids[i] = ids[i - 1];
        else
            BP_TRY(find(k, hashes[i], &ids[i], err));
    }
    return 0;
}
