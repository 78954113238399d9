/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/stretch.h"

#include <string.h>

#include "base/mem.h"

#define FORGET_LEAST 64 /* at once: the rest moves */

int bp_pq_stretch_add(struct bp_pq_stretches *s, int64_t from, int64_t to, int group,
                      struct bp_err *err)
{
    struct bp_pq_stretch *last = s->n ? &s->items[s->n - 1] : NULL, *grown;

    if (from >= to)
        return 0;
    if (last && last->to == from && last->group == group) {
        last->to = to;
        return 0;
    }
    if (s->n == s->cap) {
        grown = bp_mem_grow(s->items, (size_t)s->cap * 2 + 8, sizeof *grown, err);
        if (!grown)
            return err->code;
        s->items = grown;
        s->cap = s->cap * 2 + 8;
    }
    s->items[s->n++] = (struct bp_pq_stretch){from, to, group};
    return 0;
}

static int first_at(const struct bp_pq_stretches *s, int64_t row)
{
    int low = 0, high = s->n;

    while (low < high) {
        int mid = low + (high - low) / 2;

        if (s->items[mid].to > row)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

const struct bp_pq_stretch *bp_pq_stretch_at(const struct bp_pq_stretches *s, int64_t row)
{
    int i = first_at(s, row);

    return i < s->n ? &s->items[i] : NULL;
}

void bp_pq_stretch_forget(struct bp_pq_stretches *s, int64_t row)
{
    int n = first_at(s, row);

    if (n < FORGET_LEAST)
        return;
    s->n -= n;
    memmove(s->items, s->items + n, (size_t)s->n * sizeof *s->items);
}

void bp_pq_stretches_release(struct bp_pq_stretches *s)
{
    bp_mem_free(s->items);
    *s = (struct bp_pq_stretches){0};
}
