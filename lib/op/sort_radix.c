/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Radix sort from the top: each step splits by the highest bits in which the words
 * differ at all, about a quarter as many buckets as rows, and goes back and forth
 * between two arrays. What is sorted already costs one look; a few rows are
 * inserted.
 */
#include <string.h>

#include "op/sort_order.h"

#define INSERT_MAX 20
#define DIGIT_MAX 10

/* src[0, n) -> dst in order; dst may be src. */
static void insert_into(const struct bp_sort_rec *src, struct bp_sort_rec *dst, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        struct bp_sort_rec r = src[i];
        int64_t j = i;

        for (; j > 0 && dst[j - 1].word > r.word; j--)
            dst[j] = dst[j - 1];
        dst[j] = r;
    }
}

struct look {
    uint64_t varying; /* bits in which words differ */
    bool sorted;
};

static struct look look_at(const struct bp_sort_rec *r, int64_t n)
{
    struct look l = {.sorted = true};
    uint64_t first = r[0].word, last = first, down = 0;

    for (int64_t i = 1; i < n; i++) {
        l.varying |= r[i].word ^ first;
        down |= r[i].word < last;
        last = r[i].word;
    }
    l.sorted = !down;
    return l;
}

static int digit_bits(int64_t n)
{
    int bits = 63 - __builtin_clzll((uint64_t)n) - 2;

    return bits > DIGIT_MAX ? DIGIT_MAX : bits;
}

/* Sorts src[0, n); the result is in alt if to_alt, else in src. */
static void sort_between(struct bp_sort_rec *src, struct bp_sort_rec *alt, int64_t n, bool to_alt)
{
    uint32_t ends[1 << DIGIT_MAX];
    struct look l;
    int bits, top, low;
    uint64_t mask;
    int64_t at = 0;

    if (n <= INSERT_MAX) {
        insert_into(src, to_alt ? alt : src, n);
        return;
    }
    l = look_at(src, n);
    if (l.sorted) {
        if (to_alt)
            memcpy(alt, src, (size_t)n * sizeof *src);
        return;
    }
    top = 63 - __builtin_clzll(l.varying);
    bits = BP_MIN(digit_bits(n), top + 1);
    low = top + 1 - bits;
    mask = ((uint64_t)1 << bits) - 1;
    memset(ends, 0, sizeof ends[0] << bits);
    for (int64_t i = 0; i < n; i++)
        ends[src[i].word >> low & mask]++;
    for (uint64_t d = 0, sum = 0; d <= mask; d++) {
        uint32_t count = ends[d];

        ends[d] = (uint32_t)sum;
        sum += count;
    }
    for (int64_t i = 0; i < n; i++)
        alt[ends[src[i].word >> low & mask]++] = src[i];
    for (uint64_t d = 0; d <= mask; d++) {
        int64_t count = ends[d] - at;

        if (count)
            sort_between(alt + at, src + at, count, !to_alt);
        at = ends[d];
    }
}

void bp_sort_recs(struct bp_sort_rec *recs, struct bp_sort_rec *tmp, int64_t n)
{
    sort_between(recs, tmp, n, false);
}
