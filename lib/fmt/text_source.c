/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of CSV and of JSON Lines have in common. */
#include "fmt/text_source.h"

#include "base/mem.h"

void text_cols_free(struct text_col *cols, int n)
{
    for (int i = 0; cols && i < n; i++)
        bp_mem_free(cols[i].name);
    bp_mem_free(cols);
}

int text_cols_project(struct text_col **cols, int *n_cols, const int *wanted, int n,
                      struct bp_err *err)
{
    struct text_col *kept = bp_mem_new((size_t)n, sizeof *kept, err);

    if (!kept)
        return err->code;
    for (int i = 0; i < n; i++) {
        kept[i] = (*cols)[wanted[i]];
        kept[i].name = bp_mem_str(kept[i].name, err);
        if (!kept[i].name) {
            text_cols_free(kept, i);
            return err->code;
        }
    }
    text_cols_free(*cols, *n_cols);
    *cols = kept;
    *n_cols = n;
    return 0;
}

int text_slice(struct bp_batch *b, int64_t *from, int64_t batch_rows, struct bp_batch *out,
               struct bp_err *err)
{
    int64_t max = BP_MAX(1, batch_rows), n = b->n_rows - *from;
    int64_t pieces = (n + max - 1) / max, take = (n + pieces - 1) / pieces;

    if (take > 64)
        take = BP_MIN((take + 7) & ~(int64_t)7, n); /* bitmaps are shared at bytes */
    if (*from == 0 && take >= n) {
        bp_batch_move(out, b);
        return 0;
    }
    BP_TRY(bp_batch_slice(out, b, *from, take, err));
    *from = take < n ? *from + take : 0;
    return 0;
}
