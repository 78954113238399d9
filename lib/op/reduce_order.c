/* SPDX-License-Identifier: Apache-2.0 */
#include "op/reduce_order.h"

#include <string.h>

#include "base/mem.h"
#include "col/key.h"

#define BLOCK 8192 /* groups hashed at a time */
#define DIGIT_BITS 11
#define BUCKETS (1 << DIGIT_BITS)
#define SHORT_RUN 12 /* insertion sort up to here */

/* Twelve bytes, not sixteen: there are two arrays of them. */
struct __attribute__((packed, aligned(4))) item {
    uint64_t hash;
    uint32_t id; /* of ties while they are sorted: the row of their keys */
};

/* ---- hashing ---- */

static void release_all(struct bp_column *cols, int n)
{
    for (int i = 0; i < n; i++)
        bp_column_release(&cols[i]);
}

static int hash_block(const struct bp_groups *g, int n_keys, struct bp_column *cols,
                      const struct bp_column **ptrs, uint32_t from, int64_t n, uint64_t *hash,
                      struct bp_err *err)
{
    uint32_t ids[BLOCK];
    int rc = 0;

    for (int64_t i = 0; i < n; i++)
        ids[i] = from + (uint32_t)i;
    for (int k = 0; k < n_keys; k++) {
        BP_GO(bp_groups_column(g, k, ids, n, &cols[k], err));
        ptrs[k] = &cols[k];
    }
    rc = bp_key_hash(ptrs, n_keys, n, hash, err);
out:
    release_all(cols, n_keys);
    return rc;
}

int bp_reduce_hashes(const struct bp_groups *g, int n_keys, uint64_t *hash, struct bp_err *err)
{
    struct bp_column *cols = bp_mem_new((size_t)n_keys + 1, sizeof *cols, err);
    const struct bp_column **ptrs = cols ? bp_mem_new((size_t)n_keys + 1, sizeof *ptrs, err) : NULL;
    int64_t count = bp_groups_count(g);
    int rc = ptrs ? 0 : err->code;

    for (int64_t from = 0; from < count && rc == 0; from += BLOCK)
        rc = hash_block(g, n_keys, cols, ptrs, (uint32_t)from, BP_MIN(count - from, BLOCK),
                        hash + from, err);
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
    struct item *b = bp_mem_grow(NULL, (size_t)n + 1, sizeof *b, err), *t;
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

/*
 * Sorting a run. The hash alone decides first. Equal hashes of different keys are one
 * in 2^64 by chance, but any number by intent: XXH3 is no secret. The keys of such a
 * run are fetched once, and compared by eight bytes (behind what they all begin with)
 * before they are compared whole.
 */
struct ties {
    struct bp_column *cols; /* the run's keys; NULL: only hashes count */
    int n_keys;
};

static int compare_keys(const struct ties *t, uint32_t a, uint32_t b)
{
    int d = 0;

    for (int k = 0; t->cols && k < t->n_keys && !d; k++)
        d = bp_key_compare_bytes(&t->cols[k], a, &t->cols[k], b);
    return d;
}

static inline bool before(const struct ties *t, const struct item *a, const struct item *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash;
    return compare_keys(t, a->id, b->id) < 0;
}

static void insertion_sort(const struct ties *t, struct item *v, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        struct item x = v[i];
        int64_t k = i;

        for (; k > 0 && before(t, &x, &v[k - 1]); k--)
            v[k] = v[k - 1];
        v[k] = x;
    }
}

static void sift_down(const struct ties *t, struct item *v, int64_t at, int64_t n)
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
static void heap_sort(const struct ties *t, struct item *v, int64_t n)
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

static void sort_items(const struct ties *t, struct item *v, int64_t n)
{
    if (n > SHORT_RUN)
        heap_sort(t, v, n);
    else
        insertion_sort(t, v, n);
}

/* The bytes that keys are compared by behind their class; not of NULL. */
static const uint8_t *key_text(const struct bp_column *c, int64_t row,
                               uint8_t buf[BP_KEY_BYTES_MAX], size_t *n)
{
    if (bp_type_is_bytes(c->type))
        return bp_column_bytes(c, row, n);
    *n = bp_key_bytes(c, row, buf) - 1;
    return buf + 1;
}

/* How many bytes all n values of c begin with; *same: they are that and no more. */
static size_t common_bytes(const struct bp_column *c, int64_t n, bool *same)
{
    uint8_t first_buf[BP_KEY_BYTES_MAX], buf[BP_KEY_BYTES_MAX] = {0};
    const uint8_t *first = NULL, *p;
    size_t first_len = 0, common = SIZE_MAX, len, i;

    *same = true;
    for (int64_t row = 0; row < n; row++) {
        if (bp_column_is_null(c, row))
            continue;
        p = key_text(c, row, buf, &len);
        if (!first) {
            first = memcpy(first_buf, buf, sizeof buf);
            first = bp_type_is_bytes(c->type) ? p : first_buf + 1;
            first_len = common = len;
        }
        for (i = 0; i < len && i < common && p[i] == first[i];)
            i++;
        common = i;
        *same = *same && len == first_len && common == first_len;
    }
    *same = *same && (c->n_nulls == 0 || c->n_nulls == n);
    return common;
}

/* Eight bytes of each key in the place of the hash, in their order; NULL comes first. */
static void put_prefixes(const struct bp_column *c, struct item *v, int64_t n, size_t from)
{
    uint8_t buf[BP_KEY_BYTES_MAX];
    const uint8_t *p;
    size_t len;

    for (int64_t row = 0; row < n; row++) {
        v[row].hash = 0;
        if (bp_column_is_null(c, row))
            continue;
        p = key_text(c, row, buf, &len);
        for (size_t i = 0; i < 8; i++)
            v[row].hash = v[row].hash << 8 | (from + i < len ? p[from + i] : 0);
        v[row].hash = v[row].hash >> 1 | (uint64_t)1 << 63;
    }
}

static int sort_ties(const struct bp_groups *g, int n_keys, struct item *v, int64_t n,
                     struct bp_err *err)
{
    struct ties t = {.n_keys = n_keys};
    uint32_t *ids = bp_mem_new((size_t)n, sizeof *ids, err);
    bool same = true;
    int rc = 0;

    t.cols = ids ? bp_mem_new((size_t)n_keys, sizeof *t.cols, err) : NULL;
    if (!t.cols) {
        rc = err->code;
        goto out;
    }
    for (int64_t i = 0; i < n; i++) {
        ids[i] = v[i].id;
        v[i].id = (uint32_t)i;
    }
    for (int k = 0; k < n_keys; k++)
        BP_GO(bp_groups_column(g, k, ids, n, &t.cols[k], err));
    for (int k = 0; k < n_keys && same; k++) {
        size_t common = common_bytes(&t.cols[k], n, &same);

        if (!same)
            put_prefixes(&t.cols[k], v, n, common);
    }
    sort_items(&t, v, n);
    for (int64_t i = 0; i < n; i++)
        v[i].id = ids[v[i].id];
out:
    if (t.cols)
        release_all(t.cols, n_keys);
    bp_mem_free(t.cols);
    bp_mem_free(ids);
    return rc;
}

/* v[0, n) by hash; then the runs of equal hashes. */
static int sort_run(const struct bp_groups *g, int n_keys, struct item *v, int64_t n,
                    struct bp_err *err)
{
    const struct ties none = {0};
    int64_t from = 0;

    sort_items(&none, v, n);
    for (int64_t i = 1; i <= n; i++) {
        if (i < n && v[i].hash == v[from].hash)
            continue;
        if (i - from > 1)
            BP_TRY(sort_ties(g, n_keys, v + from, i - from, err));
        from = i;
    }
    return 0;
}

static int sort_runs(const struct bp_groups *g, int n_keys, struct item *v, int64_t n,
                     int sorted_bits, struct bp_err *err)
{
    int shift = 64 - sorted_bits;
    int64_t from = 0;

    for (int64_t i = 1; i <= n; i++) {
        if (i < n && v[i].hash >> shift == v[from].hash >> shift)
            continue;
        if (i - from > 1)
            BP_TRY(sort_run(g, n_keys, v + from, i - from, err));
        from = i;
    }
    return 0;
}

/* v, which is taken over, in order. */
static int order_items(const struct bp_groups *g, int n_keys, struct item *v, uint32_t **order,
                       struct bp_err *err)
{
    int64_t n = bp_groups_count(g);
    uint32_t *ids;
    int bits = 0, rc;

    BP_GO(radix_sort(&v, n, &bits, err));
    BP_GO(sort_runs(g, n_keys, v, n, bits, err));
    ids = (uint32_t *)(void *)v; /* into the same memory: before the item that is read */
    for (int64_t i = 0; i < n; i++)
        ids[i] = v[i].id;
    *order = bp_mem_grow(v, (size_t)n + 1, sizeof **order, err);
    if (*order)
        return 0;
    rc = err->code;
out:
    bp_mem_free(v);
    return rc;
}

static struct item *make_items(const uint64_t *hash, int same_bits, int64_t n, struct bp_err *err)
{
    struct item *v = bp_mem_grow(NULL, (size_t)n + 1, sizeof *v, err);

    for (int64_t i = 0; v && i < n; i++)
        v[i] = (struct item){hash[i] << same_bits, (uint32_t)i};
    return v;
}

int bp_reduce_order_hashed(const struct bp_groups *g, int n_keys, const uint64_t *hash,
                           int same_bits, uint32_t **order, struct bp_err *err)
{
    struct item *v = make_items(hash, same_bits, bp_groups_count(g), err);

    *order = NULL;
    return v ? order_items(g, n_keys, v, order, err) : err->code;
}

int bp_reduce_order(const struct bp_groups *g, int n_keys, uint32_t **order, struct bp_err *err)
{
    int64_t n = bp_groups_count(g);
    uint64_t *hash = bp_mem_new((size_t)n + 1, sizeof *hash, err);
    struct item *v = NULL;
    int rc = hash ? 0 : err->code;

    *order = NULL;
    if (rc == 0 && n_keys)
        rc = bp_reduce_hashes(g, n_keys, hash, err);
    if (rc == 0)
        v = make_items(hash, 0, n, err);
    bp_mem_free(hash); /* before the items are sorted, which takes as much again as they do */
    if (rc < 0)
        return rc;
    return v ? order_items(g, n_keys, v, order, err) : err->code;
}
