/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/delta.h"

#include <string.h>

#include "base/mem.h"
#include "fmt/parquet/hybrid.h"

#define MINI_MAX 65536 /* values of a miniblock; writers use 32 or 64 */
#define MINIS_MAX 512  /* of a block; writers use 4 */

struct bytes {
    const uint8_t *p, *end;
    bool bad;
};

static uint64_t varint(struct bytes *b)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 64; shift += 7) {
        if (b->p == b->end)
            break;
        v |= (uint64_t)(*b->p & 0x7f) << shift;
        if (!(*b->p++ & 0x80))
            return v;
    }
    b->bad = true;
    return 0;
}

static uint64_t zigzag(struct bytes *b)
{
    uint64_t v = varint(b);

    return (v >> 1) ^ -(v & 1);
}

static int damaged(struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "its deltas are damaged or cut off");
}

/* ---- integers ---- */

struct deltas {
    struct bytes in;
    int64_t per_mini;
    int n_minis;
    uint64_t last; /* the value before; sums wrap, as the specification wants */
    int width_bytes;
    uint8_t *out;
};

static inline void put(struct deltas *d, int64_t i, uint64_t v)
{
    if (d->width_bytes == 4)
        ((int32_t *)(void *)d->out)[i] = (int32_t)v;
    else
        ((int64_t *)(void *)d->out)[i] = (int64_t)v;
}

static int mini(struct deltas *d, int width, uint64_t least, int64_t at, int64_t n,
                struct bp_err *err)
{
    size_t need = (size_t)d->per_mini * (size_t)width / 8, left = (size_t)(d->in.end - d->in.p);
    size_t used = ((size_t)n * (size_t)width + 7) / 8;
    uint64_t deltas[64];

    if (width > 64 || used > left)
        return damaged(err);
    for (int64_t i = 0; i < n; i += 64) {
        int64_t some = BP_MIN(64, n - i);

        bp_pq_unpack_bits(d->in.p + (size_t)i * (size_t)width / 8, width, deltas, some);
        for (int64_t k = 0; k < some; k++) {
            d->last += least + deltas[k];
            put(d, at + i + k, d->last);
        }
    }
    d->in.p += BP_MIN(need, left); /* the last one may be cut where its values end */
    return 0;
}

static int block(struct deltas *d, int64_t *at, int64_t n, struct bp_err *err)
{
    uint64_t least = zigzag(&d->in);
    const uint8_t *widths = d->in.p;

    if (d->in.bad || d->in.end - d->in.p < d->n_minis)
        return damaged(err);
    d->in.p += d->n_minis;
    for (int m = 0; m < d->n_minis && *at < n; m++) {
        int64_t some = BP_MIN(d->per_mini, n - *at);

        BP_TRY(mini(d, widths[m], least, *at, some, err));
        *at += some;
    }
    return 0;
}

int bp_pq_delta_ints(const uint8_t *in, size_t n_bytes, int width_bytes, void *out, int64_t n,
                     size_t *used, struct bp_err *err)
{
    struct deltas d = {.in = {in, in + n_bytes, false}, .width_bytes = width_bytes, .out = out};
    uint64_t per_block = varint(&d.in), n_minis = varint(&d.in), total = varint(&d.in);
    int64_t at = 0;

    d.last = zigzag(&d.in);
    if (d.in.bad || n_minis == 0 || n_minis > MINIS_MAX || per_block % n_minis ||
        per_block / n_minis % 8 || per_block / n_minis > MINI_MAX || per_block == 0)
        return damaged(err);
    if (total != (uint64_t)n)
        return bp_fail(err, BP_EDATA, "it has %llu deltas for %lld values",
                       (unsigned long long)total, (long long)n);
    d.n_minis = (int)n_minis;
    d.per_mini = (int64_t)(per_block / n_minis);
    if (n)
        put(&d, at++, d.last);
    while (at < n)
        BP_TRY(block(&d, &at, n, err));
    *used = (size_t)(d.in.p - in);
    return 0;
}

/* ---- texts ---- */

/* lengths[0, n) -> offsets[0, n]; none may be negative, nor their sum more than 2^31. */
static int to_offsets(int32_t *offsets, int64_t n, size_t *total, struct bp_err *err)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++) {
        int32_t len = offsets[i];

        if (len < 0 || sum + len > INT32_MAX)
            return damaged(err);
        offsets[i] = (int32_t)sum;
        sum += len;
    }
    offsets[n] = (int32_t)sum;
    *total = (size_t)sum;
    return 0;
}

int bp_pq_delta_lengths(const uint8_t *in, size_t n_bytes, struct bp_pq_texts *out, int64_t n,
                        struct bp_err *err)
{
    size_t used, total = 0;

    BP_TRY(bp_pq_texts_reserve(out, n, 0, err));
    BP_TRY(bp_pq_delta_ints(in, n_bytes, 4, bp_pq_offsets(out), n, &used, err));
    BP_TRY(to_offsets(bp_pq_offsets(out), n, &total, err));
    if (total > n_bytes - used)
        return damaged(err);
    BP_TRY(bp_pq_texts_reserve(out, n, total, err));
    memcpy(out->bytes->data, in + used, total);
    return 0;
}

/* What a value shares with the one before, and what it adds. */
static int join_parts(const struct bp_pq_page *page, const int32_t *prefixes,
                      const int32_t *suffixes, size_t used, struct bp_pq_texts *out, int64_t n,
                      struct bp_err *err)
{
    const uint8_t *p = page->values + used;
    size_t left = page->values_bytes - used;
    int32_t *offsets;
    int64_t sum = 0, last = 0;

    for (int64_t i = 0; i < n; i++) {
        if (prefixes[i] < 0 || suffixes[i] < 0 || prefixes[i] > last || suffixes[i] > (int64_t)left)
            return damaged(err);
        left -= (size_t)suffixes[i];
        last = (int64_t)prefixes[i] + suffixes[i];
        sum += last;
        if (sum > INT32_MAX)
            return bp_fail(err, BP_EDATA, "its texts have more than 2 GiB");
    }
    BP_TRY(bp_pq_values_room(page, sum, 1, err));
    BP_TRY(bp_pq_texts_reserve(out, n, (size_t)sum, err));
    offsets = bp_pq_offsets(out);
    sum = 0;
    for (int64_t i = 0; i < n; i++) {
        uint8_t *to = out->bytes->data + sum;

        if (prefixes[i])
            memcpy(to, out->bytes->data + offsets[i - 1], (size_t)prefixes[i]);
        memcpy(to + prefixes[i], p, (size_t)suffixes[i]);
        p += suffixes[i];
        offsets[i] = (int32_t)sum;
        sum += prefixes[i] + suffixes[i];
    }
    offsets[n] = (int32_t)sum;
    return 0;
}

int bp_pq_delta_texts(const struct bp_pq_page *page, struct bp_pq_texts *out, int64_t n,
                      struct bp_err *err)
{
    const uint8_t *in = page->values;
    size_t n_bytes = page->values_bytes;
    int32_t *lengths = bp_mem_new((size_t)n * 2 + 1, sizeof *lengths, err);
    size_t used = 0, more = 0;
    int rc;

    if (!lengths)
        return err->code;
    BP_GO(bp_pq_texts_reserve(out, n, 0, err));
    BP_GO(bp_pq_delta_ints(in, n_bytes, 4, lengths, n, &used, err));
    BP_GO(bp_pq_delta_ints(in + used, n_bytes - used, 4, lengths + n, n, &more, err));
    used += more;
    rc = join_parts(page, lengths, lengths + n, used, out, n, err);
out:
    bp_mem_free(lengths);
    return rc;
}
