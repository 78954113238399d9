/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree is built from the top down, each node from the levels of the first leaf below it:
 * those say which of its places are NULL and how many elements its lists have. That all
 * other leaves say the same is seen to where a struct joins them.
 */
#include "fmt/parquet/assemble.h"

#include <string.h>

void bp_pq_shred_release(struct bp_pq_shred *s)
{
    bp_pq_levels_release(&s->levels);
    bp_column_release(&s->slots);
    s->column = NULL;
}

struct build {
    struct bp_pq_shred *shreds;
    int first_leaf;
};

static const struct bp_pq_shred *first_shred(const struct build *b, const struct bp_pq_node *node)
{
    return &b->shreds[node->first_leaf - b->first_leaf];
}

/* ---- do the levels hold together? ---- */

static int check_entries(const struct bp_pq_shred *s, struct bp_err *err)
{
    const uint8_t *def = s->levels.def, *rep = s->levels.rep;
    const uint8_t *least = s->column->slot_defs;
    bool bad = rep && s->levels.n && rep[0];

    for (int64_t i = 1; rep && i < s->levels.n; i++)
        bad |= rep[i] && (def[i] < least[rep[i]] || def[i - 1] < least[rep[i]]);
    if (bad)
        return bp_fail(err, BP_EDATA, "column %s: its levels go on with a list that is not there",
                       s->column->name);
    return 0;
}

/* Two leaves of a struct: at its places they say the same. */
static int check_alike(const struct bp_pq_node *node, const struct bp_pq_shred *a,
                       const struct bp_pq_shred *b, struct bp_err *err)
{
    const struct bp_pq_levels *l = &a->levels, *m = &b->levels;
    int64_t i = 0, k = 0;

    for (;; i++, k++) {
        int d, e;

        while (i < l->n && l->rep && l->rep[i] > node->rep)
            i++;
        while (k < m->n && m->rep && m->rep[k] > node->rep)
            k++;
        if (i == l->n || k == m->n)
            break;
        d = BP_MIN(l->def[i], node->def);
        e = BP_MIN(m->def[k], node->def);
        if (d != e || (l->rep ? l->rep[i] : 0) != (m->rep ? m->rep[k] : 0))
            break;
    }
    if (i == l->n && k == m->n)
        return 0;
    return bp_fail(err, BP_EDATA, "the levels of columns %s and %s contradict one another",
                   a->column->name, b->column->name);
}

/* ---- nodes ---- */

/* Which of node's n places are not NULL. */
static int take_validity(struct bp_column *out, const struct bp_pq_node *node,
                         const struct bp_pq_levels *l, int64_t n, struct bp_err *err)
{
    struct bp_block *bits;
    int64_t at = 0, set = 0;

    BP_TRY(bp_block_new(&bits, bp_bits_bytes(n), err));
    memset(bits->data, 0, bp_bits_bytes(n));
    for (int64_t i = 0; i < l->n && at < n; i++) {
        bool valid = l->def[i] >= node->def;

        if ((l->rep && l->rep[i] > node->rep) || l->def[i] < node->slot_def)
            continue;
        bp_bit_put(bits->data, at++, valid);
        set += valid;
    }
    if (set == n) {
        bp_block_unref(bits);
        return 0;
    }
    out->own[0] = bits;
    out->valid = bits->data;
    out->n_nulls = n - set;
    return 0;
}

/* Each of n lists begins behind the elements of those before it. */
static int take_offsets(struct bp_column *out, const struct bp_pq_node *node,
                        const struct bp_pq_levels *l, int64_t n, int64_t *n_elements,
                        struct bp_err *err)
{
    int elem_rep = node->rep + 1, elem_def = node->kids[0].slot_def;
    int32_t *offsets;
    int64_t at = 0, total = 0;

    BP_TRY(bp_block_new(&out->own[1], ((size_t)n + 1) * sizeof *offsets, err));
    offsets = (int32_t *)(void *)out->own[1]->data;
    out->data = offsets;
    for (int64_t i = 0; i < l->n; i++) {
        int rep = l->rep[i];

        if (rep < elem_rep && l->def[i] >= node->slot_def && at < n)
            offsets[at++] = (int32_t)total;
        total += rep <= elem_rep && l->def[i] >= elem_def;
        if (total > INT32_MAX)
            return bp_fail(err, BP_EDATA, "lists of more than %d elements in a batch", INT32_MAX);
    }
    while (at <= n)
        offsets[at++] = (int32_t)total;
    *n_elements = total;
    return 0;
}

static int build(struct build *b, struct bp_column *out, const struct bp_pq_node *node, int64_t n,
                 struct bp_err *err)
{
    const struct bp_pq_shred *s = first_shred(b, node);
    int64_t n_kid_rows = n;

    if (!node->n_kids) {
        struct bp_column *slots = &b->shreds[node->first_leaf - b->first_leaf].slots;

        if (slots->n_rows != n)
            return bp_fail(err, BP_EDATA, "column %s has %lld values at %lld places",
                           s->column->name, (long long)slots->n_rows, (long long)n);
        *out = *slots;
        *slots = (struct bp_column){0};
        return 0;
    }
    *out = (struct bp_column){.type = node->type, .n_rows = n};
    if (node->def > node->slot_def)
        BP_TRY(take_validity(out, node, &s->levels, n, err));
    if (node->type.kind == BP_LIST)
        BP_TRY(take_offsets(out, node, &s->levels, n, &n_kid_rows, err));
    for (int i = 1; i < node->n_kids; i++)
        BP_TRY(check_alike(node, s, first_shred(b, &node->kids[i]), err));
    BP_TRY(bp_kids_new(&out->kids, node->n_kids, err));
    for (int i = 0; i < node->n_kids; i++)
        BP_TRY(build(b, &out->kids->cols[i], &node->kids[i], n_kid_rows, err));
    return 0;
}

int bp_pq_assemble(struct bp_column *out, const struct bp_pq_node *node, struct bp_pq_shred *shreds,
                   int64_t n_rows, struct bp_err *err)
{
    struct build b = {shreds, node->first_leaf};
    int rc = 0;

    *out = (struct bp_column){0};
    for (int i = 0; i < node->n_leaves; i++)
        BP_GO(check_entries(&shreds[i], err));
    BP_GO(build(&b, out, node, n_rows, err));
out:
    if (rc < 0)
        bp_column_release(out);
    return rc;
}
