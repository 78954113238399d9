/* SPDX-License-Identifier: Apache-2.0 */
/* bit_and, bit_or and bit_xor of integers; the state is the value so far. */
#include "agg/agg.h"
#include "base/mem.h"

struct bits {
    struct bp_agg base;
    struct bp_agg_seen seen;
    struct bp_agg_array v; /* uint64_t; of narrow types the low bits count */
};

static int bits_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    struct bits *b = (struct bits *)a;
    int64_t before = b->v.n;
    uint64_t *v;

    BP_TRY(bp_agg_array_grow(a, &b->v, sizeof *v, n_groups, err));
    v = b->v.p;
    for (int64_t i = before; i < n_groups && a->kind->func[4] == 'a'; i++)
        v[i] = UINT64_MAX;
    a->n_groups = n_groups;
    return 0;
}

#define FOLD_WITH(T, op)                                                                           \
    for (int64_t i = 0; i < r->n_rows; i++) {                                                      \
        if (!bp_column_is_null(c, i))                                                              \
            to[r->ids ? r->ids[i] : 0] op((const T *)c->data)[i];                                  \
    }

#define FOLD(T)                                                                                    \
    do {                                                                                           \
        if (which == 'a')                                                                          \
            FOLD_WITH(T, &=)                                                                       \
        else if (which == 'o')                                                                     \
            FOLD_WITH(T, |=)                                                                       \
        else                                                                                       \
            FOLD_WITH(T, ^=)                                                                       \
    } while (0)

static int bits_add(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct bits *b = (struct bits *)a;
    const struct bp_column *c = &r->cols[0];
    char which = a->kind->func[4];
    uint64_t *to = b->v.p;

    BP_TRY(bp_agg_seen_note(a, &b->seen, r, c, err));
    switch (bp_type_width_bytes(c->type)) {
    case 1: FOLD(uint8_t); break;
    case 2: FOLD(uint16_t); break;
    case 4: FOLD(uint32_t); break;
    default: FOLD(uint64_t); break;
    }
    return 0;
}

#define TAKE(T)                                                                                    \
    for (int64_t i = 0; i < n; i++)                                                                \
    ((T *)(void *)out->own[1]->data)[i] = (T)from[ids[i]]

static int bits_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                      struct bp_err *err)
{
    struct bits *b = (struct bits *)a;
    const uint64_t *from = b->v.p;

    BP_TRY(bp_agg_column(out, a->result, n, err));
    switch (bp_type_width_bytes(a->result)) {
    case 1: TAKE(uint8_t); break;
    case 2: TAKE(uint16_t); break;
    case 4: TAKE(uint32_t); break;
    default: TAKE(uint64_t); break;
    }
    return bp_agg_column_nulls(out, &b->seen, ids, err);
}

static void bits_release(struct bp_agg *a)
{
    bp_mem_free(((struct bits *)a)->v.p);
    bp_mem_free(((struct bits *)a)->seen.flags.p);
}

static const struct bp_agg_ops bits_ops = {
    sizeof(struct bits), bits_grow, bits_add, bits_add, bits_final, bits_final, bits_release,
};

static bool integer(const struct bp_type *t)
{
    return bp_type_is_int(*t);
}

static int bits_types(const struct bp_type *args, struct bp_type *result, struct bp_agg_part *parts)
{
    *result = *args;
    parts[0] = (struct bp_agg_part){NULL, *args};
    return 1;
}

const struct bp_agg_kind bp_agg_bit_kinds[] = {
    {"bit_and", "integer", 1, integer, bits_types, &bits_ops},
    {"bit_or", "integer", 1, integer, bits_types, &bits_ops},
    {"bit_xor", "integer", 1, integer, bits_types, &bits_ops},
    {0},
};
