/* SPDX-License-Identifier: Apache-2.0 */
/* Filling words: a part at a time over a block of rows. */
#include "op/sort_word.h"

#include <string.h>

#include "op/sort_ord.h"

#define STEP 1024

static void add_code(const struct bp_sort_part *p, const struct bp_sort_key *key,
                     const struct bp_column *c, int64_t from, int64_t n, uint64_t *out)
{
    uint64_t ord[STEP];
    uint64_t first = p->has_nulls && key->nulls_first;
    uint64_t null_code = key->nulls_first ? 0 : ((p->max - p->min) >> p->drop) + 1;

    bp_ord64(c, from, n, ord);
    if (key->desc)
        for (int64_t i = 0; i < n; i++)
            ord[i] = ((p->max - ord[i]) >> p->drop) + first;
    else
        for (int64_t i = 0; i < n; i++)
            ord[i] = ((ord[i] - p->min) >> p->drop) + first;
    if (c->n_nulls)
        for (int64_t i = 0; i < n; i++)
            if (bp_column_is_null(c, from + i))
                ord[i] = p->has_nulls ? null_code : 0;
    for (int64_t i = 0; i < n; i++)
        out[i] |= ord[i] << p->shift;
}

static void add_null(const struct bp_sort_part *p, const struct bp_sort_key *key,
                     const struct bp_column *c, int64_t from, int64_t n, uint64_t *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] |= (uint64_t)(bp_column_is_null(c, from + i) != key->nulls_first) << p->shift;
}

static void add_half(const struct bp_sort_part *p, const struct bp_sort_key *key,
                     const struct bp_column *c, int64_t from, int64_t n, uint64_t *out)
{
    bp_uint128 ord[STEP];

    bp_ord128(c, from, n, ord);
    for (int64_t i = 0; i < n; i++) {
        bp_uint128 v = key->desc ? ~ord[i] : ord[i];

        if (!bp_column_is_null(c, from + i))
            out[i] |= (uint64_t)(p->kind == BP_PART_HIGH ? v >> 64 : v); /* shift is 0 */
    }
}

/* The first 8 bytes of s[0, len), zeroes behind; padded says that 8 can be read. */
static inline uint64_t load_prefix(const uint8_t *s, size_t len, bool padded)
{
    uint64_t v = 0;

    if (len == 0)
        return 0;
    if (len >= 8 || padded) {
        memcpy(&v, s, 8);
        v = __builtin_bswap64(v);
        return len >= 8 ? v : v & ~(UINT64_MAX >> (8 * len));
    }
    for (size_t i = 0; i < len; i++)
        v |= (uint64_t)s[i] << (56 - 8 * i);
    return v;
}

static void add_bytes(const struct bp_sort_part *p, const struct bp_sort_key *key,
                      const struct bp_column *c, int64_t from, int64_t n, uint64_t *out)
{
    uint64_t mask = p->n_bytes == 8 ? UINT64_MAX : (((uint64_t)1 << (8 * p->n_bytes)) - 1);
    uint64_t flip = key->desc ? mask : 0;
    bool padded = (c->dict ? c->dict->values.own[2] : c->own[2]) != NULL;
    int down = 64 - 8 * (int)p->n_bytes;

    for (int64_t i = 0; i < n; i++) {
        size_t len;
        const uint8_t *s;
        uint64_t v = 0;

        if (bp_column_is_null(c, from + i))
            continue;
        s = bp_column_bytes(c, from + i, &len);
        if (len > p->offset)
            v = load_prefix(s + p->offset, len - p->offset, padded) >> down;
        out[i] |= (v ^ flip) << p->shift;
    }
}

static void add_length(const struct bp_sort_part *p, const struct bp_sort_key *key,
                       const struct bp_column *c, int64_t from, int64_t n, uint64_t *out)
{
    uint64_t flip = key->desc ? ((uint64_t)1 << p->bits) - 1 : 0;

    for (int64_t i = 0; i < n; i++) {
        size_t len;

        if (bp_column_is_null(c, from + i))
            continue;
        (void)bp_column_bytes(c, from + i, &len);
        out[i] |= (len ^ flip) << p->shift;
    }
}

static void add_part(const struct bp_sort_part *p, const struct bp_sort_key *key,
                     const struct bp_column *c, int64_t from, int64_t n, uint64_t *out)
{
    switch (p->kind) {
    case BP_PART_CODE: add_code(p, key, c, from, n, out); break;
    case BP_PART_NULL: add_null(p, key, c, from, n, out); break;
    case BP_PART_HIGH:
    case BP_PART_LOW: add_half(p, key, c, from, n, out); break;
    case BP_PART_BYTES: add_bytes(p, key, c, from, n, out); break;
    case BP_PART_LENGTH: add_length(p, key, c, from, n, out); break;
    }
}

void bp_sort_words(const struct bp_sort_plan *p, int w, const struct bp_column *const key_cols[],
                   int64_t from, int64_t n, uint64_t *out)
{
    memset(out, 0, (size_t)n * sizeof *out);
    for (int64_t at = 0; at < n; at += STEP) {
        int64_t step = BP_MIN(n - at, STEP);

        for (int i = p->words[w].part_from; i < p->words[w].part_to; i++) {
            const struct bp_sort_part *part = &p->parts[i];

            add_part(part, &p->keys->keys[part->key], key_cols[part->key], from + at, step,
                     out + at);
        }
    }
}
