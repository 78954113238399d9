/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each row finds its slot, and group[] keeps which; only if a key came twice are
 * the slots' rows counted and put together in ids[], in two more passes that chase
 * no chain. Rows of a block are hashed first and their slots prefetched.
 */
#include "op/join_table.h"

#include <string.h>

#include "base/hash.h"

#define STEP 1024
#define AHEAD 16             /* probes that are prefetched */
#define DENSE_MIN 65536      /* numbers that may always be an array */
#define DENSE_PER_ROW 6      /* and so many times the rows */
#define BYTES_TABLE_BYTES 48 /* of a row whose key is bytes: slot, id, group, its bytes */

/* ---- words of all keys, packed into one number ---- */

/* 1024 rows at a time; both fields are per row of the step. */
struct packed {
    uint64_t key[STEP];
    uint8_t dead[STEP];
};

static void pack_rows(const struct bp_join_table *t, bool left, const struct bp_batch *b,
                      int64_t from, int64_t n, struct packed *out)
{
    uint64_t words[STEP];

    memset(out->dead, 0, sizeof out->dead);
    memset(out->key, 0, (size_t)n * sizeof *out->key);
    for (int k = 0; k < t->n_keys; k++) {
        const struct bp_join_part *p = &t->parts[k];
        uint64_t span = p->max - p->min;
        int col = left ? t->keys[k].left : t->keys[k].right;

        bp_join_words(left ? &t->left_forms[k] : &t->right_forms[k], &b->cols[col], from, n, words,
                      out->dead);
        for (int64_t i = 0; i < n; i++) {
            uint64_t code = words[i] - p->min;

            out->dead[i] = (uint8_t)(out->dead[i] | (code > span));
            out->key[i] |= code << p->shift;
        }
    }
}

static void find_range(struct bp_join_table *t, int k, const struct bp_batch *b)
{
    struct bp_join_part *p = &t->parts[k];
    uint64_t words[STEP];
    uint8_t dead[STEP];

    for (int64_t from = 0; from < b->n_rows; from += STEP) {
        int64_t n = BP_MIN(b->n_rows - from, STEP);

        memset(dead, 0, sizeof dead);
        bp_join_words(&t->right_forms[k], &b->cols[t->keys[k].right], from, n, words, dead);
        for (int64_t i = 0; i < n; i++) {
            if (dead[i])
                continue;
            p->min = BP_MIN(p->min, words[i]);
            p->max = BP_MAX(p->max, words[i]);
        }
    }
}

/* The form that the build side's keys allow; parts are set. */
static void choose_form(struct bp_join_table *t, const struct bp_held *held)
{
    int bits = 0;

    for (int k = 0; k < t->n_keys; k++) {
        struct bp_join_part *p = &t->parts[k];

        *p = (struct bp_join_part){.min = UINT64_MAX};
        for (int c = 0; c < held->n_chunks; c++) {
            if (bp_join_beyond_word(&t->right_forms[k], &held->chunks[c].cols[t->keys[k].right])) {
                t->form = BP_TABLE_BYTES;
                return;
            }
            find_range(t, k, &held->chunks[c]);
        }
        if (p->min > p->max) { /* nothing but NULLs */
            t->form = BP_TABLE_EMPTY;
            return;
        }
    }
    for (int k = t->n_keys - 1; k >= 0; k--) {
        uint64_t span = t->parts[k].max - t->parts[k].min;

        t->parts[k].shift = bits & 63;
        bits += span ? 64 - __builtin_clzll(span) : 0;
        if (bits > 64) {
            t->form = BP_TABLE_BYTES;
            return;
        }
    }
    t->form = BP_TABLE_WORDS;
    t->n_dense = bits < 40 ? (uint64_t)1 << bits : UINT64_MAX;
    if (t->n_keys == 1 && t->parts[0].max - t->parts[0].min < UINT64_MAX)
        t->n_dense = t->parts[0].max - t->parts[0].min + 1;
    if (t->n_dense <= BP_MAX(DENSE_MIN, (uint64_t)held->n_rows * DENSE_PER_ROW))
        t->form = BP_TABLE_DENSE;
}

struct builder {
    const struct bp_held *held;
    uint32_t *group; /* [ids]: the slot of the row's key; BP_JOIN_NONE: dead */
    bool twice;      /* a key came twice */
};

/* ---- memory ---- */

static int take(struct bp_join_table *t, int which, size_t bytes, int fill, void *out,
                struct bp_err *err)
{
    BP_TRY(bp_block_new(&t->blocks[which], bytes, err));
    memset(t->blocks[which]->data, fill, bytes);
    memcpy(out, &t->blocks[which]->data, sizeof(void *));
    if (bp_budget_take(t->budget, (int64_t)bytes))
        t->taken_bytes += (int64_t)bytes;
    return 0;
}

static uint64_t slots_for(int64_t n_rows)
{
    uint64_t n = 64;

    while (n < (uint64_t)n_rows + (uint64_t)n_rows / 2)
        n *= 2;
    return n;
}

static int take_slots(struct bp_join_table *t, int64_t n_rows, struct bp_err *err)
{
    uint64_t n = slots_for(n_rows);

    t->mask = n - 1;
    return take(t, 1, n * sizeof *t->slots, 0xff, &t->slots, err);
}

/* Row id belongs to the slot number `slot`, whose head is *head. */
static inline void join_group(struct builder *b, uint64_t slot, uint32_t *head, uint32_t id)
{
    if (*head == BP_JOIN_NONE)
        *head = id;
    else
        b->twice = true;
    b->group[id] = (uint32_t)slot;
}

static inline uint32_t *head_of(struct bp_join_table *t, uint64_t slot)
{
    return t->form == BP_TABLE_DENSE ? &t->dense[slot] : &t->slots[slot].head;
}

/* Heads become places in ids[], which is filled; group[] says whose slot each id is. */
static int group_rows(struct bp_join_table *t, const uint32_t *group, int64_t n_ids,
                      struct bp_err *err)
{
    uint64_t n_slots = t->form == BP_TABLE_DENSE ? t->n_dense : t->mask + 1;
    uint32_t end = 0;

    BP_TRY(take(t, 0, (size_t)n_ids * sizeof *t->ids, 0, &t->ids, err));
    for (uint64_t s = 0; s < n_slots; s++)
        if (*head_of(t, s) != BP_JOIN_NONE)
            *head_of(t, s) = 0;
    for (int64_t i = 0; i < n_ids; i++)
        if (group[i] != BP_JOIN_NONE)
            ++*head_of(t, group[i]);
    for (uint64_t s = 0; s < n_slots; s++) {
        uint32_t *head = head_of(t, s);

        if (*head == BP_JOIN_NONE)
            continue;
        end += *head;
        t->ids[end - 1] = BP_JOIN_LAST;
        *head = end;
    }
    for (int64_t i = n_ids - 1; i >= 0; i--)
        if (group[i] != BP_JOIN_NONE)
            t->ids[--*head_of(t, group[i])] |= (uint32_t)i;
    return 0;
}

/* ---- arrays ---- */

static void build_dense(struct bp_join_table *t, struct builder *bd)
{
    struct packed p;

    for (int c = 0; c < bd->held->n_chunks; c++) {
        const struct bp_batch *b = &bd->held->chunks[c];
        uint32_t id = (uint32_t)c << BP_HELD_SHIFT;

        for (int64_t from = 0; from < b->n_rows; from += STEP) {
            int64_t n = BP_MIN(b->n_rows - from, STEP);

            pack_rows(t, false, b, from, n, &p);
            for (int64_t i = 0; i < n; i++) {
                if (i + AHEAD < n && !p.dead[i + AHEAD])
                    __builtin_prefetch(&t->dense[p.key[i + AHEAD]], 1);
                if (!p.dead[i])
                    join_group(bd, p.key[i], &t->dense[p.key[i]], id + (uint32_t)(from + i));
            }
        }
    }
}

static void find_dense(const struct bp_join_table *t, const struct bp_batch *left, uint32_t *heads)
{
    struct packed p;

    for (int64_t from = 0; from < left->n_rows; from += STEP) {
        int64_t n = BP_MIN(left->n_rows - from, STEP);

        pack_rows(t, true, left, from, n, &p);
        for (int64_t i = 0; i < n; i++) {
            uint64_t at = p.dead[i] ? 0 : p.key[i];

            if (i + AHEAD < n && !p.dead[i + AHEAD])
                __builtin_prefetch(&t->dense[p.key[i + AHEAD]]);
            heads[from + i] = p.dead[i] ? BP_JOIN_NONE : t->dense[at];
        }
    }
}

/* ---- hashed numbers ---- */

static inline uint64_t slot_of(const struct bp_join_table *t, uint64_t key)
{
    return bp_mix64(key, t->seed) & t->mask;
}

static inline struct bp_join_slot *find_slot(const struct bp_join_table *t, uint64_t at,
                                             uint64_t key)
{
    while (t->slots[at].head != BP_JOIN_NONE && t->slots[at].key != key)
        at = (at + 1) & t->mask;
    return &t->slots[at];
}

static void hash_rows(const struct bp_join_table *t, const uint64_t *keys, int64_t n, uint64_t *at)
{
    for (int64_t i = 0; i < n; i++)
        at[i] = slot_of(t, keys[i]);
}

static void build_words(struct bp_join_table *t, struct builder *bd)
{
    struct packed p;
    uint64_t at[STEP];

    for (int c = 0; c < bd->held->n_chunks; c++) {
        const struct bp_batch *b = &bd->held->chunks[c];
        uint32_t id = (uint32_t)c << BP_HELD_SHIFT;

        for (int64_t from = 0; from < b->n_rows; from += STEP) {
            int64_t n = BP_MIN(b->n_rows - from, STEP);

            pack_rows(t, false, b, from, n, &p);
            hash_rows(t, p.key, n, at);
            for (int64_t i = 0; i < n; i++) {
                struct bp_join_slot *s;

                if (i + AHEAD < n)
                    __builtin_prefetch(&t->slots[at[i + AHEAD]], 1);
                if (p.dead[i])
                    continue;
                s = find_slot(t, at[i], p.key[i]);
                s->key = p.key[i];
                join_group(bd, (uint64_t)(s - t->slots), &s->head, id + (uint32_t)(from + i));
            }
        }
    }
}

static void find_words(const struct bp_join_table *t, const struct bp_batch *left, uint32_t *heads)
{
    struct packed p;
    uint64_t at[STEP];

    for (int64_t from = 0; from < left->n_rows; from += STEP) {
        int64_t n = BP_MIN(left->n_rows - from, STEP);

        pack_rows(t, true, left, from, n, &p);
        hash_rows(t, p.key, n, at);
        for (int64_t i = 0; i < n; i++) {
            if (i + AHEAD < n)
                __builtin_prefetch(&t->slots[at[i + AHEAD]]);
            heads[from + i] = p.dead[i] ? BP_JOIN_NONE : find_slot(t, at[i], p.key[i])->head;
        }
    }
}

/* ---- hashed bytes ---- */

/* The bytes of up to STEP rows, one behind the other. */
struct lines {
    struct bp_buf buf;
    size_t at[STEP + 1];
    uint64_t hash[STEP];
    bool dead[STEP];
};

static int make_lines(const struct bp_join_table *t, bool left, const struct bp_batch *b,
                      int64_t from, int64_t n, struct lines *l, struct bp_err *err)
{
    l->buf.len = 0;
    for (int64_t i = 0; i < n; i++) {
        l->at[i] = l->buf.len;
        l->dead[i] = false;
        for (int k = 0; k < t->n_keys && !l->dead[i]; k++)
            BP_TRY(bp_join_bytes(left ? &t->left_forms[k] : &t->right_forms[k],
                                 &b->cols[left ? t->keys[k].left : t->keys[k].right], from + i,
                                 &l->buf, &l->dead[i], err));
    }
    l->at[n] = l->buf.len;
    for (int64_t i = 0; i < n; i++)
        l->hash[i] = bp_xxh3_seeded(l->buf.data + l->at[i], l->at[i + 1] - l->at[i], t->seed);
    return 0;
}

static struct bp_join_slot *find_line(const struct bp_join_table *t, const struct lines *l,
                                      int64_t i)
{
    const uint8_t *key = l->buf.data + l->at[i];
    size_t n = l->at[i + 1] - l->at[i];
    uint64_t at = l->hash[i] & t->mask;

    for (;; at = (at + 1) & t->mask) {
        struct bp_join_slot *s = &t->slots[at];
        const uint64_t *e;

        if (s->head == BP_JOIN_NONE)
            return s;
        if (s->key != l->hash[i])
            continue;
        e = &t->entry_at[s->entry];
        if (e[1] - e[0] == n && memcmp(t->bytes.data + e[0], key, n) == 0)
            return s;
    }
}

static int add_entry(struct bp_join_table *t, const void *p, size_t n, uint32_t *entry,
                     struct bp_err *err)
{
    if (t->n_entries + 1 >= t->cap_entries) {
        uint32_t want = t->cap_entries ? t->cap_entries * 2 : 1024;
        uint64_t *bigger = bp_mem_grow(t->entry_at, (size_t)want + 1, sizeof *bigger, err);

        if (!bigger)
            return err->code;
        t->entry_at = bigger;
        t->cap_entries = want;
    }
    BP_TRY(bp_buf_append(&t->bytes, p, n, err));
    if (!t->n_entries)
        t->entry_at[0] = 0;
    *entry = t->n_entries++;
    t->entry_at[t->n_entries] = t->bytes.len;
    return 0;
}

static int build_lines(struct bp_join_table *t, struct builder *bd, struct lines *l,
                       struct bp_err *err)
{
    for (int c = 0; c < bd->held->n_chunks; c++) {
        const struct bp_batch *b = &bd->held->chunks[c];
        uint32_t id = (uint32_t)c << BP_HELD_SHIFT;

        for (int64_t from = 0; from < b->n_rows; from += STEP) {
            int64_t n = BP_MIN(b->n_rows - from, STEP);

            BP_TRY(make_lines(t, false, b, from, n, l, err));
            for (int64_t i = 0; i < n; i++) {
                struct bp_join_slot *s;

                if (i + AHEAD < n)
                    __builtin_prefetch(&t->slots[l->hash[i + AHEAD] & t->mask], 1);
                if (l->dead[i])
                    continue;
                s = find_line(t, l, i);
                if (s->head == BP_JOIN_NONE) {
                    s->key = l->hash[i];
                    BP_TRY(add_entry(t, l->buf.data + l->at[i], l->at[i + 1] - l->at[i], &s->entry,
                                     err));
                }
                join_group(bd, (uint64_t)(s - t->slots), &s->head, id + (uint32_t)(from + i));
            }
        }
    }
    return 0;
}

static int build_bytes(struct bp_join_table *t, struct builder *bd, struct bp_err *err)
{
    struct lines *l = bp_mem_new(1, sizeof *l, err);
    int rc;

    if (!l)
        return err->code;
    rc = build_lines(t, bd, l, err);
    bp_buf_release(&l->buf);
    bp_mem_free(l);
    if (rc == 0 && bp_budget_take(t->budget, (int64_t)t->bytes.cap))
        t->taken_bytes += (int64_t)t->bytes.cap;
    return rc;
}

static int find_bytes(const struct bp_join_table *t, const struct bp_batch *left, uint32_t *heads,
                      struct bp_err *err)
{
    struct lines *l = bp_mem_new(1, sizeof *l, err);
    int rc = 0;

    if (!l)
        return err->code;
    for (int64_t from = 0; from < left->n_rows; from += STEP) {
        int64_t n = BP_MIN(left->n_rows - from, STEP);

        BP_GO(make_lines(t, true, left, from, n, l, err));
        for (int64_t i = 0; i < n; i++) {
            if (i + AHEAD < n)
                __builtin_prefetch(&t->slots[l->hash[i + AHEAD] & t->mask]);
            heads[from + i] = l->dead[i] ? BP_JOIN_NONE : find_line(t, l, i)->head;
        }
    }
out:
    bp_buf_release(&l->buf);
    bp_mem_free(l);
    return rc;
}

/* ---- all of it ---- */

static int fill(struct bp_join_table *t, const struct bp_held *held, struct bp_err *err)
{
    struct builder b = {.held = held};
    struct bp_block *block;
    size_t group_bytes = (size_t)bp_held_ids(held) * sizeof *b.group;
    int rc = 0;

    BP_TRY(bp_block_new(&block, group_bytes, err));
    b.group = (uint32_t *)(void *)block->data;
    memset(b.group, 0xff, group_bytes);
    if (t->form == BP_TABLE_DENSE)
        BP_GO(take(t, 1, t->n_dense * sizeof *t->dense, 0xff, &t->dense, err));
    else
        BP_GO(take_slots(t, held->n_rows, err));
    switch (t->form) {
    case BP_TABLE_DENSE: build_dense(t, &b); break;
    case BP_TABLE_WORDS: build_words(t, &b); break;
    default: BP_GO(build_bytes(t, &b, err)); break;
    }
    if (b.twice)
        rc = group_rows(t, b.group, bp_held_ids(held), err);
out:
    bp_block_unref(block);
    return rc;
}

int bp_join_table_open(struct bp_join_table *t, const struct bp_join_plan *p,
                       const struct bp_held *held, struct bp_budget *budget, struct bp_err *err)
{
    size_t n = (size_t)p->n_keys;

    memset(t, 0, sizeof *t);
    t->n_keys = p->n_keys;
    t->keys = p->keys;
    t->budget = budget;
    t->seed = bp_table_seed();
    t->left_forms = bp_mem_new(n, sizeof *t->left_forms, err);
    t->right_forms = bp_mem_new(n, sizeof *t->right_forms, err);
    t->parts = bp_mem_new(n, sizeof *t->parts, err);
    if (!t->left_forms || !t->right_forms || !t->parts)
        return err->code;
    for (int k = 0; k < p->n_keys; k++)
        bp_join_forms(p->keys[k].left_type, p->keys[k].right_type, &t->left_forms[k],
                      &t->right_forms[k]);
    t->form = BP_TABLE_EMPTY;
    if (held->n_rows)
        choose_form(t, held);
    return 0;
}

int64_t bp_join_table_need_bytes(const struct bp_join_table *t, const struct bp_held *held)
{
    int64_t n_ids = bp_held_ids(held);
    int64_t groups = n_ids * (int64_t)(sizeof(uint32_t) + sizeof *t->ids);
    int64_t slots = (int64_t)slots_for(held->n_rows) * (int64_t)sizeof *t->slots;

    switch (t->form) {
    case BP_TABLE_EMPTY: return 0;
    case BP_TABLE_DENSE: return groups + (int64_t)t->n_dense * (int64_t)sizeof *t->dense;
    case BP_TABLE_WORDS: return groups + slots;
    default: return BP_MAX(groups + slots, n_ids * BYTES_TABLE_BYTES);
    }
}

int bp_join_table_build(struct bp_join_table *t, const struct bp_held *held, struct bp_err *err)
{
    return t->form == BP_TABLE_EMPTY ? 0 : fill(t, held, err);
}

int bp_join_table_find(const struct bp_join_table *t, const struct bp_batch *left, uint32_t *heads,
                       struct bp_err *err)
{
    switch (t->form) {
    case BP_TABLE_EMPTY: memset(heads, 0xff, (size_t)left->n_rows * sizeof *heads); return 0;
    case BP_TABLE_DENSE: find_dense(t, left, heads); return 0;
    case BP_TABLE_WORDS: find_words(t, left, heads); return 0;
    default: return find_bytes(t, left, heads, err);
    }
}

void bp_join_table_release(struct bp_join_table *t)
{
    for (size_t i = 0; i < BP_COUNT_OF(t->blocks); i++)
        bp_block_unref(t->blocks[i]);
    bp_buf_release(&t->bytes);
    bp_mem_free(t->entry_at);
    bp_mem_free(t->left_forms);
    bp_mem_free(t->right_forms);
    bp_mem_free(t->parts);
    if (t->taken_bytes)
        bp_budget_give(t->budget, t->taken_bytes);
    memset(t, 0, sizeof *t);
}
