/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "col/column.h"

int bp_batch_init(struct bp_batch *b, int n_cols, struct bp_err *err)
{
    memset(b, 0, sizeof *b);
    b->cols = bp_mem_new((size_t)n_cols, sizeof *b->cols, err);
    if (!b->cols)
        return err->code;
    b->n_cols = n_cols;
    return 0;
}

void bp_batch_release(struct bp_batch *b)
{
    for (int i = 0; i < b->n_cols; i++)
        bp_column_release(&b->cols[i]);
    bp_mem_free(b->cols);
    memset(b, 0, sizeof *b);
}

void bp_batch_move(struct bp_batch *dst, struct bp_batch *src)
{
    *dst = *src;
    memset(src, 0, sizeof *src);
}

/* A batch of n rows with src's place and share, and room for its columns. */
static int like(struct bp_batch *dst, const struct bp_batch *src, int64_t n, struct bp_err *err)
{
    BP_TRY(bp_batch_init(dst, src->n_cols, err));
    dst->n_rows = n;
    dst->first_row = src->first_row;
    dst->share = src->share;
    return 0;
}

int bp_batch_ref(struct bp_batch *dst, const struct bp_batch *src, struct bp_err *err)
{
    BP_TRY(like(dst, src, src->n_rows, err));
    for (int i = 0; i < src->n_cols; i++)
        bp_column_ref(&dst->cols[i], &src->cols[i]);
    return 0;
}

int bp_batch_slice(struct bp_batch *dst, const struct bp_batch *src, int64_t from, int64_t n,
                   struct bp_err *err)
{
    BP_TRY(like(dst, src, n, err));
    dst->first_row = src->first_row + from;
    for (int i = 0; i < src->n_cols; i++)
        if (bp_column_slice(&dst->cols[i], &src->cols[i], from, n, err) < 0) {
            bp_batch_release(dst);
            return err->code;
        }
    return 0;
}

int bp_batch_gather(struct bp_batch *dst, const struct bp_batch *src, const int32_t *idx, int64_t n,
                    struct bp_err *err)
{
    BP_TRY(like(dst, src, n, err));
    for (int i = 0; i < src->n_cols; i++)
        if (bp_column_gather(&dst->cols[i], &src->cols[i], idx, n, err) < 0) {
            bp_batch_release(dst);
            return err->code;
        }
    return 0;
}

int64_t bp_batch_size_bytes(const struct bp_batch *b)
{
    int64_t sum = 0;

    for (int i = 0; i < b->n_cols; i++)
        sum += bp_column_size_bytes(&b->cols[i]);
    return sum;
}

int64_t bp_batch_dict_bytes(const struct bp_batch *b, const struct bp_batch *before)
{
    int64_t sum = 0;

    for (int i = 0; i < b->n_cols; i++) {
        const struct bp_dict *d = b->cols[i].dict, *had = before ? before->cols[i].dict : NULL;

        if (d && (!had || had->id != d->id))
            sum += bp_column_size_bytes(&d->values);
    }
    return sum;
}
