/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value and its sign bit repeated, exclusive-or: what is left says which bits the value
 * needs beside the sign. The bits of all values together say what the column needs. Unsigned
 * numbers are taken as signed ones of their width: what counts is that the bits come back.
 */
#include "col/narrow.h"

#include <string.h>

#include "base/num.h"

/* ---- what is needed ---- */

bool bp_type_narrows(struct bp_type t)
{
    return bp_type_width_bytes(t) > 1 && !bp_type_is_float(t) && t.kind != BP_INTERVAL;
}

static size_t width_for(uint64_t bits)
{
    return bits >> 31 ? 8 : bits >> 15 ? 4 : bits >> 7 ? 2 : 1;
}

#define NEED_LOOP(type)                                                                            \
    do {                                                                                           \
        const type *v = c->data;                                                                   \
        type all = 0;                                                                              \
        for (int64_t i = 0; i < c->n_rows; i++)                                                    \
            all = (type)(all | (v[i] ^ (v[i] < 0 ? -1 : 0)));                                      \
        return width_for((uint64_t)all);                                                           \
    } while (0)

static size_t width_of_16(const struct bp_column *c)
{
    const uint8_t *p = c->data;
    uint64_t high = 0, low = 0;

    for (int64_t i = 0; i < c->n_rows; i++, p += 16) {
        uint64_t lo = bp_load_u64(p), hi = bp_load_u64(p + 8);
        uint64_t sign = 0 - (lo >> 63);

        high |= hi ^ sign;
        low |= lo ^ sign;
    }
    return high ? 16 : width_for(low);
}

size_t bp_narrow_width(const struct bp_column *c)
{
    size_t wide = bp_type_width_bytes(c->type);

    if (!bp_type_narrows(c->type))
        return wide;
    switch (wide) {
    case 1: return 1;
    case 2: NEED_LOOP(int16_t);
    case 4: NEED_LOOP(int32_t);
    case 8: NEED_LOOP(int64_t);
    default: return width_of_16(c);
    }
}

/* ---- to rows and back ---- */

#define PUT_LOOP(from, type)                                                                       \
    for (int64_t i = 0; i < n; i++, vals += sizeof(from), to += row_bytes) {                       \
        from v;                                                                                    \
        type few;                                                                                  \
        memcpy(&v, vals, sizeof v);                                                                \
        few = (type)v;                                                                             \
        memcpy(to, &few, sizeof few);                                                              \
    }                                                                                              \
    return

#define GET_LOOP(type, to)                                                                         \
    for (int64_t i = 0; i < n; i++, vals += sizeof(to)) {                                          \
        type few;                                                                                  \
        to v;                                                                                      \
        memcpy(&few, rows[i] + at, sizeof few);                                                    \
        v = few;                                                                                   \
        memcpy(vals, &v, sizeof v);                                                                \
    }                                                                                              \
    return

#define WIDEN_LOOP(type, to)                                                                       \
    for (int64_t i = 0; i < n; i++, from += sizeof(type), vals += sizeof(to)) {                    \
        type few;                                                                                  \
        to v;                                                                                      \
        memcpy(&few, from, sizeof few);                                                            \
        v = few;                                                                                   \
        memcpy(vals, &v, sizeof v);                                                                \
    }                                                                                              \
    return

#define PAIR(wide, narrow) ((wide) << 8 | (narrow))

void bp_narrow_put(const uint8_t *vals, size_t wide, size_t narrow, int64_t n, uint8_t *to,
                   size_t row_bytes)
{
    switch (PAIR(wide, narrow)) {
    case PAIR(1, 1): PUT_LOOP(int8_t, int8_t);
    case PAIR(2, 1): PUT_LOOP(int16_t, int8_t);
    case PAIR(2, 2): PUT_LOOP(int16_t, int16_t);
    case PAIR(4, 1): PUT_LOOP(int32_t, int8_t);
    case PAIR(4, 2): PUT_LOOP(int32_t, int16_t);
    case PAIR(4, 4): PUT_LOOP(int32_t, int32_t);
    case PAIR(8, 1): PUT_LOOP(int64_t, int8_t);
    case PAIR(8, 2): PUT_LOOP(int64_t, int16_t);
    case PAIR(8, 4): PUT_LOOP(int64_t, int32_t);
    case PAIR(8, 8): PUT_LOOP(int64_t, int64_t);
    case PAIR(16, 1): PUT_LOOP(bp_int128, int8_t);
    case PAIR(16, 2): PUT_LOOP(bp_int128, int16_t);
    case PAIR(16, 4): PUT_LOOP(bp_int128, int32_t);
    case PAIR(16, 8): PUT_LOOP(bp_int128, int64_t);
    default: PUT_LOOP(bp_int128, bp_int128);
    }
}

void bp_narrow_widen(const uint8_t *from, size_t narrow, size_t wide, int64_t n, uint8_t *vals)
{
    switch (PAIR(wide, narrow)) {
    case PAIR(1, 1): WIDEN_LOOP(int8_t, int8_t);
    case PAIR(2, 1): WIDEN_LOOP(int8_t, int16_t);
    case PAIR(2, 2): WIDEN_LOOP(int16_t, int16_t);
    case PAIR(4, 1): WIDEN_LOOP(int8_t, int32_t);
    case PAIR(4, 2): WIDEN_LOOP(int16_t, int32_t);
    case PAIR(4, 4): WIDEN_LOOP(int32_t, int32_t);
    case PAIR(8, 1): WIDEN_LOOP(int8_t, int64_t);
    case PAIR(8, 2): WIDEN_LOOP(int16_t, int64_t);
    case PAIR(8, 4): WIDEN_LOOP(int32_t, int64_t);
    case PAIR(8, 8): WIDEN_LOOP(int64_t, int64_t);
    case PAIR(16, 1): WIDEN_LOOP(int8_t, bp_int128);
    case PAIR(16, 2): WIDEN_LOOP(int16_t, bp_int128);
    case PAIR(16, 4): WIDEN_LOOP(int32_t, bp_int128);
    case PAIR(16, 8): WIDEN_LOOP(int64_t, bp_int128);
    default: WIDEN_LOOP(bp_int128, bp_int128);
    }
}

void bp_narrow_get(const uint8_t *const rows[], size_t at, size_t narrow, size_t wide, int64_t n,
                   uint8_t *vals)
{
    switch (PAIR(wide, narrow)) {
    case PAIR(1, 1): GET_LOOP(int8_t, int8_t);
    case PAIR(2, 1): GET_LOOP(int8_t, int16_t);
    case PAIR(2, 2): GET_LOOP(int16_t, int16_t);
    case PAIR(4, 1): GET_LOOP(int8_t, int32_t);
    case PAIR(4, 2): GET_LOOP(int16_t, int32_t);
    case PAIR(4, 4): GET_LOOP(int32_t, int32_t);
    case PAIR(8, 1): GET_LOOP(int8_t, int64_t);
    case PAIR(8, 2): GET_LOOP(int16_t, int64_t);
    case PAIR(8, 4): GET_LOOP(int32_t, int64_t);
    case PAIR(8, 8): GET_LOOP(int64_t, int64_t);
    case PAIR(16, 1): GET_LOOP(int8_t, bp_int128);
    case PAIR(16, 2): GET_LOOP(int16_t, bp_int128);
    case PAIR(16, 4): GET_LOOP(int32_t, bp_int128);
    case PAIR(16, 8): GET_LOOP(int64_t, bp_int128);
    default: GET_LOOP(bp_int128, bp_int128);
    }
}
