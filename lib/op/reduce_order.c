/* SPDX-License-Identifier: Apache-2.0 */
#include "op/reduce_order.h"

#include <string.h>

#include "base/mem.h"
#include "col/key.h"

#define BLOCK 8192 /* groups hashed at a time */
#define DIGIT_BITS 11
#define BUCKETS (1 << DIGIT_BITS)
#define SHORT_RUN 12 /* insertion sort up to here */

struct item {
    uint64_t hash;
    uint32_t id, pad;
};

/* ---- hashing ---- */

static void release_all(struct bp_column *cols, int n)
{
    for (int i = 0; i < n; i++)
        bp_column_release(&cols[i]);
}

static int hash_block(const struct bp_groups *g, int n_keys, struct bp_column *cols,
                      const struct bp_column **ptrs, uint32_t from, int64_t n, struct item *out,
                      struct bp_err *err)
{
    uint32_t ids[BLOCK];
    uint64_t hash[BLOCK];
    int rc = 0;

    for (int64_t i = 0; i < n; i++)
        ids[i] = from + (uint32_t)i;
    for (int k = 0; k < n_keys; k++) {
        BP_GO(bp_groups_column(g, k, ids, n, &cols[k], err));
        ptrs[k] = &cols[k];
    }
    BP_GO(bp_key_hash(ptrs, n_keys, n, hash, err));
    for (int64_t i = 0; i < n; i++)
        out[i] = (struct item){hash[i], ids[i], 0};
out:
    release_all(cols, n_keys);
    return rc;
}

static int hash_groups(const struct bp_groups *g, int n_keys, struct item *out, struct bp_err *err)
{
    struct bp_column *cols = bp_mem_new((size_t)n_keys + 1, sizeof *cols, err);
    const struct bp_column **ptrs = bp_mem_new((size_t)n_keys + 1, sizeof *ptrs, err);
    int64_t count = bp_groups_count(g);
    int rc = cols && ptrs ? 0 : err->code;

    for (int64_t from = 0; from < count && rc == 0; from += BLOCK)
        rc = hash_block(g, n_keys, cols, ptrs, (uint32_t)from, BP_MIN(count - from, BLOCK),
                        out + from, err);
    bp_mem_free(cols);
    bp_mem_free(ptrs);
    return rc;
}

/* ---- sorting ---- */

static void radix_pass(const struct item *from, struct item *to, int64_t n, int shift)
{
    uint32_t at[BUCKETS] = {0}, sum = 0;

    for (int64_t i = 0; i < n; i++)
        at[from[i].hash >> shift & (BUCKETS - 1)]++;
    for (int b = 0; b < BUCKETS; b++) {
        uint32_t c = at[b];

        at[b] = sum;
        sum += c;
    }
    for (int64_t i = 0; i < n; i++)
        to[at[from[i].hash >> shift & (BUCKETS - 1)]++] = from[i];
}

/* By the top bits, as many as leave runs of a few; the result is in *a. */
static int radix_sort(struct item **a, int64_t n, int *sorted_bits, struct bp_err *err)
{
    struct item *b = bp_mem_new((size_t)n + 1, sizeof *b, err), *t;
    int passes = 1;

    if (!b)
        return err->code;
    while (passes < 3 && n >> (passes * DIGIT_BITS) > 2)
        passes++;
    for (int p = passes; p > 0; p--) {
        radix_pass(*a, b, n, 64 - p * DIGIT_BITS);
        t = *a;
        *a = b;
        b = t;
    }
    bp_mem_free(b);
    *sorted_bits = passes * DIGIT_BITS;
    return 0;
}

struct ties {
    const struct bp_groups *g;
    int n_keys;
    struct bp_err *err;
    int rc;
};

/* Equal hashes of different keys: one in 2^64 by chance, any number by intent. */
static int compare_keys(struct ties *t, uint32_t a, uint32_t b)
{
    uint32_t ids[2] = {a, b};
    int d = 0;

    for (int k = 0; k < t->n_keys && !d; k++) {
        struct bp_column c = {0};

        if (t->rc == 0)
            t->rc = bp_groups_column(t->g, k, ids, 2, &c, t->err);
        if (t->rc == 0)
            d = bp_key_compare_bytes(&c, 0, &c, 1);
        bp_column_release(&c);
    }
    return d;
}

static inline bool before(struct ties *t, const struct item *a, const struct item *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash;
    return compare_keys(t, a->id, b->id) < 0;
}

static void insertion_sort(struct ties *t, struct item *v, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        struct item x = v[i];
        int64_t k = i;

        for (; k > 0 && before(t, &x, &v[k - 1]); k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
}

static void sift_down(struct ties *t, struct item *v, int64_t at, int64_t n)
{
    struct item x = v[at];

    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(t, &v[child], &v[child + 1]))
            child++;
        if (!before(t, &x, &v[child]))
            break;
        v[at] = v[child];
    }
    v[at] = x;
}

/* In place; keys are distinct, so it need not be stable. */
static void heap_sort(struct ties *t, struct item *v, int64_t n)
{
    for (int64_t i = n / 2 - 1; i >= 0; i--)
        sift_down(t, v, i, n);
    for (int64_t i = n - 1; i > 0; i--) {
        struct item x = v[0];

        v[0] = v[i];
        v[i] = x;
        sift_down(t, v, 0, i);
    }
}

static void sort_runs(struct ties *t, struct item *v, int64_t n, int sorted_bits)
{
    int shift = 64 - sorted_bits;
    int64_t from = 0;

    for (int64_t i = 1; i <= n; i++) {
        if (i < n && v[i].hash >> shift == v[from].hash >> shift)
            continue;
        if (i - from > SHORT_RUN)
            heap_sort(t, v + from, i - from);
        else if (i - from > 1)
            insertion_sort(t, v + from, i - from);
        from = i;
    }
}

int bp_reduce_order(const struct bp_groups *g, int n_keys, uint32_t **order, struct bp_err *err)
{
    int64_t n = bp_groups_count(g);
    struct item *v = bp_mem_new((size_t)n + 1, sizeof *v, err);
    uint32_t *ids = v ? bp_mem_new((size_t)n + 1, sizeof *ids, err) : NULL;
    struct ties t = {g, n_keys, err, 0};
    int rc = ids ? 0 : err->code, bits = 0;

    *order = NULL;
    if (rc < 0)
        goto out;
    if (n_keys) {
        BP_GO(hash_groups(g, n_keys, v, err));
        BP_GO(radix_sort(&v, n, &bits, err));
        sort_runs(&t, v, n, bits);
        BP_GO(t.rc);
    }
    for (int64_t i = 0; i < n; i++)
        ids[i] = v[i].id;
    *order = ids;
    ids = NULL;
out:
    bp_mem_free(v);
    bp_mem_free(ids);
    return rc;
}
