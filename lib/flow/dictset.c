/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values stand on two blocks that only grow. A snapshot shares them: what
 * it sees lies before the place where new values are put, and when a block must
 * grow a new one is made, so a snapshot never changes.
 */
#include "flow/dictset.h"

#include "base/hash.h"

#define SLOTS_MIN 64
/* The more slots, the fewer look-ups go on behind the first: each that does is a branch that nobody
 * foresees. Of few values an L2 holds 16 times as many; of many, memory counts. */
#define FEW_VALUES 1024
#define FEW_SLOTS 8192
#define SOME_VALUES 16384

static int32_t *offsets_of(const struct bp_dictset *s)
{
    return (int32_t *)(void *)s->offsets->data;
}

/* ---- the table ---- */

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* As much of p[0, n) as stands in a slot; no byte behind it is read. */
static void make_head(const uint8_t *p, size_t n, uint64_t seed, uint64_t head[2])
{
    head[0] = head[1] = 0;
    if (n > BP_DICT_INLINE) {
        head[0] = bp_xxh3_seeded(p, n, seed);
    } else if (n >= 8) {
        head[0] = load64(p);
        head[1] = n > 8 ? load64(p + n - 8) >> (8 * (16 - n)) : 0;
    } else if (n) {
        memcpy(head, p, n);
    }
}

static int rehash(struct bp_dictset *s, struct bp_err *err)
{
    uint32_t n_slots = s->n_slots ? s->n_slots * 2 : SLOTS_MIN, mask = n_slots - 1;
    struct bp_dict_slot *slots = bp_mem_new(n_slots, sizeof *slots, err);

    if (!slots)
        return err->code;
    for (uint32_t i = 0; i < s->n_slots; i++) {
        uint32_t at = (uint32_t)bp_dict_hash(s->slots[i].head, s->seed) & mask;

        if (!s->slots[i].number)
            continue;
        while (slots[at].number)
            at = (at + 1) & mask;
        slots[at] = s->slots[i];
    }
    bp_mem_free(s->slots);
    s->slots = slots;
    s->n_slots = n_slots;
    return 0;
}

static int append(struct bp_dictset *s, const uint8_t *p, size_t n, struct bp_err *err)
{
    size_t used = s->n ? (size_t)offsets_of(s)[s->n] : 0, rows = (size_t)s->n;

    if (s->n >= INT32_MAX - 1 || n > INT32_MAX - used)
        return bp_fail(err, BP_EDATA,
                       "a dictionary would hold more than 2 GiB: write the column "
                       "as plain text");
    BP_TRY(bp_block_grow(&s->offsets, rows ? (rows + 1) * sizeof(int32_t) : 0,
                         (rows + 2) * sizeof(int32_t), err));
    BP_TRY(bp_block_grow(&s->bytes, used, used + n, err));
    if (n)
        memcpy(s->bytes->data + used, p, n);
    if (!rows) /* later, snapshots may be read by other threads */
        offsets_of(s)[0] = 0;
    offsets_of(s)[rows + 1] = (int32_t)(used + n);
    s->n++;
    return 0;
}

static bool is_value(const struct bp_dictset *s, int32_t code, const uint8_t *p, size_t n)
{
    return memcmp(s->bytes->data + offsets_of(s)[code], p, n) == 0;
}

static uint64_t least_slots(uint64_t n)
{
    if (bp_mem_is_tight() || n >= SOME_VALUES)
        return n < FEW_VALUES ? 4 * n : n + n / 3;
    return n < FEW_VALUES ? BP_MIN(16 * n, (uint64_t)FEW_SLOTS - 1) : 4 * n;
}

/* There is room for one more value. */
int bp_dictset_ready(struct bp_dictset *s, struct bp_err *err)
{
    if (!s->n_slots)
        s->seed = bp_table_seed();
    return least_slots((uint64_t)s->n) >= s->n_slots ? rehash(s, err) : 0;
}

int bp_dictset_code(struct bp_dictset *s, const uint8_t *p, size_t n, int32_t *code,
                    struct bp_err *err)
{
    uint64_t head[2];
    uint32_t at;

    BP_TRY(bp_dictset_ready(s, err));
    make_head(p, n, s->seed, head);
    at = (uint32_t)bp_dict_hash(head, s->seed) & (s->n_slots - 1);
    for (; s->slots[at].number; at = (at + 1) & (s->n_slots - 1)) {
        const struct bp_dict_slot *x = &s->slots[at];

        if (x->head[0] == head[0] && x->head[1] == head[1] && x->len == n &&
            (n <= BP_DICT_INLINE || is_value(s, x->number - 1, p, n))) {
            *code = x->number - 1;
            return 0;
        }
    }
    BP_TRY(append(s, p, n, err));
    s->slots[at] = (struct bp_dict_slot){{head[0], head[1]}, (uint32_t)n, (int32_t)s->n};
    *code = (int32_t)s->n - 1;
    return 0;
}

/* ---- codes of other dictionaries ---- */

/* Does d begin with all values of seen? They stand on the same blocks, which a set that
 * grew goes on using; seen keeps them, so no others can be at these places. */
static bool only_grew(const struct bp_dict *seen, const struct bp_dict *d)
{
    const struct bp_column *a = &seen->values, *b = &d->values;

    return a->n_rows > 0 && a->data == b->data && a->bytes == b->bytes && a->n_rows <= b->n_rows;
}

/* m is for d from now on. */
static int use_dict(const struct bp_dictset *s, struct bp_dictmap *m, struct bp_dict *d,
                    struct bp_err *err)
{
    bool fresh = !m->seen || m->epoch != s->epoch || !(m->seen == d || only_grew(m->seen, d));
    int64_t n = d->values.n_rows, from = fresh ? 0 : m->n;
    int32_t *codes;

    if (!fresh && m->seen == d)
        return 0;
    if (n > m->cap) {
        codes = bp_mem_grow(m->codes, (size_t)n, sizeof *codes, err);
        if (!codes)
            return err->code;
        m->codes = codes;
        m->cap = n;
    }
    if (n > from)
        memset(m->codes + from, 0xFF, (size_t)(n - from) * sizeof *m->codes);
    m->n = n;
    if (fresh) {
        m->n_mapped = 0;
        m->is_identity = true;
        m->epoch = s->epoch;
    }
    bp_dict_ref(d);
    bp_dict_unref(m->seen);
    m->seen = d;
    return 0;
}

static int map_code(struct bp_dictset *s, struct bp_dictmap *m, int32_t code, struct bp_err *err)
{
    const struct bp_column *v = &m->seen->values;
    const int32_t *off = (const int32_t *)v->data + code;

    BP_TRY(bp_dictset_code(s, v->bytes + off[0], (size_t)(off[1] - off[0]), &m->codes[code], err));
    m->n_mapped++;
    m->is_identity = m->is_identity && m->codes[code] == code;
    return 0;
}

static int encode_dict(struct bp_dictset *s, struct bp_dictmap *m, const struct bp_column *c,
                       int64_t from, int64_t n, int32_t *out, struct bp_err *err)
{
    const int32_t *codes = (const int32_t *)c->data + from;

    BP_TRY(use_dict(s, m, c->dict, err));
    for (int64_t i = 0; i < n; i++) {
        if (c->n_nulls && bp_column_is_null(c, from + i)) {
            out[i] = 0;
            continue;
        }
        if (m->codes[codes[i]] < 0)
            BP_TRY(map_code(s, m, codes[i], err));
        out[i] = m->codes[codes[i]];
    }
    return 0;
}

int bp_dictset_encode(struct bp_dictset *s, struct bp_dictmap *map, const struct bp_column *c,
                      int64_t from, int64_t n, int32_t *out, struct bp_err *err)
{
    const int32_t *off = (const int32_t *)c->data + from;

    if (c->dict)
        return encode_dict(s, map ? map : &s->map, c, from, n, out, err);
    for (int64_t i = 0; i < n; i++) {
        out[i] = 0;
        if (!bp_column_is_null(c, from + i))
            BP_TRY(
                bp_dictset_code(s, c->bytes + off[i], (size_t)(off[i + 1] - off[i]), &out[i], err));
    }
    return 0;
}

bool bp_dictset_same(const struct bp_dictset *s, const struct bp_dictmap *map,
                     const struct bp_dict *d)
{
    const struct bp_dictmap *m = map ? map : &s->map;

    return m->seen == d && m->epoch == s->epoch && m->is_identity &&
           m->n_mapped == d->values.n_rows;
}

int bp_dictset_recode(struct bp_dictset *s, struct bp_dictmap *map, struct bp_column *c,
                      struct bp_err *err)
{
    struct bp_block *b;

    if (c->dict && bp_dictset_same(s, map, c->dict))
        return 0;
    BP_TRY(bp_block_new(&b, (size_t)c->n_rows * sizeof(int32_t), err));
    if (bp_dictset_encode(s, map, c, 0, c->n_rows, (int32_t *)(void *)b->data, err) < 0) {
        bp_block_unref(b);
        return err->code;
    }
    bp_dictset_put_codes(c, b, 0);
    bp_block_unref(b);
    return 0;
}

void bp_dictset_put_codes(struct bp_column *c, struct bp_block *codes, int64_t from)
{
    bp_block_unref(c->own[1]);
    bp_block_unref(c->own[2]);
    bp_dict_unref(c->dict);
    c->own[1] = bp_block_ref(codes);
    c->own[2] = NULL;
    c->data = codes->data + (size_t)from * sizeof(int32_t);
    c->bytes = NULL;
    c->dict = NULL;
}

int bp_dictset_bind(struct bp_dictset *s, struct bp_column *c, struct bp_err *err)
{
    struct bp_dict *d;

    BP_TRY(bp_dictset_dict(s, &d, err));
    bp_dict_unref(c->dict);
    c->dict = d;
    c->type = BP_TYPE(BP_TEXT);
    return 0;
}

/* ---- the values ---- */

int64_t bp_dictset_bytes(const struct bp_dictset *s)
{
    return s->n ? offsets_of(s)[s->n] : 0;
}

int bp_dictset_dict(struct bp_dictset *s, struct bp_dict **out, struct bp_err *err)
{
    struct bp_column v;

    if (s->snapshot && s->snapshot->values.n_rows == s->n) {
        *out = bp_dict_ref(s->snapshot);
        return 0;
    }
    if (s->n == 0)
        BP_TRY(bp_column_nulls(&v, BP_TYPE(BP_TEXT), 0, err));
    else
        v = (struct bp_column){.type = BP_TYPE(BP_TEXT),
                               .n_rows = s->n,
                               .data = s->offsets->data,
                               .bytes = s->bytes->data,
                               .own = {NULL, bp_block_ref(s->offsets), bp_block_ref(s->bytes)}};
    bp_dict_unref(s->snapshot);
    s->snapshot = NULL;
    BP_TRY(bp_dict_new(&s->snapshot, &v, err));
    *out = bp_dict_ref(s->snapshot);
    return 0;
}

void bp_dictmap_release(struct bp_dictmap *m)
{
    bp_mem_free(m->codes);
    bp_dict_unref(m->seen);
    *m = (struct bp_dictmap){0};
}

void bp_dictset_clear(struct bp_dictset *s)
{
    uint64_t epoch = s->epoch + 1;

    bp_dictset_release(s);
    s->epoch = epoch;
}

void bp_dictset_release(struct bp_dictset *s)
{
    bp_block_unref(s->offsets);
    bp_block_unref(s->bytes);
    bp_mem_free(s->slots);
    bp_dictmap_release(&s->map);
    bp_dict_unref(s->snapshot);
    memset(s, 0, sizeof *s);
}
