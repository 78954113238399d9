/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gather for lists and structs: the rows of the children that the chosen rows
 * stand for are numbered, and the children gathered by those numbers.
 */
#include <string.h>

#include "col/gather.h"

static int too_many(struct bp_err *err)
{
    return bp_fail(err, BP_EDATA,
                   "more than 2147483647 elements in one batch of a column of lists");
}

/* out[i]: where row i begins among the elements; *total: how many there are. */
static int new_offsets(struct bp_column *dst, int32_t **out, struct bp_err *err)
{
    BP_TRY(bp_block_new(&dst->own[1], ((size_t)dst->n_rows + 1) * sizeof **out, err));
    *out = (int32_t *)(void *)dst->own[1]->data;
    (*out)[0] = 0;
    dst->data = *out;
    return 0;
}

/* ---- one source ---- */

static int gather_list(struct bp_column *dst, const struct bp_column *src, const int32_t *idx,
                       int64_t n, struct bp_err *err)
{
    const int32_t *off = src->data;
    int32_t *out, *rows;
    struct bp_block *b;
    int64_t total = 0;
    int rc;

    BP_TRY(new_offsets(dst, &out, err));
    for (int64_t i = 0; i < n; i++) {
        if (idx[i] >= 0)
            total += off[idx[i] + 1] - off[idx[i]];
        if (total > INT32_MAX)
            return too_many(err);
        out[i + 1] = (int32_t)total;
    }
    BP_TRY(bp_block_new(&b, (size_t)total * sizeof *rows, err));
    rows = (int32_t *)(void *)b->data;
    for (int64_t i = 0; i < n; i++)
        if (idx[i] >= 0)
            for (int32_t from = off[idx[i]], k = out[i]; k < out[i + 1]; k++)
                rows[k] = from++;
    rc = bp_kids_new(&dst->kids, 1, err);
    if (rc == 0)
        rc = bp_column_gather(&dst->kids->cols[0], &src->kids->cols[0], rows, total, err);
    bp_block_unref(b);
    return rc;
}

int bp_gather_nested(struct bp_column *dst, const struct bp_column *src, const int32_t *idx,
                     int64_t n, struct bp_err *err)
{
    if (src->type.kind == BP_LIST)
        return gather_list(dst, src, idx, n, err);
    BP_TRY(bp_kids_new(&dst->kids, src->kids->n, err));
    for (int i = 0; i < src->kids->n; i++)
        BP_TRY(bp_column_gather(&dst->kids->cols[i], &src->kids->cols[i], idx, n, err));
    return 0;
}

/* ---- many sources ---- */

#define REF_NONE UINT64_MAX
#define REF_SRC(ref) ((ref) >> 32)
#define REF_ROW(ref) ((int64_t)(uint32_t)(ref))

static const int32_t *offsets_at(const struct bp_column *const srcs[], uint64_t ref)
{
    return (const int32_t *)srcs[REF_SRC(ref)]->data + REF_ROW(ref);
}

/* Child k of each source, gathered by refs. */
static int many_kid(struct bp_column *dst, int k, const struct bp_column *const srcs[], int n_srcs,
                    const uint64_t *refs, int64_t n, struct bp_err *err)
{
    const struct bp_column **kids = bp_mem_new((size_t)n_srcs + 1, sizeof(*kids), err);
    int rc;

    if (!kids)
        return err->code;
    for (int i = 0; i < n_srcs; i++)
        kids[i] = &srcs[i]->kids->cols[k];
    rc = bp_column_gather_many(&dst->kids->cols[k], kids, n_srcs, refs, n, err);
    bp_mem_free(kids);
    return rc;
}

static int many_list(struct bp_column *dst, const struct bp_column *const srcs[], int n_srcs,
                     const uint64_t *refs, int64_t n, struct bp_err *err)
{
    struct bp_block *b;
    int64_t total = 0;
    uint64_t *rows;
    int32_t *out;
    int rc;

    BP_TRY(new_offsets(dst, &out, err));
    for (int64_t i = 0; i < n; i++) {
        if (refs[i] != REF_NONE) {
            const int32_t *off = offsets_at(srcs, refs[i]);

            total += off[1] - off[0];
        }
        if (total > INT32_MAX)
            return too_many(err);
        out[i + 1] = (int32_t)total;
    }
    BP_TRY(bp_block_new(&b, (size_t)total * sizeof *rows, err));
    rows = (uint64_t *)(void *)b->data;
    for (int64_t i = 0; i < n; i++)
        if (refs[i] != REF_NONE) {
            uint64_t from = REF_SRC(refs[i]) << 32 | (uint32_t)offsets_at(srcs, refs[i])[0];

            for (int32_t k = out[i]; k < out[i + 1]; k++)
                rows[k] = from++;
        }
    rc = bp_kids_new(&dst->kids, 1, err);
    if (rc == 0)
        rc = many_kid(dst, 0, srcs, n_srcs, rows, total, err);
    bp_block_unref(b);
    return rc;
}

int bp_gather_many_nested(struct bp_column *dst, const struct bp_column *const srcs[], int n_srcs,
                          const uint64_t *refs, int64_t n, struct bp_err *err)
{
    if (dst->type.kind == BP_LIST)
        return many_list(dst, srcs, n_srcs, refs, n, err);
    BP_TRY(bp_kids_new(&dst->kids, dst->type.nest->n_kids, err));
    for (int i = 0; i < dst->kids->n; i++)
        BP_TRY(many_kid(dst, i, srcs, n_srcs, refs, n, err));
    return 0;
}
