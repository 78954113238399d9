/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter is an array of blocks of eight 32-bit words. The upper half of a value's hash
 * chooses the block, the lower half, times a constant for each word, one bit in each.
 *
 * How many different values a chunk will have is not known before its end. So a filter
 * begins as large as a chunk of nothing but different values wants it, a power of two of
 * blocks, and is folded at the end: as the block is chosen by the top of the hash, the
 * filter of half the size is the neighbours' OR. How many values it holds is told by its
 * share of zeros: of a block with k values a bit stays zero with probability (31/32)^k.
 */
#include "fmt/parquet/bloom.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "fmt/parquet/thrift.h"

#define BLOCK_BYTES 32
#define BLOCK_WORDS 8
#define HEADER_MAX_BYTES 64
#define VALUES_A_BLOCK 24 /* of one in a hundred that are not there that is not known */

static const uint32_t salts[BLOCK_WORDS] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                            0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

static uint32_t block_of(uint64_t hash, uint32_t n_blocks)
{
    return (uint32_t)(((hash >> 32) * n_blocks) >> 32);
}

static uint32_t bit_of(uint64_t hash, int word)
{
    return (uint32_t)1 << (((uint32_t)hash * salts[word]) >> 27);
}

/* ---- reading ---- */

/* BloomFilterHeader: the block algorithm, XXH64, no compression are all that is defined. */
static bool read_header(const uint8_t *p, size_t n, int64_t *n_bytes, size_t *header_bytes)
{
    struct bp_thrift t = {.p = p, .end = p + n};
    struct bp_thrift_fields f = {0}, kind;
    int known = 0;

    *n_bytes = 0;
    while (bp_thrift_next(&t, &f)) {
        if (f.id == 1) {
            *n_bytes = bp_thrift_int(&t, f.type);
        } else if (f.id >= 2 && f.id <= 4 && f.type == BP_THRIFT_STRUCT) {
            for (kind = (struct bp_thrift_fields){0}; bp_thrift_next(&t, &kind);) {
                known += kind.id == 1;
                bp_thrift_skip(&t, kind.type);
            }
        } else {
            bp_thrift_skip(&t, f.type);
        }
    }
    *header_bytes = (size_t)(t.p - p);
    return !t.bad && known == 3 && *n_bytes >= BLOCK_BYTES && *n_bytes % BLOCK_BYTES == 0 &&
           *n_bytes / BLOCK_BYTES <= UINT32_MAX;
}

/* The physical bytes of a value; false: equality and its bytes are not the same thing. */
static bool physical_bytes(const struct bp_pq_column *c, const struct bp_column *v, uint64_t *word,
                           const uint8_t **p, size_t *n)
{
    size_t width = bp_type_width_bytes(v->type);
    bp_int128 wide;

    *p = (const uint8_t *)word;
    if (bp_column_is_null(v, 0) || v->type.kind == BP_BOOL || bp_type_is_float(v->type))
        return false;
    if (bp_type_is_bytes(v->type) &&
        (c->convert == BP_PQ_AS_IS || c->convert == BP_PQ_FIXED_BYTES)) {
        *p = bp_column_bytes(v, 0, n);
        return true;
    }
    *n = c->physical == BP_PQ_INT32 ? 4 : 8;
    if (c->physical != BP_PQ_INT32 && c->physical != BP_PQ_INT64)
        return false;
    switch (c->convert) {
    case BP_PQ_AS_IS: memcpy(word, v->data, width); return width == *n;
    case BP_PQ_NARROW_8:
        *word = c->is_unsigned ? *(const uint8_t *)v->data
                               : (uint64_t)(int64_t) * (const int8_t *)v->data;
        return true;
    case BP_PQ_NARROW_16:
        *word = c->is_unsigned ? *(const uint16_t *)v->data
                               : (uint64_t)(int64_t) * (const int16_t *)v->data;
        return true;
    case BP_PQ_INT32_DEC:
    case BP_PQ_INT64_DEC:
        wide = bp_column_decimal(v, 0);
        *word = (uint64_t)wide;
        return (c->convert == BP_PQ_INT32_DEC ? (bp_int128)(int32_t)wide
                                              : (bp_int128)(int64_t)wide) == wide;
    default: return false;
    }
}

bool bp_pq_bloom_lacks(const struct bp_pq_file *f, const struct bp_pq_column *column,
                       const struct bp_pq_chunk *c, const struct bp_column *value)
{
    uint8_t header[HEADER_MAX_BYTES], block[BLOCK_BYTES];
    struct bp_err quiet = {0};
    size_t got, header_bytes, n;
    int64_t n_bytes, at;
    uint64_t word = 0, hash;
    const uint8_t *p;

    if (c->bloom < 4 || !bp_type_equal(value->type, column->type) ||
        !physical_bytes(column, value, &word, &p, &n) ||
        bp_input_read_at(&f->in, header, sizeof header, c->bloom, &got, &quiet) < 0 ||
        !read_header(header, got, &n_bytes, &header_bytes))
        return false;
    hash = bp_xxh64(p, n);
    at = c->bloom + (int64_t)header_bytes;
    if (n_bytes > f->in.size_bytes - at)
        return false;
    at += (int64_t)block_of(hash, (uint32_t)(n_bytes / BLOCK_BYTES)) * BLOCK_BYTES;
    if (bp_input_read_at(&f->in, block, sizeof block, at, &got, &quiet) < 0 || got < sizeof block)
        return false;
    for (int i = 0; i < BLOCK_WORDS; i++)
        if (!(bp_load_u32(block + 4 * i) & bit_of(hash, i)))
            return true;
    return false;
}

/* ---- writing ---- */

void bp_pq_bloom_init(struct bp_pq_bloom *b, int64_t n_values)
{
    b->at_most = 1;
    while ((int64_t)b->at_most * VALUES_A_BLOCK < n_values && b->at_most < 1U << 20)
        b->at_most *= 2;
}

int64_t bp_pq_bloom_bytes(const struct bp_pq_bloom *b)
{
    return (int64_t)b->at_most * BLOCK_BYTES;
}

static void add_hash(struct bp_pq_bloom *b, uint64_t hash)
{
    uint32_t *words =
        (uint32_t *)(void *)(b->blocks + (size_t)block_of(hash, b->n_blocks) * BLOCK_BYTES);

    for (int i = 0; i < BLOCK_WORDS; i++)
        words[i] |= bit_of(hash, i);
}

int bp_pq_bloom_add(struct bp_pq_bloom *b, const struct bp_pq_layout *l,
                    const struct bp_pq_words *w, struct bp_err *err)
{
    bool by_word = l->physical != BP_PQ_BYTES && l->physical != BP_PQ_FIXED;

    if (!b->blocks) {
        b->blocks = bp_mem_new(b->at_most, BLOCK_BYTES, err);
        if (!b->blocks)
            return err->code;
        b->n_blocks = b->at_most;
    }
    for (int64_t i = 0; i < w->n; i++)
        add_hash(b, by_word ? bp_xxh64(&w->words[i], (size_t)l->width)
                            : bp_xxh64(w->bytes + w->offsets[i],
                                       (size_t)(w->offsets[i + 1] - w->offsets[i])));
    return 0;
}

static double values_met(const struct bp_pq_bloom *b)
{
    size_t n = (size_t)b->n_blocks * BLOCK_BYTES;
    int64_t ones = 0;
    double zeros;

    for (size_t i = 0; i < n; i += 4)
        ones += __builtin_popcount(bp_load_u32(b->blocks + i));
    zeros = 1 - (double)ones / (double)(n * 8);
    return zeros <= 0 ? INFINITY : log(zeros) / log1p(-1.0 / 32) * b->n_blocks;
}

static void fold(struct bp_pq_bloom *b)
{
    uint32_t *words = (uint32_t *)(void *)b->blocks;

    b->n_blocks /= 2;
    for (uint32_t i = 0; i < b->n_blocks; i++)
        for (uint32_t k = 0; k < BLOCK_WORDS; k++)
            words[i * BLOCK_WORDS + k] =
                words[i * 2 * BLOCK_WORDS + k] | words[(i * 2 + 1) * BLOCK_WORDS + k];
}

static int put_header(uint32_t n_bytes, struct bp_buf *out, struct bp_err *err)
{
    struct bp_thrift_out t;

    bp_thrift_out_init(&t, out);
    bp_thrift_put_i32(&t, 1, (int32_t)n_bytes);
    for (int id = 2; id <= 4; id++) { /* each a union, of which the first is meant */
        bp_thrift_open_struct(&t, id);
        bp_thrift_open_struct(&t, 1);
        bp_thrift_close_struct(&t);
        bp_thrift_close_struct(&t);
    }
    return bp_thrift_finish(&t, err);
}

int bp_pq_bloom_put(struct bp_pq_bloom *b, struct bp_buf *out, struct bp_err *err)
{
    double met;
    int rc = 0;

    if (!b->blocks)
        return 0;
    met = values_met(b);
    while (b->n_blocks > 1 && met / (b->n_blocks / 2) <= VALUES_A_BLOCK)
        fold(b);
    rc = put_header(b->n_blocks * BLOCK_BYTES, out, err);
    if (rc == 0)
        rc = bp_buf_append(out, b->blocks, (size_t)b->n_blocks * BLOCK_BYTES, err);
    bp_pq_bloom_release(b);
    return rc;
}

void bp_pq_bloom_release(struct bp_pq_bloom *b)
{
    bp_mem_free(b->blocks);
    b->blocks = NULL;
    b->n_blocks = 0;
}
