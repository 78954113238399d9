/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema's tree -> fields of ours (LogicalTypes.md, "Nested Types", with the rules for
 * older writers).
 *
 * Only a repeated element makes a list in Parquet. The annotation LIST stands on a group
 * around it, so that the list itself and its elements may be NULL:
 *
 *     optional group a (LIST) { repeated group list { optional int32 element } }
 *
 * Older writers left out one of the two groups, or gave them other names; whether the
 * repeated group is the element or only stands around it has to be guessed from its form. A
 * repeated element without an annotation is a list that is never NULL of elements that are
 * never NULL. A map is a list of struct(key, value).
 *
 * Each element that is not required adds a definition level, each repeated one a repetition
 * level (levels.h); they are counted on the way down.
 */
#include <string.h>

#include "base/mem.h"
#include "fmt/parquet/schema_element.h"
#include "fmt/parquet/thrift.h"

#define DEPTH_MAX (2 * BP_NEST_DEPTH_MAX + 2)

struct walk {
    struct bp_pq_file *file;
    struct bp_pq_element *items;
    int n, at;                        /* items before it were used */
    const char *refused;              /* why the field being read cannot be */
    uint8_t slot_defs[DEPTH_MAX + 1]; /* of each repetition level so far */
};

/* Where an element stands: what its parent counted. */
struct place {
    const char *path;
    int def, rep, slot_def, depth;
};

static int build(struct walk *w, const struct bp_pq_element *e, struct place p,
                 struct bp_pq_node *out, struct bp_err *err);

static int does_not_add_up(struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "the schema's tree does not add up");
}

/* The element that comes next, whose children must be there. */
static int take(struct walk *w, const struct bp_pq_element **out, struct bp_err *err)
{
    const struct bp_pq_element *e = &w->items[w->at];

    if (w->at == w->n)
        return does_not_add_up(err);
    w->at++;
    if (e->type < 0 && (e->n_children < 0 || e->n_children > w->n - w->at))
        return does_not_add_up(err);
    *out = e;
    return 0;
}

static struct bp_pq_node new_node(const struct walk *w, const char *name, struct place p)
{
    return (struct bp_pq_node){.name = name,
                               .def = p.def,
                               .rep = p.rep,
                               .slot_def = p.slot_def,
                               .first_leaf = w->file->n_columns};
}

static int new_kids(struct walk *w, struct bp_pq_node *out, int n, struct bp_err *err)
{
    out->n_kids = n;
    out->kids = bp_arena_alloc(&w->file->arena, ((size_t)n + 1) * sizeof *out->kids, err);
    return out->kids ? 0 : err->code;
}

static int join_path(struct walk *w, struct place *p, const char *name, struct bp_err *err)
{
    p->path = p->path ? bp_arena_printf(&w->file->arena, err, "%s.%s", p->path, name) : name;
    return p->path ? 0 : err->code;
}

/* ---- a list ---- */

/* One more repetition level, of an element that is present where `def` says so. */
static struct place inside_list(struct walk *w, struct place p, int def)
{
    p.def = p.slot_def = def;
    p.rep++;
    w->slot_defs[p.rep] = (uint8_t)def;
    return p;
}

/* out->kids[0] is known. */
static int close_list(const struct walk *w, struct bp_pq_node *out, struct bp_err *err)
{
    out->n_leaves = w->file->n_columns - out->first_leaf;
    return bp_type_list(out->kids[0].type, &out->type, err);
}

/* e and what is below it, as a field of the group at p. */
static int field(struct walk *w, struct place p, struct bp_pq_node *out, struct bp_err *err)
{
    const struct bp_pq_element *e;

    BP_TRY(take(w, &e, err));
    if (e->repetition != BP_PQ_REPEATED) {
        p.def += e->repetition != BP_PQ_REQUIRED;
        return build(w, e, p, out, err);
    }
    *out = new_node(w, e->name, p);
    BP_TRY(new_kids(w, out, 1, err));
    BP_TRY(build(w, e, inside_list(w, p, p.def + 1), &out->kids[0], err));
    return close_list(w, out, err);
}

/* Is the repeated group r the element, and not only around it? Its first child is next. */
static bool is_element(const struct walk *w, const struct bp_pq_element *list,
                       const struct bp_pq_element *r)
{
    size_t n = strlen(list->name);

    if (r->type >= 0 || r->n_children != 1 || r->logical == BP_PQ_L_LIST ||
        r->logical == BP_PQ_L_MAP || w->items[w->at].repetition == BP_PQ_REPEATED)
        return true;
    return strcmp(r->name, "array") == 0 ||
           (strncmp(r->name, list->name, n) == 0 && strcmp(r->name + n, "_tuple") == 0);
}

static int build_list(struct walk *w, const struct bp_pq_element *e, struct place p,
                      struct bp_pq_node *out, struct bp_err *err)
{
    const struct bp_pq_element *r;

    BP_TRY(take(w, &r, err));
    BP_TRY(join_path(w, &p, r->name, err));
    BP_TRY(new_kids(w, out, 1, err));
    p = inside_list(w, p, p.def + 1);
    if (is_element(w, e, r))
        BP_TRY(build(w, r, p, &out->kids[0], err));
    else
        BP_TRY(field(w, p, &out->kids[0], err));
    return close_list(w, out, err);
}

/* ---- structs and maps ---- */

static int close_struct(const struct walk *w, struct bp_pq_node *out, struct bp_err *err)
{
    size_t n = (size_t)out->n_kids;
    struct bp_type *types = bp_mem_new(n + 1, sizeof *types, err);
    const char **names = types ? bp_mem_new(n + 1, sizeof *names, err) : NULL;
    int rc = names ? 0 : err->code;

    out->n_leaves = w->file->n_columns - out->first_leaf;
    for (size_t i = 0; names && i < n; i++) {
        types[i] = out->kids[i].type;
        names[i] = out->kids[i].name;
    }
    if (rc == 0)
        rc = bp_type_struct(names, types, out->n_kids, &out->type, err);
    bp_mem_free(names);
    bp_mem_free(types);
    return rc;
}

static int build_struct(struct walk *w, const struct bp_pq_element *e, struct place p,
                        struct bp_pq_node *out, struct bp_err *err)
{
    BP_TRY(new_kids(w, out, e->n_children, err));
    for (int i = 0; i < e->n_children; i++)
        BP_TRY(field(w, p, &out->kids[i], err));
    if (e->n_children)
        return close_struct(w, out, err);
    w->refused = "a struct without fields";
    out->type = BP_TYPE(BP_BINARY);
    return 0;
}

/* A map without values is a list of its keys. */
static int build_map(struct walk *w, struct place p, struct bp_pq_node *out, struct bp_err *err)
{
    const struct bp_pq_element *r;
    struct bp_pq_node *pair;

    BP_TRY(take(w, &r, err));
    BP_TRY(join_path(w, &p, r->name, err));
    BP_TRY(new_kids(w, out, 1, err));
    p = inside_list(w, p, p.def + 1);
    pair = &out->kids[0];
    if (r->n_children == 1) {
        BP_TRY(field(w, p, pair, err));
        return close_list(w, out, err);
    }
    *pair = new_node(w, r->name, p);
    BP_TRY(build_struct(w, r, p, pair, err));
    pair->kids[0].name = "key";
    pair->kids[1].name = "value";
    BP_TRY(close_struct(w, pair, err));
    return close_list(w, out, err);
}

/* ---- any of them ---- */

static int build_leaf(struct walk *w, const struct bp_pq_element *e, struct place p,
                      struct bp_pq_node *out, struct bp_err *err)
{
    struct bp_pq_column *c = &w->file->columns[w->file->n_columns++];
    uint8_t *defs = bp_arena_alloc(&w->file->arena, (size_t)p.rep + 1, err);

    if (!defs)
        return err->code;
    memcpy(defs, w->slot_defs, (size_t)p.rep + 1);
    *c = (struct bp_pq_column){.name = p.path,
                               .max_def = p.def,
                               .max_rep = p.rep,
                               .nested = p.depth > 1 || p.rep,
                               .slot_defs = defs};
    BP_TRY(bp_pq_leaf_type(e, c, err));
    out->type = c->type;
    out->n_leaves = 1;
    return 0;
}

/* Does the one child of this group, which is next, make it a list or a map? */
static bool has_repeated_child(const struct walk *w, const struct bp_pq_element *e)
{
    return e->n_children == 1 && w->items[w->at].repetition == BP_PQ_REPEATED;
}

/* e as if it was not repeated; p counts it already. */
static int build(struct walk *w, const struct bp_pq_element *e, struct place p,
                 struct bp_pq_node *out, struct bp_err *err)
{
    int rc;

    if (++p.depth > DEPTH_MAX)
        return bp_fail(err, BP_EDATA, "the schema is nested more than %d deep", DEPTH_MAX);
    *out = new_node(w, e->name, p);
    BP_TRY(join_path(w, &p, e->name, err));
    if (e->type >= 0) {
        rc = build_leaf(w, e, p, out, err);
    } else if (e->logical == BP_PQ_L_LIST || e->logical == BP_PQ_L_MAP) {
        const struct bp_pq_element *child = &w->items[w->at];

        if (!has_repeated_child(w, e) || (child->type < 0 && child->n_children == 0) ||
            (e->logical == BP_PQ_L_MAP &&
             (child->type >= 0 || child->n_children < 1 || child->n_children > 2))) {
            w->refused = e->logical == BP_PQ_L_LIST ? "a list without one repeated element"
                                                    : "a map without keys and values";
            rc = build_struct(w, e, p, out, err);
        } else {
            rc = e->logical == BP_PQ_L_LIST ? build_list(w, e, p, out, err)
                                            : build_map(w, p, out, err);
        }
    } else {
        rc = build_struct(w, e, p, out, err);
    }
    return rc;
}

static int read_tree(struct walk *w, struct bp_err *err)
{
    struct bp_pq_file *f = w->file;
    const struct bp_pq_element *root;

    BP_TRY(take(w, &root, err));
    if (root->type >= 0)
        return does_not_add_up(err);
    f->fields = bp_arena_alloc(&f->arena, ((size_t)root->n_children + 1) * sizeof *f->fields, err);
    if (!f->fields)
        return err->code;
    for (int i = 0; i < root->n_children; i++) {
        w->refused = NULL;
        BP_TRY(field(w, (struct place){0}, &f->fields[i], err));
        f->fields[i].refused = w->refused;
    }
    f->n_fields = root->n_children;
    return w->at == w->n ? 0 : does_not_add_up(err);
}

int bp_pq_read_schema(struct bp_pq_file *f, struct bp_thrift *t, int type, struct bp_err *err)
{
    struct walk w = {.file = f};
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    if (t->bad || element != BP_THRIFT_STRUCT || n == 0 || n > INT32_MAX / 2 || f->columns)
        return bp_fail(err, BP_EDATA, "the schema is damaged: %s", t->bad ? t->bad : "no elements");
    f->columns = bp_arena_alloc(&f->arena, (n + 1) * sizeof *f->columns, err);
    w.items = bp_arena_alloc(&f->arena, (n + 1) * sizeof *w.items, err);
    if (!f->columns || !w.items)
        return err->code;
    for (; (size_t)w.n < n; w.n++)
        BP_TRY(bp_pq_read_element(f, t, &w.items[w.n], err));
    return read_tree(&w, err);
}
