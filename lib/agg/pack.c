/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/pack.h"

#include <string.h>

#include "base/mem.h"

/* ---- layout ---- */

static int packed_width(struct bp_type t)
{
    if (t.kind == BP_BOOL)
        return 1;
    return bp_type_is_bytes(t) ? 4 : (int)bp_type_width_bytes(t);
}

int bp_pack_init(struct bp_pack *p, const struct bp_type *types, int n_cols, struct bp_err *err)
{
    int at = 0, bit;

    *p = (struct bp_pack){0};
    p->cols = bp_mem_new((size_t)n_cols + 1, sizeof *p->cols, err);
    if (!p->cols)
        return err->code;
    p->n_cols = n_cols;
    /* widest first: nothing straddles a word */
    for (int width = 16; width; width /= 2) {
        for (int i = 0; i < n_cols; i++) {
            struct bp_pack_col *c = &p->cols[i];

            if (packed_width(types[i]) != width)
                continue;
            c->type = types[i];
            c->width = width;
            c->word = at / 8;
            c->shift = at % 8 * 8;
            at += width;
        }
    }
    bit = at * 8;
    for (int i = 0; i < n_cols; i++, bit++) {
        p->cols[i].null_word = bit / 64;
        p->cols[i].null_shift = bit % 64;
        bp_texts_init(&p->cols[i].texts);
    }
    p->n_words = (bit + 63) / 64;
    return 0;
}

void bp_pack_release(struct bp_pack *p)
{
    for (int i = 0; i < p->n_cols; i++)
        bp_texts_release(&p->cols[i].texts);
    bp_mem_free(p->cols);
    *p = (struct bp_pack){0};
}

/* ---- columns to rows ---- */

static inline uint32_t canon_f32(float f)
{
    uint32_t bits;

    f = f == 0 ? 0 : f;
    memcpy(&bits, &f, sizeof bits);
    return f != f ? 0x7fc00000u : bits;
}

static inline uint64_t canon_f64(double d)
{
    uint64_t bits;

    d = d == 0 ? 0 : d;
    memcpy(&bits, &d, sizeof bits);
    return d != d ? 0x7ff8000000000000u : bits;
}

#define FLIP8 0x80u
#define FLIP16 0x8000u
#define FLIP32 0x80000000u
#define FLIP64 0x8000000000000000u

#define PACK(T, expr)                                                                              \
    do {                                                                                           \
        const T *v = (const T *)c->data + from;                                                    \
        for (int64_t i = 0; i < n; i++)                                                            \
            to[i * step] |= (uint64_t)(expr) << shift;                                             \
    } while (0)

static void pack_bools(const struct bp_column *c, int64_t from, int64_t n, uint64_t *to, int step,
                       int shift)
{
    for (int64_t i = 0; i < n; i++)
        to[i * step] |= (uint64_t)bp_bit_get(c->data, from + i) << shift;
}

static void pack_pairs(const struct bp_column *c, int64_t from, int64_t n, uint64_t *to, int step)
{
    const uint64_t *v = (const uint64_t *)c->data + 2 * from;

    for (int64_t i = 0; i < n; i++) {
        to[i * step] = v[2 * i];
        to[i * step + 1] = v[2 * i + 1];
    }
}

static void pack_fixed(const struct bp_pack_col *k, const struct bp_column *c, int64_t from,
                       int64_t n, uint64_t *rows, int step)
{
    uint64_t *to = rows + k->word;
    int shift = k->shift;

    switch (k->type.kind) {
    case BP_BOOL: pack_bools(c, from, n, to, step, shift); break;
    case BP_INT8: PACK(uint8_t, v[i] ^ FLIP8); break;
    case BP_INT16: PACK(uint16_t, v[i] ^ FLIP16); break;
    case BP_DATE:
    case BP_INT32: PACK(uint32_t, v[i] ^ FLIP32); break;
    case BP_UINT8: PACK(uint8_t, v[i]); break;
    case BP_UINT16: PACK(uint16_t, v[i]); break;
    case BP_UINT32: PACK(uint32_t, v[i]); break;
    case BP_UINT64: PACK(uint64_t, v[i]); break;
    case BP_FLOAT32: PACK(float, canon_f32(v[i])); break;
    case BP_FLOAT64: PACK(double, canon_f64(v[i])); break;
    case BP_DECIMAL:
        if (bp_type_is_decimal64(k->type))
            PACK(uint64_t, v[i] ^ FLIP64);
        else
            pack_pairs(c, from, n, to, step);
        break;
    case BP_INTERVAL: pack_pairs(c, from, n, to, step); break;
    default: PACK(uint64_t, v[i] ^ FLIP64); break; /* bigint, time, timestamps */
    }
}

/* A NULL is its bit alone, whatever lies in its slot. */
static void pack_nulls(const struct bp_pack_col *k, const struct bp_column *c, int64_t from,
                       int64_t n, uint64_t *rows, int step)
{
    uint64_t mask = k->width >= 8 ? UINT64_MAX : (((uint64_t)1 << 8 * k->width) - 1) << k->shift;

    for (int64_t i = 0; i < n; i++) {
        if (bp_bit_get(c->valid, from + i))
            continue;
        rows[i * step + k->word] &= ~mask;
        if (k->width == 16)
            rows[i * step + k->word + 1] = 0;
        rows[i * step + k->null_word] |= (uint64_t)1 << k->null_shift;
    }
}

static void pack_ids(const struct bp_pack_col *k, const uint32_t *ids, int64_t n, uint64_t *rows,
                     int step)
{
    uint64_t *to = rows + k->word;

    for (int64_t i = 0; i < n; i++)
        to[i * step] |= (uint64_t)ids[i] << k->shift;
}

int bp_pack_rows(struct bp_pack *p, const struct bp_column *const cols[], int64_t from, int64_t n,
                 uint64_t *rows, struct bp_err *err)
{
    uint32_t ids[BP_TEXTS_ROWS];
    int step = p->n_words;

    memset(rows, 0, (size_t)(n * step) * sizeof *rows);
    for (int k = 0; k < p->n_cols; k++) {
        struct bp_pack_col *pc = &p->cols[k];
        const struct bp_column *c = cols[k];

        if (bp_type_is_bytes(pc->type)) {
            BP_TRY(bp_texts_find(&pc->texts, c, from, n, ids, err));
            pack_ids(pc, ids, n, rows, step);
        } else {
            pack_fixed(pc, c, from, n, rows, step);
        }
        if (c->n_nulls)
            pack_nulls(pc, c, from, n, rows, step);
    }
    return 0;
}

void bp_pack_records(const struct bp_pack *p, const struct bp_column *cols,
                     const uint32_t *const text_ids[], int64_t from, int64_t n, uint64_t *rows,
                     int step)
{
    for (int64_t i = 0; i < n; i++)
        for (int w = 0; w < p->n_words; w++)
            rows[i * step + w] = 0;
    for (int k = 0; k < p->n_cols; k++) {
        const struct bp_pack_col *pc = &p->cols[k];

        if (text_ids[k])
            pack_ids(pc, text_ids[k] + from, n, rows, step);
        else
            pack_fixed(pc, &cols[k], from, n, rows, step);
        if (cols[k].n_nulls)
            pack_nulls(pc, &cols[k], from, n, rows, step);
    }
}

/* ---- rows to columns ---- */

#define AHEAD 32
#define TEXTS_STEP 256
#define NO_TEXT UINT32_MAX

#define UNPACK(T, flip)                                                                            \
    do {                                                                                           \
        T *to = (T *)(void *)out->own[1]->data;                                                    \
        for (int64_t i = 0; i < n; i++) {                                                          \
            __builtin_prefetch(&from[(size_t)ids[BP_MIN(i + AHEAD, n - 1)] * step]);               \
            to[i] = (T)((T)(from[(size_t)ids[i] * step] >> shift) ^ (T)(flip));                    \
        }                                                                                          \
    } while (0)

static void unpack_pairs(const uint64_t *from, size_t step, const uint32_t *ids, int64_t n,
                         struct bp_column *out)
{
    uint64_t *to = (uint64_t *)(void *)out->own[1]->data;

    for (int64_t i = 0; i < n; i++) {
        to[2 * i] = from[(size_t)ids[i] * step];
        to[2 * i + 1] = from[(size_t)ids[i] * step + 1];
    }
}

static int unpack_fixed(const struct bp_pack_col *k, const uint64_t *keys, size_t step,
                        const uint32_t *ids, int64_t n, struct bp_column *out, struct bp_err *err)
{
    const uint64_t *from = keys + k->word;
    int shift = k->shift;

    BP_TRY(bp_block_new(&out->own[1], (size_t)n * 16 + 16, err));
    out->data = out->own[1]->data;
    switch (k->type.kind) {
    case BP_BOOL:
        memset(out->own[1]->data, 0, bp_bits_bytes(n));
        for (int64_t i = 0; i < n; i++)
            bp_bit_put(out->own[1]->data, i, from[(size_t)ids[i] * step] >> shift & 1);
        break;
    case BP_INT8: UNPACK(uint8_t, FLIP8); break;
    case BP_INT16: UNPACK(uint16_t, FLIP16); break;
    case BP_DATE:
    case BP_INT32: UNPACK(uint32_t, FLIP32); break;
    case BP_UINT8: UNPACK(uint8_t, 0); break;
    case BP_UINT16: UNPACK(uint16_t, 0); break;
    case BP_UINT32:
    case BP_FLOAT32: UNPACK(uint32_t, 0); break;
    case BP_UINT64:
    case BP_FLOAT64: UNPACK(uint64_t, 0); break;
    case BP_DECIMAL:
        if (bp_type_is_decimal64(k->type))
            UNPACK(uint64_t, FLIP64);
        else
            unpack_pairs(from, step, ids, n, out);
        break;
    case BP_INTERVAL: unpack_pairs(from, step, ids, n, out); break;
    default: UNPACK(uint64_t, FLIP64); break;
    }
    return 0;
}

static bool is_null(const struct bp_pack_col *k, const uint64_t *keys, size_t step, uint32_t id)
{
    return keys[(size_t)id * step + (size_t)k->null_word] >> k->null_shift & 1;
}

static int unpack_nulls(const struct bp_pack_col *k, const uint64_t *keys, size_t step,
                        const uint32_t *ids, int64_t n, struct bp_column *out, struct bp_err *err)
{
    size_t width = bp_type_width_bytes(k->type);
    uint8_t *bits;

    for (int64_t i = 0; i < n; i++)
        out->n_nulls += is_null(k, keys, step, ids[i]);
    if (!out->n_nulls)
        return 0;
    BP_TRY(bp_block_new(&out->own[0], bp_bits_bytes(n) + 8, err));
    bits = out->own[0]->data;
    memset(bits, 0, bp_bits_bytes(n) + 8);
    for (int64_t i = 0; i < n; i++) {
        if (!is_null(k, keys, step, ids[i]))
            bp_bit_set(bits, i);
        else if (width) /* the flipped sign bit of a zero */
            memset(out->own[1]->data + (size_t)i * width, 0, width);
    }
    out->valid = bits;
    return 0;
}

/* Finds the texts: id[i], NO_TEXT for NULL. Rows lie anywhere in keys, texts in entries. */
static size_t texts_of(const struct bp_pack_col *k, const uint64_t *keys, size_t step,
                       const uint32_t *ids, int64_t n, uint32_t *id)
{
    const struct bp_text_entry *entries = k->texts.entries;
    size_t len = 0;

    for (int64_t from = 0, to; from < n; from = to) {
        to = BP_MIN(from + TEXTS_STEP, n);
        for (int64_t i = from; i < to; i++) {
            uint64_t word = keys[(size_t)ids[i] * step + (size_t)k->word];

            __builtin_prefetch(&keys[(size_t)ids[BP_MIN(i + AHEAD, n - 1)] * step]);
            id[i] = is_null(k, keys, step, ids[i]) ? NO_TEXT : (uint32_t)(word >> k->shift);
            if (id[i] != NO_TEXT)
                __builtin_prefetch(&entries[id[i]]);
        }
        for (int64_t i = from; i < to; i++)
            len += id[i] != NO_TEXT ? bp_text_len(&entries[id[i]]) : 0;
    }
    return len;
}

static int unpack_texts(const struct bp_pack_col *k, const uint64_t *keys, size_t step,
                        const uint32_t *ids, int64_t n, struct bp_column *out, struct bp_err *err)
{
    const struct bp_text_entry *entries = k->texts.entries;
    int32_t *off;
    uint32_t *id;
    size_t len;

    BP_TRY(bp_block_new(&out->own[1], (size_t)(n + 1) * sizeof *off, err));
    off = (int32_t *)(void *)out->own[1]->data;
    out->data = off;
    id = (uint32_t *)off + 1; /* each gives its place to the end of its text */
    len = texts_of(k, keys, step, ids, n, id);
    if (len > INT32_MAX)
        return bp_fail(err, BP_EDATA, "the key texts of %lld groups are longer than 2 GiB",
                       (long long)n);
    BP_TRY(bp_block_new(&out->own[2], len + BP_TEXT_INLINE, err));
    out->bytes = out->own[2]->data;
    len = 0;
    off[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t ahead = id[BP_MIN(i + AHEAD, n - 1)];

        if (ahead != NO_TEXT)
            __builtin_prefetch(&entries[ahead]);
        if (id[i] != NO_TEXT) {
            const struct bp_text_entry *e = &entries[id[i]];

            bp_text_copy(&k->texts, e, out->own[2]->data + len);
            len += bp_text_len(e);
        }
        off[i + 1] = (int32_t)len;
    }
    return 0;
}

int bp_pack_column(const struct bp_pack *p, int col, const uint64_t *keys, const uint32_t *ids,
                   int64_t n, struct bp_column *out, struct bp_err *err)
{
    const struct bp_pack_col *k = &p->cols[col];
    size_t step = (size_t)p->n_words;

    *out = (struct bp_column){.type = k->type, .n_rows = n};
    if (bp_type_is_bytes(k->type))
        BP_TRY(unpack_texts(k, keys, step, ids, n, out, err));
    else
        BP_TRY(unpack_fixed(k, keys, step, ids, n, out, err));
    return unpack_nulls(k, keys, step, ids, n, out, err);
}
