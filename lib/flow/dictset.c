/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values stand on two blocks that only grow. A snapshot shares them: what
 * it sees lies before the place where new values are put, and when a block must
 * grow a new one is made, so a snapshot never changes.
 */
#include "flow/dictset.h"

#include <string.h>

#include "base/hash.h"

static int32_t *offsets_of(const struct bp_dictset *s)
{
    return (int32_t *)(void *)s->offsets->data;
}

static int rehash(struct bp_dictset *s, struct bp_err *err)
{
    uint32_t n_slots = s->n_slots ? s->n_slots * 2 : 64, mask = n_slots - 1;
    uint64_t *slots = bp_mem_new(n_slots, sizeof *slots, err);

    if (!slots)
        return err->code;
    for (uint32_t i = 0; i < s->n_slots; i++) {
        uint64_t slot = s->slots[i];
        uint32_t at = (uint32_t)(slot >> 32) & mask;

        if (!slot)
            continue;
        while (slots[at])
            at = (at + 1) & mask;
        slots[at] = slot;
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

static int find_or_add(struct bp_dictset *s, const uint8_t *p, size_t n, int32_t *code,
                       struct bp_err *err)
{
    uint64_t hash = bp_xxh3_seeded(p, n, bp_table_seed());
    uint32_t high = (uint32_t)(hash >> 32), at;

    if ((uint64_t)s->n * 2 >= s->n_slots)
        BP_TRY(rehash(s, err));
    for (at = high & (s->n_slots - 1); s->slots[at]; at = (at + 1) & (s->n_slots - 1)) {
        int32_t i = (int32_t)(uint32_t)s->slots[at] - 1;
        const int32_t *off = offsets_of(s) + i;

        if ((uint32_t)(s->slots[at] >> 32) == high && (size_t)(off[1] - off[0]) == n &&
            (n == 0 || memcmp(s->bytes->data + off[0], p, n) == 0)) {
            *code = i;
            return 0;
        }
    }
    BP_TRY(append(s, p, n, err));
    s->slots[at] = (uint64_t)high << 32 | (uint32_t)s->n;
    *code = (int32_t)s->n - 1;
    return 0;
}

static int start_map(struct bp_dictset *s, struct bp_dict *d, struct bp_err *err)
{
    int32_t *map = bp_mem_grow(s->map, (size_t)d->values.n_rows, sizeof *map, err);

    if (!map)
        return err->code;
    memset(map, 0xFF, (size_t)d->values.n_rows * sizeof *map);
    s->map = map;
    s->n_mapped = 0;
    s->is_identity = true;
    bp_dict_ref(d);
    bp_dict_unref(s->seen);
    s->seen = d;
    return 0;
}

static int map_code(struct bp_dictset *s, int32_t code, struct bp_err *err)
{
    const struct bp_column *v = &s->seen->values;
    const int32_t *off = (const int32_t *)v->data + code;

    BP_TRY(find_or_add(s, v->bytes + off[0], (size_t)(off[1] - off[0]), &s->map[code], err));
    s->n_mapped++;
    s->is_identity = s->is_identity && s->map[code] == code;
    return 0;
}

static int encode_dict(struct bp_dictset *s, const struct bp_column *c, int64_t from, int64_t n,
                       int32_t *out, struct bp_err *err)
{
    const int32_t *codes = (const int32_t *)c->data + from;

    if (s->seen != c->dict)
        BP_TRY(start_map(s, c->dict, err));
    for (int64_t i = 0; i < n; i++) {
        if (bp_column_is_null(c, from + i)) {
            out[i] = 0;
            continue;
        }
        if (s->map[codes[i]] < 0)
            BP_TRY(map_code(s, codes[i], err));
        out[i] = s->map[codes[i]];
    }
    return 0;
}

int bp_dictset_encode(struct bp_dictset *s, const struct bp_column *c, int64_t from, int64_t n,
                      int32_t *out, struct bp_err *err)
{
    const int32_t *off = (const int32_t *)c->data + from;

    if (c->dict)
        return encode_dict(s, c, from, n, out, err);
    for (int64_t i = 0; i < n; i++) {
        out[i] = 0;
        if (!bp_column_is_null(c, from + i))
            BP_TRY(find_or_add(s, c->bytes + off[i], (size_t)(off[i + 1] - off[i]), &out[i], err));
    }
    return 0;
}

bool bp_dictset_same(const struct bp_dictset *s, const struct bp_dict *d)
{
    return s->seen == d && s->is_identity && s->n_mapped == d->values.n_rows;
}

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

void bp_dictset_clear(struct bp_dictset *s)
{
    bp_dictset_release(s);
}

void bp_dictset_release(struct bp_dictset *s)
{
    bp_block_unref(s->offsets);
    bp_block_unref(s->bytes);
    bp_mem_free(s->slots);
    bp_mem_free(s->map);
    bp_dict_unref(s->seen);
    bp_dict_unref(s->snapshot);
    memset(s, 0, sizeof *s);
}
