/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/column_write.h"

#include <isa-l.h>
#include <string.h>

#include "base/mem.h"
#include "fmt/parquet/hybrid.h"
#include "fmt/parquet/hybrid_write.h"
#include "fmt/parquet/thrift.h"

#define PAGE_ROWS 16384 /* of eight bytes two blocks of snappy; two batches of a reader */
#define PAGE_BYTES ((size_t)1 << 20)
#define DICT_BYTES ((int64_t)1 << 19)
/* After the first page: when more than this share of its values are new, none repeats
 * often enough for codes to be shorter. */
#define NEW_SHARE(n) ((n) / 10 * 7)
#define NEW_LEAST 1000
/* Where that was so, row groups that begin without a dictionary: finding out takes as long as
 * encoding several pages. */
#define PLAIN_GROUPS 7

void bp_pq_writer_open(struct bp_pq_writer *w, const struct bp_pq_leaf *leaf, enum bp_pack codec,
                       bool v2, bool dict)
{
    w->leaf = leaf;
    w->layout = leaf->layout;
    w->codec = codec;
    w->v2 = v2;
    w->wants_dict = dict && w->layout.physical != BP_PQ_BOOLEAN;
    w->by_codes = w->wants_dict;
}

void bp_pq_writer_filter(struct bp_pq_writer *w, int64_t group_rows)
{
    w->wants_bloom = true;
    bp_pq_bloom_init(&w->bloom, group_rows);
}

static void clear_page(struct bp_pq_writer *w)
{
    w->page_rows = w->page_values = w->page_nulls = w->plain_bits = 0;
    w->valid.len = w->def.len = w->rep.len = w->codes.len = w->plain.len = 0;
    w->page_range.any = false;
}

void bp_pq_writer_clear(struct bp_pq_writer *w)
{
    clear_page(w);
    bp_pq_encoded_release(&w->chunk);
    bp_pq_bloom_release(&w->bloom);
    bp_pq_value_dict_clear(&w->dict);
    bp_dict_unref(w->mapped);
    w->mapped = NULL;
    w->by_codes = w->wants_dict && w->plain_groups == 0;
    w->plain_groups -= w->plain_groups > 0;
    w->way = BP_PACK_NOT_ASKED;
}

void bp_pq_writer_release(struct bp_pq_writer *w)
{
    bp_pq_writer_rest(w);
    bp_pq_bloom_release(&w->bloom);
    bp_pq_range_release(&w->page_range);
    bp_pq_encoded_release(&w->chunk);
}

void bp_pq_write_scratch_release(struct bp_pq_write_scratch *t)
{
    bp_buf_release(&t->head);
    bp_buf_release(&t->raw);
    bp_buf_release(&t->packed);
    bp_buf_release(&t->used);
    bp_pq_words_release(&t->words);
    bp_pq_entries_release(&t->entries);
    *t = (struct bp_pq_write_scratch){0};
}

/* ---- values ---- */

static int put_bits(struct bp_buf *out, int64_t *n_bits, const struct bp_pq_words *v,
                    struct bp_err *err)
{
    size_t need = bp_bits_bytes(*n_bits + v->n);

    BP_TRY(bp_buf_reserve(out, need - out->len + 1, err));
    memset(out->data + out->len, 0, need - out->len);
    for (int64_t i = 0; i < v->n; i++)
        bp_bit_put(out->data, *n_bits + i, v->words[i] != 0);
    *n_bits += v->n;
    out->len = need;
    return 0;
}

static int put_texts(struct bp_buf *out, const struct bp_pq_words *v, struct bp_err *err)
{
    size_t total = (size_t)(v->offsets[v->n] - v->offsets[0]) + (size_t)v->n * 4;
    uint8_t *p;

    BP_TRY(bp_buf_reserve(out, total, err));
    p = out->data + out->len;
    for (int64_t i = 0; i < v->n; i++) {
        uint32_t n = (uint32_t)(v->offsets[i + 1] - v->offsets[i]);

        memcpy(p, &n, 4);
        memcpy(p + 4, v->bytes + v->offsets[i], n);
        p += 4 + n;
    }
    out->len += total;
    return 0;
}

/* PLAIN. */
static int put_values(const struct bp_pq_layout *l, struct bp_buf *out, const struct bp_pq_words *v,
                      struct bp_err *err)
{
    size_t n = (size_t)v->n;
    uint32_t *narrow;

    if (l->physical == BP_PQ_BYTES)
        return put_texts(out, v, err);
    if (l->physical == BP_PQ_FIXED)
        return bp_buf_append(out, v->bytes + v->offsets[0], n * (size_t)l->width, err);
    if (l->width == 8)
        return bp_buf_append(out, v->words, n * 8, err);
    BP_TRY(bp_buf_reserve(out, n * 4, err));
    narrow = (uint32_t *)(void *)(out->data + out->len); /* whole values: aligned */
    for (size_t i = 0; i < n; i++)
        narrow[i] = (uint32_t)v->words[i];
    out->len += n * 4;
    return 0;
}

/* ---- pages ---- */

/* What stands in front of a page's values; of a dictionary nothing. */
struct level_bytes {
    size_t rep, def;
};

/* raw behind `skip` bytes -> packed behind as many; `lead` more come before the values. */
static int pack(struct bp_pq_writer *w, int encoding, size_t skip, size_t lead,
                enum bp_pack_way *way, size_t *n, struct bp_err *err)
{
    const uint8_t *in = w->tmp->raw.data + skip;
    size_t in_bytes = w->tmp->raw.len - skip;
    uint8_t *out = w->tmp->packed.data + skip;

    if (encoding == BP_PQ_PLAIN && w->layout.width == 8 && w->layout.physical != BP_PQ_FIXED)
        return bp_pack_words_into(w->codec, way, in, in_bytes, lead, out, n, err);
    return bp_pack_into(w->codec, in, in_bytes, out, n, err);
}

static int put_page(struct bp_pq_writer *w, bool is_dict, int encoding, int64_t n_values,
                    struct level_bytes levels, struct bp_err *err)
{
    size_t packed_bytes = w->tmp->raw.len, skip = w->v2 ? levels.rep + levels.def : 0, room;
    const uint8_t *body = w->tmp->raw.data;
    struct bp_buf *head = &w->tmp->head;
    enum bp_pack_way once = BP_PACK_NOT_ASKED;
    struct bp_thrift_out t;

    if (w->codec != BP_PACK_NONE) {
        room = bp_pack_bound(w->codec, w->tmp->raw.len - skip);
        w->tmp->packed.len = 0;
        BP_TRY(bp_buf_reserve(&w->tmp->packed, skip + room + 1, err));
        memcpy(w->tmp->packed.data, w->tmp->raw.data, skip);
        BP_TRY(pack(w, encoding, skip, levels.rep + levels.def - skip, is_dict ? &once : &w->way,
                    &room, err));
        packed_bytes = skip + room;
        body = w->tmp->packed.data;
    }
    head->len = 0;
    bp_thrift_out_init(&t, head);
    bp_thrift_put_i32(&t, 1,
                      is_dict ? BP_PQ_DICT_PAGE
                      : w->v2 ? BP_PQ_DATA_PAGE_V2
                              : BP_PQ_DATA_PAGE);
    bp_thrift_put_i32(&t, 2, (int32_t)w->tmp->raw.len);
    bp_thrift_put_i32(&t, 3, (int32_t)packed_bytes);
    bp_thrift_put_i32(&t, 4, (int32_t)crc32_gzip_refl(0, body, packed_bytes));
    bp_thrift_open_struct(&t, is_dict ? 7 : w->v2 ? 8 : 5);
    bp_thrift_put_i32(&t, 1, (int32_t)n_values);
    if (is_dict) {
        bp_thrift_put_i32(&t, 2, BP_PQ_PLAIN);
    } else if (w->v2) {
        bp_thrift_put_i32(&t, 2, (int32_t)w->page_nulls);
        bp_thrift_put_i32(&t, 3, (int32_t)w->page_rows);
        bp_thrift_put_i32(&t, 4, encoding);
        bp_thrift_put_i32(&t, 5, (int32_t)levels.def);
        bp_thrift_put_i32(&t, 6, (int32_t)levels.rep);
        bp_thrift_put_bool(&t, 7, w->codec != BP_PACK_NONE);
    } else {
        bp_thrift_put_i32(&t, 2, encoding);
        bp_thrift_put_i32(&t, 3, BP_PQ_RLE);
        bp_thrift_put_i32(&t, 4, BP_PQ_RLE);
    }
    bp_thrift_close_struct(&t);
    BP_TRY(bp_thrift_finish(&t, err));
    w->chunk.raw_bytes += (int64_t)(head->len + w->tmp->raw.len);
    if (is_dict) {
        BP_TRY(bp_buf_append(&w->chunk.dict_page, head->data, head->len, err));
        return bp_buf_append(&w->chunk.dict_page, body, packed_bytes, err);
    }
    BP_TRY(bp_chain_put(&w->chunk.pages, head->data, head->len, err));
    return bp_chain_put(&w->chunk.pages, body, packed_bytes, err);
}

/* The levels in buf, or the bits of valid, behind what raw has; V1 has the length in front. */
static int put_level(struct bp_pq_writer *w, const struct bp_buf *buf, int most, size_t *n_bytes,
                     struct bp_err *err)
{
    size_t prefix = w->v2 ? 0 : 4, from = w->tmp->raw.len;
    uint32_t n;

    *n_bytes = 0;
    if (!most)
        return 0;
    BP_TRY(bp_buf_reserve(&w->tmp->raw, 4, err));
    w->tmp->raw.len += prefix;
    if (w->leaf->nested)
        BP_TRY(bp_pq_put_codes(&w->tmp->raw, (const int32_t *)(const void *)buf->data,
                               w->page_values, bp_pq_width((uint32_t)most + 1), err));
    else
        BP_TRY(bp_pq_put_bits(&w->tmp->raw, w->page_nulls ? w->valid.data : NULL, w->page_values,
                              err));
    *n_bytes = w->tmp->raw.len - from;
    n = (uint32_t)(*n_bytes - prefix);
    memcpy(w->tmp->raw.data + from, &n, prefix);
    return 0;
}

/* Which codes the page has -> used[]; its least and greatest value from those. */
static int range_of_codes(struct bp_pq_writer *w, struct bp_err *err)
{
    const int32_t *codes = (const int32_t *)(const void *)w->codes.data;
    int64_t n = w->page_values - w->page_nulls;
    struct bp_pq_words all;

    bp_pq_value_dict_words(&w->dict, &all);
    w->tmp->used.len = 0;
    BP_TRY(bp_buf_reserve(&w->tmp->used, (size_t)all.n + 1, err));
    memset(w->tmp->used.data, 0, (size_t)all.n);
    for (int64_t i = 0; i < n; i++)
        w->tmp->used.data[codes[i]] = 1;
    return bp_pq_range_add(&w->page_range, &w->layout, &all, w->tmp->used.data, err);
}

/* The first page's values as they are, and no dictionary. */
static int drop_dict(struct bp_pq_writer *w, struct bp_err *err)
{
    const int32_t *codes = (const int32_t *)(const void *)w->codes.data;
    int64_t n = w->page_values - w->page_nulls;
    struct bp_pq_words all, one;

    bp_pq_value_dict_words(&w->dict, &all);
    if (w->wants_bloom)
        BP_TRY(bp_pq_bloom_add(&w->bloom, &w->layout, &all, err));
    for (int64_t i = 0; i < n; i++) {
        one = all;
        one.n = 1;
        one.words = all.words ? all.words + codes[i] : NULL;
        one.offsets = all.words ? NULL : all.offsets + codes[i];
        BP_TRY(put_values(&w->layout, &w->plain, &one, err));
    }
    bp_pq_value_dict_clear(&w->dict);
    bp_dict_unref(w->mapped);
    w->mapped = NULL;
    w->by_codes = false;
    w->plain_groups = PLAIN_GROUPS;
    return 0;
}

static int note_page(struct bp_pq_writer *w, size_t offset, struct bp_err *err)
{
    struct bp_pq_page_fact *f;

    if (w->chunk.n_facts == w->chunk.cap_facts) {
        f = bp_mem_grow(w->chunk.facts, (size_t)w->chunk.cap_facts + 32, sizeof *f, err);
        if (!f)
            return err->code;
        w->chunk.facts = f;
        w->chunk.cap_facts += 32;
    }
    BP_TRY(bp_pq_range_merge(&w->chunk.range, &w->layout, &w->page_range, err));
    f = &w->chunk.facts[w->chunk.n_facts++];
    *f = (struct bp_pq_page_fact){.offset = w->chunk.moved_bytes + (int64_t)offset,
                                  .n_bytes = (int64_t)(w->chunk.pages.len - offset),
                                  .first_row = w->chunk.n_rows,
                                  .n_rows = w->page_rows,
                                  .n_values = w->page_values,
                                  .n_nulls = w->page_nulls};
    return bp_pq_range_merge(&f->range, &w->layout, &w->page_range, err);
}

static int close_page(struct bp_pq_writer *w, struct bp_err *err)
{
    int64_t n = w->page_values - w->page_nulls;
    size_t offset = w->chunk.pages.len;
    struct level_bytes levels;
    int encoding = BP_PQ_PLAIN;

    if (w->by_codes) {
        BP_TRY(range_of_codes(w, err));
        if (w->chunk.n_facts == 0 && n >= NEW_LEAST && w->dict.n > NEW_SHARE(n))
            BP_TRY(drop_dict(w, err));
    }
    w->tmp->raw.len = 0;
    BP_TRY(put_level(w, &w->rep, w->leaf->max_rep, &levels.rep, err));
    BP_TRY(put_level(w, &w->def, w->leaf->max_def, &levels.def, err));
    if (w->by_codes) {
        uint8_t width = (uint8_t)bp_pq_width((uint32_t)w->dict.n);

        encoding = BP_PQ_RLE_DICTIONARY;
        BP_TRY(bp_buf_append(&w->tmp->raw, &width, 1, err));
        BP_TRY(bp_pq_put_codes(&w->tmp->raw, (const int32_t *)(const void *)w->codes.data, n, width,
                               err));
    } else {
        BP_TRY(bp_buf_append(&w->tmp->raw, w->plain.data, w->plain.len, err));
    }
    if (w->tmp->raw.len > INT32_MAX)
        return bp_fail(err, BP_EDATA, "a page of %zu bytes is more than Parquet has room for",
                       w->tmp->raw.len);
    BP_TRY(put_page(w, false, encoding, w->page_values, levels, err));
    BP_TRY(note_page(w, offset, err));
    w->chunk.n_dict_pages += w->by_codes;
    w->chunk.n_plain_pages += !w->by_codes;
    w->chunk.n_rows += w->page_rows;
    w->chunk.n_values += w->page_values;
    w->chunk.n_nulls += w->page_nulls;
    clear_page(w);
    if (bp_pq_value_dict_bytes(&w->dict, &w->layout) > DICT_BYTES)
        w->by_codes = false;
    return 0;
}

/* ---- rows ---- */

static int add_validity(struct bp_pq_writer *w, const struct bp_column *c, struct bp_err *err)
{
    size_t need = bp_bits_bytes(w->page_values + c->n_rows);

    if (!w->leaf->nullable) {
        if (c->n_nulls)
            return bp_fail(err, BP_EDATA, "a NULL in a column that is NOT NULL");
        return 0;
    }
    BP_TRY(bp_buf_reserve(&w->valid, need - w->valid.len + 1, err));
    w->valid.len = need;
    if (c->n_nulls)
        bp_bits_copy(w->valid.data, w->page_values, c->valid, 0, c->n_rows);
    else
        bp_bits_fill(w->valid.data, w->page_values, c->n_rows, true);
    return 0;
}

/* Our code of a value of the stream's dictionary that was not met before. */
static int map_code(struct bp_pq_writer *w, int32_t code, int32_t *out, struct bp_err *err)
{
    const struct bp_column *v = &w->mapped->values;
    struct bp_pq_words one = {
        .n = 1, .bytes = v->bytes, .offsets = (const int32_t *)v->data + code};

    return bp_pq_value_dict_encode(&w->dict, &one, out, err);
}

static int use_map(struct bp_pq_writer *w, struct bp_dict *d, struct bp_err *err)
{
    size_t n = (size_t)d->values.n_rows * sizeof(int32_t);

    if (w->mapped == d)
        return 0;
    bp_dict_unref(w->mapped);
    w->mapped = bp_dict_ref(d);
    w->map.len = 0;
    BP_TRY(bp_buf_reserve(&w->map, n + 1, err));
    memset(w->map.data, 0xff, n);
    return 0;
}

/* Codes to codes: each value of the stream's dictionary is looked up once. */
static int add_mapped(struct bp_pq_writer *w, const struct bp_column *c, struct bp_err *err)
{
    const int32_t *from = c->data;
    int32_t *to, *map;
    int64_t n = 0;

    BP_TRY(use_map(w, c->dict, err));
    BP_TRY(bp_buf_reserve(&w->codes, (size_t)c->n_rows * sizeof *to, err));
    to = (int32_t *)(void *)(w->codes.data + w->codes.len);
    map = (int32_t *)(void *)w->map.data;
    for (int64_t i = 0; i < c->n_rows; i++) {
        if (bp_column_is_null(c, i))
            continue;
        if (map[from[i]] < 0)
            BP_TRY(map_code(w, from[i], &map[from[i]], err));
        to[n++] = map[from[i]];
    }
    w->codes.len += (size_t)n * sizeof *to;
    return 0;
}

static int add_values(struct bp_pq_writer *w, const struct bp_column *c, struct bp_err *err)
{
    struct bp_pq_words *v = &w->tmp->words;

    BP_TRY(bp_pq_to_words(&w->layout, c, v, err));
    if (w->by_codes) {
        BP_TRY(bp_buf_reserve(&w->codes, (size_t)v->n * sizeof(int32_t) + 1, err));
        BP_TRY(bp_pq_value_dict_encode(&w->dict, v,
                                       (int32_t *)(void *)(w->codes.data + w->codes.len), err));
        w->codes.len += (size_t)v->n * sizeof(int32_t);
        return 0;
    }
    BP_TRY(bp_pq_range_add(&w->page_range, &w->layout, v, NULL, err));
    if (w->wants_bloom)
        BP_TRY(bp_pq_bloom_add(&w->bloom, &w->layout, v, err));
    if (w->layout.physical == BP_PQ_BOOLEAN)
        return put_bits(&w->plain, &w->plain_bits, v, err);
    return put_values(&w->layout, &w->plain, v, err);
}

static int add_levels(struct bp_buf *out, const uint8_t *levels, int64_t n, struct bp_err *err)
{
    int32_t *to;

    BP_TRY(bp_buf_reserve(out, (size_t)n * sizeof *to, err));
    to = (int32_t *)(void *)(out->data + out->len);
    for (int64_t i = 0; i < n; i++)
        to[i] = levels[i];
    out->len += (size_t)n * sizeof *to;
    return 0;
}

static int add_nested(struct bp_pq_writer *w, const struct bp_column *c, struct bp_err *err)
{
    struct bp_pq_entries *e = &w->tmp->entries;
    struct bp_column values = {0};
    int rc;

    BP_GO(bp_pq_entries_of(w->leaf, c, e, &values, err));
    BP_GO(add_levels(&w->rep, e->rep.data, e->n, err));
    BP_GO(add_levels(&w->def, e->def.data, e->n, err));
    BP_GO(add_values(w, &values, err));
    w->page_values += e->n;
    w->page_nulls += e->n - e->n_present;
out:
    bp_column_release(&values);
    return rc;
}

static int add_flat(struct bp_pq_writer *w, const struct bp_column *c, struct bp_err *err)
{
    struct bp_column plain = {0};
    int rc;

    BP_GO(add_validity(w, c, err));
    if (c->dict && w->by_codes) {
        BP_GO(add_mapped(w, c, err));
    } else if (c->dict) {
        BP_GO(bp_column_plain(&plain, c, err));
        BP_GO(add_values(w, &plain, err));
    } else {
        BP_GO(add_values(w, c, err));
    }
    w->page_values += c->n_rows;
    w->page_nulls += c->n_nulls;
out:
    bp_column_release(&plain);
    return rc;
}

static bool is_full(const struct bp_pq_writer *w)
{
    return w->page_values >= PAGE_ROWS || w->plain.len >= PAGE_BYTES;
}

/* Rows of one page, all or some of what is left of it. */
static int add_some(struct bp_pq_writer *w, const struct bp_column *c, struct bp_err *err)
{
    BP_TRY(w->leaf->nested ? add_nested(w, c, err) : add_flat(w, c, err));
    w->page_rows += c->n_rows;
    return is_full(w) ? close_page(w, err) : 0;
}

/* A flat column is cut where its pages end: what a page takes is not more where pieces are long. */
static int add_all(struct bp_pq_writer *w, const struct bp_column *c, struct bp_err *err)
{
    int64_t from = 0;
    int rc = 0;

    if (w->leaf->nested)
        return add_some(w, c, err);
    while (rc == 0 && from < c->n_rows) {
        int64_t n = BP_MIN(PAGE_ROWS - w->page_rows, c->n_rows - from);
        struct bp_column cut = {0};

        BP_TRY(bp_column_slice(&cut, c, from, n, err));
        rc = add_some(w, &cut, err);
        bp_column_release(&cut);
        from += n;
    }
    return rc;
}

int bp_pq_writer_add(struct bp_pq_writer *w, const struct bp_column *c,
                     struct bp_pq_write_scratch *t, struct bp_err *err)
{
    w->tmp = t;
    return add_all(w, c, err) < 0 ? bp_err_prefix(err, "column %s", w->leaf->name) : 0;
}

/* The dictionary page, and the filter of what it has and of what was not in it. */
static int finish(struct bp_pq_writer *w, struct bp_err *err)
{
    struct bp_pq_words all;

    if (w->page_rows)
        BP_TRY(close_page(w, err));
    if (w->chunk.n_dict_pages) {
        w->tmp->raw.len = 0;
        bp_pq_value_dict_words(&w->dict, &all);
        BP_TRY(put_values(&w->layout, &w->tmp->raw, &all, err));
        BP_TRY(put_page(w, true, BP_PQ_PLAIN, all.n, (struct level_bytes){0}, err));
        if (w->wants_bloom)
            BP_TRY(bp_pq_bloom_add(&w->bloom, &w->layout, &all, err));
    }
    return w->wants_bloom ? bp_pq_bloom_put(&w->bloom, &w->chunk.filter_page, err) : 0;
}

int bp_pq_writer_finish(struct bp_pq_writer *w, struct bp_pq_write_scratch *t, struct bp_err *err)
{
    w->tmp = t;
    return finish(w, err) < 0 ? bp_err_prefix(err, "column %s", w->leaf->name) : 0;
}
