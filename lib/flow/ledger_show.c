/* SPDX-License-Identifier: Apache-2.0 */
/* Several ledgers for people: each input, who read what of it, and what nobody did. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "flow/ledger_items.h"

static int put_range(int64_t from, int64_t to, struct bp_buf *out, struct bp_err *err)
{
    return bp_buf_printf(out, err, "%14" PRId64 " %14" PRId64 "  ", from, to);
}

static int put_gap(int64_t from, int64_t to, struct bp_buf *out, struct bp_err *err)
{
    BP_TRY(put_range(from, to, out, err));
    return bp_buf_puts(out, "no task\n", err);
}

/* Shares of an input in their order. */
static int put_shares(const struct bp_ledger_item *p, int n_items, struct bp_buf *out,
                      struct bp_err *err)
{
    int64_t at = p->e->first;

    BP_TRY(bp_buf_printf(out, err, ", in %s\n",
                         strcmp(p->e->unit, BP_LEDGER_WHOLE) == 0 ? "one piece" : p->e->unit));
    for (int i = 0; i < n_items; i++) {
        const struct bp_ledger_entry *e = p[i].e;

        if (e->from == e->to || (i && bp_ledger_repeats(&p[i - 1], &p[i])))
            continue;
        if (e->from > at)
            BP_TRY(put_gap(at, e->from, out, err));
        BP_TRY(put_range(e->from, e->to, out, err));
        BP_TRY(bp_buf_printf(out, err, "task %d%s", p[i].task, e->from < at ? ", again" : ""));
        if (!bp_ledger_same_state(e, p->e)) {
            BP_TRY(bp_buf_puts(out, ", when it was ", err));
            BP_TRY(bp_ledger_put_state(e, out, err));
        }
        BP_TRY(bp_buf_puts(out, "\n", err));
        at = BP_MAX(at, e->to);
    }
    return at < p->e->end ? put_gap(at, p->e->end, out, err) : 0;
}

/* What tasks read whole, each for itself. */
static int put_whole(const struct bp_ledger_item *p, int n_items, int n, struct bp_buf *out,
                     struct bp_err *err)
{
    uint8_t *which = bp_mem_new((size_t)n, 1, err);
    int rc;

    if (!which)
        return err->code;
    for (int i = 0; i < n_items; i++)
        which[p[i].task] = 1;
    BP_GO(bp_buf_puts(out, ", whole by ", err));
    BP_GO(bp_tasks_name(which, n, 1, out, err));
    BP_GO(bp_buf_puts(out, "\n", err));
    for (int i = 1; i < n_items; i++) {
        if (bp_ledger_same_state(p[i].e, p->e))
            continue;
        BP_GO(bp_buf_printf(out, err, "%29s  for task %d it was ", "", p[i].task));
        BP_GO(bp_ledger_put_state(p[i].e, out, err));
        BP_GO(bp_buf_puts(out, "\n", err));
    }
out:
    bp_mem_free(which);
    return rc;
}

static int put_pipes(const struct bp_ledger *const tasks[], int n, struct bp_buf *out,
                     struct bp_err *err)
{
    for (int t = 0; t < n; t++)
        for (int i = 0; i < tasks[t]->n; i++)
            if (strcmp(tasks[t]->entries[i].unit, BP_LEDGER_PIPE) == 0)
                BP_TRY(bp_buf_printf(out, err,
                                     "%s: a pipe, of which nothing is known, by task %d\n",
                                     tasks[t]->entries[i].input, t));
    return 0;
}

int bp_ledger_show(const struct bp_ledger *const tasks[], int n, struct bp_buf *out,
                   struct bp_err *err)
{
    struct bp_ledger_items all;
    int rc, end;

    BP_TRY(bp_ledger_items(tasks, n, &all, err));
    rc = 0;
    for (int i = 0; i < all.n; i = end) {
        const struct bp_ledger_item *p = all.p + i;

        for (end = i + 1; end < all.n && bp_ledger_same_input(p->e, all.p[end].e); end++)
            ;
        BP_GO(bp_buf_printf(out, err, "%s%s: ", p->e->input, p->e->nth ? " once more" : ""));
        BP_GO(bp_ledger_put_state(p->e, out, err));
        BP_GO(p->e->share.n ? put_shares(p, end - i, out, err)
                            : put_whole(p, end - i, n, out, err));
    }
    rc = put_pipes(tasks, n, out, err);
out:
    bp_mem_free(all.p);
    return rc;
}
