/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the column down to the leaf, entries are kept for what was seen so far: one a row at
 * first. An entry that has a place in the column at hand (its definition level says so) has
 * the next row of it; one whose value is there gets one definition level more, and one whose
 * list has elements becomes as many entries.
 */
#include "fmt/parquet/shred.h"

#include <string.h>

#include "base/mem.h"

/* ---- leaves ---- */

#define PATH_MAX_NAMES (2 * BP_NEST_DEPTH_MAX + 2)

struct listing {
    struct bp_pq_leaves *out;
    int cap;
    struct bp_pq_leaf so_far;
    const char *path[PATH_MAX_NAMES];
    int kids[PATH_MAX_NAMES];
};

static void *copy(struct bp_arena *a, const void *p, size_t n, struct bp_err *err)
{
    void *to = bp_arena_alloc(a, n + 1, err);

    return to ? memcpy(to, p, n) : NULL;
}

static int add_leaf(struct listing *l, struct bp_type t, struct bp_err *err)
{
    struct bp_arena *a = &l->out->arena;
    struct bp_pq_leaf *leaf;

    if (l->out->n == l->cap) {
        leaf = bp_mem_grow(l->out->items, (size_t)l->cap * 2 + 16, sizeof *leaf, err);
        if (!leaf)
            return err->code;
        l->out->items = leaf;
        l->cap = l->cap * 2 + 16;
    }
    leaf = &l->out->items[l->out->n];
    *leaf = l->so_far;
    leaf->type = t;
    bp_pq_layout(t, &leaf->layout);
    leaf->path = copy(a, l->path, (size_t)leaf->n_path * sizeof *leaf->path, err);
    leaf->kids = copy(a, l->kids, (size_t)leaf->n_kids * sizeof *leaf->kids, err);
    leaf->name = bp_arena_str(a, l->path[0], err);
    for (int i = 1; leaf->name && i < leaf->n_path; i++)
        leaf->name = bp_arena_printf(a, err, "%s.%s", leaf->name, l->path[i]);
    if (!leaf->path || !leaf->kids || !leaf->name)
        return err->code;
    l->out->n++;
    return 0;
}

/* A type that stands below l->path, itself counted in the levels. */
static int list_type(struct listing *l, struct bp_type t, struct bp_err *err)
{
    struct bp_pq_leaf before = l->so_far, *s = &l->so_far;

    if (!bp_type_is_nested(t))
        return add_leaf(l, t, err);
    for (int i = 0; i < t.nest->n_kids; i++) {
        *s = before;
        s->nested = true;
        l->kids[s->n_kids++] = i;
        if (t.kind == BP_LIST) {
            s->max_def++;
            s->max_rep++;
            l->path[s->n_path++] = "list";
        }
        s->max_def++;
        l->path[s->n_path++] = t.kind == BP_LIST ? "element" : t.nest->names[i];
        BP_TRY(list_type(l, t.nest->kids[i], err));
    }
    *s = before;
    return 0;
}

int bp_pq_leaves_list(struct bp_pq_leaves *out, const struct bp_schema *schema, struct bp_err *err)
{
    struct listing l = {.out = out};

    *out = (struct bp_pq_leaves){0};
    for (int i = 0; i < schema->n_fields; i++) {
        const struct bp_field *f = &schema->fields[i];

        l.so_far = (struct bp_pq_leaf){
            .field = i, .nullable = f->nullable, .max_def = f->nullable, .n_path = 1};
        l.path[0] = f->name;
        BP_TRY(list_type(&l, f->type, err));
    }
    return 0;
}

int bp_pq_leaves_of(const struct bp_pq_leaves *l, int field)
{
    int i = 0;

    while (i + 1 < l->n && l->items[i].field < field)
        i++;
    return i;
}

void bp_pq_leaves_release(struct bp_pq_leaves *l)
{
    bp_mem_free(l->items);
    bp_arena_release(&l->arena);
    *l = (struct bp_pq_leaves){0};
}

/* ---- entries ---- */

struct shred {
    struct bp_pq_entries *e;
    const struct bp_column *col; /* at hand */
    int64_t first;               /* its row that the first entry with a place has */
    int64_t n_places;
    int def, slot_def, rep; /* levels so far */
};

static int reserve(struct bp_buf *b, int64_t n, struct bp_err *err)
{
    b->len = 0;
    BP_TRY(bp_buf_reserve(b, (size_t)n + 1, err));
    b->len = (size_t)n;
    return 0;
}

/* One level more where the value is there. */
static void add_presence(struct shred *s)
{
    uint8_t *def = s->e->def.data;
    int64_t row = s->first;

    s->def++;
    for (int64_t i = 0; i < s->e->n; i++)
        if (def[i] >= s->slot_def)
            def[i] = (uint8_t)(def[i] + !bp_column_is_null(s->col, row++));
}

static void swap(struct bp_buf *a, struct bp_buf *b)
{
    struct bp_buf c = *a;

    *a = *b;
    *b = c;
}

/* The elements of the lists at hand. */
static int add_elements(struct shred *s, struct bp_err *err)
{
    struct bp_pq_entries *e = s->e;
    const int32_t *offsets = (const int32_t *)s->col->data + s->first;
    int64_t n_elements = offsets[s->n_places] - offsets[0], n = e->n, to = 0;
    const uint8_t *def, *rep;

    swap(&e->def, &e->def_old);
    swap(&e->rep, &e->rep_old);
    BP_TRY(reserve(&e->def, n + n_elements, err));
    BP_TRY(reserve(&e->rep, n + n_elements, err));
    def = e->def_old.data;
    rep = e->rep_old.data;
    s->rep++;
    for (int64_t i = 0, place = 0; i < n; i++) {
        int64_t len = 0;

        if (def[i] >= s->slot_def) {
            len = offsets[place + 1] - offsets[place];
            place++;
        }
        e->rep.data[to] = rep[i];
        e->def.data[to++] = (uint8_t)(def[i] + (len > 0));
        for (int64_t k = 1; k < len; k++) {
            e->rep.data[to] = (uint8_t)s->rep;
            e->def.data[to++] = (uint8_t)(def[i] + 1);
        }
    }
    e->n = to;
    s->slot_def = ++s->def;
    s->first = offsets[0];
    s->n_places = n_elements;
    return 0;
}

int bp_pq_entries_of(const struct bp_pq_leaf *leaf, const struct bp_column *c,
                     struct bp_pq_entries *out, struct bp_column *values, struct bp_err *err)
{
    struct shred s = {.e = out, .col = c, .n_places = c->n_rows};

    BP_TRY(reserve(&out->def, c->n_rows, err));
    BP_TRY(reserve(&out->rep, c->n_rows, err));
    memset(out->def.data, 0, (size_t)c->n_rows);
    memset(out->rep.data, 0, (size_t)c->n_rows);
    out->n = c->n_rows;
    if (leaf->nullable)
        add_presence(&s);
    else if (c->n_nulls)
        return bp_fail(err, BP_EDATA, "a NULL in a column that is NOT NULL");
    for (int i = 0; i < leaf->n_kids; i++) {
        if (s.col->type.kind == BP_LIST)
            BP_TRY(add_elements(&s, err));
        s.col = &s.col->kids->cols[leaf->kids[i]];
        add_presence(&s);
    }
    out->n_present = 0;
    for (int64_t i = 0; i < out->n; i++)
        out->n_present += out->def.data[i] == leaf->max_def;
    return bp_column_slice(values, s.col, s.first, s.n_places, err);
}

void bp_pq_entries_release(struct bp_pq_entries *e)
{
    bp_buf_release(&e->def);
    bp_buf_release(&e->rep);
    bp_buf_release(&e->def_old);
    bp_buf_release(&e->rep_old);
    *e = (struct bp_pq_entries){0};
}
