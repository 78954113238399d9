/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value of up to eight bytes is one word, and with its length all there is to compare;
 * of longer ones the word is a hash, and the bytes are compared where words are equal. The
 * table is open, at most half full, seeded, and small enough for the first-level cache
 * where there are few values, which is the case that is worth it.
 */
#include "col/distinct.h"

#include <string.h>

#include "base/hash.h"
#include "base/num.h"

struct entry {
    uint64_t word;
    uint32_t len;
    int32_t code; /* + 1; 0: free */
};

struct table {
    const int32_t *off;
    const uint8_t *bytes;
    struct entry *entries;
    uint64_t mask, seed;
    int32_t *first;
    int64_t n, max;
};

static const uint8_t kept[16] = {255, 255, 255, 255, 255, 255, 255, 255};

static inline uint64_t word_of(const struct table *t, const uint8_t *p, uint32_t len)
{
    if (len > 8)
        return bp_xxh3_seeded(p, len, t->seed);
    return bp_load_u64(p) & bp_load_u64(kept + 8 - len);
}

/* The code of row i; -1: there is no room for one more. */
static inline int32_t find(struct table *t, int64_t i)
{
    const uint8_t *p = t->bytes + t->off[i];
    uint32_t len = (uint32_t)(t->off[i + 1] - t->off[i]);
    uint64_t word = word_of(t, p, len), at = bp_mix64(word + len, t->seed) & t->mask;
    struct entry *e;

    for (;; at = (at + 1) & t->mask) {
        e = &t->entries[at];
        if (!e->code)
            break;
        if (e->word == word && e->len == len &&
            (len <= 8 || memcmp(p, t->bytes + t->off[t->first[e->code - 1]], len) == 0))
            return e->code - 1;
    }
    if (t->n >= t->max)
        return -1;
    t->first[t->n] = (int32_t)i;
    *e = (struct entry){word, len, (int32_t)++t->n};
    return e->code - 1;
}

static int plain(const struct bp_column *c, struct table *t, int32_t *code, struct bp_err *err)
{
    uint64_t n_entries = 64;
    struct bp_block *b;
    int32_t null_code = -1;
    int rc = 0;

    if (!c->own[2]) /* eight bytes are read where a value may be shorter: blocks have them */
        return BP_DONE;
    while (n_entries < 2 * (uint64_t)t->max)
        n_entries *= 2;
    BP_TRY(bp_block_new(&b, (size_t)n_entries * sizeof *t->entries, err));
    t->entries = (struct entry *)(void *)b->data;
    memset(t->entries, 0, (size_t)n_entries * sizeof *t->entries);
    t->mask = n_entries - 1;
    t->seed = bp_table_seed();
    for (int64_t i = 0; i < c->n_rows && rc == 0; i++) {
        if (!bp_column_is_null(c, i)) {
            code[i] = find(t, i);
        } else if (null_code >= 0 || t->n >= t->max) {
            code[i] = null_code;
        } else {
            t->first[t->n] = (int32_t)i;
            code[i] = null_code = (int32_t)t->n++;
        }
        rc = code[i] < 0 ? BP_DONE : 0;
    }
    bp_block_unref(b);
    return rc;
}

/* A dictionary's codes are numbered anew, for it may have values that no row has. */
static int by_dict(const struct bp_column *c, struct table *t, int32_t *code, struct bp_err *err)
{
    int64_t n_values = c->dict->values.n_rows;
    const int32_t *from = c->data;
    struct bp_block *b;
    int32_t *known; /* [n_values], and NULL's: new code + 1 */
    int rc = 0;

    if (n_values > c->n_rows)
        return BP_DONE;
    BP_TRY(bp_block_new(&b, (size_t)(n_values + 1) * sizeof *known, err));
    known = (int32_t *)(void *)b->data;
    memset(known, 0, (size_t)(n_values + 1) * sizeof *known);
    for (int64_t i = 0; i < c->n_rows && rc == 0; i++) {
        int64_t k = bp_column_is_null(c, i) ? n_values : from[i];

        if (!known[k]) {
            rc = t->n >= t->max ? BP_DONE : 0;
            t->first[t->n] = (int32_t)i;
            known[k] = (int32_t)++t->n;
        }
        code[i] = known[k] - 1;
    }
    bp_block_unref(b);
    return rc;
}

int bp_column_distinct(const struct bp_column *c, int64_t max, int32_t *code, int32_t *first,
                       int64_t *n, struct bp_err *err)
{
    struct table t = {.off = c->data, .bytes = c->bytes, .first = first};
    int rc;

    if (c->type.kind != BP_TEXT || max < 1)
        return BP_DONE;
    t.max = BP_MIN(max, c->n_rows);
    rc = c->dict ? by_dict(c, &t, code, err) : plain(c, &t, code, err);
    *n = t.n;
    return rc;
}
