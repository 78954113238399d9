/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/values.h"

#include <string.h>

#include "fmt/parquet/delta.h"
#include "fmt/parquet/hybrid.h"

int bp_pq_texts_reserve(struct bp_pq_texts *t, int64_t n, size_t n_bytes, struct bp_err *err)
{
    size_t offsets = (size_t)(n + 1) * sizeof(int32_t);

    if (!t->offsets)
        BP_TRY(bp_block_new(&t->offsets, offsets, err));
    return t->bytes ? bp_block_grow(&t->bytes, t->bytes->cap_bytes, n_bytes, err)
                    : bp_block_new(&t->bytes, n_bytes, err);
}

void bp_pq_texts_release(struct bp_pq_texts *t)
{
    bp_block_unref(t->offsets);
    bp_block_unref(t->bytes);
    *t = (struct bp_pq_texts){0};
}

int bp_pq_values_room(const struct bp_pq_page *page, int64_t n, int64_t width, struct bp_err *err)
{
    int64_t bytes;

    if (!page->most_bytes)
        return 0;
    if (!__builtin_mul_overflow(n, width, &bytes) && bytes <= page->most_bytes)
        return 0;
    return bp_fail(err, BP_EDATA,
                   "%lld values of %lld bytes are more than is read at once under this --mem "
                   "(%lld bytes)",
                   (long long)n, (long long)width, (long long)page->most_bytes);
}

static int short_page(int64_t n, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "it ends before its %lld values do", (long long)n);
}

static int no_encoding(const struct bp_pq_page *page, const char *what, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "encoding %d is not defined for %s", (int)page->encoding, what);
}

/* ---- fixed widths ---- */

/* Byte k of every value, then byte k + 1 of every value (Encodings.md 9). */
static int split(const struct bp_pq_page *page, size_t width, int64_t n, uint8_t *out,
                 struct bp_err *err)
{
    const uint8_t *in = page->values;

    if (page->values_bytes != (size_t)n * width)
        return short_page(n, err);
    for (size_t k = 0; k < width; k++, in += n)
        for (int64_t i = 0; i < n; i++)
            out[(size_t)i * width + k] = in[i];
    return 0;
}

/* Values of one width that were written as texts with shared prefixes. */
static int fixed_texts(const struct bp_pq_page *page, size_t width, int64_t n, uint8_t *out,
                       struct bp_err *err)
{
    struct bp_pq_texts t = {0};
    int rc;

    BP_GO(bp_pq_delta_texts(page, &t, n, err));
    for (int64_t i = 0; i <= n; i++)
        if (bp_pq_offsets(&t)[i] != i * (int64_t)width) {
            rc = bp_fail(err, BP_EDATA, "a value has not the column's %zu bytes", width);
            goto out;
        }
    memcpy(out, t.bytes->data, (size_t)n * width);
out:
    bp_pq_texts_release(&t);
    return rc;
}

int bp_pq_values_fixed(const struct bp_pq_column *column, const struct bp_pq_page *page, int64_t n,
                       uint8_t *out, struct bp_err *err)
{
    size_t width = (size_t)column->fixed_bytes, used;
    bool is_int = column->physical == BP_PQ_INT32 || column->physical == BP_PQ_INT64;

    switch (page->encoding) {
    case BP_PQ_PLAIN:
        if (page->values_bytes / width < (size_t)n)
            return short_page(n, err);
        memcpy(out, page->values, (size_t)n * width);
        return 0;
    case BP_PQ_BYTE_SPLIT: return split(page, width, n, out, err);
    case BP_PQ_DELTA_BINARY:
        if (!is_int)
            return no_encoding(page, "this type", err);
        return bp_pq_delta_ints(page->values, page->values_bytes, (int)width, out, n, &used, err);
    case BP_PQ_DELTA_BYTES:
        if (column->physical != BP_PQ_FIXED)
            return no_encoding(page, "numbers", err);
        return fixed_texts(page, width, n, out, err);
    default: return no_encoding(page, "values of one width", err);
    }
}

/* ---- booleans ---- */

int bp_pq_values_bits(const struct bp_pq_page *page, int64_t n, uint8_t *out, struct bp_err *err)
{
    int64_t n_set;

    if (page->encoding == BP_PQ_PLAIN) {
        if (page->values_bytes < bp_bits_bytes(n))
            return short_page(n, err);
        bp_bits_copy(out, 0, page->values, 0, n);
        return 0;
    }
    if (page->encoding != BP_PQ_RLE)
        return no_encoding(page, "booleans", err);
    if (page->values_bytes < 4 || bp_load_u32(page->values) > page->values_bytes - 4)
        return short_page(n, err);
    return bp_pq_hybrid_bits(page->values + 4, bp_load_u32(page->values), out, 0, n, &n_set, err);
}

/* ---- texts ---- */

/* A length of four bytes in front of each. */
static int plain_texts(const struct bp_pq_page *page, int64_t n, struct bp_pq_texts *out,
                       struct bp_err *err)
{
    const uint8_t *p = page->values, *end = p + page->values_bytes;
    size_t room = page->values_bytes - BP_MIN(page->values_bytes, (size_t)n * 4), at = 0;
    int32_t *offsets;

    BP_TRY(bp_pq_texts_reserve(out, n, room, err));
    offsets = bp_pq_offsets(out);
    for (int64_t i = 0; i < n; i++) {
        size_t len;

        if (end - p < 4)
            return short_page(n, err);
        len = bp_load_u32(p);
        p += 4;
        if (len > (size_t)(end - p) || len > room - at)
            return short_page(n, err);
        offsets[i] = (int32_t)at;
        memcpy(out->bytes->data + at, p, len);
        at += len;
        p += len;
    }
    offsets[n] = (int32_t)at;
    return 0;
}

int bp_pq_values_texts(const struct bp_pq_page *page, int64_t n, struct bp_pq_texts *out,
                       struct bp_err *err)
{
    switch (page->encoding) {
    case BP_PQ_PLAIN: return plain_texts(page, n, out, err);
    case BP_PQ_DELTA_LENGTH:
        return bp_pq_delta_lengths(page->values, page->values_bytes, out, n, err);
    case BP_PQ_DELTA_BYTES: return bp_pq_delta_texts(page, out, n, err);
    default: return no_encoding(page, "texts", err);
    }
}
