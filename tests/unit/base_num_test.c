/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "unit.h"

static uint32_t state = 1;
static uint32_t rnd(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static void bits_copy_equals_bit_by_bit(void)
{
    uint8_t src[64], dst[64], want[64];

    for (int round = 0; round < 20000; round++) {
        int64_t n = rnd() % 200, a = rnd() % 100, b = rnd() % 100;

        for (size_t i = 0; i < sizeof src; i++) {
            src[i] = (uint8_t)rnd();
            dst[i] = want[i] = (uint8_t)rnd();
        }
        for (int64_t i = 0; i < n; i++)
            bp_bit_put(want, b + i, bp_bit_get(src, a + i));
        bp_bits_copy(dst, b, src, a, n);
        NEED(memcmp(dst, want, sizeof dst) == 0);
    }
}

static void bits_fill_touches_only_its_range(void)
{
    uint8_t dst[32], want[32];

    for (int round = 0; round < 5000; round++) {
        int64_t from = rnd() % 100, n = rnd() % 120;
        bool v = rnd() % 2;

        for (size_t i = 0; i < sizeof dst; i++)
            dst[i] = want[i] = (uint8_t)rnd();
        for (int64_t i = 0; i < n; i++)
            bp_bit_put(want, from + i, v);
        bp_bits_fill(dst, from, n, v);
        NEED(memcmp(dst, want, sizeof dst) == 0);
    }
}

static void bits_count_counts(void)
{
    uint8_t b[40] = {0};
    int64_t want = 0;

    for (int i = 0; i < 300; i += 7) {
        bp_bit_set(b, i);
        want++;
    }
    CHECK(bp_bits_count(b, 300) == want);
    CHECK(bp_bits_count(b, 0) == 0);
    CHECK(bp_bits_count(b, 1) == 1);
    CHECK(bp_bits_count(b, 65) == 10);
}

UNIT_MAIN(T(bits_copy_equals_bit_by_bit), T(bits_fill_touches_only_its_range), T(bits_count_counts))
