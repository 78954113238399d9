/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/levels.h"

#include <string.h>

#include "fmt/parquet/hybrid.h"

void bp_pq_levels_release(struct bp_pq_levels *l)
{
    bp_block_unref(l->own);
    *l = (struct bp_pq_levels){0};
}

/* The older BIT_PACKED: most significant bit first, no runs. */
static int read_packed(const uint8_t *in, size_t n_bytes, int max, uint8_t *out, int64_t n,
                       struct bp_err *err)
{
    int width = bp_pq_width((uint32_t)max + 1);
    int64_t bit = 0;

    if (n_bytes < ((size_t)n * (size_t)width + 7) / 8)
        return bp_fail(err, BP_EDATA, "its levels are cut off");
    for (int64_t i = 0; i < n; i++) {
        int v = 0;

        for (int k = 0; k < width; k++, bit++)
            v = v << 1 | (in[bit >> 3] >> (7 - (bit & 7)) & 1);
        if (v > max)
            return bp_fail(err, BP_EDATA, "it has level %d, where %d is the most", v, max);
        out[i] = (uint8_t)v;
    }
    return 0;
}

static int read_some(const uint8_t *in, size_t n_bytes, bool packed, int max, uint8_t *out,
                     int64_t n, struct bp_buf *scratch, struct bp_err *err)
{
    const int32_t *codes;

    if (max == 0) {
        memset(out, 0, (size_t)n);
        return 0;
    }
    if (packed)
        return read_packed(in, n_bytes, max, out, n, err);
    scratch->len = 0;
    BP_TRY(bp_buf_reserve(scratch, (size_t)n * sizeof *codes + BP_BLOCK_PAD_BYTES, err));
    codes = (const int32_t *)(const void *)scratch->data;
    if (bp_pq_hybrid_codes(in, n_bytes, bp_pq_width((uint32_t)max + 1), (uint32_t)max + 1,
                           (int32_t *)(void *)scratch->data, n, err) < 0)
        return bp_err_prefix(err, "its levels");
    for (int64_t i = 0; i < n; i++)
        out[i] = (uint8_t)codes[i];
    return 0;
}

int bp_pq_levels_read(const struct bp_pq_column *c, const struct bp_pq_page *page,
                      struct bp_buf *scratch, struct bp_pq_levels *out, struct bp_err *err)
{
    int64_t n = page->n_values;
    bool has_rep = c->max_rep > 0;
    uint8_t *def;
    int rc;

    *out = (struct bp_pq_levels){.n = n};
    BP_TRY(bp_block_new(&out->own, (size_t)n * (has_rep ? 2 : 1), err));
    def = out->own->data;
    out->def = def;
    BP_GO(read_some(page->def, page->def_bytes,
                    !page->is_v2 && page->def_encoding == BP_PQ_BIT_PACKED, c->max_def, def, n,
                    scratch, err));
    if (has_rep) {
        out->rep = def + n;
        BP_GO(read_some(page->rep, page->rep_bytes,
                        !page->is_v2 && page->rep_encoding == BP_PQ_BIT_PACKED, c->max_rep, def + n,
                        n, scratch, err));
    }
    return 0;
out:
    bp_pq_levels_release(out);
    return rc;
}

int64_t bp_pq_levels_count(const uint8_t *levels, int64_t n, int least)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += levels[i] >= least;
    return sum;
}

int64_t bp_pq_levels_rows(const struct bp_pq_levels *l, int64_t from, int64_t to)
{
    return l->rep ? to - from - bp_pq_levels_count(l->rep + from, to - from, 1) : to - from;
}

int64_t bp_pq_levels_row(const struct bp_pq_levels *l, int64_t from, int64_t n)
{
    if (!l->rep)
        return BP_MIN(from + n, l->n);
    for (; from < l->n; from++)
        if (l->rep[from] == 0 && n-- == 0)
            return from;
    return l->n;
}
