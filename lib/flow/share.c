/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "flow/flow.h"

#define MAX_SHARES (1 << 24)

static int first(struct bp_shareset *s, struct bp_share share, struct bp_err *err)
{
    if (share.n > MAX_SHARES || share.i < 0 || share.i >= share.n)
        return bp_fail(err, BP_EDATA, "the input is marked as share %d of %d: that cannot be",
                       share.i, share.n);
    s->seen = bp_mem_new(bp_bits_bytes(share.n), 1, err);
    if (!s->seen)
        return err->code;
    s->n = share.n;
    s->last = -1;
    return 0;
}

int bp_shareset_add(struct bp_shareset *s, struct bp_share share, struct bp_err *err)
{
    if (share.n == 0) {
        s->unmarked = true;
    } else {
        if (!s->n)
            BP_TRY(first(s, share, err));
        if (share.n != s->n || share.i < 0 || share.i >= share.n)
            return bp_fail(err, BP_EDATA,
                           "share %d of %d follows a share of another division, of %d", share.i,
                           share.n, s->n);
        if (share.i != s->last) {
            if (bp_bit_get(s->seen, share.i))
                return bp_fail(err, BP_EDATA, "share %d of %d comes twice", share.i, share.n);
            bp_bit_set(s->seen, share.i);
            s->n_seen++;
            s->last = share.i;
        }
    }
    if (s->unmarked && s->n)
        return bp_fail(err, BP_EDATA,
                       "share %d of %d is mixed with rows that are no share of anything", s->last,
                       s->n);
    return 0;
}

bool bp_shareset_whole(const struct bp_shareset *s)
{
    return s->n_seen == s->n;
}

void bp_shareset_release(struct bp_shareset *s)
{
    bp_mem_free(s->seen);
    memset(s, 0, sizeof *s);
}
