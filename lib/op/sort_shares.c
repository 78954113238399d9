/* SPDX-License-Identifier: Apache-2.0 */
#include "op/sort_shares.h"

int bp_sort_shares_check(const struct bp_shareset *s, struct bp_share *share, struct bp_err *err)
{
    if (s->n_seen == 1) {
        *share = (struct bp_share){s->last, s->n};
        return 0;
    }
    *share = (struct bp_share){0, 0};
    if (bp_shareset_whole(s))
        return 0;
    return bp_fail(err, BP_EDATA,
                   "the input has %d of %d shares: one table can be made of one share, or of all",
                   s->n_seen, s->n);
}

int bp_sort_shares_empty(const struct bp_schema *schema, struct bp_share share,
                         struct bp_batch *out, struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, schema->n_fields, err));
    for (int i = 0; i < schema->n_fields; i++)
        if (bp_column_nulls(&out->cols[i], schema->fields[i].type, 0, err) < 0) {
            bp_batch_release(out);
            return err->code;
        }
    out->share = share;
    return 0;
}
