/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/hybrid.h"

#include "base/num.h"

struct runs {
    const uint8_t *p, *end;
};

/* One run: of a value, or of packed ones. */
struct run {
    int64_t n;
    bool packed;
    uint32_t value;      /* of a run of one value */
    const uint8_t *bits; /* of packed values */
    int64_t bits_n;      /* that many are really there */
};

int bp_pq_width(uint32_t n)
{
    return n <= 1 ? 0 : 32 - __builtin_clz(n - 1);
}

static int cut_off(struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "its runs end before its values do");
}

static int next_run(struct runs *r, int width, struct run *out, struct bp_err *err)
{
    uint64_t head = 0;
    size_t left, need;
    int shift = 0;

    do {
        if (r->p == r->end || shift > 35)
            return cut_off(err);
        head |= (uint64_t)(*r->p & 0x7f) << shift;
        shift += 7;
    } while (*r->p++ & 0x80);
    left = (size_t)(r->end - r->p);
    out->packed = head & 1;
    if (out->packed) {
        int64_t groups = (int64_t)(head >> 1);

        need = (size_t)groups * (size_t)width;
        out->n = groups * 8;
        out->bits = r->p;
        /* the last group may be cut where its values end */
        out->bits_n = need <= left ? out->n : (int64_t)(left * 8 / (size_t)width);
        r->p += BP_MIN(need, left);
        return 0;
    }
    need = (size_t)(width + 7) / 8;
    if (need > left)
        return cut_off(err);
    out->n = (int64_t)(head >> 1);
    out->value = 0;
    for (size_t i = 0; i < need; i++)
        out->value |= (uint32_t)r->p[i] << (8 * i);
    r->p += need;
    return 0;
}

/* ---- codes ---- */

/* Eight values at a time, since they are whole bytes: with a width that the compiler
 * knows, all shifts are constants. The largest of the values is kept, so that one
 * comparison checks them all. */
static inline __attribute__((always_inline)) uint32_t unpack(const uint8_t *in, const int width,
                                                             int32_t *out, int64_t n)
{
    uint64_t mask = ((uint64_t)1 << width) - 1;
    uint32_t most = 0, v;
    int64_t i = 0;

    for (; i + 8 <= n; i += 8, in += width)
#pragma GCC unroll 8
        for (int k = 0; k < 8; k++) {
            v = (uint32_t)(bp_load_u64(in + k * width / 8) >> (k * width % 8) & mask);
            out[i + k] = (int32_t)v;
            most = BP_MAX(most, v);
        }
    for (int k = 0; i < n; i++, k++) {
        v = (uint32_t)(bp_load_u64(in + k * width / 8) >> (k * width % 8) & mask);
        out[i] = (int32_t)v;
        most = BP_MAX(most, v);
    }
    return most;
}

#define WIDTH(w)                                                                                   \
    case w: return unpack(in, w, out, n)

static uint32_t unpack_codes(const uint8_t *in, int width, int32_t *out, int64_t n)
{
    switch (width) {
        WIDTH(0);
        WIDTH(1);
        WIDTH(2);
        WIDTH(3);
        WIDTH(4);
        WIDTH(5);
        WIDTH(6);
        WIDTH(7);
        WIDTH(8);
        WIDTH(9);
        WIDTH(10);
        WIDTH(11);
        WIDTH(12);
        WIDTH(13);
        WIDTH(14);
        WIDTH(15);
        WIDTH(16);
        WIDTH(17);
        WIDTH(18);
        WIDTH(19);
        WIDTH(20);
    default: return unpack(in, width, out, n);
    }
}

int bp_pq_hybrid_codes(const uint8_t *in, size_t n_bytes, int width, uint32_t below, int32_t *out,
                       int64_t n, struct bp_err *err)
{
    struct runs r = {in, in + n_bytes};
    struct run run;
    uint32_t most = 0;

    if (width < 0 || width > 32)
        return bp_fail(err, BP_EDATA, "its codes claim %d bits", width);
    for (int64_t i = 0; i < n; i += run.n) {
        BP_TRY(next_run(&r, width, &run, err));
        run.n = BP_MIN(run.n, n - i);
        if (run.packed) {
            if (run.n > run.bits_n)
                return cut_off(err);
            most = BP_MAX(most, unpack_codes(run.bits, width, out + i, run.n));
            continue;
        }
        for (int64_t k = 0; k < run.n; k++)
            out[i + k] = (int32_t)run.value;
        most = BP_MAX(most, run.n ? run.value : 0);
    }
    if (n && most >= below)
        return bp_fail(err, BP_EDATA, "it has code %u, but there are only %u values", most, below);
    return 0;
}

/* ---- bits ---- */

int bp_pq_hybrid_bits(const uint8_t *in, size_t n_bytes, uint8_t *out, int64_t out_from, int64_t n,
                      int64_t *n_set, struct bp_err *err)
{
    struct runs r = {in, in + n_bytes};
    struct run run;

    *n_set = 0;
    for (int64_t i = 0; i < n; i += run.n) {
        BP_TRY(next_run(&r, 1, &run, err));
        run.n = BP_MIN(run.n, n - i);
        if (run.packed) {
            if (run.n > run.bits_n)
                return cut_off(err);
            bp_bits_copy(out, out_from + i, run.bits, 0, run.n);
            *n_set += bp_bits_count(run.bits, run.n);
            continue;
        }
        if (run.value > 1 && run.n)
            return bp_fail(err, BP_EDATA, "it has level %u, where 1 is the most", run.value);
        bp_bits_fill(out, out_from + i, run.n, run.value == 1);
        *n_set += run.value ? run.n : 0;
    }
    return 0;
}

int bp_pq_packed_bits(const uint8_t *in, size_t n_bytes, uint8_t *out, int64_t n, int64_t *n_set,
                      struct bp_err *err)
{
    if (n_bytes < bp_bits_bytes(n))
        return cut_off(err);
    *n_set = 0;
    for (int64_t i = 0; i < n; i++) {
        bool v = in[i >> 3] >> (7 - (i & 7)) & 1;

        bp_bit_put(out, i, v);
        *n_set += v;
    }
    return 0;
}

void bp_pq_unpack_bits(const uint8_t *in, int width, uint64_t *out, int64_t n)
{
    uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    size_t bit = 0;

    for (int64_t i = 0; i < n; i++, bit += (size_t)width) {
        const uint8_t *p = in + (bit >> 3);
        unsigned shift = bit & 7;
        uint64_t v = bp_load_u64(p) >> shift;

        if (shift && width > 57) /* it reaches into a ninth byte */
            v |= (uint64_t)p[8] << (64 - shift);
        out[i] = v & mask;
    }
}
