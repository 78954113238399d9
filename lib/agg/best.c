/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aggregates that keep one row's value: the best by some rule. A group's state is an
 * entry of bytes (code.h), of which the smaller or the larger stays:
 *
 *     any_value, bool_and   value                        the smallest
 *     bool_or               value                        the largest
 *     first, last           task, row, NULL?, value      the first, the last
 *     first_ordered,        length of key, key, task,    by key; of equals the
 *     last_ordered          row, NULL?, value            first, the last
 *     min_by, max_by        length of key, key, value    by key; of equals the
 *                                                        smallest value
 *
 * So no result depends on the order in which rows or states come; first and last go
 * by the order of rows in the input: by task, then by row. In partial streams an entry
 * has a version byte before it; NULL: no entry yet.
 */
#include <string.h>

#include "agg/agg.h"
#include "agg/code.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"

#define VERSION 1
#define PLACE_BYTES 12
#define ENTRY_MAX INT32_MAX

enum rule { SMALLEST, LARGEST, FIRST, LAST, MIN_BY, MAX_BY, FIRST_ORDERED, LAST_ORDERED };

struct entry {
    uint8_t *p; /* NULL: none */
    uint32_t len, cap;
};

struct best {
    struct bp_agg base;
    enum rule rule;
    struct bp_agg_array entries; /* struct entry */
    struct bp_arena arena;       /* outgrown entries stay in it */
};

static enum rule rule_of(const struct bp_agg *a)
{
    static const struct {
        const char *func;
        enum rule rule;
    } rules[] = {{"bool_or", LARGEST},
                 {"first", FIRST},
                 {"last", LAST},
                 {"min_by", MIN_BY},
                 {"max_by", MAX_BY},
                 {"first_ordered", FIRST_ORDERED},
                 {"last_ordered", LAST_ORDERED}};

    for (size_t i = 0; i < BP_COUNT_OF(rules); i++)
        if (strcmp(rules[i].func, a->kind->func) == 0)
            return rules[i].rule;
    return SMALLEST;
}

static int best_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    struct best *b = (struct best *)a;

    b->rule = rule_of(a);
    BP_TRY(bp_agg_array_grow(a, &b->entries, sizeof(struct entry), n_groups, err));
    a->n_groups = n_groups;
    return 0;
}

static void best_release(struct bp_agg *a)
{
    bp_mem_free(((struct best *)a)->entries.p);
    bp_arena_release(&((struct best *)a)->arena);
}

/* ---- which of two entries stays ---- */

/* The parts of a min_by or max_by entry. */
struct pair {
    const uint8_t *key, *value;
    size_t n_key, n_value;
};

static struct pair pair_of(const uint8_t *p, size_t n)
{
    size_t n_key = bp_load_u32(p);

    return (struct pair){p + 4, p + 4 + n_key, n_key, n - 4 - n_key};
}

static bool pair_better(enum rule rule, const uint8_t *p, size_t n, const struct entry *e)
{
    struct pair a = pair_of(p, n), b = pair_of(e->p, e->len);
    int d = bp_agg_code_compare(a.key, a.n_key, b.key, b.n_key);

    if (d)
        return rule == MIN_BY || rule == FIRST_ORDERED ? d < 0 : d > 0;
    return bp_agg_code_compare(a.value, a.n_value, b.value, b.n_value) < 0;
}

static bool better(enum rule rule, const uint8_t *p, size_t n, const struct entry *e)
{
    int d;

    if (rule >= MIN_BY)
        return pair_better(rule, p, n, e);
    if (rule >= FIRST)
        return rule == FIRST ? memcmp(p, e->p, PLACE_BYTES) < 0 : memcmp(p, e->p, PLACE_BYTES) > 0;
    d = bp_agg_code_compare(p, n, e->p, e->len);
    return rule == SMALLEST ? d < 0 : d > 0;
}

static int keep(struct best *b, uint32_t id, const uint8_t *p, size_t n, struct bp_err *err)
{
    struct entry *e = (struct entry *)b->entries.p + id;

    if (e->p && !better(b->rule, p, n, e))
        return 0;
    if (!e->p || n > e->cap) {
        size_t cap = BP_MIN(BP_MAX(BP_MAX(n, (size_t)e->cap * 2), 16), (size_t)ENTRY_MAX);

        e->p = bp_arena_alloc(&b->arena, cap, err);
        if (!e->p)
            return err->code;
        e->cap = (uint32_t)cap;
    }
    if (n)
        memcpy(e->p, p, n);
    e->len = (uint32_t)n;
    return 0;
}

/* ---- rows ---- */

static void put_place(uint8_t *to, uint32_t task, uint64_t row)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(task >> (24 - 8 * i));
    for (int i = 0; i < 8; i++)
        to[4 + i] = (uint8_t)(row >> (56 - 8 * i));
}

static int too_long(const struct bp_agg *a, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "column %s: %s of a value of more than 2 GiB", a->name,
                   a->kind->func);
}

/* head, then value i of c: an entry, in buf if it does not lie in c. */
static int add_entry(struct best *b, uint32_t id, struct bp_buf *buf, const struct bp_column *c,
                     int64_t i, struct bp_err *err)
{
    uint8_t room[BP_AGG_CODE_MAX];
    const uint8_t *p;
    size_t n;

    p = bp_agg_code(c, i, room, &n);
    if (n + buf->len > ENTRY_MAX)
        return too_long(&b->base, err);
    if (!buf->len)
        return keep(b, id, p, n, err);
    BP_TRY(bp_buf_append(buf, p, n, err));
    return keep(b, id, buf->data, buf->len, err);
}

static int add_place(struct best *b, const struct bp_agg_rows *r, int64_t i, struct bp_buf *buf,
                     struct bp_err *err)
{
    const struct entry *e = (struct entry *)b->entries.p + (r->ids ? r->ids[i] : 0);
    bool is_null = bp_column_is_null(&r->cols[0], i);
    uint8_t head[PLACE_BYTES + 1];

    put_place(head, r->task, (uint64_t)(r->first_row + i));
    head[PLACE_BYTES] = is_null;
    if (e->p && !better(b->rule, head, sizeof head, e))
        return 0;
    BP_TRY(bp_buf_append(buf, head, sizeof head, err));
    if (is_null)
        return keep(b, r->ids ? r->ids[i] : 0, buf->data, buf->len, err);
    return add_entry(b, r->ids ? r->ids[i] : 0, buf, &r->cols[0], i, err);
}

static int add_pair(struct best *b, const struct bp_agg_rows *r, int64_t i, struct bp_buf *buf,
                    struct bp_err *err)
{
    uint8_t room[BP_AGG_CODE_MAX];
    const uint8_t *p;
    uint32_t n_key;
    size_t n;

    p = bp_agg_code(&r->cols[1], i, room, &n);
    n_key = (uint32_t)n;
    BP_TRY(bp_buf_append(buf, &n_key, sizeof n_key, err));
    BP_TRY(bp_buf_append(buf, p, n, err));
    return add_entry(b, r->ids ? r->ids[i] : 0, buf, &r->cols[0], i, err);
}

/* Most rows' keys are worse than the group's by one of their own bytes: no entry need be made. */
static bool key_is_worse(const struct best *b, uint32_t id, const uint8_t *key, size_t n)
{
    const struct entry *e = (struct entry *)b->entries.p + id;
    struct pair old;
    int d;

    if (!e->p)
        return false;
    old = pair_of(e->p, e->len);
    d = memcmp(key, old.key, BP_MIN(n, old.n_key - PLACE_BYTES));
    return b->rule == FIRST_ORDERED ? d > 0 : d < 0;
}

/* The key has the place behind it, so that no two rows' are equal. */
static int add_ordered(struct best *b, const struct bp_agg_rows *r, int64_t i, struct bp_buf *buf,
                       struct bp_err *err)
{
    bool is_null = bp_column_is_null(&r->cols[0], i);
    uint32_t id = r->ids ? r->ids[i] : 0, n_key;
    uint8_t tail[PLACE_BYTES + 1];
    const uint8_t *key;
    size_t n;

    key = bp_column_bytes(&r->cols[1], i, &n);
    if (key_is_worse(b, id, key, n))
        return 0;
    if (n > ENTRY_MAX - 64)
        return too_long(&b->base, err);
    n_key = (uint32_t)n + PLACE_BYTES;
    put_place(tail, r->task, (uint64_t)(r->first_row + i));
    tail[PLACE_BYTES] = is_null;
    BP_TRY(bp_buf_append(buf, &n_key, sizeof n_key, err));
    BP_TRY(bp_buf_append(buf, key, n, err));
    BP_TRY(bp_buf_append(buf, tail, sizeof tail, err));
    if (is_null)
        return keep(b, id, buf->data, buf->len, err);
    return add_entry(b, id, buf, &r->cols[0], i, err);
}

static bool any_null(const struct best *b, const struct bp_agg_rows *r, int64_t i)
{
    for (int k = 0; k < b->base.kind->n_args; k++)
        if (bp_column_is_null(&r->cols[k], i))
            return true;
    return false;
}

static int best_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct best *b = (struct best *)a;
    int64_t arena_before = (int64_t)b->arena.total_bytes;
    struct bp_buf buf = {0};
    int rc = 0;

    for (int64_t i = 0; i < r->n_rows; i++) {
        buf.len = 0;
        if (b->rule == FIRST || b->rule == LAST)
            BP_GO(add_place(b, r, i, &buf, err));
        else if (b->rule >= FIRST_ORDERED)
            BP_GO(add_ordered(b, r, i, &buf, err));
        else if (any_null(b, r, i))
            continue;
        else if (b->rule >= MIN_BY)
            BP_GO(add_pair(b, r, i, &buf, err));
        else
            BP_GO(add_entry(b, r->ids ? r->ids[i] : 0, &buf, &r->cols[0], i, err));
    }
out:
    bp_buf_release(&buf);
    a->held_bytes += (int64_t)b->arena.total_bytes - arena_before;
    return rc;
}

/* ---- states ---- */

/* The value's code within an entry; *is_null: the value is NULL. */
static const uint8_t *value_of(enum rule rule, const uint8_t *p, size_t *n, bool *is_null)
{
    struct pair pair;

    *is_null = false;
    if (rule >= MIN_BY) {
        pair = pair_of(p, *n);
        *n = pair.n_value;
        if (rule < FIRST_ORDERED)
            return pair.value;
        *is_null = pair.value[0];
        --*n;
        return pair.value + 1;
    }
    if (rule < FIRST)
        return p;
    *is_null = p[PLACE_BYTES];
    *n -= PLACE_BYTES + 1;
    return p + PLACE_BYTES + 1;
}

static bool is_good(const struct best *b, const uint8_t *p, size_t n)
{
    const uint8_t *value;
    struct pair pair;
    bool is_null;

    if (b->rule >= MIN_BY) {
        if (n < 4 || bp_load_u32(p) > n - 4)
            return false;
        pair = pair_of(p, n);
        if (!bp_agg_code_is_good(b->base.args[1], pair.key, pair.n_key))
            return false;
        if (b->rule >= FIRST_ORDERED &&
            (pair.n_key < PLACE_BYTES || pair.n_value < 1 || pair.value[0] > 1))
            return false;
    } else if (b->rule >= FIRST && (n < PLACE_BYTES + 1 || p[PLACE_BYTES] > 1)) {
        return false;
    }
    value = value_of(b->rule, p, &n, &is_null);
    return is_null ? n == 0 : bp_agg_code_is_good(b->base.args[0], value, n);
}

static int best_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct best *b = (struct best *)a;
    int64_t arena_before = (int64_t)b->arena.total_bytes;

    for (int64_t i = 0; i < r->n_rows; i++) {
        const uint8_t *p;
        size_t n;

        if (bp_column_is_null(&r->cols[0], i))
            continue;
        p = bp_column_bytes(&r->cols[0], i, &n);
        if (n < 1 || p[0] != VERSION || !is_good(b, p + 1, n - 1))
            return bp_fail(err, BP_EDATA, "column %s: a partial state is damaged", a->name);
        BP_TRY(keep(b, r->ids ? r->ids[i] : 0, p + 1, n - 1, err));
    }
    a->held_bytes += (int64_t)b->arena.total_bytes - arena_before;
    return 0;
}

static int save_entry(struct bp_builder *to, const struct entry *e, struct bp_buf *buf,
                      struct bp_err *err)
{
    static const uint8_t version = VERSION;

    if (!e->p)
        return bp_builder_add_null(to, err);
    buf->len = 0;
    BP_TRY(bp_buf_append(buf, &version, 1, err));
    BP_TRY(bp_buf_append(buf, e->p, e->len, err));
    return bp_builder_add_bytes(to, buf->data, buf->len, err);
}

static int best_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                     struct bp_err *err)
{
    const struct entry *entries = ((struct best *)a)->entries.p;
    struct bp_buf buf = {0};
    struct bp_builder to;
    int rc;

    bp_builder_init(&to, BP_TYPE(BP_BINARY));
    BP_GO(bp_builder_reserve(&to, n, err));
    for (int64_t i = 0; i < n; i++)
        BP_GO(save_entry(&to, &entries[ids[i]], &buf, err));
    rc = bp_builder_finish(&to, parts, err);
out:
    bp_builder_release(&to);
    bp_buf_release(&buf);
    return rc;
}

static int best_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                      struct bp_err *err)
{
    const struct best *b = (struct best *)a;
    const struct entry *entries = b->entries.p;
    struct bp_builder to;
    int rc;

    bp_builder_init(&to, a->result);
    BP_GO(bp_builder_reserve(&to, n, err));
    for (int64_t i = 0; i < n; i++) {
        const struct entry *e = &entries[ids[i]];
        const uint8_t *p = e->p;
        bool is_null = !p;
        size_t len = e->len;

        if (p)
            p = value_of(b->rule, p, &len, &is_null);
        if (is_null)
            BP_GO(bp_builder_add_null(&to, err));
        else
            BP_GO(bp_agg_code_add(&to, p, len, err));
    }
    rc = bp_builder_finish(&to, out, err);
out:
    bp_builder_release(&to);
    return rc;
}

static const struct bp_agg_ops best_ops = {
    sizeof(struct best), best_grow, best_update, best_merge, best_save, best_final, best_release,
};

/* ---- the records ---- */

static bool boolean(const struct bp_type *t)
{
    return t->kind == BP_BOOL;
}

static bool value_and_key(const struct bp_type *t)
{
    return bp_agg_flat(t) && t[1].kind == BP_BINARY;
}

static int best_types(const struct bp_type *args, struct bp_type *result, struct bp_agg_part *parts)
{
    *result = *args;
    parts[0] = (struct bp_agg_part){NULL, BP_TYPE(BP_BINARY)};
    return 1;
}

const struct bp_agg_kind bp_agg_best_kinds[] = {
    {"bool_and", "boolean", 1, boolean, best_types, &best_ops},
    {"bool_or", "boolean", 1, boolean, best_types, &best_ops},
    {"any_value", "any type", 1, bp_agg_flat, best_types, &best_ops},
    {"first", "any type", 1, bp_agg_flat, best_types, &best_ops},
    {"last", "any type", 1, bp_agg_flat, best_types, &best_ops},
    {"min_by", "value, any type", 2, bp_agg_flat_pair, best_types, &best_ops},
    {"max_by", "value, any type", 2, bp_agg_flat_pair, best_types, &best_ops},
    {"first_ordered", "value, key", 2, value_and_key, best_types, &best_ops},
    {"last_ordered", "value, key", 2, value_and_key, best_types, &best_ops},
    {0},
};
