/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values are taken in groups of eight, since packed runs are whole groups. A group whose
 * values are equal, and followed by more of the same, begins a run; else it joins the
 * packed run at hand.
 */
#include "fmt/parquet/hybrid_write.h"

#include "base/num.h"

#define GROUP 8
#define PACKED_MAX_GROUPS 2048 /* its head is then two bytes */

static int put_varint(struct bp_buf *out, uint64_t v, struct bp_err *err)
{
    uint8_t b[10];
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        b[n++] = (uint8_t)(v | 0x80);
    b[n++] = (uint8_t)v;
    return bp_buf_append(out, b, n, err);
}

static int put_run(struct bp_buf *out, uint32_t value, int64_t n, int width, struct bp_err *err)
{
    uint8_t b[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                    (uint8_t)(value >> 24)};

    BP_TRY(put_varint(out, (uint64_t)n << 1, err));
    return bp_buf_append(out, b, (size_t)(width + 7) / 8, err);
}

/* The last group may have fewer than eight: the rest are zeros. */
static int put_packed(struct bp_buf *out, const int32_t *codes, int64_t n, int width,
                      struct bp_err *err)
{
    int64_t n_groups = (n + GROUP - 1) / GROUP;
    size_t n_bytes = (size_t)n_groups * (size_t)width;
    uint64_t word = 0;
    int filled = 0;
    uint8_t *p;

    BP_TRY(put_varint(out, (uint64_t)n_groups << 1 | 1, err));
    BP_TRY(bp_buf_reserve(out, n_bytes + 8, err));
    p = out->data + out->len;
    memset(p + n_bytes - BP_MIN(n_bytes, (size_t)width), 0, BP_MIN(n_bytes, (size_t)width));
    for (int64_t i = 0; i < n; i++) {
        word |= (uint64_t)(uint32_t)codes[i] << filled;
        filled += width;
        for (; filled >= 8; filled -= 8, word >>= 8)
            *p++ = (uint8_t)word;
    }
    if (filled)
        *p = (uint8_t)word;
    out->len += n_bytes;
    return 0;
}

static int64_t run_length(const int32_t *codes, int64_t n)
{
    int64_t i = 1;

    while (i < n && codes[i] == codes[0])
        i++;
    return i;
}

int bp_pq_put_codes(struct bp_buf *out, const int32_t *codes, int64_t n, int width,
                    struct bp_err *err)
{
    int64_t from = 0, i = 0; /* [from, i) wait to be packed: whole groups */

    while (i < n) {
        int64_t run = run_length(codes + i, n - i);

        if (run >= GROUP || run == n - i) {
            if (i > from)
                BP_TRY(put_packed(out, codes + from, i - from, width, err));
            BP_TRY(put_run(out, (uint32_t)codes[i], run, width, err));
            i += run;
            from = i;
            continue;
        }
        i = BP_MIN(i + GROUP, n);
        if (i - from == PACKED_MAX_GROUPS * GROUP || i == n) {
            BP_TRY(put_packed(out, codes + from, i - from, width, err));
            from = i;
        }
    }
    return 0;
}

int bp_pq_put_bits(struct bp_buf *out, const uint8_t *bits, int64_t n, struct bp_err *err)
{
    if (!bits)
        return put_run(out, 1, n, 1, err);
    for (int64_t from = 0; from < n; from += PACKED_MAX_GROUPS * GROUP) {
        int64_t some = BP_MIN(n - from, PACKED_MAX_GROUPS * GROUP);
        size_t n_bytes = bp_bits_bytes(some);

        BP_TRY(put_varint(out, (uint64_t)n_bytes << 1 | 1, err));
        BP_TRY(bp_buf_append(out, bits + from / 8, n_bytes, err));
        if (some % 8) /* what lies behind the last bit is not ours */
            out->data[out->len - 1] &= (uint8_t)((1u << some % 8) - 1);
    }
    return 0;
}
