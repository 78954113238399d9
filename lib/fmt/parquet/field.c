/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/field.h"

#include "base/mem.h"

#define ENTRIES_ENOUGH ((int64_t)64 << 10) /* of a list, for a batch that is short of rows */

bool bp_pq_field_ready(const struct bp_pq_field *f, int64_t row, int64_t n)
{
    for (int i = 0; i < f->node->n_leaves; i++) {
        const struct bp_pq_want *w = &f->wants[i];
        int64_t have = bp_pq_pieces_cover(&w->pieces, row);

        if (have < n && (have == 0 || !w->column->max_rep ||
                         bp_pq_pieces_entries(&w->pieces, row) < ENTRIES_ENOUGH))
            return false;
    }
    return true;
}

int64_t bp_pq_field_reach(const struct bp_pq_field *f, int64_t row, int64_t n, int64_t long_rows)
{
    int64_t least = INT64_MAX;

    for (int i = 0; i < f->node->n_leaves; i++)
        least = BP_MIN(least, bp_pq_pieces_reach(&f->wants[i].pieces, row, n, long_rows));
    return least;
}

int bp_pq_field_cut(const struct bp_pq_field *f, int64_t row, int64_t n, struct bp_column *out,
                    struct bp_err *err)
{
    int n_leaves = f->node->n_leaves, rc = 0;
    struct bp_pq_shred *shreds;

    if (!f->wants[0].column->nested)
        return bp_pq_pieces_cut(&f->wants[0].pieces, row, n, out, err);
    shreds = bp_mem_new((size_t)n_leaves, sizeof *shreds, err);
    if (!shreds)
        return err->code;
    for (int i = 0; rc == 0 && i < n_leaves; i++)
        rc = bp_pq_pieces_shred(&f->wants[i].pieces, f->wants[i].column, row, n, &shreds[i], err);
    if (rc == 0)
        rc = bp_pq_assemble(out, f->node, shreds, n, err);
    for (int i = 0; i < n_leaves; i++)
        bp_pq_shred_release(&shreds[i]);
    bp_mem_free(shreds);
    return rc < 0 ? bp_err_prefix(err, "%s", f->wants[0].file->in.name) : 0;
}
