/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several ledgers against one another. All entries are put in a row by what is one
 * thing to be read; within such a group every task must be there, have seen the same
 * file, and the ranges, in order, must tile it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "col/civil.h"
#include "flow/ledger_items.h"

#define MAX_NAMED 5 /* tasks that a message lists */

int bp_tasks_name(const uint8_t *which, int n, uint8_t value, struct bp_buf *out,
                  struct bp_err *err)
{
    int n_which = 0, n_named = 0;

    for (int i = 0; i < n; i++)
        n_which += which[i] == value;
    BP_TRY(bp_buf_puts(out, n_which > 1 ? "tasks " : "task ", err));
    for (int i = 0; i < n && n_named < MAX_NAMED; i++) {
        if (which[i] != value)
            continue;
        BP_TRY(bp_buf_printf(out, err, "%s%d",
                             n_named == 0                                     ? ""
                             : n_named + 1 == n_which && n_which <= MAX_NAMED ? " and "
                                                                              : ", ",
                             i));
        n_named++;
    }
    return n_which > n_named ? bp_buf_printf(out, err, " and %d more", n_which - n_named) : 0;
}

bool bp_ledger_same_input(const struct bp_ledger_entry *a, const struct bp_ledger_entry *b)
{
    return strcmp(a->input, b->input) == 0 && !a->share.n == !b->share.n && a->nth == b->nth;
}

static int by_input(const void *a, const void *b)
{
    const struct bp_ledger_item *x = a, *y = b;
    int c = strcmp(x->e->input, y->e->input);

    c = c ? c : !x->e->share.n - !y->e->share.n;
    c = c ? c : x->e->nth - y->e->nth;
    c = c ? c : (x->e->from > y->e->from) - (x->e->from < y->e->from);
    c = c ? c : (x->e->to > y->e->to) - (x->e->to < y->e->to);
    return c ? c : x->task - y->task;
}

int bp_ledger_items(const struct bp_ledger *const tasks[], int n, struct bp_ledger_items *out,
                    struct bp_err *err)
{
    size_t total = 0;

    *out = (struct bp_ledger_items){0};
    for (int t = 0; t < n; t++)
        total += (size_t)tasks[t]->n;
    out->p = bp_mem_new(total, sizeof *out->p, err);
    if (!out->p)
        return err->code;
    for (int t = 0; t < n; t++)
        for (int i = 0; i < tasks[t]->n; i++)
            if (strcmp(tasks[t]->entries[i].unit, BP_LEDGER_PIPE) != 0)
                out->p[out->n++] = (struct bp_ledger_item){&tasks[t]->entries[i], t};
    if (out->n)
        qsort(out->p, (size_t)out->n, sizeof *out->p, by_input);
    return 0;
}

/* ---- what is wrong, in words ---- */

int bp_ledger_put_state(const struct bp_ledger_entry *e, struct bp_buf *out, struct bp_err *err)
{
    int64_t s = e->mtime_ns / 1000000000, day = s / 86400, sec = s % 86400;
    struct bp_civil c = bp_civil_from_days(day);

    if (e->version[0])
        return bp_buf_printf(out, err, "version %.8s", e->version);
    return bp_buf_printf(out, err, "%" PRId64 " bytes of %04d-%02d-%02d %02d:%02d:%02d.%09d UTC",
                         e->size_bytes, (int)c.year, c.month, c.day, (int)(sec / 3600),
                         (int)(sec / 60 % 60), (int)(sec % 60), (int)(e->mtime_ns % 1000000000));
}

/* The tasks of which[i] == 1 are to run again. */
static int refuse(struct bp_buf *what, const uint8_t *which, int n, struct bp_err *err)
{
    BP_TRY(bp_buf_puts(what, ": run ", err));
    BP_TRY(bp_tasks_name(which, n, 1, what, err));
    BP_TRY(bp_buf_printf(what, err, " of %d again", n));
    if (!bp_buf_str(what, err))
        return err->code;
    return bp_fail(err, BP_EDATA, "%s", (const char *)what->data);
}

bool bp_ledger_same_state(const struct bp_ledger_entry *a, const struct bp_ledger_entry *b)
{
    return a->size_bytes == b->size_bytes && a->mtime_ns == b->mtime_ns &&
           strcmp(a->unit, b->unit) == 0 && strcmp(a->version, b->version) == 0 &&
           a->first == b->first && a->end == b->end;
}

/* Every task that did not see what the newest view shows has to run again. */
static int refuse_changed(const struct bp_ledger_item *p, int n_items, int n, struct bp_err *err)
{
    uint8_t *old = bp_mem_new((size_t)n, 1, err);
    const struct bp_ledger_item *newest = p, *other = NULL;
    struct bp_buf b = {0};
    int rc;

    if (!old)
        return err->code;
    for (int i = 1; i < n_items; i++)
        if (p[i].e->mtime_ns > newest->e->mtime_ns)
            newest = &p[i];
    for (int i = 0; i < n_items; i++)
        if (!bp_ledger_same_state(p[i].e, newest->e)) {
            old[p[i].task] = 1;
            other = other ? other : &p[i];
        }
    BP_GO(bp_buf_printf(&b, err, "'%s' changed between the tasks: ", p->e->input));
    BP_GO(bp_ledger_put_state(other->e, &b, err));
    BP_GO(bp_buf_printf(&b, err, " for task %d, ", other->task));
    BP_GO(bp_ledger_put_state(newest->e, &b, err));
    BP_GO(bp_buf_printf(&b, err, " for task %d", newest->task));
    if (newest->e->version[0]) /* a version has no age */
        memset(old, 1, (size_t)n);
    rc = refuse(&b, old, n, err);
out:
    bp_buf_release(&b);
    bp_mem_free(old);
    return rc;
}

static int refuse_unseen(const struct bp_ledger_item *p, const uint8_t *seen, int n,
                         struct bp_err *err)
{
    uint8_t *odd = bp_mem_new((size_t)n, 1, err);
    struct bp_buf b = {0};
    int rc;

    if (!odd)
        return err->code;
    for (int i = 0; i < n; i++)
        odd[i] = !seen[i];
    BP_GO(bp_buf_printf(&b, err, "'%s' is an input of task %d, but not of ", p->e->input, p->task));
    BP_GO(bp_tasks_name(odd, n, 1, &b, err));
    BP_GO(bp_buf_puts(&b, " (it came or went between them, or they read a pipe)", err));
    rc = refuse(&b, odd, n, err);
out:
    bp_buf_release(&b);
    bp_mem_free(odd);
    return rc;
}

static int refuse_share(const struct bp_ledger_item *p, int n, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA,
                   "task %d of %d holds the share %d/%d of '%s': run it again with --task %d/%d",
                   p->task, n, p->e->share.i, p->e->share.n, p->e->input, p->task, n);
}

/* p ends before or behind the place where q begins; q NULL: behind the last one. */
static int refuse_tiles(const struct bp_ledger_item *p, const struct bp_ledger_item *q, int n,
                        struct bp_err *err)
{
    const struct bp_ledger_entry *e = p ? p->e : q->e;
    int64_t to = p ? p->e->to : e->first, from = q ? q->e->from : e->end;

    if (!p || !q)
        return bp_fail(
            err, BP_EDATA,
            "no task has %s %" PRId64 " to %" PRId64
            " of '%s': the shares of the %d tasks are not of one division; run all again",
            e->unit, to, from, e->input, n);
    return bp_fail(err, BP_EDATA,
                   "tasks %d and %d do not agree where '%s' is cut: one ends at %" PRId64
                   " (%s), the next begins at %" PRId64 ": run both again",
                   p->task, q->task, e->input, to, e->unit, from);
}

/* ---- the check ---- */

bool bp_ledger_repeats(const struct bp_ledger_item *before, const struct bp_ledger_item *p)
{
    return p->task == before->task && p->e->from == before->e->from && p->e->to == before->e->to;
}

/* A share among several tasks is that task's own. */
static int check_shares(const struct bp_ledger_item *p, int n_items, int n, struct bp_err *err)
{
    for (int i = 0; n > 1 && i < n_items; i++)
        if (p[i].e->share.i != p[i].task || p[i].e->share.n != n)
            return refuse_share(&p[i], n, err);
    return 0;
}

static int check_seen(const struct bp_ledger_item *p, int n_items, int n, struct bp_err *err)
{
    uint8_t *seen = bp_mem_new((size_t)n, 1, err);
    int rc = 0, n_seen = 0;

    if (!seen)
        return err->code;
    for (int i = 0; i < n_items; i++) {
        n_seen += !seen[p[i].task];
        seen[p[i].task] = 1;
    }
    if (n_seen < n)
        rc = refuse_unseen(p, seen, n, err);
    bp_mem_free(seen);
    return rc;
}

static int check_tiles(const struct bp_ledger_item *p, int n_items, int n, struct bp_err *err)
{
    const struct bp_ledger_item *last = NULL;
    int64_t at = p->e->first;

    if (!p->e->share.n)
        return 0;
    for (int i = 0; i < n_items; i++) {
        const struct bp_ledger_entry *e = p[i].e;

        if (i && bp_ledger_repeats(&p[i - 1], &p[i]))
            continue;
        if (e->from == e->to)
            continue;
        if (e->from != at)
            return refuse_tiles(last, &p[i], n, err);
        at = e->to;
        last = &p[i];
    }
    return at == p->e->end ? 0 : refuse_tiles(last ? last : p, NULL, n, err);
}

static int check_input(const struct bp_ledger_item *p, int n_items, int n, struct bp_err *err)
{
    for (int i = 1; i < n_items; i++)
        if (!bp_ledger_same_state(p[i].e, p->e) &&
            (p->e->share.n || p[i].e->size_bytes != p->e->size_bytes ||
             p[i].e->mtime_ns != p->e->mtime_ns || strcmp(p[i].e->version, p->e->version) != 0))
            return refuse_changed(p, n_items, n, err);
    if (!p->e->share.n)
        return 0; /* a broadcast side, or a task's own rows */
    BP_TRY(check_shares(p, n_items, n, err));
    return check_seen(p, n_items, n, err);
}

int bp_ledger_check(const struct bp_ledger *const tasks[], int n, struct bp_err *err)
{
    struct bp_ledger_items all;
    int rc, end;

    BP_TRY(bp_ledger_items(tasks, n, &all, err));
    rc = 0;
    /* what is another input explains where cuts do not meet: inputs first */
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < all.n && rc == 0; i = end) {
            for (end = i + 1; end < all.n && bp_ledger_same_input(all.p[i].e, all.p[end].e); end++)
                ;
            rc = (pass ? check_tiles : check_input)(all.p + i, end - i, n, err);
        }
    bp_mem_free(all.p);
    return rc;
}

int bp_ledger_version(const struct bp_ledger *const tasks[], int n, const char *salt, char out[17],
                      struct bp_err *err)
{
    struct bp_buf b = {0};
    struct bp_ledger_items all;
    int rc;

    BP_TRY(bp_ledger_items(tasks, n, &all, err));
    BP_GO(bp_buf_puts(&b, salt, err));
    for (int i = 0; i < all.n; i++) {
        const struct bp_ledger_entry *e = all.p[i].e;

        if (i && bp_ledger_same_input(e, all.p[i - 1].e))
            continue;
        BP_GO(bp_buf_printf(&b, err, "\n%s\t%d\t%" PRId64 "\t%" PRId64 "\t%s", e->input, e->nth,
                            e->size_bytes, e->mtime_ns, e->version));
    }
    snprintf(out, 17, "%016" PRIx64, bp_xxh3(b.data, b.len));
out:
    bp_buf_release(&b);
    bp_mem_free(all.p);
    return rc;
}
