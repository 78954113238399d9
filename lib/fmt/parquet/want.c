/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/want.h"

#include <string.h>

#include "base/mem.h"

#define CUTS_MAX 64 /* pieces that a batch's column is put together from */

void bp_pq_want_init(struct bp_pq_want *w, const struct bp_pq_file *f, int leaf)
{
    *w = (struct bp_pq_want){.file = f, .leaf = leaf, .column = &f->columns[leaf], .group = -1};
}

void bp_pq_want_release(struct bp_pq_want *w)
{
    bp_pq_want_drop(w, INT64_MAX);
    bp_mem_free(w->pieces);
    bp_pq_pages_close(&w->pages);
    bp_pq_dict_unref(w->dict);
    bp_pq_places_release(&w->places);
    *w = (struct bp_pq_want){0};
}

/* ---- pages ---- */

static const struct bp_pq_group *group_of(const struct bp_pq_want *w)
{
    return &w->file->groups[w->group];
}

static int64_t group_end(const struct bp_pq_want *w)
{
    return group_of(w)->first_row + group_of(w)->n_rows;
}

static void open_group(struct bp_pq_want *w, int group)
{
    w->group = group;
    w->row = group_of(w)->first_row;
    bp_pq_pages_open(&w->pages, w->file, w->column, &group_of(w)->chunks[w->leaf]);
    bp_pq_dict_unref(w->dict);
    w->dict = NULL;
    w->looked = false;
    bp_pq_places_release(&w->places);
}

static int take_dict(struct bp_pq_want *w, const struct bp_pq_raw *raw,
                     struct bp_pq_scratch *scratch, struct bp_err *err)
{
    const char *name = w->file->in.name;

    if (w->dict || raw->number)
        return bp_fail(err, BP_EDATA,
                       "%s: column %s: row group %d: page %lld is a dictionary, which only the "
                       "first can be",
                       name, w->column->name, w->group, (long long)raw->number);
    if (bp_pq_dict_decode(&w->dict, w->column, group_of(w)->chunks[w->leaf].codec, raw, scratch,
                          err) < 0)
        return bp_err_prefix(err, "%s: column %s: row group %d: dictionary", name, w->column->name,
                             w->group);
    return 0;
}

int64_t bp_pq_want_bytes(const struct bp_pq_want *w, const struct bp_pq_raw *raw)
{
    int64_t width = BP_MAX((int64_t)bp_type_width_bytes(w->column->type), 4);

    return BP_MAX(width * raw->h.n_values, raw->h.raw_bytes);
}

static int check_size(const struct bp_pq_want *w, const struct bp_pq_raw *raw, struct bp_err *err)
{
    int64_t bytes = bp_pq_want_bytes(w, raw);

    if (bytes <= raw->most_bytes)
        return 0;
    return bp_fail(err, BP_EDATA,
                   "%s: column %s: row group %d: page %lld has %lld values in %lld bytes, more "
                   "than is read at once under this --mem (%lld bytes)",
                   w->file->in.name, w->column->name, w->group, (long long)raw->number,
                   (long long)raw->h.n_values, (long long)bytes, (long long)raw->most_bytes);
}

/* The next page that is not passed over; a dictionary is taken on the way. */
static int read_page(struct bp_pq_want *w, int64_t skip, int64_t most_bytes,
                     struct bp_pq_scratch *scratch, struct bp_pq_raw *out, struct bp_err *err)
{
    int64_t left = skip;

    for (;;) {
        int rc = bp_pq_pages_next(&w->pages, &left, out, err);

        if (rc < 0)
            return rc;
        w->row += skip - left;
        skip = left;
        if (rc == BP_DONE ||
            (out->h.type != BP_PQ_DICT_PAGE && out->h.n_values > group_end(w) - w->row))
            return bp_fail(err, BP_EDATA,
                           "%s: column %s: the pages of row group %d have %s values than it has "
                           "rows (%lld)",
                           w->file->in.name, w->column->name, w->group, rc ? "fewer" : "more",
                           (long long)group_of(w)->n_rows);
        out->most_bytes = most_bytes;
        BP_TRY(check_size(w, out, err));
        if (out->h.type == BP_PQ_DICT_PAGE)
            BP_TRY(take_dict(w, out, scratch, err));
        else if (out->h.n_values)
            return 0;
    }
}

/* ---- by the page index ---- */

/* The dictionary lies before the data pages; from those nothing is read yet. */
static int dict_first(struct bp_pq_want *w, int64_t most_bytes, struct bp_pq_scratch *scratch,
                      struct bp_pq_raw *raw, struct bp_err *err)
{
    int64_t skip = 0;

    if (w->pages.n_pages || w->places.items[0].offset == w->pages.chunk->from)
        return 0;
    w->pages.stop = w->places.items[0].offset;
    BP_TRY(bp_pq_pages_next(&w->pages, &skip, raw, err));
    raw->most_bytes = most_bytes;
    BP_TRY(check_size(w, raw, err));
    return raw->h.type == BP_PQ_DICT_PAGE ? take_dict(w, raw, scratch, err) : 0;
}

/* Straight to the page with this row, where the index tells it; pages up to the last one
 * of the stretch are read ahead. */
static int jump(struct bp_pq_want *w, int64_t row, const struct bp_pq_stretch *s,
                int64_t most_bytes, struct bp_pq_scratch *scratch, struct bp_pq_raw *raw,
                struct bp_err *err)
{
    const struct bp_pq_group *g = group_of(w);
    const struct bp_pq_place *p, *last;
    int page, rc;

    if (!w->looked) {
        w->looked = true;
        rc = bp_pq_places_read(w->file, &g->chunks[w->leaf], g->n_rows, &w->places, err);
        if (rc < 0)
            return rc;
    }
    if (!w->places.n)
        return 0;
    page = bp_pq_places_find(&w->places, row - g->first_row);
    p = &w->places.items[page];
    last = &w->places.items[bp_pq_places_find(&w->places, s->to - 1 - g->first_row)];
    BP_TRY(dict_first(w, most_bytes, scratch, raw, err));
    bp_pq_pages_seek(&w->pages, p->offset, page + (w->dict != NULL));
    w->pages.stop = last->offset + last->n_bytes;
    w->row = g->first_row + p->first_row;
    return 0;
}

/* Where the index led, the page must be as it says. */
static int check_place(const struct bp_pq_want *w, const struct bp_pq_raw *raw, struct bp_err *err)
{
    const struct bp_pq_group *g = group_of(w);
    int64_t row = w->row - g->first_row, end = g->n_rows;
    int page;

    if (!w->places.n)
        return 0;
    page = bp_pq_places_find(&w->places, row);
    if (page + 1 < w->places.n)
        end = w->places.items[page + 1].first_row;
    if (w->places.items[page].first_row == row && raw->h.n_values == end - row)
        return 0;
    return bp_fail(err, BP_EDATA,
                   "%s: column %s: row group %d: page %lld has %lld values, the page index says "
                   "%lld (without -w the index is not used)",
                   w->file->in.name, w->column->name, w->group, (long long)raw->number,
                   (long long)raw->h.n_values, (long long)(end - row));
}

int bp_pq_want_page(struct bp_pq_want *w, const struct bp_pq_stretch *s, int64_t most_bytes,
                    struct bp_pq_scratch *scratch, struct bp_pq_raw *out, int64_t *first_row,
                    struct bp_err *err)
{
    int64_t row = BP_MAX(w->row, s->from);

    if (w->group != s->group)
        open_group(w, s->group);
    /* the part of a group: an index may save the way there, or what lies behind it */
    if (row > w->row || (s->to < group_end(w) && !w->looked))
        BP_TRY(jump(w, row, s, most_bytes, scratch, out, err));
    BP_TRY(read_page(w, row - w->row, most_bytes, scratch, out, err));
    BP_TRY(check_place(w, out, err));
    *first_row = w->row;
    w->row += out->h.n_values;
    return 0;
}

/* ---- pieces ---- */

int bp_pq_want_keep(struct bp_pq_want *w, struct bp_column *col, int64_t first_row,
                    struct bp_err *err)
{
    if (w->n_pieces == w->cap_pieces) {
        struct bp_pq_piece *p = bp_mem_grow(w->pieces, (size_t)w->cap_pieces + 8, sizeof *p, err);

        if (!p) {
            bp_column_release(col);
            return err->code;
        }
        w->pieces = p;
        w->cap_pieces += 8;
    }
    w->pieces[w->n_pieces++] = (struct bp_pq_piece){*col, first_row};
    *col = (struct bp_column){0};
    return 0;
}

static int64_t piece_end(const struct bp_pq_piece *p)
{
    return p->first_row + p->col.n_rows;
}

/* The piece with this row; n_pieces: there is none. */
static int piece_at(const struct bp_pq_want *w, int64_t row)
{
    for (int i = 0; i < w->n_pieces; i++)
        if (piece_end(&w->pieces[i]) > row)
            return w->pieces[i].first_row <= row ? i : w->n_pieces;
    return w->n_pieces;
}

/* The end of the rows without a gap that begin in piece i, in at most so many pieces. */
static int64_t run_end(const struct bp_pq_want *w, int i, int n_pieces)
{
    int64_t end = piece_end(&w->pieces[i]);

    for (int k = i + 1; k < w->n_pieces && k < i + n_pieces && w->pieces[k].first_row == end; k++)
        end = piece_end(&w->pieces[k]);
    return end;
}

int64_t bp_pq_want_covers(const struct bp_pq_want *w, int64_t row)
{
    int i = piece_at(w, row);

    return i == w->n_pieces ? 0 : run_end(w, i, w->n_pieces) - row;
}

int64_t bp_pq_want_reach(const struct bp_pq_want *w, int64_t row, int64_t n, int64_t long_rows)
{
    int i = piece_at(w, row);
    int64_t first = piece_end(&w->pieces[i]) - row;

    if (first >= n)
        return BP_MIN(first, long_rows);
    return BP_MIN(run_end(w, i, CUTS_MAX) - row, n);
}

int bp_pq_want_cut(const struct bp_pq_want *w, int64_t row, int64_t n, struct bp_column *out,
                   struct bp_err *err)
{
    const struct bp_column *srcs[CUTS_MAX] = {0};
    struct bp_column cuts[CUTS_MAX] = {0};
    int n_cuts = 0, rc = 0;

    for (int i = piece_at(w, row); n > 0 && n_cuts < CUTS_MAX; i++) {
        const struct bp_pq_piece *p = &w->pieces[i];
        int64_t some = BP_MIN(n, piece_end(p) - row);

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

void bp_pq_want_drop(struct bp_pq_want *w, int64_t row)
{
    int n = 0;

    while (n < w->n_pieces && piece_end(&w->pieces[n]) <= row)
        bp_column_release(&w->pieces[n++].col);
    if (n) {
        w->n_pieces -= n;
        memmove(w->pieces, w->pieces + n, (size_t)w->n_pieces * sizeof *w->pieces);
    }
}
