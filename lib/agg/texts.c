/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/texts.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define SLOTS_MIN 1024
#define SLOTS_STEP 65536
#define NO_ID UINT32_MAX
#define STEP_ROWS 128 /* looked up at a time: what is known of them stays in L1 */

void bp_texts_init(struct bp_texts *t)
{
    *t = (struct bp_texts){.seed = bp_table_seed()};
}

void bp_texts_release(struct bp_texts *t)
{
    bp_mem_free(t->slots);
    bp_mem_free(t->entries);
    bp_mem_free(t->bytes);
    bp_mem_free(t->of_code);
    *t = (struct bp_texts){0};
}

int64_t bp_texts_held_bytes(const struct bp_texts *t)
{
    return (int64_t)(t->slots ? (t->mask + 1) * 8 : 0) + t->cap * (int64_t)sizeof *t->entries +
           (int64_t)t->bytes_cap + t->of_code_cap * 4;
}

/* ---- a text as two words ---- */

/* Up to BP_TEXT_INLINE bytes; loads overlap rather than read behind the text. */
static inline struct bp_text_entry short_entry(const uint8_t *p, size_t n)
{
    struct bp_text_entry e = {.head = n};

    if (n >= 8) {
        e.head |= (uint64_t)bp_load_u32(p) << 32;
        e.rest = bp_load_u64(p + n - 8) >> 8 * (12 - n);
    } else if (n >= 4) {
        e.head |= (uint64_t)bp_load_u32(p) << 32;
        e.rest = (uint64_t)bp_load_u32(p + n - 4) >> 8 * (8 - n);
    } else if (n) {
        e.head |= (uint64_t)p[0] << 32 | (uint64_t)p[n >> 1] << (32 + 8 * (n >> 1)) |
                  (uint64_t)p[n - 1] << (32 + 8 * (n - 1));
    }
    return e;
}

/* As it is looked for: rest is not used where the text is long. */
static inline struct bp_text_entry entry_of(const uint8_t *p, size_t n)
{
    if (n <= BP_TEXT_INLINE)
        return short_entry(p, n);
    return (struct bp_text_entry){.head = (uint64_t)bp_load_u32(p) << 32 | n};
}

/* Up to 16 bytes, which most keys have, without a call. */
static inline uint64_t hash_entry(struct bp_text_entry e, const uint8_t *p, uint64_t seed)
{
    size_t n = bp_text_len(&e);

    if (n > 16)
        return bp_xxh3_seeded(p, n, seed);
    if (n > BP_TEXT_INLINE) {
        e.head = bp_load_u64(p) + n;
        e.rest = bp_load_u64(p + n - 8);
    }
    return bp_mix64(e.rest ^ bp_mix64(e.head, seed), seed);
}

static inline bool is_equal(const struct bp_texts *t, const struct bp_text_entry *e,
                            struct bp_text_entry want, const uint8_t *p)
{
    size_t n = bp_text_len(&want);
    const uint8_t *q;

    if (n <= BP_TEXT_INLINE)
        return !((e->head ^ want.head) | (e->rest ^ want.rest));
    if (e->head != want.head)
        return false;
    q = t->bytes + e->rest;
    if (n <= 16)
        return !((bp_load_u64(p) ^ bp_load_u64(q)) |
                 (bp_load_u64(p + n - 8) ^ bp_load_u64(q + n - 8)));
    return memcmp(q, p, n) == 0;
}

/* ---- the table ---- */

static int grow_slots(struct bp_texts *t, uint64_t n_slots, struct bp_err *err)
{
    uint64_t *slots = bp_mem_new(n_slots, sizeof *slots, err);
    uint64_t mask = n_slots - 1;

    if (!slots)
        return err->code;
    for (int64_t id = 0; id < t->n; id++) {
        const struct bp_text_entry *e = &t->entries[id];
        const uint8_t *p = bp_text_len(e) > BP_TEXT_INLINE ? t->bytes + e->rest : NULL;
        uint64_t h = hash_entry(*e, p, t->seed), pos = h & mask;

        while (slots[pos])
            pos = (pos + 1) & mask;
        slots[pos] = (h >> 32 << 32) | (uint64_t)(id + 1);
    }
    bp_mem_free(t->slots);
    t->slots = slots;
    t->mask = mask;
    return 0;
}

/* At most half full, with extra more ids; small ones in longer steps. */
static uint64_t slots_for(const struct bp_texts *t, int64_t extra)
{
    uint64_t need = (uint64_t)(t->n + extra) * 2, n = t->slots ? t->mask + 1 : SLOTS_MIN;

    while (n < need)
        n *= n < SLOTS_STEP ? 4 : 2;
    return n;
}

int64_t bp_texts_growth_bytes(const struct bp_texts *t, int64_t n)
{
    uint64_t now = t->slots ? t->mask + 1 : 0, then = slots_for(t, n);
    int64_t bytes = then > now ? (int64_t)then * 8 : 0;

    if (t->n + n > t->cap)
        bytes += BP_MAX(t->n + n - t->cap, t->cap) * (int64_t)sizeof *t->entries;
    return bytes;
}

/* Room for extra more ids, in slots and entries. */
static int reserve(struct bp_texts *t, int64_t extra, struct bp_err *err)
{
    uint64_t n_slots = slots_for(t, extra);
    int64_t cap;
    void *p;

    if (t->n + extra > (int64_t)NO_ID - 1)
        return bp_fail(err, BP_EDATA, "more than 4 thousand million distinct texts in a key");
    if (t->n + extra > t->cap) {
        cap = BP_MAX(t->n + extra, t->cap * 2);
        p = bp_mem_grow(t->entries, (size_t)cap, sizeof *t->entries, err);
        if (!p)
            return err->code;
        t->entries = p;
        t->cap = cap;
    }
    return t->slots && n_slots == t->mask + 1 ? 0 : grow_slots(t, n_slots, err);
}

/* The bytes of a text that does not stand in its entry. */
static int keep_bytes(struct bp_texts *t, const uint8_t *p, size_t n, struct bp_err *err)
{
    if (t->bytes_len + n > t->bytes_cap) {
        size_t cap = BP_MAX(t->bytes_len + n, BP_MAX(t->bytes_cap * 2, 4096));
        void *grown = bp_mem_grow(t->bytes, cap, 1, err);

        if (!grown)
            return err->code;
        t->bytes = grown;
        t->bytes_cap = cap;
    }
    memcpy(t->bytes + t->bytes_len, p, n);
    t->bytes_len += n;
    return 0;
}

/* The id of the text e at p, which hashes to h. There is room for one more. */
static inline int find_one(struct bp_texts *t, struct bp_text_entry e, const uint8_t *p, uint64_t h,
                           uint32_t *id, struct bp_err *err)
{
    uint64_t pos = h & t->mask, s;

    for (; (s = t->slots[pos]) != 0; pos = (pos + 1) & t->mask) {
        if (s >> 32 == h >> 32 && is_equal(t, &t->entries[(uint32_t)s - 1], e, p)) {
            *id = (uint32_t)s - 1;
            return 0;
        }
    }
    if (bp_text_len(&e) > BP_TEXT_INLINE) {
        e.rest = t->bytes_len;
        BP_TRY(keep_bytes(t, p, bp_text_len(&e), err));
    }
    *id = (uint32_t)t->n;
    t->entries[t->n++] = e;
    t->slots[pos] = (h >> 32 << 32) | (uint64_t)t->n;
    return 0;
}

/* Hash all, so that the table's lines are on their way; likewise the entries, then
 * the bytes of long ones; then look up. */
static int find_some(struct bp_texts *t, const struct bp_column *c, int64_t from, int n,
                     uint32_t *ids, struct bp_err *err)
{
    const int32_t *off = (const int32_t *)c->data + from;
    struct bp_text_entry e[STEP_ROWS];
    uint64_t h[STEP_ROWS], s;
    bool any_long = false;

    for (int i = 0; i < n; i++) {
        const uint8_t *p = c->bytes + off[i];

        e[i] = entry_of(p, (size_t)(off[i + 1] - off[i]));
        any_long |= bp_text_len(&e[i]) > BP_TEXT_INLINE;
        h[i] = hash_entry(e[i], p, t->seed);
        __builtin_prefetch(&t->slots[h[i] & t->mask]);
    }
    for (int i = 0; i < n; i++)
        if ((s = t->slots[h[i] & t->mask]))
            __builtin_prefetch(&t->entries[(uint32_t)s - 1]);
    for (int i = 0; any_long && i < n; i++)
        if ((s = t->slots[h[i] & t->mask]) &&
            bp_text_len(&t->entries[(uint32_t)s - 1]) > BP_TEXT_INLINE)
            __builtin_prefetch(t->bytes + t->entries[(uint32_t)s - 1].rest);
    for (int i = 0; i < n; i++) {
        ids[i] = 0;
        if (!c->n_nulls || bp_bit_get(c->valid, from + i))
            BP_TRY(find_one(t, e[i], c->bytes + off[i], h[i], &ids[i], err));
    }
    return 0;
}

static int find_plain(struct bp_texts *t, const struct bp_column *c, int64_t from, int64_t n,
                      uint32_t *ids, struct bp_err *err)
{
    for (int64_t i = 0; i < n; i += STEP_ROWS)
        BP_TRY(find_some(t, c, from + i, (int)BP_MIN(n - i, STEP_ROWS), ids + i, err));
    return 0;
}

/* Codes already seen cost one load. */
static int use_dict(struct bp_texts *t, const struct bp_dict *d, struct bp_err *err)
{
    int64_t n = d->values.n_rows;
    void *p;

    if (t->have_dict && t->dict_id == d->id)
        return 0;
    t->have_dict = false;
    if (n > t->of_code_cap) {
        p = bp_mem_grow(t->of_code, (size_t)n, sizeof *t->of_code, err);
        if (!p)
            return err->code;
        t->of_code = p;
        t->of_code_cap = n;
    }
    if (n)
        memset(t->of_code, 0xff, (size_t)n * sizeof *t->of_code);
    t->dict_id = d->id;
    t->have_dict = true;
    return 0;
}

static int find_dict(struct bp_texts *t, const struct bp_column *c, int64_t from, int64_t n,
                     uint32_t *ids, struct bp_err *err)
{
    const int32_t *code = (const int32_t *)c->data + from;

    BP_TRY(use_dict(t, c->dict, err));
    for (int64_t i = 0; i < n; i++) {
        struct bp_text_entry e;
        const uint8_t *p;
        size_t len;

        if (c->n_nulls && !bp_bit_get(c->valid, from + i)) {
            ids[i] = 0;
            continue;
        }
        ids[i] = t->of_code[code[i]];
        if (ids[i] != NO_ID)
            continue;
        p = bp_column_bytes(c, from + i, &len);
        e = entry_of(p, len);
        BP_TRY(find_one(t, e, p, hash_entry(e, p, t->seed), &ids[i], err));
        t->of_code[code[i]] = ids[i];
    }
    return 0;
}

int bp_texts_find(struct bp_texts *t, const struct bp_column *c, int64_t from, int64_t n,
                  uint32_t *ids, struct bp_err *err)
{
    BP_TRY(reserve(t, n, err));
    return c->dict ? find_dict(t, c, from, n, ids, err) : find_plain(t, c, from, n, ids, err);
}
