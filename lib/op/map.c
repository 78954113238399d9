/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bp-map: a SELECT list, columns added or overwritten, dropped, renamed. All four
 * are one list of steps over a growing row of columns: a step takes a column as it
 * is (shared, not copied) or evaluates an expression; it appends or replaces.
 */
#include <string.h>

#include "base/mem.h"
#include "flow/each.h"
#include "flow/marks.h"
#include "op/map_repeat.h"
#include "op/op.h"
#include "op/partial.h"

struct map {
    struct bp_source in;
    struct bp_each *each; /* runs the steps over a batch */
    struct repeat repeat;
    enum bp_map_form form;
    struct map_step *steps;
    int n_steps;
    struct bp_schema schema; /* of the output, and while opening of the columns so far */
    int *origin;             /* per output column: the input's column of equal values, or -1 */
    bool unnests;            /* some step does */
    struct bp_batch held;    /* then: what is being unnested, and from which row and element on */
    int64_t held_from, n_unnested;
    int32_t held_nth;
};

/* ---- running ---- */

/* SELECT, DROP, RENAME: every output column comes from the input alone. */
static int map_fresh(struct map *m, const struct bp_batch *in, struct bp_batch *out,
                     struct repeat_run *run, struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, m->n_steps, err));
    for (int i = 0; i < m->n_steps; i++)
        BP_TRY(bp_repeat_step(&m->steps[i], in, &out->cols[i], run, err));
    return 0;
}

/* ADD: the input's columns stay, steps see what came before them. */
static int map_add(struct map *m, struct bp_batch *in, struct bp_batch *out, struct repeat_run *run,
                   struct bp_err *err)
{
    int n_in = in->n_cols;

    BP_TRY(bp_batch_init(out, m->schema.n_fields, err));
    memcpy(out->cols, in->cols, (size_t)n_in * sizeof *in->cols);
    memset(in->cols, 0, (size_t)n_in * sizeof *in->cols);
    out->n_cols = n_in;
    out->n_rows = in->n_rows;
    out->first_row = in->first_row;
    out->share = in->share;
    for (int i = 0; i < m->n_steps; i++) {
        const struct map_step *s = &m->steps[i];
        struct bp_column c = {0};

        BP_TRY(bp_repeat_step(s, out, &c, run, err));
        if (s->to >= 0)
            bp_column_release(&out->cols[s->to]);
        out->cols[s->to >= 0 ? s->to : out->n_cols++] = c;
    }
    return 0;
}

static int map_batch(void *self, struct bp_batch *in, struct bp_batch *out, struct bp_err *err)
{
    struct map *m = self;
    struct repeat_run run;
    int rc = bp_repeat_start(&m->repeat, in, &run, err);

    if (rc == 0)
        rc = m->form == BP_MAP_ADD ? map_add(m, in, out, &run, err)
                                   : map_fresh(m, in, out, &run, err);
    bp_repeat_end(&m->repeat, &run);
    out->n_rows = in->n_rows;
    out->first_row = in->first_row;
    out->share = in->share;
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}

/* ---- unnest: one row an element; several side by side, NULL where one is shorter ---- */

#define UNNEST_ROWS 65536 /* at most, made at once; of values that are repeated, about */
#define UNNEST_BYTES ((int64_t)1 << 20)

/* Rows that row i becomes. lists: a column for each step that unnests. */
static int32_t longest(const struct map *m, const struct bp_batch *lists, int64_t i)
{
    int32_t most = 0;

    for (int s = 0; s < m->n_steps; s++)
        if (m->steps[s].unnest) {
            const int32_t *off = (const int32_t *)lists->cols[s].data + i;

            most = BP_MAX(most, off[1] - off[0]);
        }
    return most;
}

/* Of the columns that row i repeats. */
static int64_t repeated_bytes(const struct map *m, const struct bp_batch *held, int64_t i)
{
    int64_t bytes = 1;

    for (int s = 0; s < m->n_steps; s++)
        if (!m->steps[s].unnest)
            bytes += bp_column_range_bytes(&held->cols[s], i, 1);
    return bytes;
}

/* The next rows: row[k]: the input row of output row k; nth[k]: which element of it. A list
 * may go on in the next piece. */
static int64_t unnest_rows(struct map *m, int32_t *row, int32_t *nth)
{
    int64_t k = 0, bytes = 0;

    while (m->held_from < m->held.n_rows && k < UNNEST_ROWS && bytes < UNNEST_BYTES) {
        int32_t left = longest(m, &m->held, m->held_from) - m->held_nth;
        int64_t each = repeated_bytes(m, &m->held, m->held_from);
        int64_t take = BP_MIN(BP_MIN(left, UNNEST_ROWS - k), (UNNEST_BYTES - bytes) / each + 1);

        for (int64_t e = 0; e < take; e++, k++) {
            row[k] = (int32_t)m->held_from;
            nth[k] = m->held_nth++;
        }
        bytes += take * each;
        if (take == left) {
            m->held_from++;
            m->held_nth = 0;
        }
    }
    return k;
}

static int unnest_piece(struct map *m, struct bp_batch *out, struct bp_err *err)
{
    const struct bp_batch *held = &m->held;
    int64_t n_out;
    struct bp_block *b;
    int32_t *row, *nth, *idx;
    int rc = 0;

    BP_TRY(bp_block_new(&b, (size_t)UNNEST_ROWS * 3 * sizeof *row, err));
    row = (int32_t *)(void *)b->data;
    nth = row + UNNEST_ROWS;
    idx = nth + UNNEST_ROWS;
    n_out = unnest_rows(m, row, nth);
    BP_GO(bp_batch_init(out, m->n_steps, err));
    for (int s = 0; s < m->n_steps; s++) {
        const struct bp_column *c = &held->cols[s];
        const int32_t *off = c->data;

        if (!m->steps[s].unnest) {
            BP_GO(bp_column_gather(&out->cols[s], c, row, n_out, err));
            continue;
        }
        for (int64_t k = 0; k < n_out; k++)
            idx[k] = nth[k] < off[row[k] + 1] - off[row[k]] ? off[row[k]] + nth[k] : -1;
        BP_GO(bp_column_gather(&out->cols[s], &c->kids->cols[0], idx, n_out, err));
    }
    out->n_rows = n_out;
    out->first_row = m->n_unnested;
    out->share = held->share;
    m->n_unnested += n_out;
    if (m->held_from >= held->n_rows)
        bp_batch_release(&m->held);
out:
    bp_block_unref(b);
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}

static int unnest_next(struct map *m, struct bp_batch *out, struct bp_err *err)
{
    while (!m->held.cols) {
        struct bp_batch in = {0};
        int rc = bp_source_next(&m->in, &in, err);

        if (rc)
            return rc;
        rc = map_batch(m, &in, &m->held, err);
        m->held_from = m->held_nth = 0;
        bp_batch_release(&in);
        BP_TRY(rc);
    }
    return unnest_piece(m, out, err);
}

static int map_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct map *m = self;

    return m->unnests ? unnest_next(m, out, err) : bp_each_next(m->each, &m->in, out, err);
}

static void map_free(void *self)
{
    struct map *m = self;

    bp_each_free(m->each); /* first: it runs the steps */
    bp_source_free(&m->in);
    bp_batch_release(&m->held);
    for (int i = 0; i < m->n_steps; i++)
        bp_expr_free(m->steps[i].expr);
    bp_mem_free(m->steps);
    bp_mem_free(m->origin);
    bp_schema_release(&m->schema);
    bp_mem_free(m);
}

static const struct bp_source_ops map_ops = {.next = map_next, .free = map_free};

/* ---- binding the list ---- */

/* Takes expr over, also on error. */
static int add_step(struct map *m, struct bp_expr *expr, int from, int to, struct bp_err *err)
{
    struct map_step *p = bp_mem_grow(m->steps, (size_t)m->n_steps + 1, sizeof *p, err);

    if (!p) {
        bp_expr_free(expr);
        return err->code;
    }
    m->steps = p;
    p[m->n_steps++] = (struct map_step){.expr = expr, .from = from, .to = to};
    return 0;
}

/* Appends a column to the output; origin as in struct map. */
static int add_field(struct map *m, const char *name, struct bp_type type,
                     const struct bp_field *like, int origin, struct bp_err *err)
{
    int *p;

    BP_TRY(bp_schema_add(&m->schema, name, type, err));
    if (like) {
        m->schema.fields[m->schema.n_fields - 1].nullable = like->nullable;
        m->schema.fields[m->schema.n_fields - 1].dict = like->dict;
    }
    p = bp_mem_grow(m->origin, (size_t)m->schema.n_fields, sizeof *p, err);
    if (!p)
        return err->code;
    m->origin = p;
    p[m->schema.n_fields - 1] = origin;
    return 0;
}

/* Input column i under a name (NULL: its own). */
static int take_column(struct map *m, int i, const char *name, struct bp_err *err)
{
    const struct bp_field *f = &m->in.schema.fields[i];

    BP_TRY(add_step(m, NULL, i, -1, err));
    return add_field(m, name ? name : f->name, f->type, f, i, err);
}

static int bind_select(struct map *m, const struct bp_clause *list, struct bp_err *err)
{
    struct bp_items items = {0};
    int rc;

    BP_GO(bp_expr_parse_list(list, &m->in.schema, &items, err));
    for (int i = 0; i < items.n; i++) {
        struct bp_expr *e = items.items[i].expr;
        int col = bp_expr_column(e);

        if (col >= 0) {
            BP_GO(take_column(m, col, items.items[i].name, err));
            continue;
        }
        BP_GO(add_field(m, items.items[i].name,
                        bp_expr_is_unnest(e) ? bp_expr_type(e).nest->kids[0] : bp_expr_type(e),
                        NULL, -1, err));
        items.items[i].expr = NULL;
        BP_GO(add_step(m, e, -1, -1, err));
        m->steps[m->n_steps - 1].unnest = bp_expr_is_unnest(e);
        m->unnests |= bp_expr_is_unnest(e);
    }
out:
    bp_items_release(&items);
    return rc;
}

/* The exact name decides what is overwritten; -1: none. */
static int find_exact(const struct bp_schema *s, const char *name)
{
    for (int i = 0; i < s->n_fields; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return i;
    return -1;
}

static int bind_add_item(struct map *m, struct bp_item *item, struct bp_err *err)
{
    int col = bp_expr_column(item->expr), to = find_exact(&m->schema, item->name);
    struct bp_type type = bp_expr_type(item->expr);
    struct bp_field like = {.nullable = true};
    struct bp_expr *e = item->expr;
    int origin = -1;

    if (bp_expr_is_unnest(e))
        return bp_fail(err, BP_EUSAGE,
                       "unnest() makes rows: write the whole list, bp-map '*, unnest(a) AS b'");
    if (col >= 0) {
        like = m->schema.fields[col];
        origin = m->origin[col];
    } else {
        item->expr = NULL;
    }
    BP_TRY(add_step(m, col >= 0 ? NULL : e, col, to, err));
    if (to < 0)
        return add_field(m, item->name, type, &like, origin, err);
    m->schema.fields[to].type = type;
    m->schema.fields[to].nullable = like.nullable;
    m->schema.fields[to].dict = like.dict;
    m->origin[to] = origin;
    return 0;
}

static int bind_add(struct map *m, const struct bp_clause *list, struct bp_err *err)
{
    struct bp_items items = {0};
    char **texts = NULL;
    int n = 0, rc = 0;

    for (int i = 0; i < m->in.schema.n_fields; i++) {
        const struct bp_field *f = &m->in.schema.fields[i];

        BP_GO(add_field(m, f->name, f->type, f, i, err));
    }
    BP_GO(bp_expr_split_list(list, &texts, &n, err));
    for (int i = 0; i < n; i++) {
        struct bp_clause one = {texts[i], list->vars, list->n_vars};

        bp_items_release(&items);
        BP_GO(bp_expr_parse_list(&one, &m->schema, &items, err));
        for (int k = 0; k < items.n; k++)
            BP_GO(bind_add_item(m, &items.items[k], err));
    }
out:
    bp_items_release(&items);
    for (int i = 0; i < n; i++)
        bp_mem_free(texts[i]);
    bp_mem_free(texts);
    return rc;
}

static void free_names(char **names, int n)
{
    for (int i = 0; i < n; i++)
        bp_mem_free(names[i]);
    bp_mem_free(names);
}

static int bind_drop(struct map *m, const struct bp_clause *list, struct bp_err *err)
{
    bool *gone = bp_mem_new((size_t)m->in.schema.n_fields + 1, sizeof *gone, err);
    char **names = NULL;
    int n = 0, rc = gone ? 0 : err->code, at;

    if (rc < 0)
        return rc;
    BP_GO(bp_expr_parse_names(list->text, &names, &n, err));
    for (int i = 0; i < n; i++) {
        BP_GO(bp_schema_index(&m->in.schema, names[i], &at, err));
        gone[at] = true;
    }
    for (int i = 0; i < m->in.schema.n_fields; i++)
        if (!gone[i])
            BP_GO(take_column(m, i, NULL, err));
out:
    free_names(names, n);
    bp_mem_free(gone);
    return rc;
}

static int no_double_names(const struct bp_schema *s, struct bp_err *err)
{
    for (int i = 0; i < s->n_fields; i++) {
        if (find_exact(s, s->fields[i].name) < i)
            return bp_fail(err, BP_EUSAGE, "two columns would be named '%s': give one another name",
                           s->fields[i].name);
    }
    return 0;
}

static int bind_rename(struct map *m, const struct bp_clause *list, struct bp_err *err)
{
    const char **name = bp_mem_new((size_t)m->in.schema.n_fields + 1, sizeof *name, err);
    char **from = NULL, **to = NULL;
    int n = 0, rc = name ? 0 : err->code, at;

    if (rc < 0)
        return rc;
    BP_GO(bp_expr_parse_renames(list->text, &from, &to, &n, err));
    for (int i = 0; i < n; i++) {
        BP_GO(bp_schema_index(&m->in.schema, from[i], &at, err));
        if (name[at]) {
            rc = bp_fail(err, BP_EUSAGE, "column '%s' is renamed twice, to '%s' and to '%s'",
                         m->in.schema.fields[at].name, name[at], to[i]);
            goto out;
        }
        name[at] = to[i];
    }
    for (int i = 0; i < m->in.schema.n_fields; i++)
        BP_GO(take_column(m, i, name[i], err));
    BP_GO(no_double_names(&m->schema, err));
out:
    free_names(from, n);
    free_names(to, n);
    bp_mem_free(name);
    return rc;
}

/* ---- marks follow the columns that keep their values ---- */

/* What the input's column is called in the output; NULL: it is gone. */
static const char *new_name(const struct map *m, int col)
{
    const char *own = m->in.schema.fields[col].name;
    int at = find_exact(&m->schema, own);

    if (at >= 0 && m->origin[at] == col)
        return own;
    for (int i = 0; i < m->schema.n_fields; i++)
        if (m->origin[i] == col)
            return m->schema.fields[i].name;
    return NULL;
}

/* The items of bp.sorted up to the first whose column is gone. */
static int follow_sorted(struct map *m, struct bp_err *err)
{
    struct bp_clause c = {bp_schema_meta(&m->in.schema, BP_MARK_SORTED), NULL, 0};
    struct bp_order order = {0};
    struct bp_buf text = {0};
    const char *s, *name;
    int rc, col;

    if (!c.text)
        return 0;
    BP_GO(bp_expr_parse_order(&c, &m->in.schema, &order, err));
    for (int i = 0; i < order.n; i++) {
        col = bp_expr_column(order.items[i].expr);
        name = col < 0 ? NULL : new_name(m, col);
        if (!name)
            break;
        BP_GO(bp_buf_puts(&text, i ? ", " : "", err));
        BP_GO(bp_name_print(name, &text, err));
        BP_GO(bp_buf_puts(&text, order.items[i].desc ? " DESC" : "", err));
        BP_GO(bp_buf_puts(&text, order.items[i].nulls_first ? " NULLS FIRST" : "", err));
    }
    s = bp_buf_str(&text, err);
    rc = s ? bp_schema_set_meta(&m->schema, BP_MARK_SORTED, *s ? s : NULL, err) : err->code;
out:
    bp_order_release(&order);
    bp_buf_release(&text);
    return rc;
}

/* bp.parted stays true only while all its keys are there, with their values. */
static int follow_parted(struct map *m, struct bp_err *err)
{
    struct bp_parted p = {0};
    bool present = false, keep;
    int rc, col;

    BP_GO(bp_mark_parted(&m->in.schema, &present, &p, err));
    keep = present;
    for (int i = 0; i < p.n_keys && keep; i++) {
        const char *name;
        char *copy;

        col = bp_schema_find(&m->in.schema, p.keys[i]);
        name = col < 0 ? NULL : new_name(m, col);
        keep = name != NULL;
        if (!keep)
            break;
        copy = bp_mem_str(name, err);
        if (!copy) {
            rc = err->code;
            goto out;
        }
        bp_mem_free(p.keys[i]);
        p.keys[i] = copy;
    }
    if (keep)
        rc = bp_mark_set_parted(&m->schema, &p, err);
    else
        rc = bp_schema_set_meta(&m->schema, BP_MARK_PARTED, NULL, err);
out:
    bp_parted_release(&p);
    return rc;
}

static int map_bind(struct map *m, const struct bp_clause *list, struct bp_err *err)
{
    BP_TRY(bp_partial_refuse(&m->in.schema, "bp-map", err));
    switch (m->form) {
    case BP_MAP_SELECT: BP_TRY(bind_select(m, list, err)); break;
    case BP_MAP_ADD: BP_TRY(bind_add(m, list, err)); break;
    case BP_MAP_DROP: BP_TRY(bind_drop(m, list, err)); break;
    case BP_MAP_RENAME: BP_TRY(bind_rename(m, list, err)); break;
    }
    BP_TRY(bp_schema_copy_meta(&m->schema, &m->in.schema, err));
    BP_TRY(follow_sorted(m, err));
    return follow_parted(m, err);
}

/* Columns that are taken as they are need none. */
static int threads_for(const struct map *m, const struct bp_ctx *ctx)
{
    for (int i = 0; i < m->n_steps; i++)
        if (m->steps[i].expr)
            return bp_each_threads(ctx, &m->in.schema, &m->schema);
    return 1;
}

int bp_map_open(struct bp_source *out, struct bp_source *in, enum bp_map_form form,
                const struct bp_clause *list, struct bp_ctx *ctx, struct bp_err *err)
{
    struct map *m = bp_mem_new(1, sizeof *m, err);
    int rc = 0;

    *out = (struct bp_source){0};
    if (!m) {
        bp_source_free(in);
        return err->code;
    }
    bp_source_move(&m->in, in);
    m->form = form;
    BP_GO(map_bind(m, list, err));
    BP_GO(bp_repeat_bind(&m->repeat, m->steps, m->n_steps, &m->in.schema, form == BP_MAP_ADD, err));
    BP_GO(bp_each_open(&m->each, threads_for(m, ctx), BP_EACH_WORTH_NS, map_batch, m, err));
    BP_GO(bp_schema_copy(&out->schema, &m->schema, err));
    if (m->in.name) {
        out->name = bp_mem_str(m->in.name, err);
        rc = out->name ? 0 : err->code;
        if (rc < 0)
            goto out;
    }
    out->ops = &map_ops;
    out->self = m;
    return 0;
out:
    map_free(m);
    bp_schema_release(&out->schema);
    *out = (struct bp_source){0};
    return rc;
}
