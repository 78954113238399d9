/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gather: rows picked by number. Two forms of reference share one set of loops:
 * an int32 into one column, and a uint64 (column, row) into several. The loops
 * over fixed widths are written out by macro, one per width, so that the
 * compiler sees plain loads and stores.
 */
#include <string.h>

#include "col/gather.h"

typedef struct {
    uint64_t half[2];
} bytes16; /* any 16-byte value; alignment 8 is enough */

static int alloc_bits(const uint8_t **bits, struct bp_block **own, int64_t n, struct bp_err *err)
{
    BP_TRY(bp_block_new(own, bp_bits_bytes(n) + 8, err));
    memset((*own)->data, 0, bp_bits_bytes(n) + 8);
    *bits = (*own)->data;
    return 0;
}

static void start(struct bp_column *dst, struct bp_type type, int64_t n)
{
    memset(dst, 0, sizeof *dst);
    dst->type = type;
    dst->n_rows = n;
}

/* ---- one source, int32 row numbers ---- */

static bool has_missing(const int32_t *idx, int64_t n)
{
    int32_t any = 0;

    for (int64_t i = 0; i < n; i++)
        any |= idx[i];
    return any < 0;
}

static void gather_valid(struct bp_column *dst, const struct bp_column *src, const int32_t *idx,
                         int64_t n)
{
    uint8_t *bits = dst->own[0]->data;
    int64_t n_valid = 0;

    for (int64_t i = 0; i < n; i++) {
        bool ok = idx[i] >= 0 && (!src->valid || bp_bit_get(src->valid, idx[i]));

        bits[i >> 3] = (uint8_t)(bits[i >> 3] | ((unsigned)ok << (i & 7)));
        n_valid += ok;
    }
    dst->n_nulls = n - n_valid;
}

#define GATHER_LOOP(type)                                                                          \
    do {                                                                                           \
        const type *from = src->data;                                                              \
        type *to = (type *)(void *)dst->own[1]->data;                                              \
        if (!missing)                                                                              \
            for (int64_t i = 0; i < n; i++)                                                        \
                to[i] = from[idx[i]];                                                              \
        else                                                                                       \
            for (int64_t i = 0; i < n; i++) {                                                      \
                if (idx[i] < 0)                                                                    \
                    memset(&to[i], 0, sizeof to[i]);                                               \
                else                                                                               \
                    to[i] = from[idx[i]];                                                          \
            }                                                                                      \
    } while (0)

static int gather_fixed(struct bp_column *dst, const struct bp_column *src, const int32_t *idx,
                        int64_t n, bool missing, size_t width, struct bp_err *err)
{
    BP_TRY(bp_block_new(&dst->own[1], (size_t)n * width, err));
    dst->data = dst->own[1]->data;
    switch (width) {
    case 1: GATHER_LOOP(uint8_t); break;
    case 2: GATHER_LOOP(uint16_t); break;
    case 4: GATHER_LOOP(uint32_t); break;
    case 8: GATHER_LOOP(uint64_t); break;
    default: GATHER_LOOP(bytes16); break;
    }
    return 0;
}

static int gather_bool(struct bp_column *dst, const struct bp_column *src, const int32_t *idx,
                       int64_t n, struct bp_err *err)
{
    const uint8_t *from = src->data, *bits;
    uint8_t *to;

    BP_TRY(alloc_bits(&bits, &dst->own[1], n, err));
    to = dst->own[1]->data;
    for (int64_t i = 0; i < n; i++)
        if (idx[i] >= 0 && bp_bit_get(from, idx[i]))
            bp_bit_set(to, i);
    dst->data = bits;
    return 0;
}

/* Copy a short value with one or two wide moves; both sides have padding. */
static inline void copy_short(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n <= 16)
        memcpy(to, from, 16);
    else
        memcpy(to, from, n);
}

static int alloc_text(struct bp_column *dst, int64_t n, int64_t total, struct bp_err *err)
{
    if (total > INT32_MAX)
        return bp_fail(err, BP_EDATA, "more than 2 GiB of text in one batch of a column");
    BP_TRY(bp_block_new(&dst->own[2], (size_t)total + 1, err));
    dst->data = dst->own[1]->data;
    dst->bytes = dst->own[2]->data;
    (void)n;
    return 0;
}

static int gather_text(struct bp_column *dst, const struct bp_column *src, const int32_t *idx,
                       int64_t n, struct bp_err *err)
{
    const int32_t *off = src->data;
    int32_t *out;
    int64_t total = 0;
    bool wide_ok;

    BP_TRY(bp_block_new(&dst->own[1], ((size_t)n + 1) * sizeof *out, err));
    out = (int32_t *)(void *)dst->own[1]->data;
    out[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        if (idx[i] >= 0)
            total += off[idx[i] + 1] - off[idx[i]];
        out[i + 1] = (int32_t)total;
    }
    BP_TRY(alloc_text(dst, n, total, err));
    /* wide reads need padding behind the source: blocks have it */
    wide_ok = src->own[2] != NULL;
    for (int64_t i = 0; i < n; i++) {
        size_t len = (size_t)(out[i + 1] - out[i]);

        if (!len)
            continue;
        if (wide_ok)
            copy_short(dst->own[2]->data + out[i], src->bytes + off[idx[i]], len);
        else
            memcpy(dst->own[2]->data + out[i], src->bytes + off[idx[i]], len);
    }
    return 0;
}

int bp_column_gather(struct bp_column *dst, const struct bp_column *src, const int32_t *idx,
                     int64_t n, struct bp_err *err)
{
    bool missing = has_missing(idx, n);
    size_t width = src->dict ? sizeof(int32_t) : bp_type_width_bytes(src->type);
    int rc;

    start(dst, src->type, n);
    if (missing || src->n_nulls) {
        if (alloc_bits(&dst->valid, &dst->own[0], n, err) < 0)
            return err->code;
        gather_valid(dst, src, idx, n);
        if (!dst->n_nulls) {
            dst->valid = NULL;
            bp_block_unref(dst->own[0]);
            dst->own[0] = NULL;
        }
    }
    if (src->type.kind == BP_BOOL)
        rc = gather_bool(dst, src, idx, n, err);
    else if (width)
        rc = gather_fixed(dst, src, idx, n, missing, width, err);
    else if (bp_type_is_nested(src->type))
        rc = bp_gather_nested(dst, src, idx, n, err);
    else
        rc = gather_text(dst, src, idx, n, err);
    if (rc == 0)
        dst->dict = bp_dict_ref(src->dict);
    else
        bp_column_release(dst);
    return rc;
}

/* ---- many sources, (source, row) numbers ---- */

#define REF_NONE UINT64_MAX
#define REF_SRC(ref) ((ref) >> 32)
#define REF_ROW(ref) ((int64_t)(uint32_t)(ref))

static bool many_nulls(const struct bp_column *const srcs[], int n_srcs, const uint64_t *refs,
                       int64_t n)
{
    for (int i = 0; i < n_srcs; i++)
        if (srcs[i]->n_nulls)
            return true;
    for (int64_t i = 0; i < n; i++)
        if (refs[i] == REF_NONE)
            return true;
    return false;
}

static void many_valid(struct bp_column *dst, const struct bp_column *const srcs[],
                       const uint64_t *refs, int64_t n)
{
    int64_t n_valid = 0;

    for (int64_t i = 0; i < n; i++)
        if (refs[i] != REF_NONE && !bp_column_is_null(srcs[REF_SRC(refs[i])], REF_ROW(refs[i]))) {
            bp_bit_set(dst->own[0]->data, i);
            n_valid++;
        }
    dst->n_nulls = n - n_valid;
}

#define MANY_LOOP(type)                                                                            \
    do {                                                                                           \
        type *to = (type *)(void *)dst->own[1]->data;                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            if (refs[i] == REF_NONE)                                                               \
                memset(&to[i], 0, sizeof to[i]);                                                   \
            else                                                                                   \
                to[i] = ((const type *)srcs[REF_SRC(refs[i])]->data)[REF_ROW(refs[i])];            \
        }                                                                                          \
    } while (0)

static int many_fixed(struct bp_column *dst, const struct bp_column *const srcs[],
                      const uint64_t *refs, int64_t n, size_t width, struct bp_err *err)
{
    BP_TRY(bp_block_new(&dst->own[1], (size_t)n * width, err));
    dst->data = dst->own[1]->data;
    switch (width) {
    case 1: MANY_LOOP(uint8_t); break;
    case 2: MANY_LOOP(uint16_t); break;
    case 4: MANY_LOOP(uint32_t); break;
    case 8: MANY_LOOP(uint64_t); break;
    default: MANY_LOOP(bytes16); break;
    }
    return 0;
}

static int many_bool(struct bp_column *dst, const struct bp_column *const srcs[],
                     const uint64_t *refs, int64_t n, struct bp_err *err)
{
    const uint8_t *bits;

    BP_TRY(alloc_bits(&bits, &dst->own[1], n, err));
    for (int64_t i = 0; i < n; i++)
        if (refs[i] != REF_NONE && bp_bit_get(srcs[REF_SRC(refs[i])]->data, REF_ROW(refs[i])))
            bp_bit_set(dst->own[1]->data, i);
    dst->data = bits;
    return 0;
}

#define AHEAD_ROWS 256 /* whose bytes are asked for before the first is copied */

/* Blocks have padding, so that up to 32 bytes can be read and written at once. */
static bool are_padded(const struct bp_column *const srcs[], int n_srcs)
{
    for (int i = 0; i < n_srcs; i++)
        if (!(srcs[i]->dict ? srcs[i]->dict->values.own[2] : srcs[i]->own[2]))
            return false;
    return true;
}

/* n rows of known lengths, AHEAD_ROWS at most, from places far apart. */
static void copy_texts(uint8_t *to, const int32_t *out, const struct bp_column *const srcs[],
                       const uint64_t *refs, int64_t n, bool padded)
{
    const uint8_t *p[AHEAD_ROWS];
    size_t len;

    for (int64_t i = 0; i < n; i++) {
        p[i] = NULL;
        if (out[i + 1] == out[i])
            continue;
        p[i] = bp_column_bytes(srcs[REF_SRC(refs[i])], REF_ROW(refs[i]), &len);
        __builtin_prefetch(p[i]);
    }
    for (int64_t i = 0; i < n; i++) {
        len = (size_t)(out[i + 1] - out[i]);
        if (!p[i])
            continue;
        if (padded && len <= 32) {
            memcpy(to + out[i], p[i], 16);
            memcpy(to + out[i] + 16, p[i] + 16, 16);
        } else {
            memcpy(to + out[i], p[i], len);
        }
    }
}

/* Plain or dictionary sources; the result is plain. */
static int many_text(struct bp_column *dst, const struct bp_column *const srcs[], int n_srcs,
                     const uint64_t *refs, int64_t n, struct bp_err *err)
{
    bool padded = are_padded(srcs, n_srcs);
    int64_t total = 0;
    int32_t *out;
    size_t len;

    BP_TRY(bp_block_new(&dst->own[1], ((size_t)n + 1) * sizeof *out, err));
    out = (int32_t *)(void *)dst->own[1]->data;
    out[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        if (refs[i] != REF_NONE && !bp_column_is_null(srcs[REF_SRC(refs[i])], REF_ROW(refs[i]))) {
            bp_column_bytes(srcs[REF_SRC(refs[i])], REF_ROW(refs[i]), &len);
            total += (int64_t)len;
        }
        out[i + 1] = (int32_t)total;
    }
    BP_TRY(alloc_text(dst, n, total, err));
    for (int64_t from = 0; from < n; from += AHEAD_ROWS)
        copy_texts(dst->own[2]->data, out + from, srcs, refs + from, BP_MIN(n - from, AHEAD_ROWS),
                   padded);
    return 0;
}

/* The dictionary that all sources share, or NULL. */
static struct bp_dict *common_dict(const struct bp_column *const srcs[], int n_srcs)
{
    struct bp_dict *d = n_srcs ? srcs[0]->dict : NULL;

    for (int i = 1; i < n_srcs && d; i++)
        if (srcs[i]->dict != d)
            d = NULL;
    return d;
}

int bp_column_gather_many(struct bp_column *dst, const struct bp_column *const srcs[], int n_srcs,
                          const uint64_t *refs, int64_t n, struct bp_err *err)
{
    struct bp_dict *dict = common_dict(srcs, n_srcs);
    struct bp_type type = n_srcs ? srcs[0]->type : BP_TYPE(BP_BOOL);
    size_t width = dict ? sizeof(int32_t) : bp_type_width_bytes(type);
    int rc;

    start(dst, type, n);
    if (many_nulls(srcs, n_srcs, refs, n)) {
        if (alloc_bits(&dst->valid, &dst->own[0], n, err) < 0)
            return err->code;
        many_valid(dst, srcs, refs, n);
    }
    if (type.kind == BP_BOOL)
        rc = many_bool(dst, srcs, refs, n, err);
    else if (width)
        rc = many_fixed(dst, srcs, refs, n, width, err);
    else if (bp_type_is_nested(type))
        rc = bp_gather_many_nested(dst, srcs, n_srcs, refs, n, err);
    else
        rc = many_text(dst, srcs, n_srcs, refs, n, err);
    if (rc == 0)
        dst->dict = bp_dict_ref(dict);
    else
        bp_column_release(dst);
    return rc;
}

/* ---- one behind the other ---- */

static int concat_codes(struct bp_column *dst, struct bp_dict *dict,
                        const struct bp_column *const srcs[], int n_srcs, struct bp_err *err)
{
    struct bp_builder b;
    int rc;

    bp_builder_init(&b, BP_TYPE(BP_INT32));
    for (int i = 0; i < n_srcs; i++) {
        struct bp_column codes = *srcs[i];

        codes.type = BP_TYPE(BP_INT32);
        BP_GO(bp_builder_add_rows(&b, &codes, 0, codes.n_rows, err));
    }
    BP_GO(bp_builder_finish(&b, dst, err));
    dst->type = BP_TYPE(BP_TEXT);
    dst->dict = bp_dict_ref(dict);
    return 0;
out:
    bp_builder_release(&b);
    return rc;
}

int bp_column_concat(struct bp_column *dst, const struct bp_column *const srcs[], int n_srcs,
                     struct bp_err *err)
{
    struct bp_dict *dict = common_dict(srcs, n_srcs);
    struct bp_builder b;
    int rc;

    if (n_srcs == 1) {
        bp_column_ref(dst, srcs[0]);
        return 0;
    }
    if (dict)
        return concat_codes(dst, dict, srcs, n_srcs, err);
    bp_builder_init(&b, n_srcs ? srcs[0]->type : BP_TYPE(BP_BOOL));
    for (int i = 0; i < n_srcs; i++)
        BP_GO(bp_builder_add_rows(&b, srcs[i], 0, srcs[i]->n_rows, err));
    BP_GO(bp_builder_finish(&b, dst, err));
    return 0;
out:
    bp_builder_release(&b);
    return rc;
}
