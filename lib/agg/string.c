/* SPDX-License-Identifier: Apache-2.0 */
/*
 * string_agg: the values of a group, one after the other, in the order of the rows in
 * the whole input, or as ORDER BY inside the call says and then in that order.
 *
 * A group's state is a list of entries, in any order, each a key and a value; the key is
 * what ORDER BY gave (order.h), then the row's place: its task and its number, each
 * as a length byte and that many bytes, big end first. Keys order as bytes do, so results
 * do not depend on the order in which states are merged.
 *
 *     entry   length of key (varint), length of value (varint), key, value
 *     state   version, length of separator (uint32), separator, entries; NULL: no entry
 *
 * array_agg is the same without a separator; a value there is its bytes by value.h,
 * so that it may be of any type, and NULL.
 *
 * In memory the entries of a group lie in pieces that double in size.
 */
#include <stdlib.h>
#include <string.h>

#include "agg/agg.h"
#include "agg/code.h"
#include "agg/value.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "col/text.h"

#define VERSION 1
#define HEAD_BYTES 5
#define PLACE_MAX 14
#define VARINT_MAX 5
#define PIECE_MIN 16u
#define PIECE_MAX 16384u

struct piece {
    struct piece *next;
    uint32_t len, cap;
    uint8_t p[];
};

struct list {
    struct piece *first, *last;
};

struct string {
    struct bp_agg base;
    struct bp_agg_array lists; /* struct list */
    struct bp_arena arena;
    struct bp_buf separator;
    bool has_separator;
    struct bp_buf value; /* array_agg: of the row at hand */
};

static bool is_array(const struct string *s)
{
    return s->base.result.kind == BP_LIST;
}

struct entry {
    const uint8_t *key, *value;
    uint32_t n_key, n_value;
};

static int string_grow(struct bp_agg *a, int64_t n_groups, struct bp_err *err)
{
    BP_TRY(bp_agg_array_grow(a, &((struct string *)a)->lists, sizeof(struct list), n_groups, err));
    a->keeps_values = a->by_place = true;
    a->takes_nulls = is_array((struct string *)a);
    a->n_groups = n_groups;
    return 0;
}

static void string_release(struct bp_agg *a)
{
    struct string *s = (struct string *)a;

    bp_mem_free(s->lists.p);
    bp_arena_release(&s->arena);
    bp_buf_release(&s->separator);
    bp_buf_release(&s->value);
}

/* ---- entries ---- */

static size_t put_varint(uint8_t *to, uint32_t v)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        to[n++] = (uint8_t)(v | 0x80);
    to[n++] = (uint8_t)v;
    return n;
}

/* False: cut off, or no number of 32 bits. */
static bool get_varint(const uint8_t **p, const uint8_t *end, uint32_t *v)
{
    *v = 0;
    for (unsigned shift = 0; *p < end && shift < 35; shift += 7) {
        uint8_t b = *(*p)++;

        if (shift == 28 && b > 15)
            return false;
        *v |= (uint32_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return true;
    }
    return false;
}

static bool get_entry(const uint8_t **p, const uint8_t *end, struct entry *e)
{
    if (!get_varint(p, end, &e->n_key) || !get_varint(p, end, &e->n_value) ||
        e->n_key > (size_t)(end - *p) || e->n_value > (size_t)(end - *p) - e->n_key)
        return false;
    e->key = *p;
    e->value = *p + e->n_key;
    *p += (size_t)e->n_key + e->n_value;
    return true;
}

/* Where n bytes of group id's entries go. */
static uint8_t *room_for(struct string *s, uint32_t id, size_t n, struct bp_err *err)
{
    struct list *l = (struct list *)s->lists.p + id;
    struct piece *q = l->last;

    if (!q || n > q->cap - q->len) {
        size_t cap = BP_MAX(n, q ? BP_MIN(2 * q->cap, PIECE_MAX) : PIECE_MIN);

        q = bp_arena_alloc(&s->arena, sizeof *q + cap, err);
        if (!q)
            return NULL;
        q->cap = (uint32_t)cap;
        if (l->last)
            l->last->next = q;
        else
            l->first = q;
        l->last = q;
    }
    q->len += (uint32_t)n;
    return q->p + q->len - n;
}

static size_t put_number(uint8_t *to, uint64_t v)
{
    uint8_t n = 0;

    for (uint64_t rest = v; rest; rest >>= 8)
        n++;
    to[0] = n;
    for (int i = 0; i < n; i++)
        to[1 + i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    return (size_t)n + 1;
}

static int too_long(const struct bp_agg *a, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "column %s: one group's %s is longer than 2 GiB", a->name,
                   a->kind->func);
}

static int add_entry(struct string *s, uint32_t id, const struct bp_agg_rows *r, int64_t i,
                     struct bp_err *err)
{
    size_t n_value, n_order = 0, n_place, n;
    const uint8_t *value, *order = NULL;
    uint8_t place[PLACE_MAX], head[2 * VARINT_MAX], *to;
    int plain = is_array(s) ? 1 : 2; /* arguments before what rows are ordered by */

    if (is_array(s)) {
        s->value.len = 0;
        BP_TRY(bp_agg_value_put(&r->cols[0], i, &s->value, err));
        value = s->value.data;
        n_value = s->value.len;
    } else {
        value = bp_column_bytes(&r->cols[0], i, &n_value);
    }
    if (s->base.kind->n_args > plain)
        order = bp_column_bytes(&r->cols[plain], i, &n_order);
    n_place = put_number(place, r->task);
    n_place += put_number(place + n_place, (uint64_t)(r->first_row + i));
    if (n_order + n_value > INT32_MAX - sizeof place - sizeof head)
        return too_long(&s->base, err);
    n = put_varint(head, (uint32_t)(n_order + n_place));
    n += put_varint(head + n, (uint32_t)n_value);
    to = room_for(s, id, n + n_order + n_place + n_value, err);
    if (!to)
        return err->code;
    memcpy(to, head, n);
    if (n_order)
        memcpy(to + n, order, n_order);
    memcpy(to + n + n_order, place, n_place);
    if (n_value)
        memcpy(to + n + n_order + n_place, value, n_value);
    return 0;
}

/* ---- the separator: one for all ---- */

static int take_separator(struct string *s, const uint8_t *p, size_t n, struct bp_err *err)
{
    if (!s->has_separator) {
        s->has_separator = true;
        return bp_buf_append(&s->separator, p, n, err);
    }
    if (n != s->separator.len || (n && memcmp(p, s->separator.data, n) != 0))
        return bp_fail(err, BP_EDATA, "column %s: the separator of %s has to be one constant",
                       s->base.name, s->base.kind->func);
    return 0;
}

/* What the states need, beside the bytes of the result that are made of them. */
static void charge(struct string *s, size_t arena_before, size_t value_bytes)
{
    s->base.held_bytes += (int64_t)(s->arena.total_bytes - arena_before + value_bytes);
}

static int string_update(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct string *s = (struct string *)a;
    size_t before = s->arena.total_bytes, bytes = 0, n;

    for (int64_t i = 0; i < r->n_rows && is_array(s); i++) {
        BP_TRY(add_entry(s, r->ids ? r->ids[i] : 0, r, i, err));
        bytes += s->value.len;
    }
    for (int64_t i = 0; i < r->n_rows && !is_array(s); i++) {
        const uint8_t *separator = bp_column_bytes(&r->cols[1], i, &n);

        if (bp_column_is_null(&r->cols[0], i))
            continue;
        n = bp_column_is_null(&r->cols[1], i) ? 0 : n;
        BP_TRY(take_separator(s, separator, n, err));
        BP_TRY(add_entry(s, r->ids ? r->ids[i] : 0, r, i, err));
        (void)bp_column_bytes(&r->cols[0], i, &n);
        bytes += n + s->separator.len;
    }
    charge(s, before, bytes);
    return 0;
}

/* ---- states ---- */

static bool good_value(const struct bp_agg *a, const uint8_t *p, size_t n)
{
    size_t bad_at;

    if (a->result.kind == BP_LIST)
        return bp_agg_value_is_good(a->args[0], p, p + n);
    return a->args[0].kind != BP_TEXT || bp_utf8_check(p, n, &bad_at);
}

static int merge_one(struct string *s, uint32_t id, const uint8_t *p, size_t n, size_t *bytes,
                     struct bp_err *err)
{
    const uint8_t *end = p + n, *entries;
    uint32_t n_sep = n < HEAD_BYTES ? 0 : bp_load_u32(p + 1);
    bool good = n >= HEAD_BYTES && p[0] == VERSION && n_sep <= n - HEAD_BYTES &&
                (is_array(s) ? n_sep == 0 : good_value(&s->base, p + HEAD_BYTES, n_sep));
    struct entry e;
    uint8_t *to;

    entries = good ? p + HEAD_BYTES + n_sep : end;
    for (const uint8_t *q = entries; q < end && good;) {
        good = get_entry(&q, end, &e) && good_value(&s->base, e.value, e.n_value);
        *bytes += good ? e.n_value + n_sep : 0;
    }
    if (!good || entries == end)
        return bp_fail(err, BP_EDATA, "column %s: a partial state is damaged", s->base.name);
    if (!is_array(s))
        BP_TRY(take_separator(s, p + HEAD_BYTES, n_sep, err));
    to = room_for(s, id, (size_t)(end - entries), err);
    if (!to)
        return err->code;
    memcpy(to, entries, (size_t)(end - entries));
    return 0;
}

static int string_merge(struct bp_agg *a, const struct bp_agg_rows *r, struct bp_err *err)
{
    struct string *s = (struct string *)a;
    size_t before = s->arena.total_bytes, bytes = 0, n;

    for (int64_t i = 0; i < r->n_rows; i++) {
        const uint8_t *p = bp_column_bytes(&r->cols[0], i, &n);

        if (!bp_column_is_null(&r->cols[0], i))
            BP_TRY(merge_one(s, r->ids ? r->ids[i] : 0, p, n, &bytes, err));
    }
    charge(s, before, bytes);
    return 0;
}

static int save_one(struct string *s, uint32_t id, struct bp_buf *buf, struct bp_builder *to,
                    struct bp_err *err)
{
    const struct list *l = (const struct list *)s->lists.p + id;
    uint32_t n = (uint32_t)s->separator.len;
    uint8_t head[HEAD_BYTES] = {VERSION};

    if (!l->first)
        return bp_builder_add_null(to, err);
    memcpy(head + 1, &n, sizeof n);
    buf->len = 0;
    BP_TRY(bp_buf_append(buf, head, sizeof head, err));
    BP_TRY(bp_buf_append(buf, s->separator.data, s->separator.len, err));
    for (const struct piece *q = l->first; q; q = q->next)
        BP_TRY(bp_buf_append(buf, q->p, q->len, err));
    if (buf->len > INT32_MAX)
        return too_long(&s->base, err);
    return bp_builder_add_bytes(to, buf->data, buf->len, err);
}

/* ---- results ---- */

/* Equal keys come of input that was given twice. */
static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int d = bp_agg_code_compare(x->key, x->n_key, y->key, y->n_key);

    return d ? d : bp_agg_code_compare(x->value, x->n_value, y->value, y->n_value);
}

/* The entries of a list, in order; in *room. */
static int entries_of(const struct list *l, struct bp_buf *room, struct bp_err *err)
{
    bool sorted = true;
    struct entry last = {0}, e;

    room->len = 0;
    for (const struct piece *q = l->first; q; q = q->next)
        for (const uint8_t *p = q->p; p < q->p + q->len;) {
            if (!get_entry(&p, q->p + q->len, &e))
                return bp_fail(err, BP_EDATA, "a list of texts is damaged");
            sorted = sorted && (!room->len || by_key(&last, &e) <= 0);
            last = e;
            BP_TRY(bp_buf_append(room, &e, sizeof e, err));
        }
    if (!sorted)
        qsort(room->data, room->len / sizeof e, sizeof e, by_key);
    return 0;
}

static int final_one(struct string *s, uint32_t id, struct bp_buf *room, struct bp_buf *buf,
                     struct bp_builder *to, struct bp_err *err)
{
    const struct list *l = (const struct list *)s->lists.p + id;
    const struct entry *e;

    if (!l->first)
        return bp_builder_add_null(to, err);
    BP_TRY(entries_of(l, room, err));
    e = (const struct entry *)(const void *)room->data;
    for (size_t i = 0; is_array(s) && i < room->len / sizeof *e; i++)
        BP_TRY(bp_agg_value_get(&to->kids[0], e[i].value, err));
    if (is_array(s))
        return bp_builder_add_nested(to, err);
    buf->len = 0;
    for (size_t i = 0; i < room->len / sizeof *e; i++) {
        if (i)
            BP_TRY(bp_buf_append(buf, s->separator.data, s->separator.len, err));
        BP_TRY(bp_buf_append(buf, e[i].value, e[i].n_value, err));
        if (buf->len > INT32_MAX)
            return too_long(&s->base, err);
    }
    return bp_builder_add_bytes(to, buf->data, buf->len, err);
}

static int give(struct string *s, const uint32_t *ids, int64_t n, bool states,
                struct bp_column *out, struct bp_err *err)
{
    struct bp_buf buf = {0}, room = {0};
    struct bp_builder to;
    int rc;

    bp_builder_init(&to, states ? BP_TYPE(BP_BINARY) : s->base.result);
    BP_GO(bp_builder_reserve(&to, BP_MAX(n, 1), err));
    for (int64_t i = 0; i < n; i++)
        BP_GO(states ? save_one(s, ids[i], &buf, &to, err)
                     : final_one(s, ids[i], &room, &buf, &to, err));
    rc = bp_builder_finish(&to, out, err);
out:
    bp_builder_release(&to);
    bp_buf_release(&buf);
    bp_buf_release(&room);
    return rc;
}

static int string_save(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *parts,
                       struct bp_err *err)
{
    return give((struct string *)a, ids, n, true, parts, err);
}

static int string_final(struct bp_agg *a, const uint32_t *ids, int64_t n, struct bp_column *out,
                        struct bp_err *err)
{
    return give((struct string *)a, ids, n, false, out, err);
}

static const struct bp_agg_ops string_ops = {
    sizeof(struct string), string_grow,  string_update,  string_merge,
    string_save,           string_final, string_release,
};

/* ---- the records ---- */

static bool texts(const struct bp_type *t)
{
    return bp_type_is_bytes(t[0]) && t[0].kind == t[1].kind;
}

static bool ordered_texts(const struct bp_type *t)
{
    return texts(t) && t[2].kind == BP_BINARY;
}

static int string_types(const struct bp_type *args, struct bp_type *result,
                        struct bp_agg_part *parts)
{
    *result = BP_TYPE(args->kind);
    parts[0] = (struct bp_agg_part){NULL, BP_TYPE(BP_BINARY)};
    return 1;
}

static bool any_and_key(const struct bp_type *t)
{
    return t[1].kind == BP_BINARY;
}

/* A type is nested too deep only where it comes from: here it is one step at most. */
static int array_types(const struct bp_type *args, struct bp_type *result,
                       struct bp_agg_part *parts)
{
    struct bp_err err = {0};

    if (bp_type_list(args[0], result, &err) < 0)
        *result = BP_TYPE(BP_NO_TYPE);
    parts[0] = (struct bp_agg_part){NULL, BP_TYPE(BP_BINARY)};
    return 1;
}

const struct bp_agg_kind bp_agg_string_kinds[] = {
    {"array_agg", "any type", 1, NULL, array_types, &string_ops},
    {"array_agg_ordered", "any type, key", 2, any_and_key, array_types, &string_ops},
    {"string_agg", "text, separator", 2, texts, string_types, &string_ops},
    {"string_agg_ordered", "text, separator, key", 3, ordered_texts, string_types, &string_ops},
    {0},
};
