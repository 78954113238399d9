/* SPDX-License-Identifier: Apache-2.0 */
#include "op/reduce_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "col/key.h"
#include "flow/marks.h"
#include "op/partial.h"

void bp_reduce_plan_release(struct bp_reduce_plan *p)
{
    for (int i = 0; i < p->n_keys; i++) {
        bp_mem_free(p->keys[i].name);
        bp_expr_free(p->keys[i].expr);
    }
    for (int i = 0; i < p->n_aggs; i++) {
        struct bp_reduce_agg *a = &p->aggs[i];

        bp_agg_free(a->agg);
        bp_mem_free(a->name);
        for (int k = 0; k < BP_AGG_ARGS_MAX; k++)
            bp_expr_free(a->args[k]);
        bp_order_release(&a->order);
        bp_expr_free(a->filter);
    }
    bp_mem_free(p->keys);
    bp_mem_free(p->aggs);
    bp_schema_release(&p->schema);
    *p = (struct bp_reduce_plan){0};
}

void bp_reduce_plan_mark_columns(const struct bp_reduce_plan *p, bool *used)
{
    for (int i = 0; i < p->n_keys; i++) {
        if (p->keys[i].col >= 0)
            used[p->keys[i].col] = true;
        else
            bp_expr_mark_columns(p->keys[i].expr, used);
    }
    for (int i = 0; i < p->n_aggs; i++) {
        const struct bp_reduce_agg *a = &p->aggs[i];

        for (int k = 0; p->merging && k < a->agg->n_parts; k++)
            used[a->parts[k]] = true;
        for (int k = 0; !p->merging && k < a->agg->kind->n_args; k++)
            if (a->args[k])
                bp_expr_mark_columns(a->args[k], used);
        for (int k = 0; k < a->order.n; k++)
            bp_expr_mark_columns(a->order.items[k].expr, used);
        if (a->filter)
            bp_expr_mark_columns(a->filter, used);
    }
}

/* ---- rows come in ---- */

static int bind_keys(struct bp_reduce_plan *p, const struct bp_schema *in,
                     const struct bp_clause *clause, struct bp_err *err)
{
    struct bp_items items = {0};
    int rc = 0;

    if (!clause)
        return 0;
    BP_GO(bp_expr_parse_list(clause, in, &items, err));
    p->keys = bp_mem_new((size_t)items.n + 1, sizeof *p->keys, err);
    if (!p->keys) {
        rc = err->code;
        goto out;
    }
    for (int i = 0; i < items.n; i++) {
        struct bp_reduce_key *k = &p->keys[p->n_keys++];

        k->name = items.items[i].name;
        k->expr = items.items[i].expr;
        items.items[i].name = NULL;
        items.items[i].expr = NULL;
        k->type = bp_expr_type(k->expr);
        k->col = bp_expr_column(k->expr);
        BP_GO(bp_key_allowed(k->type, k->name, err));
    }
out:
    bp_items_release(&items);
    return rc;
}

/* --across: one more key, the last. */
static int bind_across(struct bp_reduce_plan *p, const struct bp_schema *in,
                       const struct bp_clause *clause, struct bp_err *err)
{
    struct bp_items items = {0};
    struct bp_reduce_key *k;
    int rc = 0;

    if (!clause)
        return 0;
    BP_GO(bp_expr_parse_list(clause, in, &items, err));
    if (items.n != 1) {
        rc = bp_fail(err, BP_EUSAGE, "--across takes one expression");
        goto out;
    }
    p->keys = bp_mem_grow(p->keys, (size_t)p->n_keys + 1, sizeof *p->keys, err);
    if (!p->keys) {
        p->n_keys = 0;
        rc = err->code;
        goto out;
    }
    k = &p->keys[p->n_keys++];
    *k = (struct bp_reduce_key){items.items[0].name, bp_expr_type(items.items[0].expr),
                                bp_expr_column(items.items[0].expr), items.items[0].expr};
    rc = bp_key_allowed(k->type, "--across", err);
    items.n = 0;
    p->across = true;
out:
    bp_items_release(&items);
    return rc;
}

static bool is_one_of(const char *func, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(func, *names) == 0)
            return true;
    return false;
}

/* The function's name with what DISTINCT and ORDER BY in the call make of it. */
static int agg_func(const struct bp_agg_item *item, bool *ordered, char out[BP_AGG_FUNC_MAX],
                    struct bp_err *err)
{
    /* no repeat changes these */
    static const char *const steady[] = {
        "min",      "max",     "any_value", "arbitrary",
        "bool_and", "bool_or", "every",     "bit_and",
        "bit_or",   "max_by",  "min_by",    "arg_max",
        "arg_min",  "argmax",  "argmin",    "approx_count_distinct",
        NULL};
    /* those that rows' order matters to */
    static const char *const by_order[] = {"first",     "last",         "string_agg", "listagg",
                                           "array_agg", "collect_list", NULL};
    static const char *const no_repeats[] = {"first", "last", "mode", "count_distinct", NULL};
    const char *func = item->func;
    bool distinct = item->distinct && !is_one_of(func, steady);
    int n;

    *ordered = item->order.n && is_one_of(func, by_order);
    if (distinct && (is_one_of(func, no_repeats) || item->n_args == 0))
        return bp_fail(err, BP_EUSAGE, "%s: %s() takes no DISTINCT", item->text, func);
    n = snprintf(out, BP_AGG_FUNC_MAX, "%s%s%s", func, *ordered ? "_ordered" : "",
                 distinct ? "_distinct" : "");
    if (n >= BP_AGG_FUNC_MAX)
        return bp_fail(err, BP_EUSAGE, "there is no aggregate %s()", func);
    return 0;
}

/* Takes item's parts over. */
static int bind_agg(struct bp_reduce_agg *a, struct bp_agg_item *item, struct bp_err *err)
{
    struct bp_type types[BP_AGG_ARGS_MAX];
    char func[BP_AGG_FUNC_MAX];
    int n = item->n_args;
    bool ordered = false;

    a->name = item->name;
    item->name = NULL;
    BP_TRY(agg_func(item, &ordered, func, err));
    if (n + ordered > BP_AGG_ARGS_MAX)
        return bp_fail(err, BP_EUSAGE, "%s: too many arguments", item->text);
    for (int i = 0; i < n; i++) {
        a->args[i] = item->args[i];
        item->args[i] = NULL;
        types[i] = bp_expr_type(a->args[i]);
    }
    if (ordered) {
        a->order = item->order;
        item->order = (struct bp_order){0};
        types[n++] = BP_TYPE(BP_BINARY);
    }
    a->filter = item->filter;
    item->filter = NULL;
    if (bp_agg_new(&a->agg, func, types, n, a->name, err) < 0)
        return bp_err_prefix(err, "%s", item->text);
    return 0;
}

/* No aggregates: just the different keys. */
static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == 0;
}

static int bind_aggs(struct bp_reduce_plan *p, const struct bp_schema *in,
                     const struct bp_clause *clause, struct bp_err *err)
{
    struct bp_agg_items items = {0};
    int rc;

    if (is_blank(clause->text) && (p->across || !p->n_keys))
        return bp_fail(err, BP_EUSAGE,
                       "no aggregates: say which, e.g. 'count(*), sum(x) AS total'");
    if (is_blank(clause->text))
        return 0;
    BP_GO(bp_expr_parse_aggs(clause, in, &items, err));
    p->aggs = bp_mem_new((size_t)items.n + 1, sizeof *p->aggs, err);
    if (!p->aggs) {
        rc = err->code;
        goto out;
    }
    for (int i = 0; i < items.n; i++)
        BP_GO(bind_agg(&p->aggs[p->n_aggs++], &items.items[i], err));
out:
    bp_agg_items_release(&items);
    return rc;
}

/* ---- states come in ---- */

/* The column of exactly this name and type. */
static int find_state(const struct bp_schema *in, const char *name, const struct bp_type *type,
                      int *col, struct bp_err *err)
{
    char have[BP_TYPE_NAME_MAX], want[BP_TYPE_NAME_MAX];

    for (*col = 0; *col < in->n_fields; ++*col) {
        const struct bp_field *f = &in->fields[*col];

        if (strcmp(f->name, name) != 0)
            continue;
        if (type && !bp_type_equal(f->type, *type))
            return bp_fail(err, BP_EDATA,
                           "column '%s' of the partial input is %s; its bp.partial mark wants %s",
                           name, bp_type_name(f->type, have), bp_type_name(*type, want));
        return 0;
    }
    return bp_fail(err, BP_EDATA,
                   "the partial input has no column '%s', of which its bp.partial mark speaks: "
                   "a program between changed the columns",
                   name);
}

static int bind_merged_agg(struct bp_reduce_agg *a, struct bp_partial_agg *from,
                           const struct bp_schema *in, struct bp_err *err)
{
    a->name = from->name;
    from->name = NULL;
    if (bp_agg_new(&a->agg, from->func, from->args, from->n_args, a->name, err) < 0) {
        err->code = BP_EDATA;
        return bp_err_prefix(err, "the bp.partial mark of the input");
    }
    if (!bp_type_equal(a->agg->result, from->result))
        return bp_fail(err, BP_EDATA,
                       "the bp.partial mark of the input gives column '%s' another type than this "
                       "program: make it again with the same release",
                       a->name);
    for (int i = 0; i < a->agg->n_parts; i++) {
        char *name = bp_agg_part_name(a->agg, i, err);
        int rc = name ? find_state(in, name, &a->agg->parts[i].type, &a->parts[i], err) : err->code;

        bp_mem_free(name);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int bind_merged(struct bp_reduce_plan *p, struct bp_partial *mark,
                       const struct bp_schema *in, struct bp_err *err)
{
    p->keys = bp_mem_new((size_t)mark->n_keys + 1, sizeof *p->keys, err);
    p->aggs = p->keys ? bp_mem_new((size_t)mark->n_aggs + 1, sizeof *p->aggs, err) : NULL;
    if (!p->aggs)
        return err->code;
    for (int i = 0; i < mark->n_keys; i++) {
        struct bp_reduce_key *k = &p->keys[p->n_keys++];

        k->name = mark->keys[i];
        mark->keys[i] = bp_mem_str("", err);
        if (!mark->keys[i])
            return err->code;
        BP_TRY(find_state(in, k->name, NULL, &k->col, err));
        k->type = in->fields[k->col].type;
    }
    p->across = mark->across;
    for (int i = 0; i < mark->n_aggs; i++)
        BP_TRY(bind_merged_agg(&p->aggs[p->n_aggs++], &mark->aggs[i], in, err));
    return 0;
}

/* ---- which form on which input ---- */

static int check_form(const struct bp_reduce_opts *o, bool partial_in, struct bp_err *err)
{
    if (o->form == BP_REDUCE_WHOLE && partial_in)
        return bp_fail(err, BP_EUSAGE,
                       "the input is a partial result already (of bp-reduce --partial): finish it "
                       "with --final, or combine states with --partial, both without AGGS");
    if (o->form == BP_REDUCE_FINAL && !partial_in)
        return bp_fail(err, BP_EUSAGE,
                       "--final needs a partial result of bp-reduce --partial, and the input is "
                       "none%s",
                       " (a program that drops the schema's metadata may have been between)");
    if (partial_in && (o->keys || o->aggs || o->across))
        return bp_fail(err, BP_EUSAGE,
                       "a partial result knows its keys and aggregates: leave %s away",
                       o->keys     ? "-k"
                       : o->across ? "--across"
                                   : "AGGS");
    if (o->across && o->per_task)
        return bp_fail(err, BP_EUSAGE,
                       "the columns of --across are known only from the whole table: not with "
                       "--per-task");
    if (!partial_in && !o->aggs)
        return bp_fail(err, BP_EUSAGE,
                       "no aggregates: say which, e.g. 'count(*), sum(x) AS total'");
    return 0;
}

/* ---- the output ---- */

static int add_column(struct bp_schema *s, const char *name, struct bp_type type,
                      struct bp_err *err)
{
    for (int i = 0; i < s->n_fields; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return bp_fail(err, BP_EUSAGE,
                           "two columns would be named '%s': give one another name with AS", name);
    return bp_schema_add(s, name, type, err);
}

static int output_columns(struct bp_reduce_plan *p, struct bp_err *err)
{
    for (int i = 0; i < p->n_keys; i++)
        BP_TRY(add_column(&p->schema, p->keys[i].name, p->keys[i].type, err));
    for (int i = 0; i < p->n_aggs; i++) {
        const struct bp_agg *a = p->aggs[i].agg;

        if (p->form != BP_REDUCE_PARTIAL) {
            BP_TRY(add_column(&p->schema, a->name, a->result, err));
            continue;
        }
        for (int k = 0; k < a->n_parts; k++) {
            char *name = bp_agg_part_name(a, k, err);
            int rc = name ? add_column(&p->schema, name, a->parts[k].type, err) : err->code;

            bp_mem_free(name);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

static int write_mark(struct bp_reduce_plan *p, struct bp_err *err)
{
    struct bp_partial m = {.n_keys = p->n_keys, .n_aggs = p->n_aggs, .across = p->across};
    int rc = 0;

    /* borrows the names */
    m.keys = bp_mem_new((size_t)p->n_keys + 1, sizeof *m.keys, err);
    m.aggs = m.keys ? bp_mem_new((size_t)p->n_aggs + 1, sizeof *m.aggs, err) : NULL;
    if (!m.aggs) {
        rc = err->code;
        goto out;
    }
    for (int i = 0; i < p->n_keys; i++)
        m.keys[i] = p->keys[i].name;
    for (int i = 0; i < p->n_aggs; i++) {
        const struct bp_agg *a = p->aggs[i].agg;

        m.aggs[i].name = p->aggs[i].name;
        m.aggs[i].func = (char *)(uintptr_t)a->kind->func;
        m.aggs[i].n_args = a->kind->n_args;
        memcpy(m.aggs[i].args, a->args, sizeof m.aggs[i].args);
        m.aggs[i].result = a->result;
    }
    rc = bp_partial_write(&p->schema, &m, err);
out:
    bp_mem_free(m.keys);
    bp_mem_free(m.aggs);
    return rc;
}

/* The key that is input column `name` unchanged, or NULL. */
static const struct bp_reduce_key *plain_key(const struct bp_reduce_plan *p,
                                             const struct bp_schema *in, const char *name)
{
    int col = bp_schema_find(in, name);

    for (int i = 0; i < p->n_keys && col >= 0; i++)
        if (p->keys[i].col == col)
            return &p->keys[i];
    return NULL;
}

/*
 * Rows of equal bp.parted keys are all in one share, unless some are hot. So if these
 * are among the groups' keys, every group is whole within its share, and the result is parted
 * alike, under the keys' names of now.
 */
static int follow_parted(struct bp_reduce_plan *p, const struct bp_schema *in, bool *within,
                         struct bp_err *err)
{
    struct bp_parted m = {0};
    int rc;

    BP_GO(bp_mark_parted(in, within, &m, err));
    *within = *within && !m.hot[0];
    for (int i = 0; i < m.n_keys && *within; i++) {
        const struct bp_reduce_key *k = plain_key(p, in, m.keys[i]);
        char *name;

        *within = k != NULL;
        if (!k)
            break;
        name = bp_mem_str(k->name, err);
        if (!name) {
            rc = err->code;
            goto out;
        }
        bp_mem_free(m.keys[i]);
        m.keys[i] = name;
    }
    p->no_row = *within && p->n_keys == 0 && (uint32_t)(m.last + 1) == m.first;
    if (*within)
        rc = bp_mark_set_parted(&p->schema, &m, err);
    else
        rc = bp_schema_set_meta(&p->schema, BP_MARK_PARTED, NULL, err);
out:
    bp_parted_release(&m);
    return rc;
}

static int output_marks(struct bp_reduce_plan *p, const struct bp_schema *in, bool per_task,
                        struct bp_err *err)
{
    bool within = false;

    BP_TRY(bp_schema_copy_meta(&p->schema, in, err));
    BP_TRY(bp_schema_set_meta(&p->schema, BP_MARK_SORTED, NULL, err));
    BP_TRY(bp_schema_set_meta(&p->schema, BP_MARK_PARTIAL, NULL, err));
    /* each share would have columns of its own */
    if (p->across && p->form != BP_REDUCE_PARTIAL)
        BP_TRY(bp_schema_set_meta(&p->schema, BP_MARK_PARTED, NULL, err));
    else
        BP_TRY(follow_parted(p, in, &within, err));
    p->by_share = p->form == BP_REDUCE_PARTIAL || (per_task && !p->across) || within;
    if (!p->by_share)
        BP_TRY(bp_schema_set_meta(&p->schema, BP_MARK_TASK, NULL, err));
    return p->form == BP_REDUCE_PARTIAL ? write_mark(p, err) : 0;
}

int bp_reduce_plan_init(struct bp_reduce_plan *p, const struct bp_schema *in,
                        const struct bp_reduce_opts *opts, struct bp_err *err)
{
    struct bp_partial mark = {0};
    int rc;

    *p = (struct bp_reduce_plan){.form = opts->form};
    BP_GO(bp_partial_read(in, &p->merging, &mark, err));
    BP_GO(check_form(opts, p->merging, err));
    if (p->merging) {
        BP_GO(bind_merged(p, &mark, in, err));
    } else {
        BP_GO(bind_keys(p, in, opts->keys, err));
        BP_GO(bind_across(p, in, opts->across, err));
        BP_GO(bind_aggs(p, in, opts->aggs, err));
    }
    p->n_order = p->across && p->n_keys > 1 ? p->n_keys - 1 : p->n_keys;
    BP_GO(output_columns(p, err));
    BP_GO(output_marks(p, in, opts->per_task, err));
out:
    bp_partial_release(&mark);
    if (rc < 0)
        bp_reduce_plan_release(p);
    return rc;
}
