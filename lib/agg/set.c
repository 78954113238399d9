/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aggregates over the values of a group as a multiset: count(distinct x), mode, median,
 * percentile_cont and percentile_disc (of values that are no 64-bit code: rank.c has
 * those). All groups share one table of pairs (group,
 * value), each with how often it came; for results and states the pairs of a group are
 * brought together and ordered by value (code.h).
 *
 * A state is a version byte, the fraction (a double; 0 where there is none), then for
 * each value, in order: its count (uint64), the length of its code (uint32), the code;
 * all little-endian. NULL: no value.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agg/agg.h"
#include "agg/code.h"
#include "agg/fraction.h"
#include "agg/groups.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"

#define VERSION 1
#define HEAD_BYTES 9
#define ITEM_BYTES 12
#define INDEX_BYTES 4 /* by_group, of one pair */

enum result { COUNT, MODE, CONT, DISC };

struct set {
    struct bp_agg base;
    struct bp_groups *pairs;
    struct bp_agg_array counts; /* int64_t, by pair: how often it came */
    struct bp_agg_array owner;  /* uint32_t, by pair: its group */
    int64_t pairs_bytes;        /* of held_bytes */
    struct bp_fraction fraction;
    /* made when results or states are asked for: pairs by group */
    uint32_t *start, *by_group;
    bool is_indexed;
};

/* One value of a group. */
struct item {
    const uint8_t *p;
    size_t n;
    int64_t count;
};

static enum result result_kind(const struct bp_agg *a)
{
    const char *f = a->kind->func;

    return *f == 'c'                           ? COUNT
           : strcmp(f, "mode") == 0            ? MODE
           : strcmp(f, "percentile_disc") == 0 ? DISC
                                               : CONT;
}

static int set_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    struct set *s = (struct set *)a;
    struct bp_type types[2] = {BP_TYPE(BP_UINT32), a->args[0]};

    if (!s->pairs) {
        BP_TRY(bp_groups_new(&s->pairs, types, 2, err));
        bp_groups_use_table(s->pairs);
    }
    if (strcmp(a->kind->func, "median") == 0) {
        s->fraction = (struct bp_fraction){0.5, true};
    }
    a->keeps_values = true;
    a->n_groups = n_groups;
    return 0;
}

static void set_release(struct bp_agg *a)
{
    struct set *s = (struct set *)a;

    bp_groups_free(s->pairs);
    bp_mem_free(s->counts.p);
    bp_mem_free(s->owner.p);
    bp_mem_free(s->start);
    bp_mem_free(s->by_group);
}

/* ---- taking in ---- */

static int bad_state(const struct bp_agg *a, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "column %s: a partial state is damaged", a->name);
}

/* Values that are not NULL, of these groups, each so often (counts NULL: once). */
static int add_values(struct set *s, const struct bp_column *values, const uint32_t *owners,
                      const int64_t *counts, struct bp_err *err)
{
    struct bp_column owner = {.type = BP_TYPE(BP_UINT32), .n_rows = values->n_rows, .data = owners};
    const struct bp_column *cols[2] = {&owner, values};
    int64_t n = values->n_rows, *to, now;
    uint32_t *pair = bp_mem_new((size_t)n + 1, sizeof *pair, err), *own;
    bool over = false;
    int rc;

    if (!pair)
        return err->code;
    BP_GO(bp_groups_find(s->pairs, cols, n, pair, err));
    BP_GO(bp_agg_array_grow(&s->base, &s->counts, sizeof *to, bp_groups_count(s->pairs), err));
    BP_GO(bp_agg_array_grow(&s->base, &s->owner, sizeof *own, bp_groups_count(s->pairs), err));
    to = s->counts.p;
    own = s->owner.p;
    for (int64_t i = 0; i < n; i++) {
        over |= __builtin_add_overflow(to[pair[i]], counts ? counts[i] : 1, &to[pair[i]]);
        own[pair[i]] = owners[i];
    }
    s->is_indexed = false;
    now = bp_groups_held_bytes(s->pairs) + bp_groups_growth_bytes(s->pairs, n) +
          INDEX_BYTES * bp_groups_count(s->pairs);
    s->base.held_bytes += now - s->pairs_bytes;
    s->pairs_bytes = now;
    if (over)
        rc = bad_state(&s->base, err);
out:
    bp_mem_free(pair);
    return rc;
}

static int set_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct set *s = (struct set *)a;
    const struct bp_column *c = &r->cols[0];
    struct bp_column some = {0};
    uint32_t *owners = bp_mem_new((size_t)r->n_rows + 1, sizeof *owners, err);
    int32_t *idx = owners ? bp_mem_new((size_t)r->n_rows + 1, sizeof *idx, err) : NULL;
    int64_t n = 0;
    int rc = idx ? 0 : err->code;

    if (rc == 0 && a->kind->n_args == 2)
        rc = bp_fraction_take_column(&s->fraction, a, &r->cols[1], err);
    if (rc < 0)
        goto out;
    for (int64_t i = 0; i < r->n_rows; i++) {
        owners[n] = r->ids ? r->ids[i] : 0;
        idx[n] = (int32_t)i;
        n += !bp_column_is_null(c, i);
    }
    if (n == r->n_rows) {
        rc = add_values(s, c, owners, NULL, err);
        goto out;
    }
    BP_GO(bp_column_gather(&some, c, idx, n, err));
    rc = add_values(s, &some, owners, NULL, err);
out:
    bp_column_release(&some);
    bp_mem_free(owners);
    bp_mem_free(idx);
    return rc;
}

/* ---- states ---- */

/* One state to values; owners and counts alongside, as bytes of bufs. */
static int read_state(struct set *s, const uint8_t *p, size_t n, uint32_t id, struct bp_builder *v,
                      struct bp_buf *owners, struct bp_buf *counts, struct bp_err *err)
{
    double f;

    if (n < HEAD_BYTES || p[0] != VERSION)
        return bad_state(&s->base, err);
    memcpy(&f, p + 1, sizeof f);
    if (!(f >= 0 && f <= 1))
        return bad_state(&s->base, err);
    if (result_kind(&s->base) >= CONT)
        BP_TRY(bp_fraction_take(&s->fraction, &s->base, f, err));
    for (p += HEAD_BYTES, n -= HEAD_BYTES; n;) {
        int64_t count = n < ITEM_BYTES ? 0 : (int64_t)bp_load_u64(p);
        size_t len = n < ITEM_BYTES ? 0 : bp_load_u32(p + 8);

        if (count <= 0 || len > n - ITEM_BYTES ||
            !bp_agg_code_is_good(s->base.args[0], p + ITEM_BYTES, len))
            return bad_state(&s->base, err);
        BP_TRY(bp_buf_append(counts, &count, sizeof count, err));
        BP_TRY(bp_buf_append(owners, &id, sizeof id, err));
        BP_TRY(bp_agg_code_add(v, p + ITEM_BYTES, len, err));
        p += ITEM_BYTES + len;
        n -= ITEM_BYTES + len;
    }
    return 0;
}

static int set_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct set *s = (struct set *)a;
    struct bp_buf owners = {0}, counts = {0};
    struct bp_column values = {0};
    struct bp_builder v;
    int rc = 0;

    bp_builder_init(&v, a->args[0]);
    for (int64_t i = 0; i < r->n_rows; i++) {
        size_t n;
        const uint8_t *p = bp_column_bytes(&r->cols[0], i, &n);

        if (!bp_column_is_null(&r->cols[0], i))
            BP_GO(read_state(s, p, n, r->ids ? r->ids[i] : 0, &v, &owners, &counts, err));
    }
    if (!counts.len)
        goto out;
    BP_GO(bp_builder_finish(&v, &values, err));
    rc = add_values(s, &values, (const uint32_t *)(const void *)owners.data,
                    (const int64_t *)(const void *)counts.data, err);
out:
    bp_builder_release(&v);
    bp_column_release(&values);
    bp_buf_release(&owners);
    bp_buf_release(&counts);
    return rc;
}

/* ---- giving out ---- */

/* Pairs by group: a counting sort. */
static int make_index(struct set *s, struct bp_err *err)
{
    int64_t n = bp_groups_count(s->pairs), n_groups = s->base.n_groups;
    const uint32_t *own = s->owner.p;
    uint32_t sum = 0;

    if (s->is_indexed)
        return 0;
    bp_mem_free(s->start);
    bp_mem_free(s->by_group);
    s->by_group = NULL;
    s->start = bp_mem_new((size_t)n_groups + 2, sizeof *s->start, err);
    s->by_group = s->start ? bp_mem_new((size_t)n + 1, sizeof *s->by_group, err) : NULL;
    if (!s->by_group)
        return err->code;
    for (int64_t i = 0; i < n; i++)
        s->start[own[i] + 2]++;
    for (int64_t g = 2; g < n_groups + 2; g++)
        s->start[g] = sum += s->start[g];
    for (int64_t i = 0; i < n; i++)
        s->by_group[s->start[own[i] + 1]++] = (uint32_t)i;
    s->is_indexed = true;
    return 0;
}

static int by_code(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    return bp_agg_code_compare(x->p, x->n, y->p, y->n);
}

/* The values of one group, in order; in arena but for text, which lies in *col. */
static int items_of(struct set *s, uint32_t id, struct item **items, int64_t *n,
                    struct bp_column *col, struct bp_arena *arena, struct bp_err *err)
{
    const uint32_t *ids = s->by_group + s->start[id];
    const int64_t *counts = s->counts.p;
    uint8_t *rooms;

    *n = (int64_t)s->start[id + 1] - s->start[id];
    if (!*n)
        return 0;
    BP_TRY(bp_groups_column(s->pairs, 1, ids, *n, col, err));
    *items = bp_arena_alloc(arena, (size_t)*n * sizeof **items, err);
    rooms = *items ? bp_arena_alloc(arena, (size_t)*n * BP_AGG_CODE_MAX, err) : NULL;
    if (!rooms)
        return err->code;
    for (int64_t i = 0; i < *n; i++) {
        struct item *it = &(*items)[i];

        it->p = bp_agg_code(col, i, rooms + i * BP_AGG_CODE_MAX, &it->n);
        it->count = counts[ids[i]];
    }
    qsort(*items, (size_t)*n, sizeof **items, by_code);
    return 0;
}

static int add_state(const struct set *s, const struct item *items, int64_t n, struct bp_buf *buf,
                     struct bp_builder *to, struct bp_err *err)
{
    uint8_t head[HEAD_BYTES] = {VERSION};

    if (!n)
        return bp_builder_add_null(to, err);
    memcpy(head + 1, &s->fraction.v, sizeof s->fraction.v);
    buf->len = 0;
    BP_TRY(bp_buf_append(buf, head, sizeof head, err));
    for (int64_t i = 0; i < n; i++) {
        uint32_t len = (uint32_t)items[i].n;

        BP_TRY(bp_buf_append(buf, &items[i].count, 8, err));
        BP_TRY(bp_buf_append(buf, &len, 4, err));
        BP_TRY(bp_buf_append(buf, items[i].p, len, err));
    }
    if (buf->len > INT32_MAX)
        return bp_fail(err, BP_EDATA, "column %s: one group's state for %s is larger than 2 GiB",
                       s->base.name, s->base.kind->func);
    return bp_builder_add_bytes(to, buf->data, buf->len, err);
}

/* The item that has the value of rank `at`, from 0. */
static const struct item *item_at(const struct item *items, int64_t at)
{
    while (at >= items->count)
        at -= items++->count;
    return items;
}

static int item_number(const struct set *s, const struct item *it, double *to, struct bp_err *err)
{
    struct bp_column c = {0};
    struct bp_builder b;
    int rc;

    bp_builder_init(&b, s->base.args[0]);
    BP_GO(bp_agg_code_add(&b, it->p, it->n, err));
    BP_GO(bp_builder_finish(&b, &c, err));
    *to = bp_agg_number_at(&c, 0);
out:
    bp_builder_release(&b);
    bp_column_release(&c);
    return rc;
}

/* As PostgreSQL: between the two values around fraction * (n - 1). */
static int add_cont(const struct set *s, const struct item *items, int64_t total,
                    struct bp_builder *to, struct bp_err *err)
{
    double at = s->fraction.v * (double)(total - 1), lo, hi, v;

    BP_TRY(item_number(s, item_at(items, (int64_t)floor(at)), &lo, err));
    BP_TRY(item_number(s, item_at(items, (int64_t)ceil(at)), &hi, err));
    v = bp_fraction_between(at, lo, hi);
    return bp_builder_add(to, &v, err);
}

static int add_result(const struct set *s, const struct item *items, int64_t n,
                      struct bp_builder *to, struct bp_err *err)
{
    enum result kind = result_kind(&s->base);
    const struct item *it = items;
    int64_t total = 0;

    if (kind == COUNT)
        return bp_builder_add(to, &n, err);
    if (!n)
        return bp_builder_add_null(to, err);
    for (int64_t i = 0; i < n; i++) {
        total += items[i].count;
        it = items[i].count > it->count ? &items[i] : it;
    }
    if (kind == CONT)
        return add_cont(s, items, total, to, err);
    if (kind == DISC)
        it = item_at(items, BP_MAX((int64_t)ceil(s->fraction.v * (double)total), 1) - 1);
    return bp_agg_code_add(to, it->p, it->n, err);
}

static int give(struct set *s, const uint32_t *ids, int64_t n, bool states, struct bp_column *out,
                struct bp_err *err)
{
    struct bp_buf buf = {0};
    struct bp_builder to;
    int rc;

    bp_builder_init(&to, states ? BP_TYPE(BP_BINARY) : s->base.result);
    BP_GO(make_index(s, err));
    BP_GO(bp_builder_reserve(&to, n, err));
    for (int64_t i = 0; i < n && rc == 0; i++) {
        int64_t n_items = (int64_t)s->start[ids[i] + 1] - s->start[ids[i]];
        struct bp_column col = {0};
        struct bp_arena arena = {0};
        struct item *items = NULL;

        if (states || result_kind(&s->base) != COUNT)
            rc = items_of(s, ids[i], &items, &n_items, &col, &arena, err);
        if (rc == 0)
            rc = states ? add_state(s, items, n_items, &buf, &to, err)
                        : add_result(s, items, n_items, &to, err);
        bp_column_release(&col);
        bp_arena_release(&arena);
    }
    if (rc == 0)
        rc = bp_builder_finish(&to, out, err);
out:
    bp_builder_release(&to);
    bp_buf_release(&buf);
    return rc;
}

static int set_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                    struct bp_err *err)
{
    return give((struct set *)a, ids, n, true, parts, err);
}

static int set_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                     struct bp_err *err)
{
    return give((struct set *)a, ids, n, false, out, err);
}

static const struct bp_agg_ops set_ops = {
    sizeof(struct set), set_grow, set_update, set_merge, set_save, set_final, set_release,
};

/* ---- the records ---- */

static bool number(const struct bp_type *t)
{
    return bp_type_is_number(*t);
}

static bool number_and_fraction(const struct bp_type *t)
{
    return number(&t[0]) && number(&t[1]);
}

static bool any_and_fraction(const struct bp_type *t)
{
    return bp_agg_flat(t) && number(&t[1]);
}

static int state(struct bp_agg_part *parts)
{
    parts[0] = (struct bp_agg_part){NULL, BP_TYPE(BP_BINARY)};
    return 1;
}

static int count_types(const struct bp_type *args, struct bp_type *result,
                       struct bp_agg_part *parts)
{
    (void)args;
    *result = BP_TYPE(BP_INT64);
    return state(parts);
}

static int number_types(const struct bp_type *args, struct bp_type *result,
                        struct bp_agg_part *parts)
{
    (void)args;
    *result = BP_TYPE(BP_FLOAT64);
    return state(parts);
}

static int same_types(const struct bp_type *args, struct bp_type *result, struct bp_agg_part *parts)
{
    *result = *args;
    return state(parts);
}

const struct bp_agg_kind bp_agg_set_kinds[] = {
    {"count_distinct", "any type", 1, bp_agg_flat, count_types, &set_ops},
    {"mode", "any type", 1, bp_agg_flat, same_types, &set_ops},
    {"median", "decimal", 1, number, number_types, &set_ops},
    {"percentile_cont", "decimal, fraction", 2, number_and_fraction, number_types, &set_ops},
    {"percentile_disc", "any type, fraction", 2, any_and_fraction, same_types, &set_ops},
    {0},
};
