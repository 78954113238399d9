/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/piece.h"

#include <string.h>

#include "base/mem.h"

#define CUTS_MAX 64 /* pieces that a flat batch's column is put together from */
#define ENTRIES_MOST ((int64_t)256 << 10) /* of lists in a batch, about */

void bp_pq_piece_release(struct bp_pq_piece *p)
{
    bp_column_release(&p->col);
    bp_pq_levels_release(&p->levels);
}

int bp_pq_pieces_add(struct bp_pq_pieces *s, struct bp_pq_piece *p, struct bp_err *err)
{
    if (s->n == s->cap) {
        struct bp_pq_piece *items = bp_mem_grow(s->items, (size_t)s->cap + 8, sizeof *items, err);

        if (!items) {
            bp_pq_piece_release(p);
            return err->code;
        }
        s->items = items;
        s->cap += 8;
    }
    s->items[s->n++] = *p;
    *p = (struct bp_pq_piece){0};
    return 0;
}

void bp_pq_pieces_release(struct bp_pq_pieces *s)
{
    bp_pq_pieces_drop(s, INT64_MAX);
    bp_mem_free(s->items);
    *s = (struct bp_pq_pieces){0};
}

/* ---- which rows are there ---- */

static int64_t end_of(const struct bp_pq_piece *p)
{
    return p->first_row + p->n_rows;
}

/* The piece in which this row begins; n: there is none. */
static int piece_at(const struct bp_pq_pieces *s, int64_t row)
{
    for (int i = 0; i < s->n; i++)
        if (end_of(&s->items[i]) > row)
            return s->items[i].first_row <= row ? i : s->n;
    return s->n;
}

/* The end of the complete rows without a gap that begin in piece i and in at most so many
 * behind it. */
static int64_t run_end(const struct bp_pq_pieces *s, int i, int n_pieces)
{
    int64_t end = end_of(&s->items[i]);
    int k = i + 1;

    for (; k < s->n && k - i < n_pieces && s->items[k].first_row == end; k++)
        end = end_of(&s->items[k]);
    return s->items[k - 1].whole ? end : end - 1;
}

int64_t bp_pq_pieces_cover(const struct bp_pq_pieces *s, int64_t row)
{
    int i = piece_at(s, row);

    return i == s->n ? 0 : run_end(s, i, s->n) - row;
}

int64_t bp_pq_pieces_entries(const struct bp_pq_pieces *s, int64_t row)
{
    int64_t n = 0;

    for (int i = piece_at(s, row); i < s->n; i++)
        n += s->items[i].levels.n;
    return n;
}

int64_t bp_pq_pieces_reach(const struct bp_pq_pieces *s, int64_t row, int64_t n, int64_t long_rows)
{
    int i = piece_at(s, row);
    int64_t first = end_of(&s->items[i]) - row, all;

    if (!s->items[i].levels.rep) {
        if (first >= n)
            return BP_MIN(first, long_rows);
        return BP_MIN(run_end(s, i, CUTS_MAX) - row, n);
    }
    all = run_end(s, i, s->n) - row;
    n = BP_MIN(all, n);
    /* as if all its rows were of one length */
    return BP_MIN(n, BP_MAX(1, all * ENTRIES_MOST / (bp_pq_pieces_entries(s, row) + 1)));
}

void bp_pq_pieces_drop(struct bp_pq_pieces *s, int64_t row)
{
    int n = 0;

    while (n < s->n && end_of(&s->items[n]) <= row)
        bp_pq_piece_release(&s->items[n++]);
    if (n) {
        s->n -= n;
        memmove(s->items, s->items + n, (size_t)s->n * sizeof *s->items);
    }
}

/* ---- cutting ---- */

int bp_pq_pieces_cut(const struct bp_pq_pieces *s, int64_t row, int64_t n, struct bp_column *out,
                     struct bp_err *err)
{
    const struct bp_column *srcs[CUTS_MAX] = {0};
    struct bp_column cuts[CUTS_MAX] = {0};
    int n_cuts = 0, rc = 0;

    for (int i = piece_at(s, row); n > 0 && n_cuts < CUTS_MAX; i++) {
        const struct bp_pq_piece *p = &s->items[i];
        int64_t some = BP_MIN(n, end_of(p) - row);

        BP_GO(bp_column_slice(&cuts[n_cuts], &p->col, row - p->first_row, some, err));
        srcs[n_cuts] = &cuts[n_cuts];
        n_cuts++;
        n -= some;
        row += some;
    }
    rc = bp_column_concat(out, srcs, n_cuts, err);
out:
    for (int i = 0; i < n_cuts; i++)
        bp_column_release(&cuts[i]);
    return rc;
}

/* Entries [from, to) of a piece, and where their places lie in its column. */
struct part {
    const struct bp_pq_piece *piece;
    int64_t from, to, slot, n_slots;
};

/* How many places the first n entries have. */
static int64_t slots_before(const struct bp_pq_column *c, const struct bp_pq_levels *l, int64_t n)
{
    return bp_pq_levels_count(l->def, n, c->slot_defs[c->max_rep]);
}

/* The part of p with rows that begin from `row` on, and with what the row before them left;
 * *n is lowered by them. *done: the row behind the last of them begins here. */
static struct part part_of(const struct bp_pq_column *c, const struct bp_pq_piece *p, int64_t row,
                           int64_t *n, bool first, bool *done)
{
    const struct bp_pq_levels *l = &p->levels;
    struct part out = {.piece = p};

    if (first)
        out.from = bp_pq_levels_row(l, 0, row - p->first_row);
    out.to = bp_pq_levels_row(l, out.from, *n);
    *done = out.to < l->n;
    *n -= bp_pq_levels_rows(l, out.from, out.to);
    out.slot = slots_before(c, l, out.from);
    out.n_slots = slots_before(c, l, out.to) - out.slot;
    return out;
}

/* Several pieces: their levels are put one behind the other. */
static int join_levels(const struct part *parts, int n, struct bp_pq_levels *out,
                       struct bp_err *err)
{
    bool has_rep = parts[0].piece->levels.rep != NULL;
    int64_t total = 0, at = 0;
    uint8_t *to;

    for (int i = 0; i < n; i++)
        total += parts[i].to - parts[i].from;
    BP_TRY(bp_block_new(&out->own, (size_t)total * 2, err));
    to = out->own->data;
    for (int i = 0; i < n; i++) {
        const struct part *p = &parts[i];
        int64_t some = p->to - p->from;

        memcpy(to + at, p->piece->levels.def + p->from, (size_t)some);
        if (has_rep)
            memcpy(to + total + at, p->piece->levels.rep + p->from, (size_t)some);
        at += some;
    }
    out->n = total;
    out->def = to;
    out->rep = has_rep ? to + total : NULL;
    return 0;
}

static int join_slots(const struct part *parts, int n, struct bp_column *out, struct bp_err *err)
{
    struct bp_column *cuts = bp_mem_new((size_t)n, sizeof *cuts, err);
    const struct bp_column **srcs = bp_mem_new((size_t)n, sizeof *srcs, err);
    int rc = cuts && srcs ? 0 : err->code;

    for (int i = 0; rc == 0 && i < n; i++) {
        rc = bp_column_slice(&cuts[i], &parts[i].piece->col, parts[i].slot, parts[i].n_slots, err);
        srcs[i] = &cuts[i];
    }
    if (rc == 0)
        rc = bp_column_concat(out, srcs, n, err);
    for (int i = 0; cuts && i < n; i++)
        bp_column_release(&cuts[i]);
    bp_mem_free(cuts);
    bp_mem_free(srcs);
    return rc;
}

int bp_pq_pieces_shred(const struct bp_pq_pieces *s, const struct bp_pq_column *column, int64_t row,
                       int64_t n, struct bp_pq_shred *out, struct bp_err *err)
{
    int at = piece_at(s, row), n_parts = 0, rc;
    struct part *parts = bp_mem_new((size_t)(s->n - at) + 1, sizeof *parts, err);
    bool done = false;

    *out = (struct bp_pq_shred){.column = column};
    if (!parts)
        return err->code;
    /* what its last row has in pieces behind it, too */
    for (int i = at; i < s->n && !done && (n || !s->items[i - 1].whole); i++)
        parts[n_parts++] = part_of(column, &s->items[i], row, &n, i == at, &done);
    if (n_parts == 1) {
        const struct bp_pq_levels *l = &parts[0].piece->levels;

        out->levels = (struct bp_pq_levels){.n = parts[0].to - parts[0].from,
                                            .def = l->def + parts[0].from,
                                            .rep = l->rep ? l->rep + parts[0].from : NULL};
        BP_GO(bp_column_slice(&out->slots, &parts[0].piece->col, parts[0].slot, parts[0].n_slots,
                              err));
    } else {
        BP_GO(join_levels(parts, n_parts, &out->levels, err));
        BP_GO(join_slots(parts, n_parts, &out->slots, err));
    }
    rc = 0;
out:
    bp_mem_free(parts);
    if (rc < 0)
        bp_pq_shred_release(out);
    return rc;
}
