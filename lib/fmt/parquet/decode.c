/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels say which rows have a value; values come without gaps. They are decoded to
 * the front of the column's memory and then moved to their rows, from the last one
 * back, so that nothing is overwritten before it was moved.
 */
#include "fmt/parquet/decode.h"

#include <math.h>
#include <string.h>

#include "col/text.h"
#include "fmt/parquet/convert.h"
#include "fmt/parquet/hybrid.h"

#define DICT_MAX_VALUES 65536 /* larger ones are not kept: their codes save nothing */

void bp_pq_scratch_release(struct bp_pq_scratch *s)
{
    bp_buf_release(&s->page);
    bp_buf_release(&s->values);
}

/* ---- which rows have a value ---- */

static int read_validity(const struct bp_pq_column *c, const struct bp_pq_page *page,
                         struct bp_column *out, struct bp_err *err)
{
    struct bp_block *bits;
    int64_t n_set = page->n_values;
    int rc;

    out->n_rows = page->n_values;
    if (c->max_def == 0)
        return 0;
    BP_TRY(bp_block_new(&bits, bp_bits_bytes(page->n_values), err));
    if (page->is_v2 || page->def_encoding == BP_PQ_RLE)
        rc = bp_pq_hybrid_bits(page->def, page->def_bytes, bits->data, 0, page->n_values, &n_set,
                               err);
    else
        rc = bp_pq_packed_bits(page->def, page->def_bytes, bits->data, page->n_values, &n_set, err);
    if (rc < 0 || n_set == page->n_values) {
        bp_block_unref(bits);
        return rc;
    }
    out->n_nulls = page->n_values - n_set;
    out->own[0] = bits;
    out->valid = bits->data;
    return 0;
}

/* Of what is nested: an entry has a place here, or not even that. */
static int read_places(const struct bp_pq_column *c, const struct bp_pq_page *page,
                       struct bp_column *out, struct bp_pq_levels *l, struct bp_pq_scratch *s,
                       struct bp_err *err)
{
    int least = c->slot_defs[c->max_rep];
    struct bp_block *bits;
    int64_t at = 0, n_present;

    BP_TRY(bp_pq_levels_read(c, page, &s->values, l, err));
    if (page->is_v2 && page->n_rows >= 0 && l->n &&
        ((l->rep && l->rep[0]) || bp_pq_levels_rows(l, 0, l->n) != page->n_rows))
        return bp_fail(err, BP_EDATA, "its levels begin other rows than the %lld that it claims",
                       (long long)page->n_rows);
    out->n_rows = bp_pq_levels_count(l->def, l->n, least);
    n_present = bp_pq_levels_count(l->def, l->n, c->max_def);
    if (n_present == out->n_rows)
        return 0;
    BP_TRY(bp_block_new(&bits, bp_bits_bytes(out->n_rows), err));
    memset(bits->data, 0, bp_bits_bytes(out->n_rows));
    for (int64_t i = 0; i < l->n; i++)
        if (l->def[i] >= least)
            bp_bit_put(bits->data, at++, l->def[i] == c->max_def);
    out->n_nulls = out->n_rows - n_present;
    out->own[0] = bits;
    out->valid = bits->data;
    return 0;
}

/* ---- to their rows ---- */

#define SPREAD(type)                                                                               \
    do {                                                                                           \
        type *v = data;                                                                            \
        for (int64_t i = n_rows; i-- > 0;)                                                         \
            if (bp_bit_get(valid, i))                                                              \
                v[i] = v[--n];                                                                     \
            else                                                                                   \
                memset(&v[i], 0, sizeof v[i]);                                                     \
    } while (0)

static void spread_fixed(void *data, size_t width, const uint8_t *valid, int64_t n_rows, int64_t n)
{
    switch (width) {
    case 1: SPREAD(uint8_t); return;
    case 2: SPREAD(uint16_t); return;
    case 4: SPREAD(uint32_t); return;
    case 8: SPREAD(uint64_t); return;
    default: SPREAD(bp_uint128);
    }
}

static void spread_bits(uint8_t *data, const uint8_t *valid, int64_t n_rows, int64_t n)
{
    for (int64_t i = n_rows; i-- > 0;)
        bp_bit_put(data, i, bp_bit_get(valid, i) && bp_bit_get(data, --n));
}

/* Offsets: a row without a value ends where it begins. offsets has room for all rows. */
static void spread_offsets(int32_t *offsets, const uint8_t *valid, int64_t n_rows, int64_t n)
{
    for (int64_t i = n_rows; i >= 0; i--) {
        offsets[i] = offsets[n];
        if (i > 0 && bp_bit_get(valid, i - 1))
            n--;
    }
}

/* ---- by physical type ---- */

static int new_data(struct bp_column *out, size_t n_bytes, struct bp_err *err)
{
    BP_TRY(bp_block_new(&out->own[1], n_bytes, err));
    out->data = out->own[1]->data;
    return 0;
}

static int decode_bits(const struct bp_pq_page *page, struct bp_column *out, struct bp_err *err)
{
    int64_t n = out->n_rows - out->n_nulls;

    BP_TRY(new_data(out, bp_bits_bytes(out->n_rows), err));
    memset(out->own[1]->data, 0, bp_bits_bytes(out->n_rows));
    BP_TRY(bp_pq_values_bits(page, n, out->own[1]->data, err));
    if (out->n_nulls)
        spread_bits(out->own[1]->data, out->valid, out->n_rows, n);
    return 0;
}

static int decode_fixed(const struct bp_pq_column *c, const struct bp_pq_page *page,
                        struct bp_column *out, struct bp_pq_scratch *s, struct bp_err *err)
{
    size_t width = bp_type_width_bytes(out->type);
    int64_t n = out->n_rows - out->n_nulls;

    BP_TRY(new_data(out, (size_t)out->n_rows * width, err));
    if (c->convert == BP_PQ_AS_IS) {
        BP_TRY(bp_pq_values_fixed(c, page, n, out->own[1]->data, err));
    } else {
        s->values.len = 0;
        BP_TRY(bp_pq_values_room(page, n, c->fixed_bytes, err));
        BP_TRY(bp_buf_reserve(&s->values, (size_t)n * (size_t)c->fixed_bytes + BP_BLOCK_PAD_BYTES,
                              err));
        BP_TRY(bp_pq_values_fixed(c, page, n, s->values.data, err));
        BP_TRY(bp_pq_convert_fixed(c, s->values.data, n, out->own[1]->data, err));
    }
    if (out->n_nulls)
        spread_fixed(out->own[1]->data, width, out->valid, out->n_rows, n);
    return 0;
}

/* Text must be UTF-8, each value on its own. */
static int check_text(const struct bp_column *c, int64_t n, struct bp_err *err)
{
    const int32_t *offsets = c->data;
    size_t bad, total = (size_t)offsets[n];

    if (!bp_utf8_check(c->bytes, total, &bad))
        return bp_fail(err, BP_EDATA, "a text is not UTF-8 (byte 0x%02x)", c->bytes[bad]);
    for (int64_t i = 0; i < n; i++)
        if ((size_t)offsets[i] < total && (c->bytes[offsets[i]] & 0xc0) == 0x80)
            return bp_fail(err, BP_EDATA, "a text is not UTF-8 (it begins with byte 0x%02x)",
                           c->bytes[offsets[i]]);
    return 0;
}

static void take_texts(struct bp_column *out, struct bp_pq_texts *t)
{
    out->own[1] = t->offsets;
    out->own[2] = t->bytes;
    out->data = t->offsets->data;
    out->bytes = t->bytes->data;
    *t = (struct bp_pq_texts){0};
}

static int decode_texts(const struct bp_pq_page *page, struct bp_column *out, struct bp_err *err)
{
    int64_t n = out->n_rows - out->n_nulls;
    struct bp_pq_texts t = {0};
    int rc;

    /* the offsets of all rows; decoding fills the first n + 1 */
    BP_GO(bp_pq_texts_reserve(&t, out->n_rows, 0, err));
    BP_GO(bp_pq_values_texts(page, n, &t, err));
    take_texts(out, &t);
    if (out->type.kind == BP_TEXT)
        BP_GO(check_text(out, n, err));
    if (out->n_nulls)
        spread_offsets(out->own[1] ? (int32_t *)(void *)out->own[1]->data : NULL, out->valid,
                       out->n_rows, n);
out:
    bp_pq_texts_release(&t);
    return rc;
}

static int decode_byte_decimals(const struct bp_pq_column *c, const struct bp_pq_page *page,
                                struct bp_column *out, struct bp_err *err)
{
    size_t width = bp_type_width_bytes(out->type);
    int64_t n = out->n_rows - out->n_nulls;
    struct bp_pq_texts t = {0};
    int rc;

    BP_TRY(new_data(out, (size_t)out->n_rows * width, err));
    BP_GO(bp_pq_values_texts(page, n, &t, err));
    BP_GO(bp_pq_convert_bytes(c, &t, n, out->own[1]->data, err));
    if (out->n_nulls)
        spread_fixed(out->own[1]->data, width, out->valid, out->n_rows, n);
out:
    bp_pq_texts_release(&t);
    return rc;
}

/* Values of one width that are bytes to us: offsets are multiples. */
static int decode_fixed_bytes(const struct bp_pq_column *c, const struct bp_pq_page *page,
                              struct bp_column *out, struct bp_err *err)
{
    int64_t n = out->n_rows - out->n_nulls, total = n * c->fixed_bytes;
    struct bp_pq_texts t = {0};
    int rc;

    if (total > INT32_MAX)
        return bp_fail(err, BP_EDATA, "it has more than 2 GiB of values");
    BP_TRY(bp_pq_values_room(page, n, c->fixed_bytes, err));
    BP_GO(bp_pq_texts_reserve(&t, out->n_rows, (size_t)total, err));
    BP_GO(bp_pq_values_fixed(c, page, n, t.bytes->data, err));
    for (int64_t i = 0; i <= n; i++)
        bp_pq_offsets(&t)[i] = (int32_t)(i * c->fixed_bytes);
    if (out->n_nulls)
        spread_offsets(bp_pq_offsets(&t), out->valid, out->n_rows, n);
    take_texts(out, &t);
out:
    bp_pq_texts_release(&t);
    return rc;
}

static int decode_values(const struct bp_pq_column *c, const struct bp_pq_page *page,
                         struct bp_column *out, struct bp_pq_scratch *s, struct bp_err *err)
{
    if (c->physical == BP_PQ_BOOLEAN)
        return decode_bits(page, out, err);
    if (c->convert == BP_PQ_BYTES_DEC)
        return decode_byte_decimals(c, page, out, err);
    if (c->convert == BP_PQ_FIXED_BYTES)
        return decode_fixed_bytes(c, page, out, err);
    if (c->physical == BP_PQ_BYTES)
        return decode_texts(page, out, err);
    return decode_fixed(c, page, out, s, err);
}

/* ---- dictionaries ---- */

void bp_pq_dict_unref(struct bp_pq_dict *d)
{
    if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
        return;
    bp_column_release(&d->values);
    bp_dict_unref(d->shared);
    bp_mem_free(d);
}

struct bp_pq_dict *bp_pq_dict_ref(struct bp_pq_dict *d)
{
    if (d)
        atomic_fetch_add(&d->refs, 1);
    return d;
}

int bp_pq_dict_decode(struct bp_pq_dict **out, const struct bp_pq_column *c, int codec,
                      struct bp_pq_raw *raw, struct bp_pq_scratch *s, struct bp_err *err)
{
    struct bp_pq_dict *d = bp_mem_new(1, sizeof *d, err);
    struct bp_column ref;
    struct bp_pq_page page;
    int rc;

    *out = NULL;
    if (!d)
        return err->code;
    atomic_init(&d->refs, 1);
    BP_GO(bp_pq_page_unpack(c, codec, raw, &s->page, &page, err));
    if (page.encoding == BP_PQ_PLAIN_DICTIONARY) /* the older name of the same */
        page.encoding = BP_PQ_PLAIN;
    d->values.type = c->type;
    d->values.n_rows = page.n_values;
    BP_GO(decode_values(c, &page, &d->values, s, err));
    if (c->type.kind == BP_TEXT && !c->nested && page.n_values &&
        page.n_values <= DICT_MAX_VALUES) {
        bp_column_ref(&ref, &d->values);
        BP_GO(bp_dict_new(&d->shared, &ref, err));
    }
    *out = d;
    return 0;
out:
    bp_pq_dict_unref(d);
    return rc;
}

/* Codes become the column's data. */
static int keep_codes(const struct bp_pq_dict *dict, const int32_t *codes, struct bp_column *out,
                      struct bp_err *err)
{
    int64_t n = out->n_rows - out->n_nulls;

    BP_TRY(new_data(out, (size_t)out->n_rows * sizeof *codes, err));
    memcpy(out->own[1]->data, codes, (size_t)n * sizeof *codes);
    if (out->n_nulls)
        spread_fixed(out->own[1]->data, sizeof *codes, out->valid, out->n_rows, n);
    out->dict = bp_dict_ref(dict->shared);
    return 0;
}

#define GATHER(type)                                                                               \
    for (int64_t i = 0; i < n; i++)                                                                \
    ((type *)to)[i] = ((const type *)from)[codes[i]]

static void gather_fixed(void *to, const void *from, size_t width, const int32_t *codes, int64_t n)
{
    switch (width) {
    case 1: GATHER(uint8_t); return;
    case 2: GATHER(uint16_t); return;
    case 4: GATHER(uint32_t); return;
    case 8: GATHER(uint64_t); return;
    default: GATHER(bp_uint128);
    }
}

/* Bytes of texts that the codes stand for. */
static int64_t total_bytes(const struct bp_column *values, const int32_t *codes, int64_t n)
{
    const int32_t *offsets = values->data;
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += offsets[codes[i] + 1] - offsets[codes[i]];
    return sum;
}

static int look_up(const struct bp_pq_page *page, const struct bp_pq_dict *dict, int32_t *codes,
                   struct bp_column *out, struct bp_err *err)
{
    int64_t n = out->n_rows - out->n_nulls, n_rows = out->n_rows;
    size_t width = bp_type_width_bytes(out->type);

    if (width) {
        BP_TRY(new_data(out, (size_t)n_rows * width, err));
        gather_fixed(out->own[1]->data, dict->values.data, width, codes, n);
        if (out->n_nulls)
            spread_fixed(out->own[1]->data, width, out->valid, n_rows, n);
        return 0;
    }
    if (bp_type_is_bytes(out->type))
        BP_TRY(bp_pq_values_room(page, total_bytes(&dict->values, codes, n), 1, err));
    for (int64_t i = n_rows; out->n_nulls && i-- > 0;)
        codes[i] = bp_bit_get(out->valid, i) ? codes[--n] : -1;
    bp_column_release(out);
    return bp_column_gather(out, &dict->values, codes, n_rows, err);
}

static int decode_codes(const struct bp_pq_page *page, const struct bp_pq_dict *dict,
                        struct bp_column *out, struct bp_pq_scratch *s, struct bp_err *err)
{
    int64_t n = out->n_rows - out->n_nulls;
    int32_t *codes;

    if (!dict)
        return bp_fail(err, BP_EDATA, "it refers to a dictionary, but there is none before it");
    s->values.len = 0;
    BP_TRY(
        bp_buf_reserve(&s->values, (size_t)out->n_rows * sizeof *codes + BP_BLOCK_PAD_BYTES, err));
    codes = (int32_t *)(void *)s->values.data;
    if (n && page->values_bytes < 1)
        return bp_fail(err, BP_EDATA, "it ends before its codes");
    if (n)
        BP_TRY(bp_pq_hybrid_codes(page->values + 1, page->values_bytes - 1, page->values[0],
                                  (uint32_t)dict->values.n_rows, codes, n, err));
    return dict->shared ? keep_codes(dict, codes, out, err) : look_up(page, dict, codes, out, err);
}

/* ---- a data page ---- */

int bp_pq_decode(struct bp_column *out, struct bp_pq_levels *levels, const struct bp_pq_column *c,
                 int codec, struct bp_pq_raw *raw, const struct bp_pq_dict *dict,
                 struct bp_pq_scratch *s, struct bp_err *err)
{
    struct bp_pq_page page;
    int rc;

    *out = (struct bp_column){.type = c->type};
    *levels = (struct bp_pq_levels){0};
    BP_GO(bp_pq_page_unpack(c, codec, raw, &s->page, &page, err));
    BP_GO(c->nested ? read_places(c, &page, out, levels, s, err)
                    : read_validity(c, &page, out, err));
    if (page.encoding == BP_PQ_RLE_DICTIONARY || page.encoding == BP_PQ_PLAIN_DICTIONARY)
        rc = decode_codes(&page, dict, out, s, err);
    else
        rc = decode_values(c, &page, out, s, err);
out:
    if (rc < 0) {
        bp_column_release(out);
        bp_pq_levels_release(levels);
    }
    return rc;
}

/* ---- a bound ---- */

static int bound(struct bp_column *out, const struct bp_pq_column *c, const uint8_t *p, size_t n,
                 struct bp_pq_scratch *s, struct bp_err *err)
{
    struct bp_pq_page page = {.encoding = BP_PQ_PLAIN, .n_values = 1};
    uint32_t len = (uint32_t)n;
    uint8_t pad[BP_BLOCK_PAD_BYTES] = {0};

    if (c->physical == BP_PQ_BYTES) /* statistics have no length in front */
        BP_TRY(bp_buf_append(&s->page, &len, sizeof len, err));
    BP_TRY(bp_buf_append(&s->page, p, n, err));
    page.values_bytes = s->page.len;
    BP_TRY(bp_buf_append(&s->page, pad, sizeof pad, err));
    page.values = s->page.data;
    *out = (struct bp_column){.type = c->type, .n_rows = 1};
    BP_TRY(decode_values(c, &page, out, s, err));
    if ((c->type.kind == BP_FLOAT32 && isnan(*(const float *)out->data)) ||
        (c->type.kind == BP_FLOAT64 && isnan(*(const double *)out->data)))
        return bp_fail(err, BP_EDATA, "NaN is no bound");
    return 0;
}

int bp_pq_decode_bound(struct bp_column *out, const struct bp_pq_column *c, const uint8_t *p,
                       size_t n, struct bp_err *err)
{
    struct bp_pq_scratch s = {0};
    struct bp_err quiet = {0};
    int rc = 0;

    if (!p || bound(out, c, p, n, &s, &quiet) < 0) {
        if (p)
            bp_column_release(out);
        rc = bp_column_nulls(out, c->type, 1, err);
    }
    bp_pq_scratch_release(&s);
    return rc;
}
