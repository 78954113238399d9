/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/acc.h"

#include "base/mem.h"

/* ---- 64 bits ---- */

#define ADD64(T)                                                                                   \
    do {                                                                                           \
        const T *v = c->data;                                                                      \
        if (ids) {                                                                                 \
            for (int64_t i = 0; i < n; i++) {                                                      \
                BP_AGG_FETCH(to, ids, i);                                                          \
                over |= __builtin_add_overflow(to[ids[i]], (int64_t)v[i], &to[ids[i]]);            \
            }                                                                                      \
        } else {                                                                                   \
            bp_int128 sum = to[0];                                                                 \
            int64_t part = 0; /* of up to 2^31 values of up to 32 bits */                          \
            for (int64_t i = 0; i < n && sizeof(T) < 8; i++)                                       \
                part += (int64_t)v[i];                                                             \
            for (int64_t i = 0; i < n && sizeof(T) == 8; i++)                                      \
                sum += (int64_t)v[i];                                                              \
            sum += part;                                                                           \
            over = sum > INT64_MAX || sum < INT64_MIN;                                             \
            to[0] = (int64_t)sum;                                                                  \
        }                                                                                          \
    } while (0)

int bp_acc64_add(struct bp_agg *a, struct bp_agg_array *acc, const struct bp_column *c,
                 const uint32_t *ids, struct bp_err *err)
{
    int64_t *to = acc->p, n = c->n_rows;
    bool over = false;

    switch (c->type.kind) {
    case BP_INT8: ADD64(int8_t); break;
    case BP_INT16: ADD64(int16_t); break;
    case BP_INT32: ADD64(int32_t); break;
    case BP_INT64: ADD64(int64_t); break;
    case BP_UINT8: ADD64(uint8_t); break;
    case BP_UINT16: ADD64(uint16_t); break;
    case BP_UINT32: ADD64(uint32_t); break;
    default: return bp_fail(err, BP_EDATA, "column %s: sum of a type that is no integer", a->name);
    }
    if (over)
        return bp_fail(err, BP_EDATA,
                       "column %s: the %s overflows bigint; cast the argument to decimal(38,0)",
                       a->name, a->kind->func);
    return 0;
}

/* ---- 128 bits ---- */

int bp_acc128_grow(struct bp_agg *a, struct bp_acc128 *acc, int64_t n, struct bp_err *err)
{
    BP_TRY(bp_agg_array_grow(a, &acc->v, sizeof(bp_int128), n, err));
    if (acc->high.p)
        BP_TRY(bp_agg_array_grow(a, &acc->high, sizeof(int64_t), n, err));
    return 0;
}

void bp_acc128_release(struct bp_acc128 *acc)
{
    bp_mem_free(acc->v.p);
    bp_mem_free(acc->high.p);
    *acc = (struct bp_acc128){0};
}

static int carry(struct bp_agg *a, struct bp_acc128 *acc, uint32_t id, int by, struct bp_err *err)
{
    BP_TRY(bp_agg_array_grow(a, &acc->high, sizeof(int64_t), acc->v.n, err));
    ((int64_t *)acc->high.p)[id] += by;
    return 0;
}

#define ADD128(T)                                                                                  \
    do {                                                                                           \
        const T *v = c->data;                                                                      \
        if (ids) {                                                                                 \
            for (int64_t i = 0; i < n; i++) {                                                      \
                BP_AGG_FETCH(to, ids, i);                                                          \
                to[ids[i]] += v[i];                                                                \
            }                                                                                      \
        } else {                                                                                   \
            bp_int128 sum = to[0];                                                                 \
            for (int64_t i = 0; i < n; i++)                                                        \
                sum += v[i];                                                                       \
            to[0] = sum;                                                                           \
        }                                                                                          \
    } while (0)

/* Decimals, held in T, to their groups. counts, where wanted, get one more for each value. Groups
 * that are few need not be fetched. */
#define ADD_DECIMALS(T)                                                                            \
    do {                                                                                           \
        const T *v = c->data;                                                                      \
        for (int64_t i = 0; i < c->n_rows; i++) {                                                  \
            uint32_t id = ids ? ids[i] : 0;                                                        \
            bp_int128 sum;                                                                         \
            if (ids && !few)                                                                       \
                BP_AGG_FETCH(to, ids, i);                                                          \
            if (counts && !few)                                                                    \
                BP_AGG_FETCH(counts, ids, i);                                                      \
            if (__builtin_expect(__builtin_add_overflow(to[id], v[i], &sum), 0))                   \
                BP_TRY(carry(a, acc, id, v[i] < 0 ? -1 : 1, err));                                 \
            to[id] = sum;                                                                          \
            if (counts)                                                                            \
                counts[id]++;                                                                      \
        }                                                                                          \
    } while (0)

static inline __attribute__((always_inline)) int
add_decimals(struct bp_agg *a, struct bp_acc128 *acc, const struct bp_column *c,
             const uint32_t *ids, int64_t *counts, bool few, struct bp_err *err)
{
    bp_int128 *to = acc->v.p;

    if (bp_type_is_decimal64(c->type))
        ADD_DECIMALS(int64_t);
    else
        ADD_DECIMALS(bp_int128);
    return 0;
}

int bp_acc128_add_counted(struct bp_agg *a, struct bp_acc128 *acc, const struct bp_column *c,
                          const uint32_t *ids, int64_t *counts, struct bp_err *err)
{
    if (acc->v.n <= BP_AGG_NEAR_GROUPS)
        return add_decimals(a, acc, c, ids, counts, true, err);
    return add_decimals(a, acc, c, ids, counts, false, err);
}

int bp_acc128_add(struct bp_agg *a, struct bp_acc128 *acc, const struct bp_column *c,
                  const uint32_t *ids, struct bp_err *err)
{
    bp_int128 *to = acc->v.p;
    int64_t n = c->n_rows;

    switch (c->type.kind) {
    case BP_INT64: ADD128(int64_t); return 0;
    case BP_UINT64: ADD128(uint64_t); return 0;
    default: break;
    }
    if (ids && acc->v.n > BP_AGG_NEAR_GROUPS)
        return add_decimals(a, acc, c, ids, NULL, false, err);
    return add_decimals(a, acc, c, ids, NULL, true, err);
}

bp_int128 bp_acc_decimal_end(void)
{
    return (bp_int128)10000000000000000000u * 10000000000000000000u;
}

int bp_acc128_column(struct bp_agg *a, const struct bp_acc128 *acc, struct bp_type type,
                     const uint32_t *ids, int64_t n, struct bp_column *out, struct bp_err *err)
{
    const bp_int128 *from = acc->v.p, end = bp_acc_decimal_end();
    const int64_t *high = acc->high.p;
    bp_int128 *to;
    bool over = false;

    BP_TRY(bp_agg_column(out, type, n, err));
    to = (bp_int128 *)(void *)out->own[1]->data;
    for (int64_t i = 0; i < n; i++) {
        to[i] = from[ids[i]];
        over |= to[i] >= end || to[i] <= -end || (high && high[ids[i]]);
    }
    if (over)
        return bp_fail(err, BP_EDATA, "column %s: the %s needs more than 38 digits", a->name,
                       a->kind->func);
    return 0;
}
