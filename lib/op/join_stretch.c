/* SPDX-License-Identifier: Apache-2.0 */
#include "op/join_stretch.h"

#include "base/mem.h"

int bp_join_stretches_note(struct bp_join_stretches *s, struct bp_share share, int64_t first_row,
                           struct bp_err *err)
{
    const struct bp_join_stretch *last = s->n ? &s->list[s->n - 1] : NULL;

    if (last && last->share.i == share.i && last->share.n == share.n)
        return 0;
    if (s->n == s->cap) {
        struct bp_join_stretch *p = bp_mem_grow(s->list, (size_t)s->cap + 64, sizeof *p, err);

        if (!p)
            return err->code;
        s->list = p;
        s->cap += 64;
    }
    s->list[s->n++] = (struct bp_join_stretch){first_row, share};
    return 0;
}

/* How many of the waiting rows are of the stretch at hand. */
static int64_t rows_at_hand(const struct bp_join_stretches *s)
{
    int64_t lo = s->result_at, hi = s->result.n_rows, end;

    if (s->at + 1 >= s->n)
        return hi - lo;
    end = s->list[s->at + 1].first_row;
    while (lo < hi) { /* the first that is not: rows are in order, those of none last */
        int64_t mid = lo + (hi - lo) / 2;

        if (s->left_rows[mid] >= 0 && s->left_rows[mid] < end)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo - s->result_at;
}

static int read_on(struct bp_join_stretches *s, struct bp_join_spill *spill, struct bp_err *err)
{
    int rc;

    if (s->result_at < s->result.n_rows || s->gave_all)
        return 0;
    bp_batch_release(&s->result);
    s->result_at = 0;
    rc = bp_join_spill_next(spill, &s->result, &s->left_rows, err);
    s->gave_all = rc == BP_DONE;
    return rc < 0 ? rc : 0;
}

int bp_join_stretches_next(struct bp_join_stretches *s, struct bp_join_spill *spill,
                           struct bp_batch *out, struct bp_share *share, struct bp_err *err)
{
    int64_t n;

    if (s->over)
        return BP_DONE;
    BP_TRY(read_on(s, spill, err));
    if (s->at < s->n)
        *share = s->list[s->at].share;
    n = rows_at_hand(s);
    if (n) {
        BP_TRY(bp_batch_slice(out, &s->result, s->result_at, n, err));
        s->result_at += n;
        return 0;
    }
    *out = (struct bp_batch){0};
    if (++s->at >= s->n)
        s->over = true;
    return 0;
}

void bp_join_stretches_release(struct bp_join_stretches *s)
{
    bp_batch_release(&s->result);
    bp_mem_free(s->list);
    *s = (struct bp_join_stretches){0};
}
