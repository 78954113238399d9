/* SPDX-License-Identifier: Apache-2.0 */
/* The table of aggregates, and what all of them share. */
#include "agg/agg.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static const struct bp_agg_kind *const tables[] = {
    bp_agg_count_kinds,    bp_agg_sum_kinds,  bp_agg_avg_kinds,    bp_agg_minmax_kinds,
    bp_agg_moment_kinds,   bp_agg_best_kinds, bp_agg_rank_kinds,   bp_agg_set_kinds,
    bp_agg_interval_kinds, bp_agg_bit_kinds,  bp_agg_string_kinds, bp_agg_approx_kinds,
    bp_agg_bucket_kinds};

/* Names of Spark and DuckDB, where PostgreSQL has no other meaning for them. */
static const char *const aliases[][2] = {
    {"mean", "avg"},
    {"argmin", "min_by"},
    {"arg_min", "min_by"},
    {"argmax", "max_by"},
    {"arg_max", "max_by"},
    {"every", "bool_and"},
    {"arbitrary", "any_value"},
    {"countif", "count_if"},
    {"approx_quantile", "approx_percentile"},
    {"percentile_approx", "approx_percentile"},
    {"quantile_cont", "percentile_cont"},
    {"quantile_disc", "percentile_disc"},
    {"collect_list", "array_agg"},
    {"collect_list_ordered", "array_agg_ordered"},
    {"listagg", "string_agg"},
    {"listagg_ordered", "string_agg_ordered"},
    {"std", "stddev_samp"},
    {"stddev", "stddev_samp"},
    {"variance", "var_samp"},
};

/* ---- finding one ---- */

static const char *canonical(const char *func)
{
    for (size_t i = 0; i < BP_COUNT_OF(aliases); i++)
        if (strcmp(aliases[i][0], func) == 0)
            return aliases[i][1];
    return func;
}

bool bp_agg_flat(const struct bp_type *args)
{
    return !bp_type_is_nested(args[0]);
}

bool bp_agg_flat_pair(const struct bp_type *args)
{
    return !bp_type_is_nested(args[0]) && !bp_type_is_nested(args[1]);
}

static bool fits(const struct bp_agg_kind *k, const char *func, const struct bp_type *args,
                 int n_args)
{
    return strcmp(k->func, func) == 0 && k->n_args == n_args && (!k->accepts || k->accepts(args));
}

static const struct bp_agg_kind *find(const char *func, const struct bp_type *args, int n_args)
{
    for (size_t t = 0; t < BP_COUNT_OF(tables); t++)
        for (const struct bp_agg_kind *k = tables[t]; k->func; k++)
            if (fits(k, func, args, n_args))
                return k;
    return NULL;
}

/* The first of a function's records, or NULL. */
static const struct bp_agg_kind *first_of(const char *func)
{
    for (size_t t = 0; t < BP_COUNT_OF(tables); t++)
        for (const struct bp_agg_kind *k = tables[t]; k->func; k++)
            if (strcmp(k->func, func) == 0)
                return k;
    return NULL;
}

/* "sum(integer), sum(decimal) ..." of one function. */
static int list_types(const char *func, struct bp_buf *out, struct bp_err *err)
{
    for (size_t t = 0; t < BP_COUNT_OF(tables); t++)
        for (const struct bp_agg_kind *k = tables[t]; k->func; k++)
            if (strcmp(k->func, func) == 0)
                BP_TRY(
                    bp_buf_printf(out, err, "%s%s(%s)", out->len ? ", " : "", k->func, k->takes));
    return 0;
}

/* Names that DISTINCT and ORDER BY in a call stand for are for no one to write. */
static bool is_inner(const char *func)
{
    return strstr(func, "_ordered") || strcmp(func, "count" BP_AGG_DISTINCT) == 0;
}

/* "count, sum, avg ...": all functions. */
static int list_names(struct bp_buf *out, struct bp_err *err)
{
    for (size_t t = 0; t < BP_COUNT_OF(tables); t++)
        for (const struct bp_agg_kind *k = tables[t]; k->func; k++)
            if (first_of(k->func) == k && !is_inner(k->func))
                BP_TRY(bp_buf_printf(out, err, "%s%s", out->len ? ", " : "", k->func));
    return 0;
}

static int refuse(const char *func, const struct bp_type *args, int n_args, struct bp_err *err)
{
    struct bp_buf there = {0}, types = {0};
    char name[BP_TYPE_NAME_MAX];
    bool is_known = first_of(func) != NULL;
    const char *a, *b;
    int rc;

    BP_GO(is_known ? list_types(func, &there, err) : list_names(&there, err));
    for (int i = 0; i < n_args; i++)
        BP_GO(bp_buf_printf(&types, err, "%s%s", i ? ", " : "", bp_type_name(args[i], name)));
    a = bp_buf_str(&there, err);
    b = a ? bp_buf_str(&types, err) : NULL;
    rc = b ? 0 : err->code;
    if (rc < 0)
        goto out;
    if (is_known)
        rc = bp_fail(err, BP_EUSAGE, "there is no %s(%s); there is %s", func, b, a);
    else
        rc = bp_fail(err, BP_EUSAGE, "there is no aggregate %s(); there are %s", func, a);
out:
    bp_buf_release(&there);
    bp_buf_release(&types);
    return rc;
}

static int agg_new(struct bp_agg **out, const struct bp_agg_kind *k, const struct bp_type *args,
                   const char *name, struct bp_err *err)
{
    struct bp_agg *a = bp_mem_new(1, k->ops->self_bytes, err);

    if (!a)
        return err->code;
    a->kind = k;
    a->name = name;
    memcpy(a->args, args, (size_t)k->n_args * sizeof *args);
    a->n_parts = k->types(a->args, &a->result, a->parts);
    if (a->result.kind == BP_NO_TYPE) {
        bp_mem_free(a);
        return bp_fail(err, BP_EUSAGE, "%s: the result's type would be nested too deep", name);
    }
    *out = a;
    return 0;
}

int bp_agg_new(struct bp_agg **out, const char *func, const struct bp_type *args, int n_args,
               const char *name, struct bp_err *err)
{
    static const char suffix[] = BP_AGG_DISTINCT;
    const struct bp_agg_kind *k = find(canonical(func), args, n_args);
    size_t n = strlen(func), n_suffix = sizeof suffix - 1;
    char inner[BP_AGG_FUNC_MAX] = "";

    *out = NULL;
    if (k)
        return agg_new(out, k, args, name, err);
    if (n > n_suffix && n < sizeof inner && strcmp(func + n - n_suffix, suffix) == 0)
        memcpy(inner, func, n - n_suffix);
    k = *inner ? find(canonical(inner), args, n_args) : NULL;
    for (int i = 0; i < n_args; i++)
        if (bp_type_is_nested(args[i]))
            k = NULL; /* values are told apart by their code, which those have not */
    if (k)
        return bp_agg_distinct_new(out, k, args, name, err);
    return refuse(canonical(*inner ? inner : func), args, n_args, err);
}

void bp_agg_free(struct bp_agg *a)
{
    if (!a)
        return;
    a->kind->ops->release(a);
    bp_mem_free(a);
}

char *bp_agg_part_name(const struct bp_agg *a, int part, struct bp_err *err)
{
    const char *suffix = a->parts[part].suffix;
    struct bp_buf b = {0};
    char *name = NULL;

    if (bp_buf_printf(&b, err, "%s~%s%s%s", a->name, a->kind->func, suffix ? "." : "",
                      suffix ? suffix : "") == 0)
        name = bp_mem_strn((const char *)b.data, b.len, err);
    bp_buf_release(&b);
    return name;
}

/* ---- states per group ---- */

/*
 * All arrays of all aggregates grow with the same batch, so what growth costs is counted
 * before it comes: as soon as groups may come that do not fit, if as many come as lately.
 */
static void count_array(struct bp_agg *a, struct bp_agg_array *v, size_t width_bytes, int64_t n_new)
{
    int64_t held = v->cap;

    v->lately = BP_MAX(n_new, v->lately / 2);
    if (v->n + v->lately > v->cap)
        held += BP_MAX(v->n + v->lately - v->cap, v->cap);
    a->held_bytes += (held - v->held) * (int64_t)width_bytes;
    v->held = held;
}

int bp_agg_array_grow(struct bp_agg *a, struct bp_agg_array *v, size_t width_bytes, int64_t n,
                      struct bp_err *err)
{
    int64_t cap = v->cap, n_new = BP_MAX(n - v->n, 0);
    void *p;

    if (n > cap) {
        cap = BP_MAX(n, BP_MAX(cap * 2, 64));
        p = bp_mem_grow(v->p, (size_t)cap, width_bytes, err);
        if (!p)
            return err->code;
        v->p = p;
        v->cap = cap;
    }
    if (n > v->n) {
        memset((uint8_t *)v->p + (size_t)v->n * width_bytes, 0, (size_t)(n - v->n) * width_bytes);
        v->n = n;
    }
    count_array(a, v, width_bytes, n_new);
    return 0;
}

int bp_agg_seen_note(struct bp_agg *a, struct bp_agg_seen *s, const struct bp_agg_rows *r,
                     const struct bp_column *c, struct bp_err *err)
{
    bool all = !c->n_nulls, first = !s->flags.p;
    uint8_t *f;

    if (first && all && !r->gaps)
        return 0;
    BP_TRY(bp_agg_array_grow(a, &s->flags, 1, BP_MAX(a->n_groups, 1), err));
    f = s->flags.p;
    if (first)
        memset(f, 1, (size_t)r->n_before);
    if (!r->ids) {
        f[0] = (uint8_t)(f[0] | (c->n_nulls < r->n_rows));
    } else if (all) {
        for (int64_t i = 0; i < r->n_rows; i++)
            f[r->ids[i]] = 1;
    } else {
        for (int64_t i = 0; i < r->n_rows; i++)
            f[r->ids[i]] = (uint8_t)(f[r->ids[i]] | bp_bit_get(c->valid, i));
    }
    return 0;
}

int bp_agg_column(struct bp_column *out, struct bp_type type, int64_t n, struct bp_err *err)
{
    size_t width = bp_type_width_bytes(type);

    *out = (struct bp_column){.type = type, .n_rows = n};
    BP_TRY(bp_block_new(&out->own[1], (size_t)BP_MAX(n, 1) * width, err));
    out->data = out->own[1]->data;
    return 0;
}

int bp_agg_column_nulls(struct bp_column *out, const struct bp_agg_seen *s, const uint32_t *ids,
                        struct bp_err *err)
{
    size_t width = bp_type_width_bytes(out->type);
    uint8_t *bits;

    if (!s->flags.p)
        return 0;
    BP_TRY(bp_block_new(&out->own[0], bp_bits_bytes(out->n_rows) + 8, err));
    bits = out->own[0]->data;
    memset(bits, 0, bp_bits_bytes(out->n_rows) + 8);
    out->valid = bits;
    for (int64_t i = 0; i < out->n_rows; i++) {
        if (bp_agg_seen_get(s, ids[i])) {
            bp_bit_set(bits, i);
        } else {
            memset(out->own[1]->data + (size_t)i * width, 0, width);
            out->n_nulls++;
        }
    }
    return 0;
}
