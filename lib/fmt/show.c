/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for people:
 *
 *     hour                 zone  revenue
 *     timestamp         integer  decimal(38,2)
 *     ───────────────────────── ...
 *     2020-01-01 00:00:00   161        1234.50
 *     (1 row)
 *
 * Rows are collected as text first, because the widths depend on all of them; a table
 * of any size is looked at twice instead.
 * A table that is wider than the terminal gives way in this order: cells of
 * text, names and types shrink, the widest first, never numbers or times, whose
 * shortened text would lie; then the columns in the middle are left out.
 */
#include "fmt/show.h"

#include <string.h>

#include "fmt/cell.h"

#define GAP 2      /* columns between two columns of the table */
#define MIN_TEXT 8 /* a column of text, a name or a type keeps as much */
#define FIRST_CELLS 256
#define PIECE_ROWS 1024 /* that are text at a time */
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"
#define RULE "\xe2\x94\x80"
#define ELLIPSIS "\xe2\x80\xa6"
#define IS_NULL (-1)

struct cell {
    size_t at; /* in table.text */
    uint32_t len;
    int32_t width; /* IS_NULL */
};

struct table {
    const struct bp_show_opts *opts;
    struct bp_schema *schema;
    struct bp_buf text;
    struct cell *cells; /* row by row; the first two rows are names and types */
    size_t n_cells, cap_cells;
    int64_t n_rows;  /* of data */
    int64_t *values; /* of each column: the width of the widest value */
    bool more;       /* there are rows after them */
};

/* How the columns share the line. */
struct layout {
    int64_t *natural, *least, *width; /* of each column */
    bool *shown;
    int n_cols, n_shown;
};

static const char *row_word(int64_t n)
{
    return n == 1 ? "row" : "rows";
}

static int put_times(struct bp_buf *out, const char *s, int64_t n, struct bp_err *err)
{
    for (int64_t i = 0; i < n; i++)
        BP_TRY(bp_buf_puts(out, s, err));
    return 0;
}

static int put_dim(struct bp_buf *out, bool color, const char *s, struct bp_err *err)
{
    if (color)
        BP_TRY(bp_buf_puts(out, DIM, err));
    BP_TRY(bp_buf_puts(out, s, err));
    return color ? bp_buf_puts(out, PLAIN, err) : 0;
}

/* The type as it stands under the name: the one name that is wider than most of
 * its values goes by its alias. */
static const char *type_text(struct bp_type t, char buf[BP_TYPE_NAME_MAX])
{
    return t.kind == BP_FLOAT64 ? "float8" : bp_type_name(t, buf);
}

/* Numbers stand to the right. */
static bool is_right(struct bp_type t)
{
    return bp_type_is_number(t);
}

/* ---- collecting ---- */

static int add_cell(struct table *t, size_t at, int64_t width, struct bp_err *err)
{
    size_t cap, len = t->text.len - at;
    void *p;

    if (t->n_cells == t->cap_cells) {
        cap = t->cap_cells ? t->cap_cells * 2 : FIRST_CELLS;
        p = bp_mem_grow(t->cells, cap, sizeof *t->cells, err);
        if (!p)
            return BP_ENOMEM;
        t->cells = p;
        t->cap_cells = cap;
    }
    if (len > UINT32_MAX || width > INT32_MAX)
        return bp_fail(err, BP_EDATA, "a value of %zu bytes is too long to show", len);
    t->cells[t->n_cells++] = (struct cell){.at = at, .len = (uint32_t)len, .width = (int32_t)width};
    return 0;
}

static int add_head(struct table *t, struct bp_err *err)
{
    char type[BP_TYPE_NAME_MAX];
    int64_t width = 0;

    t->values = bp_mem_new((size_t)t->schema->n_fields, sizeof *t->values, err);
    if (!t->values)
        return err->code;
    for (int i = 0; i < t->schema->n_fields; i++) {
        const char *name = t->schema->fields[i].name;
        size_t at = t->text.len;

        BP_TRY(bp_cell_text(&t->text, name, strlen(name), t->opts->max_cell, &width, err));
        BP_TRY(add_cell(t, at, width, err));
    }
    for (int i = 0; i < t->schema->n_fields; i++) {
        size_t at = t->text.len;

        BP_TRY(bp_buf_puts(&t->text, type_text(t->schema->fields[i].type, type), err));
        BP_TRY(add_cell(t, at, (int64_t)(t->text.len - at), err));
    }
    return 0;
}

static int add_rows(struct table *t, const struct bp_batch *b, int64_t n, struct bp_err *err)
{
    for (int64_t row = 0; row < n; row++) {
        for (int i = 0; i < b->n_cols; i++) {
            size_t at = t->text.len;
            int64_t width = IS_NULL;

            if (!bp_column_is_null(&b->cols[i], row))
                BP_TRY(bp_cell_value(&t->text, &b->cols[i], row, t->opts->max_cell, &width, err));
            BP_TRY(add_cell(t, at, width, err));
            t->values[i] = BP_MAX(t->values[i], width == IS_NULL ? 4 : width);
        }
    }
    t->n_rows += n;
    return 0;
}

/* ---- one line a column ---- */

static int64_t widest_name(const struct table *t, int n_cols, int from)
{
    int64_t w = 0;

    for (int i = 0; i < n_cols; i++)
        w = BP_MAX(w, t->cells[from + i].width);
    return w;
}

static int put_padded(const struct table *t, const struct cell *c, int64_t to, const char *style,
                      struct bp_buf *out, struct bp_err *err)
{
    bool color = t->opts->color;

    if (color)
        BP_TRY(bp_buf_puts(out, style, err));
    BP_TRY(bp_buf_append(out, t->text.data + c->at, c->len, err));
    if (color)
        BP_TRY(bp_buf_puts(out, PLAIN, err));
    return put_times(out, " ", to - c->width, err);
}

static int expand_row(const struct table *t, const struct bp_batch *b, int64_t row, int64_t number,
                      struct bp_buf *out, struct bp_err *err)
{
    int64_t names = widest_name(t, b->n_cols, 0), types = widest_name(t, b->n_cols, b->n_cols);
    int64_t width;

    BP_TRY(bp_buf_printf(out, err, RULE RULE " row %lld ", (long long)number));
    BP_TRY(put_times(out, RULE, names + types + GAP - 8, err));
    BP_TRY(bp_buf_puts(out, "\n", err));
    for (int i = 0; i < b->n_cols; i++) {
        BP_TRY(put_padded(t, &t->cells[i], names + GAP, BOLD, out, err));
        BP_TRY(put_padded(t, &t->cells[b->n_cols + i], types + GAP, DIM, out, err));
        if (bp_column_is_null(&b->cols[i], row))
            BP_TRY(put_dim(out, t->opts->color, "NULL", err));
        else
            BP_TRY(bp_cell_value(out, &b->cols[i], row, t->opts->max_cell, &width, err));
        BP_TRY(bp_buf_puts(out, "\n", err));
    }
    return 0;
}

static int expand_rows(struct table *t, const struct bp_batch *b, int64_t n, struct bp_buf *out,
                       struct bp_err *err)
{
    for (int64_t row = 0; row < n; row++)
        BP_TRY(expand_row(t, b, row, t->n_rows + row + 1, out, err));
    t->n_rows += n;
    return 0;
}

/* Pull until there are enough rows and it is known whether more follow. */
static int collect(struct table *t, struct bp_source *src, struct bp_buf *out, struct bp_err *err)
{
    int64_t want = t->opts->n_rows < 0 ? INT64_MAX : t->opts->n_rows;
    int rc;

    BP_TRY(add_head(t, err));
    while (!t->more) {
        struct bp_batch b;
        int64_t n;

        rc = bp_source_next(src, &b, err);
        if (rc)
            return rc < 0 ? rc : 0;
        n = BP_MIN(b.n_rows, want - t->n_rows);
        t->more = n < b.n_rows;
        if (t->opts->expanded && b.n_cols > 0)
            rc = expand_rows(t, &b, n, out, err);
        else
            rc = add_rows(t, &b, n, err);
        bp_batch_release(&b);
        BP_TRY(rc);
    }
    return 0;
}

/* ---- widths ---- */

static void measure(const struct table *t, struct layout *l)
{
    for (int i = 0; i < l->n_cols; i++) {
        int64_t values = t->values[i], head;

        head = BP_MAX(t->cells[i].width, t->cells[l->n_cols + i].width);
        l->natural[i] = BP_MAX(values, head);
        if (bp_type_is_bytes(t->schema->fields[i].type) ||
            bp_type_is_nested(t->schema->fields[i].type))
            values = BP_MIN(values, MIN_TEXT);
        l->least[i] = BP_MAX(values, BP_MIN(head, MIN_TEXT));
    }
}

/* Width of column i if no column that can shrink is wider than cap. */
static int64_t capped(const struct layout *l, int i, int64_t cap)
{
    return BP_MAX(l->least[i], BP_MIN(l->natural[i], cap));
}

static int64_t total(const struct layout *l, int64_t cap)
{
    int64_t sum = 0;
    int n = 0;

    for (int i = 0; i < l->n_cols; i++) {
        if (l->shown[i]) {
            sum += capped(l, i, cap);
            n++;
        }
    }
    return sum + (int64_t)GAP * (n - 1) + (n < l->n_cols ? GAP + 1 : 0);
}

/* Leave out the middle: keep the first column, the last, the second, ... while
 * they fit at their least. */
static void leave_out(struct layout *l, int64_t room)
{
    int left = 0, right = l->n_cols - 1;

    for (int i = 0; i < l->n_cols; i++)
        l->shown[i] = false;
    l->n_shown = 0;
    while (left <= right) {
        int i = l->n_shown % 2 == 0 ? left : right;

        l->shown[i] = true;
        if (l->n_shown > 0 && total(l, 0) > room) {
            l->shown[i] = false;
            return;
        }
        l->n_shown++;
        if (i == left)
            left++;
        else
            right--;
    }
}

static void fit(struct layout *l, int64_t room)
{
    int64_t low = 0, high = 0;

    for (int i = 0; i < l->n_cols; i++)
        high = BP_MAX(high, l->natural[i]);
    if (room > 0 && total(l, 0) > room)
        leave_out(l, room);
    if (room > 0) { /* the largest cap that fits, or 0 */
        while (low < high) {
            int64_t mid = low + (high - low + 1) / 2;

            if (total(l, mid) <= room)
                low = mid;
            else
                high = mid - 1;
        }
    }
    for (int i = 0; i < l->n_cols; i++)
        l->width[i] = capped(l, i, high);
}

/* ---- drawing ---- */

static int put_cell(const struct table *t, const struct layout *l, int i, const struct cell *c,
                    bool last, const char *style, struct bp_buf *out, struct bp_err *err)
{
    bool right = is_right(t->schema->fields[i].type), is_null = c->width == IS_NULL;
    int64_t width = is_null ? 4 : BP_MIN(c->width, l->width[i]), pad = l->width[i] - width, w;

    if (is_null)
        style = DIM;
    if (right)
        BP_TRY(put_times(out, " ", pad, err));
    if (t->opts->color && *style)
        BP_TRY(bp_buf_puts(out, style, err));
    if (is_null) {
        BP_TRY(bp_buf_puts(out, "NULL", err));
    } else {
        BP_TRY(bp_cell_text(out, t->text.data + c->at, c->len, (int)l->width[i], &w, err));
        pad += right ? 0 : width - w; /* a wide character may not have fitted */
    }
    if (t->opts->color && *style)
        BP_TRY(bp_buf_puts(out, PLAIN, err));
    return right || last ? 0 : put_times(out, " ", pad, err);
}

static int put_line(const struct table *t, const struct layout *l, const struct cell *row,
                    const char *style, struct bp_buf *out, struct bp_err *err)
{
    bool first = true, gone = false;
    int last = 0;

    for (int i = 0; i < l->n_cols; i++)
        last = l->shown[i] || i == l->n_cols - 1 ? i : last;
    for (int i = 0; i < l->n_cols; i++) {
        if (!l->shown[i] && gone)
            continue;
        if (!first)
            BP_TRY(put_times(out, " ", GAP, err));
        first = false;
        if (l->shown[i]) {
            BP_TRY(put_cell(t, l, i, &row[i], i == last, style, out, err));
        } else {
            BP_TRY(put_dim(out, t->opts->color, ELLIPSIS, err));
            gone = true;
        }
    }
    return bp_buf_puts(out, "\n", err);
}

static int put_rule(const struct table *t, const struct layout *l, struct bp_buf *out,
                    struct bp_err *err)
{
    bool first = true, gone = false;

    if (t->opts->color)
        BP_TRY(bp_buf_puts(out, DIM, err));
    for (int i = 0; i < l->n_cols; i++) {
        if (!l->shown[i] && gone)
            continue;
        if (!first)
            BP_TRY(put_times(out, " ", GAP, err));
        first = false;
        BP_TRY(put_times(out, RULE, l->shown[i] ? l->width[i] : 1, err));
        gone = gone || !l->shown[i];
    }
    if (t->opts->color)
        BP_TRY(bp_buf_puts(out, PLAIN, err));
    return bp_buf_puts(out, "\n", err);
}

static int draw_head(const struct table *t, const struct layout *l, struct bp_buf *out,
                     struct bp_err *err)
{
    BP_TRY(put_line(t, l, t->cells, BOLD, out, err));
    BP_TRY(put_line(t, l, t->cells + l->n_cols, DIM, out, err));
    return put_rule(t, l, out, err);
}

/* The rows whose cells are there. */
static int draw_rows(const struct table *t, const struct layout *l, struct bp_buf *out,
                     struct bp_err *err)
{
    size_t n = (size_t)l->n_cols;

    for (size_t at = 2 * n; at < t->n_cells; at += n)
        BP_TRY(put_line(t, l, t->cells + at, "", out, err));
    return 0;
}

static int put_footer(const struct table *t, int n_shown, struct bp_buf *out, struct bp_err *err)
{
    struct bp_buf s = {0};
    int n_cols = t->schema->n_fields, rc;
    const char *str;

    if (t->more)
        BP_GO(bp_buf_printf(&s, err, "%lld %s shown, more follow", (long long)t->n_rows,
                            row_word(t->n_rows)));
    else
        BP_GO(bp_buf_printf(&s, err, "(%lld %s)", (long long)t->n_rows, row_word(t->n_rows)));
    if (n_cols == 0)
        BP_GO(bp_buf_puts(&s, ", no columns", err));
    else if (n_shown < n_cols)
        BP_GO(bp_buf_printf(&s, err, "; %d of %d columns, -x shows all", n_shown, n_cols));
    str = bp_buf_str(&s, err);
    if (!str) {
        rc = BP_ENOMEM;
        goto out;
    }
    BP_GO(put_dim(out, t->opts->color, str, err));
    BP_GO(bp_buf_puts(out, "\n", err));
out:
    bp_buf_release(&s);
    return rc;
}

static void layout_release(struct layout *l)
{
    bp_mem_free(l->natural);
    bp_mem_free(l->shown);
}

/* How wide each column is, from what is known of its values. */
static int layout_make(struct layout *l, const struct table *t, struct bp_err *err)
{
    size_t n = (size_t)t->schema->n_fields;

    *l = (struct layout){.n_cols = (int)n, .n_shown = (int)n};
    l->natural = bp_mem_new(3 * n, sizeof *l->natural, err);
    l->shown = bp_mem_new(n, sizeof *l->shown, err);
    if (!l->natural || !l->shown)
        return err->code;
    l->least = l->natural + n;
    l->width = l->least + n;
    memset(l->shown, 1, n * sizeof *l->shown);
    measure(t, l);
    fit(l, t->opts->width_cols);
    return 0;
}

static void table_release(struct table *t)
{
    bp_buf_release(&t->text);
    bp_mem_free(t->cells);
    bp_mem_free(t->values);
}

int bp_show_table(struct bp_source *src, const struct bp_show_opts *opts, struct bp_buf *out,
                  struct bp_err *err)
{
    struct table t = {.opts = opts, .schema = &src->schema};
    struct layout l = {.n_shown = src->schema.n_fields};
    int rc;

    BP_GO(collect(&t, src, out, err));
    if (!opts->expanded && l.n_shown > 0) {
        BP_GO(layout_make(&l, &t, err));
        BP_GO(draw_head(&t, &l, out, err));
        BP_GO(draw_rows(&t, &l, out, err));
    }
    BP_GO(put_footer(&t, l.n_shown, out, err));
out:
    layout_release(&l);
    table_release(&t);
    return rc;
}

/* ---- all rows, in the memory of a batch ---- */

struct all {
    struct table t;
    const struct bp_show_twice *twice;
    struct layout layout;
    size_t head_text, head_cells; /* of t, before the rows */
    struct bp_buf out;
};

static int all_flush(struct all *a, struct bp_err *err)
{
    int rc = a->out.len ? a->twice->put(a->twice->arg, a->out.data, a->out.len, err) : 0;

    a->out.len = 0;
    return rc;
}

/* Only the cells of b. */
static int all_cells(struct all *a, const struct bp_batch *b, struct bp_err *err)
{
    a->t.text.len = a->head_text;
    a->t.n_cells = a->head_cells;
    return add_rows(&a->t, b, b->n_rows, err);
}

/* In pieces: a batch of text can be much longer than its values. */
static int all_batch(struct all *a, struct bp_batch *b, bool second, struct bp_err *err)
{
    int rc = 0;

    for (int64_t at = 0; at < b->n_rows && rc == 0; at += PIECE_ROWS) {
        struct bp_batch some;

        rc = bp_batch_slice(&some, b, at, BP_MIN(PIECE_ROWS, b->n_rows - at), err);
        if (rc < 0)
            break;
        if (second && a->t.opts->expanded)
            rc = expand_rows(&a->t, &some, some.n_rows, &a->out, err);
        else
            rc = all_cells(a, &some, err);
        if (rc == 0 && second && !a->t.opts->expanded)
            rc = draw_rows(&a->t, &a->layout, &a->out, err);
        if (rc == 0)
            rc = all_flush(a, err);
        bp_batch_release(&some);
    }
    return rc;
}

/* Nothing is shown of what turns out not to be whole. */
static int first_look(struct all *a, struct bp_source *src, struct bp_err *err)
{
    struct bp_batch b;
    int rc;

    BP_TRY(add_head(&a->t, err));
    a->head_text = a->t.text.len;
    a->head_cells = a->t.n_cells;
    while ((rc = bp_source_next(src, &b, err)) == 0) {
        rc = all_batch(a, &b, false, err);
        if (rc == 0 && src->schema.n_fields && b.n_rows)
            rc = a->twice->keep(a->twice->arg, &b, err);
        bp_batch_release(&b);
        BP_TRY(rc);
    }
    return rc < 0 ? rc : 0;
}

static int second_look(struct all *a, struct bp_err *err)
{
    struct bp_batch b;
    int rc;

    if (!a->t.opts->expanded) {
        BP_TRY(layout_make(&a->layout, &a->t, err));
        BP_TRY(draw_head(&a->t, &a->layout, &a->out, err));
    }
    a->t.n_rows = 0;
    while ((rc = a->twice->next(a->twice->arg, &b, err)) == 0) {
        rc = all_batch(a, &b, true, err);
        bp_batch_release(&b);
        BP_TRY(rc);
    }
    return rc < 0 ? rc : 0;
}

int bp_show_all(struct bp_source *src, const struct bp_show_opts *opts,
                const struct bp_show_twice *twice, struct bp_err *err)
{
    struct all a = {.t = {.opts = opts, .schema = &src->schema}, .twice = twice};
    int n_shown = src->schema.n_fields, rc;

    BP_GO(first_look(&a, src, err));
    if (n_shown > 0)
        BP_GO(second_look(&a, err));
    n_shown = a.layout.n_cols ? a.layout.n_shown : n_shown;
    BP_GO(put_footer(&a.t, n_shown, &a.out, err));
    rc = all_flush(&a, err);
out:
    layout_release(&a.layout);
    table_release(&a.t);
    bp_buf_release(&a.out);
    return rc;
}
