/* SPDX-License-Identifier: Apache-2.0 */
/* Planning of normalised keys: ranges of the columns, and the packing. */
#include <string.h>

#include "op/sort_ord.h"
#include "op/sort_par.h"
#include "op/sort_word.h"

#define TEXT_MAX_BYTES 32 /* of a text; beyond, ties are compared value by value */
#define STEP 1024

struct range {
    uint64_t min, max; /* of values that are not null; min > max: there are none */
    int64_t n_nulls;
    int64_t max_len;
};

/* ---- ranges ---- */

static void range_join(struct range *a, const struct range *b)
{
    a->min = BP_MIN(a->min, b->min);
    a->max = BP_MAX(a->max, b->max);
    a->n_nulls += b->n_nulls;
    a->max_len = BP_MAX(a->max_len, b->max_len);
}

static void range_numbers(struct range *r, const struct bp_column *c)
{
    uint64_t ord[STEP];

    for (int64_t from = 0; from < c->n_rows; from += STEP) {
        int64_t n = BP_MIN(c->n_rows - from, STEP);
        uint64_t min = r->min, max = r->max;

        bp_ord64(c, from, n, ord);
        for (int64_t i = 0; i < n; i++) {
            if (c->n_nulls && bp_column_is_null(c, from + i))
                continue;
            min = BP_MIN(min, ord[i]);
            max = BP_MAX(max, ord[i]);
        }
        r->min = min;
        r->max = max;
    }
}

static void range_text(struct range *r, const struct bp_column *c)
{
    const struct bp_column *v = c->dict ? &c->dict->values : c;
    const int32_t *off = v->data;
    int64_t max = r->max_len;

    for (int64_t i = 0; i < v->n_rows; i++)
        max = BP_MAX(max, (int64_t)off[i + 1] - off[i]);
    r->max_len = max;
}

struct ranges {
    const struct bp_held *held;
    const struct bp_sort_keys *keys;
    struct range *out; /* [task][key] */
    int64_t n_tasks;
};

static void range_task(void *ctx, int64_t task)
{
    struct ranges *r = ctx;
    int64_t from = r->held->n_chunks * task / r->n_tasks;
    int64_t to = r->held->n_chunks * (task + 1) / r->n_tasks;

    for (int k = 0; k < r->keys->n; k++) {
        struct range *out = &r->out[task * r->keys->n + k];
        const struct bp_dict *last = NULL;

        *out = (struct range){.min = UINT64_MAX};
        for (int64_t i = from; i < to; i++) {
            const struct bp_column *c = &r->held->chunks[i].cols[r->keys->keys[k].col];

            out->n_nulls += c->n_nulls;
            if (!bp_type_is_bytes(c->type))
                range_numbers(out, c);
            else if (!c->dict || c->dict != last)
                range_text(out, c);
            last = c->dict;
        }
    }
}

/* ---- packing ---- */

static int bit_length(uint64_t v)
{
    return v ? 64 - __builtin_clzll(v) : 0;
}

struct packer {
    struct bp_sort_plan *plan;
    int used; /* bits of the last word */
};

static bool next_word(struct packer *p, int key)
{
    struct bp_sort_plan *plan = p->plan;

    if (plan->n_words == BP_SORT_WORDS_MAX)
        return false;
    plan->words[plan->n_words++] = (struct bp_sort_word){
        .part_from = plan->n_parts, .part_to = plan->n_parts, .first_key = key};
    p->used = 0;
    return true;
}

/* Puts part behind what the last word has, or into a new word. */
static bool pack(struct packer *p, struct bp_sort_part part)
{
    struct bp_sort_plan *plan = p->plan;

    if (part.bits == 0)
        return true;
    if (plan->n_words == 0 || p->used + part.bits > 64)
        if (!next_word(p, part.key))
            return false;
    if (plan->n_parts == BP_SORT_PARTS_MAX)
        return false;
    part.shift = 64 - p->used - part.bits;
    p->used += part.bits;
    plan->parts[plan->n_parts++] = part;
    plan->words[plan->n_words - 1].part_to = plan->n_parts;
    return true;
}

static bool pack_null(struct packer *p, int key)
{
    return pack(p, (struct bp_sort_part){.kind = BP_PART_NULL, .key = key, .bits = 1});
}

static bool pack_number(struct packer *p, int key, const struct range *r)
{
    struct bp_sort_part part = {.kind = BP_PART_CODE,
                                .key = key,
                                .min = r->min,
                                .max = r->max,
                                .has_nulls = r->n_nulls > 0};
    uint64_t span = r->max - r->min;

    if (r->min > r->max) { /* nothing but nulls */
        return true;
    }
    if (span == UINT64_MAX && part.has_nulls) { /* 65 bits */
        if (!pack_null(p, key))
            return false;
        part.has_nulls = false;
    }
    part.bits = bit_length(span + part.has_nulls);
    return pack(p, part);
}

static bool pack_wide(struct packer *p, int key, const struct range *r)
{
    struct bp_sort_part part = {.kind = BP_PART_HIGH, .key = key, .bits = 64};

    if (r->n_nulls && !pack_null(p, key))
        return false;
    if (!pack(p, part))
        return false;
    part.kind = BP_PART_LOW;
    return pack(p, part);
}

/* Up to max_bytes of a text, in pieces that fill words. */
static bool pack_bytes(struct packer *p, int key, int64_t max_bytes)
{
    for (int64_t at = 0; at < max_bytes;) {
        int room = p->plan->n_words ? (64 - p->used) / 8 : 0;
        int n = (int)BP_MIN(max_bytes - at, room ? room : 8);

        if (!pack(p, (struct bp_sort_part){.kind = BP_PART_BYTES,
                                           .key = key,
                                           .bits = n * 8,
                                           .offset = (uint32_t)at,
                                           .n_bytes = (uint32_t)n}))
            return false;
        at += n;
    }
    return true;
}

/* False if the words cannot hold the key whole. */
static bool pack_text(struct packer *p, int key, const struct range *r)
{
    if (r->n_nulls && !pack_null(p, key))
        return false;
    if (!pack_bytes(p, key, BP_MIN(r->max_len, TEXT_MAX_BYTES)))
        return false;
    if (r->max_len > TEXT_MAX_BYTES)
        return false;
    /* "a" and "a\0" have the same bytes */
    return pack(p, (struct bp_sort_part){.kind = BP_PART_LENGTH,
                                         .key = key,
                                         .bits = bit_length((uint64_t)r->max_len)});
}

static void pack_all(struct bp_sort_plan *p, const struct range *ranges)
{
    struct packer pk = {.plan = p};

    for (int k = 0; k < p->keys->n; k++) {
        struct bp_type t = p->keys->keys[k].type;
        const struct range *r = &ranges[k];
        bool whole;

        if (bp_type_is_bytes(t))
            whole = pack_text(&pk, k, r);
        else if (bp_ord_is_wide(t) && r->min <= r->max && (r->min == 0 || r->max == UINT64_MAX))
            whole = pack_wide(&pk, k, r);
        else
            whole = pack_number(&pk, k, r);
        if (!whole) {
            p->rest_key = k;
            return;
        }
    }
    p->rest_key = p->keys->n;
}

int bp_sort_plan_rows(struct bp_sort_plan *p, const struct bp_sort_keys *k,
                      const struct bp_held *held, int n_threads, struct bp_err *err)
{
    struct ranges r = {.held = held, .keys = k, .n_tasks = BP_MIN(held->n_chunks, 64)};

    memset(p, 0, sizeof *p);
    p->keys = k;
    p->rest_key = k->n;
    if (!held->n_chunks)
        return 0;
    r.out = bp_mem_new((size_t)(r.n_tasks * k->n), sizeof *r.out, err);
    if (!r.out)
        return err->code;
    bp_par_each(n_threads, r.n_tasks, range_task, &r);
    for (int64_t t = 1; t < r.n_tasks; t++)
        for (int i = 0; i < k->n; i++)
            range_join(&r.out[i], &r.out[t * k->n + i]);
    pack_all(p, r.out);
    bp_mem_free(r.out);
    return 0;
}

/* As much of the key as fits: the upper bits of its code. True if all of them. */
static bool pack_any_number(struct packer *p, int key, struct bp_type t)
{
    struct bp_sort_part part = {.kind = BP_PART_CODE, .key = key, .has_nulls = true};
    int room = p->plan->n_words ? 64 - p->used : 64;
    uint64_t span;

    bp_ord_range(t, &part.min, &part.max);
    span = part.max - part.min;
    if (span == UINT64_MAX)
        part.drop = 1;
    while (bit_length((span >> part.drop) + 1) > room)
        part.drop++;
    part.bits = bit_length((span >> part.drop) + 1);
    return pack(p, part) && !part.drop && !bp_ord_is_wide(t);
}

void bp_sort_plan_types(struct bp_sort_plan *p, const struct bp_sort_keys *k)
{
    struct packer pk = {.plan = p};

    memset(p, 0, sizeof *p);
    p->keys = k;
    for (int i = 0; i < k->n; i++) {
        int room = p->n_words ? 64 - pk.used : 64;

        p->rest_key = i;
        if (room < 2)
            return;
        if (bp_type_is_bytes(k->keys[i].type)) {
            if (pack_null(&pk, i) && room > 8)
                (void)pack_bytes(&pk, i, (room - 1) / 8);
            return;
        }
        if (!pack_any_number(&pk, i, k->keys[i].type))
            return;
    }
    p->rest_key = k->n;
}
