/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/want.h"

#include <string.h>

#include "base/mem.h"

#define FLYING_MOST 4 /* pages of a column in a list, whose rows are not known */

void bp_pq_want_init(struct bp_pq_want *w, const struct bp_pq_file *f, int leaf)
{
    *w = (struct bp_pq_want){.file = f, .leaf = leaf, .column = &f->columns[leaf], .group = -1};
}

void bp_pq_want_release(struct bp_pq_want *w)
{
    bp_pq_pieces_release(&w->pieces);
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
    w->given_values = 0;
    bp_pq_pages_open(&w->pages, w->file, w->column, &group_of(w)->chunks[w->leaf]);
    bp_pq_dict_unref(w->dict);
    w->dict = NULL;
    w->looked = false;
    bp_pq_places_release(&w->places);
}

static int take_dict(struct bp_pq_want *w, struct bp_pq_raw *raw, struct bp_pq_scratch *scratch,
                     struct bp_err *err)
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

    if (w->column->nested) /* levels, and what they are decoded by */
        width += 2 + (int64_t)sizeof(int32_t);

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

/* Are there so many values to come, as far as that can be known? */
static bool has_values(const struct bp_pq_want *w, int64_t n)
{
    if (!w->column->max_rep)
        return n <= group_end(w) - w->row;
    return w->places.n || n <= group_of(w)->chunks[w->leaf].n_values - w->given_values;
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
        if (rc == BP_DONE || (out->h.type != BP_PQ_DICT_PAGE && !has_values(w, out->h.n_values)))
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

/* The row behind the page that begins with this one, by the index. */
static int64_t place_end(const struct bp_pq_want *w, int64_t row)
{
    const struct bp_pq_group *g = group_of(w);
    int page = bp_pq_places_find(&w->places, row - g->first_row);

    return page + 1 < w->places.n ? g->first_row + w->places.items[page + 1].first_row
                                  : group_end(w);
}

/* Where the index led, the page must be as it says. */
static int check_place(const struct bp_pq_want *w, const struct bp_pq_raw *raw, struct bp_err *err)
{
    const struct bp_pq_group *g = group_of(w);
    int64_t row = w->row - g->first_row, end = place_end(w, w->row) - g->first_row;

    if (w->places.items[bp_pq_places_find(&w->places, row)].first_row == row &&
        (w->column->max_rep || raw->h.n_values == end - row))
        return 0;
    return bp_fail(err, BP_EDATA,
                   "%s: column %s: row group %d: page %lld has %lld values, the page index says "
                   "%lld (without -w the index is not used)",
                   w->file->in.name, w->column->name, w->group, (long long)raw->number,
                   (long long)raw->h.n_values, (long long)(end - row));
}

/* What is known of the page that was read, and of the next. */
static void note_page(struct bp_pq_want *w, const struct bp_pq_raw *raw, struct bp_pq_piece *p)
{
    int64_t n = raw->h.n_values;

    *p = (struct bp_pq_piece){.first_row = w->row, .n_rows = n, .group = w->group, .whole = true};
    if (!w->column->max_rep) {
        w->row += n;
    } else if (w->places.n) {
        p->n_rows = place_end(w, w->row) - w->row;
        w->row += p->n_rows;
    } else {
        p->n_rows = -1;
        p->first_row = w->given_values ? -1 : group_of(w)->first_row;
        w->given_values += n;
        p->last = w->given_values == group_of(w)->chunks[w->leaf].n_values;
        p->whole = p->last;
        if (p->last)
            w->row = group_end(w);
    }
    w->n_flying++;
}

int bp_pq_want_page(struct bp_pq_want *w, const struct bp_pq_stretch *s, int64_t most_bytes,
                    struct bp_pq_scratch *scratch, struct bp_pq_raw *out, struct bp_pq_piece *piece,
                    struct bp_err *err)
{
    int64_t row = BP_MAX(w->row, s->from), skip;
    bool in_list = w->column->max_rep > 0, part;

    if (w->group != s->group)
        open_group(w, s->group);
    /* the part of a group: an index may save the way there, or what lies behind it. Pages in
     * order and pages by the index are not mixed where rows are not known without it. */
    part = row > w->row || (s->to < group_end(w) && !w->looked);
    if (part && (!in_list || w->places.n || (!w->given_values && !w->looked)))
        BP_TRY(jump(w, row, s, most_bytes, scratch, out, err));
    skip = in_list ? 0 : row - w->row;
    BP_TRY(read_page(w, skip, most_bytes, scratch, out, err));
    if (w->places.n)
        BP_TRY(check_place(w, out, err));
    note_page(w, out, piece);
    return 0;
}

bool bp_pq_want_waits(const struct bp_pq_want *w)
{
    return w->column->max_rep && w->n_flying >= FLYING_MOST;
}

/* ---- pieces ---- */

static int wrong_rows(const struct bp_pq_want *w, const struct bp_pq_piece *p, const char *how,
                      struct bp_err *err)
{
    return bp_fail(err, BP_EDATA,
                   "%s: column %s: the pages of row group %d begin %s rows than it has (%lld)",
                   w->file->in.name, w->column->name, p->group, how,
                   (long long)w->file->groups[p->group].n_rows);
}

/* Which rows begin in a page of lists, now that its levels are known. */
static int count_rows(struct bp_pq_want *w, struct bp_pq_piece *p, struct bp_err *err)
{
    const struct bp_pq_group *g = &w->file->groups[p->group];
    int64_t n = bp_pq_levels_rows(&p->levels, 0, p->levels.n), claimed = p->n_rows;

    p->n_rows = n;
    if (p->first_row < 0)
        p->first_row = w->next_row;
    else if (p->levels.rep[0] != 0)
        return bp_fail(err, BP_EDATA,
                       "%s: column %s: a page of row group %d goes on with a row "
                       "that none before it has",
                       w->file->in.name, w->column->name, p->group);
    w->next_row = p->first_row + n;
    if (w->next_row > g->first_row + g->n_rows || (claimed >= 0 && n > claimed))
        return wrong_rows(w, p, "more", err);
    if ((p->last && w->next_row < g->first_row + g->n_rows) || n < claimed)
        return wrong_rows(w, p, "fewer", err);
    if (p->group == w->group)
        w->row = BP_MAX(w->row, w->next_row - !p->whole);
    return 0;
}

int bp_pq_want_keep(struct bp_pq_want *w, struct bp_pq_piece *piece, struct bp_err *err)
{
    w->n_flying--;
    if (w->column->max_rep && count_rows(w, piece, err) < 0) {
        bp_pq_piece_release(piece);
        return err->code;
    }
    return bp_pq_pieces_add(&w->pieces, piece, err);
}
