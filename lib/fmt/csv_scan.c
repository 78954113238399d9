/* SPDX-License-Identifier: Apache-2.0 */
/* The portable scan (eight bytes in a word), and the choice among the builds. */
#include "fmt/csv_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "fmt/csv_scan_step.h"

#define ONES 0x0101010101010101u
#define LOW7 0x7f7f7f7f7f7f7f7fu

/* 0x80 in each byte of x that is 0, exactly. */
CSV_INLINE uint64_t zero_bytes(uint64_t x)
{
    return ~(((x & LOW7) + LOW7) | x | LOW7);
}

/* Bit i: byte i of x equals the byte that fills pattern. Little-endian. */
CSV_INLINE uint64_t equal_bits(uint64_t x, uint64_t pattern)
{
    return ((zero_bytes(x ^ pattern) >> 7) * 0x0102040810204080u) >> 56;
}

CSV_INLINE uint64_t prefix_xor(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    x ^= x << 32;
    return x;
}

static void write_index(struct csv_scan *s, uint64_t m, uint32_t at)
{
    uint32_t *out = s->idx + s->n_idx;

    while (m) {
        *out++ = at + (uint32_t)__builtin_ctzll(m);
        m &= m - 1;
    }
    s->n_idx = (size_t)(out - s->idx);
}

static uint64_t load_word(const uint8_t *p)
{
    uint64_t x = bp_load_u64(p);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static void scan_portable(struct csv_scan *s, const uint8_t *p, uint32_t from, uint32_t to)
{
    const uint64_t d = s->delim * ONES, q = s->quote * ONES, lf = '\n' * ONES, cr = '\r' * ONES;
    uint64_t high = 0, nul = 0;

    for (uint32_t at = from; at < to; at += 64) {
        struct csv_masks m = {0};

        for (unsigned w = 0; w < 8; w++) {
            uint64_t x = load_word(p + at + 8 * w);

            high |= x;
            nul |= zero_bytes(x);
            m.delim |= equal_bits(x, d) << (8 * w);
            m.lf |= equal_bits(x, lf) << (8 * w);
            if (zero_bytes(x ^ q) | zero_bytes(x ^ cr)) {
                m.quote |= equal_bits(x, q) << (8 * w);
                m.cr |= equal_bits(x, cr) << (8 * w);
            }
        }
        if (!s->quotes)
            m.quote = 0;
        if (!csv_step_is_plain(s, &m))
            csv_step_quotes(s, &m, prefix_xor(m.quote) ^ s->inside, p[(size_t)at - 1]);
        s->n_lf += __builtin_popcountll(m.lf);
        write_index(s, m.delim | m.lf, at);
    }
    s->saw_high |= (high & ~LOW7) != 0;
    s->saw_nul |= nul != 0;
}

static size_t count_portable(const uint8_t *p, size_t n, uint8_t c)
{
    const uint64_t pattern = c * ONES;
    size_t count = 0, i = 0;

    for (; i + 8 <= n; i += 8)
        count += (size_t)__builtin_popcountll(zero_bytes(bp_load_u64(p + i) ^ pattern));
    for (; i < n; i++)
        count += p[i] == c;
    return count;
}

const struct csv_kernels csv_kernels_portable = {"portable", scan_portable, count_portable, 0};

const struct csv_kernels *csv_kernels_pick(void)
{
    const char *want = getenv("BP_SIMD");
#if defined(__x86_64__)
    bool has512 = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi2") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi2");
    bool has256 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") &&
                  __builtin_cpu_supports("bmi2");

    if (want && strcmp(want, "portable") == 0)
        return &csv_kernels_portable;
    if (has512 && !(want && strcmp(want, "avx2") == 0))
        return &csv_kernels_avx512;
    if (has256)
        return &csv_kernels_avx2;
#endif
    (void)want;
    return &csv_kernels_portable;
}
