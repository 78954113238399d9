/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "col/narrow.h"
#include "unit.h"

#define N 6

/* Six values and the width they need. */
struct need {
    struct bp_type type;
    bp_int128 vals[N];
    size_t width;
};

static const struct need needs[] = {
    {BP_TYPE(BP_INT8), {-128, 127, 0, 1, -1, 5}, 1},
    {BP_TYPE(BP_INT16), {-128, 127, 0, 1, -1, 5}, 1},
    {BP_TYPE(BP_INT16), {-129, 0, 0, 0, 0, 0}, 2},
    {BP_TYPE(BP_INT32), {0, 0, 0, 0, 0, 128}, 2},
    {BP_TYPE(BP_INT32), {32767, -32768, 0, 0, 0, 0}, 2},
    {BP_TYPE(BP_INT32), {32768, 0, 0, 0, 0, 0}, 4},
    {BP_TYPE(BP_UINT32), {127, 0, 0, 0, 0, 0}, 1},
    {BP_TYPE(BP_UINT32), {4294967295, 0, 0, 0, 0, 0}, 1}, /* the bits of -1 */
    {BP_TYPE(BP_UINT32), {2147483648, 0, 0, 0, 0, 1}, 4},
    {BP_TYPE(BP_INT64), {0, 0, -1, 0, 0, 0}, 1},
    {BP_TYPE(BP_INT64), {0, 0, INT32_MAX, INT32_MIN, 0, 0}, 4},
    {BP_TYPE(BP_INT64), {0, 0, (bp_int128)INT32_MAX + 1, 0, 0, 0}, 8},
    {BP_TYPE(BP_TIMESTAMP), {INT64_MAX, INT64_MIN, 0, 0, 0, 0}, 8},
    {BP_TYPE(BP_DATE), {-1, 18262, 0, 0, 0, 0}, 2},
    {BP_TYPE_DECIMAL(38, 2), {0, 0, 0, 0, 0, -128}, 1},
    {BP_TYPE_DECIMAL(38, 2), {0, 0, 0, 0, 0, 1250}, 2},
    {BP_TYPE_DECIMAL(38, 2), {INT64_MIN, INT64_MAX, -3, 0, 0, 1250}, 8},
    {BP_TYPE_DECIMAL(38, 2), {(bp_int128)INT64_MAX + 1, 0, 0, 0, 0, 0}, 16},
    {BP_TYPE_DECIMAL(38, 2), {(bp_int128)INT64_MIN - 1, 0, 0, 0, 0, 0}, 16},
    {BP_TYPE(BP_FLOAT32), {0, 0, 0, 0, 0, 0}, 4},
    {BP_TYPE(BP_FLOAT64), {0, 0, 0, 0, 0, 0}, 8},
    {BP_TYPE(BP_INTERVAL), {0, 0, 0, 0, 0, 0}, 16},
};

static struct bp_column column_of(const struct need *t, uint8_t *data)
{
    size_t wide = bp_type_width_bytes(t->type);

    for (size_t i = 0; i < N; i++)
        memcpy(data + i * wide, &t->vals[i], wide);
    return (struct bp_column){.type = t->type, .n_rows = N, .data = data};
}

static void numbers_need_what_their_values_take(void)
{
    _Alignas(16) uint8_t data[N * 16];

    for (size_t i = 0; i < BP_COUNT_OF(needs); i++) {
        struct bp_column c = column_of(&needs[i], data);

        CHECK(bp_narrow_width(&c) == needs[i].width);
    }
}

/* In every width that is enough, at any place. */
static void every_value_comes_back(void)
{
    _Alignas(16) uint8_t data[N * 16], back[N * 16], few[N * 16], rows[N * 37 + 16];
    const uint8_t *row[N];

    for (size_t i = 0; i < BP_COUNT_OF(needs); i++) {
        struct bp_column c = column_of(&needs[i], data);
        size_t wide = bp_type_width_bytes(c.type);

        for (size_t w = needs[i].width; w <= wide; w *= 2) {
            memset(rows, 0xee, sizeof rows);
            bp_narrow_put(data, wide, w, N, rows + 3, 37);
            for (size_t r = 0; r < N; r++)
                row[r] = rows + r * 37;
            bp_narrow_get(row, 3, w, wide, N, back);
            CHECK(memcmp(back, data, N * wide) == 0);
            bp_narrow_put(data, wide, w, N, few, w);
            memset(back, 0xee, sizeof back);
            bp_narrow_widen(few, w, wide, N, back);
            CHECK(memcmp(back, data, N * wide) == 0);
            CHECK(rows[2] == 0xee && rows[3 + w] == 0xee); /* nothing beside it is touched */
        }
    }
}

UNIT_MAIN(T(numbers_need_what_their_values_take), T(every_value_comes_back))
