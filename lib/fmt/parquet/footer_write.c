/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/footer_write.h"

#include <string.h>

#include "base/mem.h"

#define VERSION 2
#define INDEX_HELD_BYTES ((size_t)256 << 10) /* of page indexes, in memory */
#define CREATED_BY "batchpipe version " BP_VERSION

int bp_pq_footer_open(struct bp_pq_footer *f, const struct bp_schema *schema,
                      const struct bp_pq_leaves *leaves, const struct bp_parquet_out_opts *opts,
                      struct bp_err *err)
{
    *f = (struct bp_pq_footer){
        .schema = schema, .leaves = leaves, .codec = opts->codec, .v2 = opts->v2};
    f->order = bp_mem_new((size_t)opts->n_order + 1, sizeof *f->order, err);
    if (!f->order)
        return err->code;
    if (opts->n_order)
        memcpy(f->order, opts->order, (size_t)opts->n_order * sizeof *f->order);
    f->n_order = opts->n_order;
    return 0;
}

static void release_pages(struct bp_pq_chunk_facts *c)
{
    bp_pq_page_facts_free(c->pages, c->n_pages);
    c->pages = NULL;
    c->n_pages = 0;
}

static void release_chunk(struct bp_pq_chunk_facts *c)
{
    release_pages(c);
    bp_buf_release(&c->filter);
    bp_pq_range_release(&c->range);
}

void bp_pq_footer_release(struct bp_pq_footer *f)
{
    for (int g = 0; g < f->n_groups; g++) {
        for (int i = 0; i < f->leaves->n; i++)
            release_chunk(&f->groups[g].chunks[i]);
        bp_mem_free(f->groups[g].chunks);
    }
    bp_mem_free(f->groups);
    bp_mem_free(f->order);
    for (int k = 0; k < BP_PQ_INDEXES; k++) {
        bp_buf_release(&f->indexes[k].buf);
        bp_pq_store_release(&f->indexes[k].store);
    }
    bp_buf_release(&f->scratch);
    *f = (struct bp_pq_footer){0};
}

/* ---- a row group ---- */

int bp_pq_footer_column(struct bp_pq_footer *f, int column, struct bp_outfile *out,
                        struct bp_pq_encoded *chunk, const struct bp_pq_store *store,
                        struct bp_err *err)
{
    struct bp_pq_chunk_facts *c = &f->groups[f->n_groups - 1].chunks[column];

    *c = (struct bp_pq_chunk_facts){
        .dict_at = chunk->dict_page.len ? out->pos_bytes : 0,
        .data_at = out->pos_bytes + (int64_t)chunk->dict_page.len,
        .raw_bytes = chunk->raw_bytes,
        .n_bytes = (int64_t)(chunk->dict_page.len + chunk->pages.len) + chunk->moved_bytes,
        .n_values = chunk->n_values,
        .n_nulls = chunk->n_nulls,
        .n_dict_pages = chunk->n_dict_pages,
        .n_plain_pages = chunk->n_plain_pages,
        .pages = chunk->facts,
        .n_pages = chunk->n_facts,
    };
    chunk->facts = NULL;
    chunk->n_facts = chunk->cap_facts = 0;
    c->filter = chunk->filter_page;
    chunk->filter_page = (struct bp_buf){0};
    BP_TRY(bp_pq_range_merge(&c->range, &f->leaves->items[column].layout, &chunk->range, err));
    if (chunk->dict_page.len)
        BP_TRY(bp_outfile_write(out, chunk->dict_page.data, chunk->dict_page.len, err));
    BP_TRY(bp_pq_store_copy(store, column, out, err));
    for (int i = 0; i < chunk->pages.n; i++)
        BP_TRY(bp_outfile_write(out, chunk->pages.blocks[i]->data,
                                bp_chain_block_bytes(&chunk->pages, i), err));
    bp_pq_encoded_release(chunk);
    return 0;
}

static int put_filter(struct bp_outfile *out, struct bp_pq_chunk_facts *c, struct bp_err *err)
{
    int rc;

    if (!c->filter.len)
        return 0;
    c->bloom_at = out->pos_bytes;
    c->bloom_bytes = (int64_t)c->filter.len;
    rc = bp_outfile_write(out, c->filter.data, c->filter.len, err);
    bp_buf_release(&c->filter);
    return rc;
}

int bp_pq_footer_begin(struct bp_pq_footer *f, int64_t n_rows, struct bp_err *err)
{
    struct bp_pq_group_facts *g;

    if (f->n_groups == f->cap_groups) {
        g = bp_mem_grow(f->groups, (size_t)f->cap_groups + 16, sizeof *g, err);
        if (!g)
            return err->code;
        f->groups = g;
        f->cap_groups += 16;
    }
    g = &f->groups[f->n_groups];
    g->n_rows = n_rows;
    g->chunks = bp_mem_new((size_t)f->leaves->n + 1, sizeof *g->chunks, err);
    if (!g->chunks)
        return err->code;
    f->n_groups++;
    return 0;
}

/* ---- the page index (PageIndex.md) ---- */

/* 0 unordered, 1 ascending, 2 descending. Pages of NULLs only do not count. */
static int boundary_order(const struct bp_pq_chunk_facts *c, const struct bp_pq_layout *l)
{
    const struct bp_pq_range *last = NULL;
    bool up = true, down = true;

    for (int i = 0; i < c->n_pages; i++) {
        const struct bp_pq_range *r = &c->pages[i].range;

        if (!r->any)
            continue;
        for (int max = 0; last && max < 2; max++) {
            int cmp = bp_pq_range_compare(l, last, r, max);

            up &= cmp <= 0;
            down &= cmp >= 0;
        }
        last = r;
    }
    return up ? 1 : down ? 2 : 0;
}

/* Every page has bounds, or is NULLs only: else there is no index. */
static int page_bounds(const struct bp_pq_chunk_facts *c, const struct bp_pq_layout *l, bool max,
                       struct bp_thrift_out *t, struct bp_buf *scratch, struct bp_err *err)
{
    bool exact;

    for (int i = 0; i < c->n_pages; i++) {
        scratch->len = 0;
        if (c->pages[i].n_nulls < c->pages[i].n_values) {
            int rc = c->pages[i].range.any
                         ? bp_pq_range_put(&c->pages[i].range, l, max, scratch, &exact, err)
                         : 1;

            if (rc)
                return rc;
        }
        if (t)
            bp_thrift_put_element_bytes(t, scratch->data, scratch->len);
    }
    return 0;
}

static int put_column_index(const struct bp_pq_chunk_facts *c, const struct bp_pq_layout *l,
                            struct bp_buf *out, struct bp_buf *scratch, struct bp_err *err)
{
    struct bp_thrift_out t;
    int rc = 0;

    for (int max = 0; max < 2 && rc == 0; max++)
        rc = page_bounds(c, l, max, NULL, scratch, err);
    if (rc)
        return rc;
    bp_thrift_out_init(&t, out);
    bp_thrift_open_list(&t, 1, BP_THRIFT_TRUE, (size_t)c->n_pages);
    for (int i = 0; i < c->n_pages; i++)
        bp_thrift_put_element_bool(&t, c->pages[i].n_nulls == c->pages[i].n_values);
    for (int max = 0; max < 2; max++) {
        bp_thrift_open_list(&t, 2 + max, BP_THRIFT_BINARY, (size_t)c->n_pages);
        BP_TRY(page_bounds(c, l, max, &t, scratch, err));
    }
    bp_thrift_put_i32(&t, 4, boundary_order(c, l));
    bp_thrift_open_list(&t, 5, BP_THRIFT_I64, (size_t)c->n_pages);
    for (int i = 0; i < c->n_pages; i++)
        bp_thrift_put_element_i64(&t, c->pages[i].n_nulls);
    return bp_thrift_finish(&t, err);
}

static int put_offset_index(const struct bp_pq_chunk_facts *c, struct bp_buf *out,
                            struct bp_err *err)
{
    struct bp_thrift_out t;

    bp_thrift_out_init(&t, out);
    bp_thrift_open_list(&t, 1, BP_THRIFT_STRUCT, (size_t)c->n_pages);
    for (int i = 0; i < c->n_pages; i++) {
        bp_thrift_open_element(&t);
        bp_thrift_put_i64(&t, 1, c->data_at + c->pages[i].offset);
        bp_thrift_put_i32(&t, 2, (int32_t)c->pages[i].n_bytes);
        bp_thrift_put_i64(&t, 3, c->pages[i].first_row);
        bp_thrift_close_struct(&t);
    }
    return bp_thrift_finish(&t, err);
}

/* The page indexes of a chunk wait for the end of the file, and its pages are forgotten. */
static int keep_indexes(struct bp_pq_footer *f, struct bp_pq_chunk_facts *c,
                        const struct bp_pq_layout *l, struct bp_ctx *ctx, struct bp_err *err)
{
    for (int k = 0; k < BP_PQ_INDEXES && c->n_pages; k++) {
        struct bp_pq_index *x = &f->indexes[k];
        size_t before = x->buf.len;
        int rc = k == BP_PQ_OFFSET_INDEX ? put_offset_index(c, &x->buf, err)
                                         : put_column_index(c, l, &x->buf, &f->scratch, err);

        if (rc < 0)
            return rc;
        if (rc > 0)
            x->buf.len = before;
        c->index_bytes[k] = (int64_t)(x->buf.len - before);
        if (x->buf.len < INDEX_HELD_BYTES)
            continue;
        BP_TRY(bp_pq_store_put(&x->store, 0, x->buf.data, x->buf.len, ctx, err));
        x->buf.len = 0;
    }
    release_pages(c);
    return 0;
}

int bp_pq_footer_end(struct bp_pq_footer *f, struct bp_outfile *out, struct bp_ctx *ctx,
                     struct bp_err *err)
{
    struct bp_pq_group_facts *g = &f->groups[f->n_groups - 1];

    for (int i = 0; i < f->leaves->n; i++) {
        BP_TRY(put_filter(out, &g->chunks[i], err));
        BP_TRY(keep_indexes(f, &g->chunks[i], &f->leaves->items[i].layout, ctx, err));
    }
    return 0;
}

/* All of one kind, in the order of the chunks. */
static int put_indexes(struct bp_pq_footer *f, struct bp_outfile *out, int k, struct bp_err *err)
{
    int64_t at = out->pos_bytes;

    BP_TRY(bp_pq_store_copy(&f->indexes[k].store, 0, out, err));
    if (f->indexes[k].buf.len)
        BP_TRY(bp_outfile_write(out, f->indexes[k].buf.data, f->indexes[k].buf.len, err));
    for (int g = 0; g < f->n_groups; g++)
        for (int i = 0; i < f->leaves->n; i++) {
            struct bp_pq_chunk_facts *c = &f->groups[g].chunks[i];

            c->index_at[k] = c->index_bytes[k] ? at : 0;
            at += c->index_bytes[k];
        }
    return 0;
}

/* ---- the footer ---- */

static int put_stats(struct bp_thrift_out *t, const struct bp_pq_chunk_facts *c,
                     const struct bp_pq_layout *l, struct bp_buf *scratch, struct bp_err *err)
{
    bool exact[2] = {false, false}, have[2] = {false, false};

    bp_thrift_open_struct(t, 12);
    bp_thrift_put_i64(t, 3, c->n_nulls);
    for (int max = 1; c->range.any && max >= 0; max--) {
        int rc;

        scratch->len = 0;
        rc = bp_pq_range_put(&c->range, l, max, scratch, &exact[max], err);
        if (rc < 0)
            return rc;
        have[max] = rc == 0;
        if (have[max])
            bp_thrift_put_bytes(t, max ? 5 : 6, scratch->data, scratch->len);
    }
    if (have[1])
        bp_thrift_put_bool(t, 7, exact[1]);
    if (have[0])
        bp_thrift_put_bool(t, 8, exact[0]);
    bp_thrift_close_struct(t);
    return 0;
}

static void put_encodings(struct bp_thrift_out *t, const struct bp_pq_chunk_facts *c)
{
    bool plain = c->n_plain_pages > 0 || c->n_dict_pages > 0;
    size_t n = 1 + (size_t)plain + (size_t)(c->n_dict_pages > 0);

    bp_thrift_open_list(t, 2, BP_THRIFT_I32, n);
    bp_thrift_put_element_i32(t, BP_PQ_RLE);
    if (n > 1)
        bp_thrift_put_element_i32(t, BP_PQ_PLAIN); /* the dictionary's too */
    if (c->n_dict_pages)
        bp_thrift_put_element_i32(t, BP_PQ_RLE_DICTIONARY);
}

static void put_page_count(struct bp_thrift_out *t, int type, int encoding, int n)
{
    bp_thrift_open_element(t);
    bp_thrift_put_i32(t, 1, type);
    bp_thrift_put_i32(t, 2, encoding);
    bp_thrift_put_i32(t, 3, n);
    bp_thrift_close_struct(t);
}

static void put_page_counts(struct bp_thrift_out *t, const struct bp_pq_chunk_facts *c, bool v2)
{
    int type = v2 ? BP_PQ_DATA_PAGE_V2 : BP_PQ_DATA_PAGE;

    bp_thrift_open_list(t, 13, BP_THRIFT_STRUCT,
                        (size_t)(c->n_plain_pages > 0) + (c->n_dict_pages ? 2 : 0));
    if (c->n_dict_pages) {
        put_page_count(t, BP_PQ_DICT_PAGE, BP_PQ_PLAIN, 1);
        put_page_count(t, type, BP_PQ_RLE_DICTIONARY, c->n_dict_pages);
    }
    if (c->n_plain_pages)
        put_page_count(t, type, BP_PQ_PLAIN, c->n_plain_pages);
}

static int put_chunk_meta(struct bp_thrift_out *t, const struct bp_pq_footer *f, int i,
                          const struct bp_pq_chunk_facts *c, struct bp_buf *scratch,
                          struct bp_err *err)
{
    const struct bp_pq_leaf *leaf = &f->leaves->items[i];

    bp_thrift_open_element(t);
    bp_thrift_put_i64(t, 2, 0); /* the metadata is here, nowhere else */
    bp_thrift_open_struct(t, 3);
    bp_thrift_put_i32(t, 1, (int32_t)f->leaves->items[i].layout.physical);
    put_encodings(t, c);
    bp_thrift_open_list(t, 3, BP_THRIFT_BINARY, (size_t)leaf->n_path);
    for (int k = 0; k < leaf->n_path; k++)
        bp_thrift_put_element_bytes(t, leaf->path[k], strlen(leaf->path[k]));
    bp_thrift_put_i32(t, 4, (int32_t)f->codec);
    bp_thrift_put_i64(t, 5, c->n_values);
    bp_thrift_put_i64(t, 6, c->raw_bytes);
    bp_thrift_put_i64(t, 7, c->n_bytes);
    bp_thrift_put_i64(t, 9, c->data_at);
    if (c->dict_at)
        bp_thrift_put_i64(t, 11, c->dict_at);
    BP_TRY(put_stats(t, c, &f->leaves->items[i].layout, scratch, err));
    put_page_counts(t, c, f->v2);
    if (c->bloom_at) {
        bp_thrift_put_i64(t, 14, c->bloom_at);
        bp_thrift_put_i32(t, 15, (int32_t)c->bloom_bytes);
    }
    bp_thrift_close_struct(t);
    for (int k = BP_PQ_INDEXES - 1; k >= 0; k--)
        if (c->index_at[k]) {
            int id = k == BP_PQ_OFFSET_INDEX ? 4 : 6;

            bp_thrift_put_i64(t, id, c->index_at[k]);
            bp_thrift_put_i32(t, id + 1, (int32_t)c->index_bytes[k]);
        }
    bp_thrift_close_struct(t);
    return 0;
}

/* SortingColumns: each row group is sorted, as the whole is. */
static void put_order(struct bp_thrift_out *t, const struct bp_pq_footer *f)
{
    if (!f->n_order)
        return;
    bp_thrift_open_list(t, 4, BP_THRIFT_STRUCT, (size_t)f->n_order);
    for (int i = 0; i < f->n_order; i++) {
        bp_thrift_open_element(t);
        bp_thrift_put_i32(t, 1, bp_pq_leaves_of(f->leaves, f->order[i].column));
        bp_thrift_put_bool(t, 2, f->order[i].desc);
        bp_thrift_put_bool(t, 3, f->order[i].nulls_first);
        bp_thrift_close_struct(t);
    }
}

static int put_group(struct bp_thrift_out *t, const struct bp_pq_footer *f, int g,
                     struct bp_buf *scratch, struct bp_err *err)
{
    const struct bp_pq_group_facts *group = &f->groups[g];
    int n = f->leaves->n;
    int64_t raw = 0, packed = 0;

    bp_thrift_open_element(t);
    bp_thrift_open_list(t, 1, BP_THRIFT_STRUCT, (size_t)n);
    for (int i = 0; i < n; i++) {
        BP_TRY(put_chunk_meta(t, f, i, &group->chunks[i], scratch, err));
        raw += group->chunks[i].raw_bytes;
        packed += group->chunks[i].n_bytes;
    }
    bp_thrift_put_i64(t, 2, raw);
    bp_thrift_put_i64(t, 3, group->n_rows);
    put_order(t, f);
    if (n)
        bp_thrift_put_i64(
            t, 5, group->chunks[0].dict_at ? group->chunks[0].dict_at : group->chunks[0].data_at);
    bp_thrift_put_i64(t, 6, packed);
    if (g <= INT16_MAX)
        bp_thrift_put_i16(t, 7, (int16_t)g);
    bp_thrift_close_struct(t);
    return 0;
}

static void put_meta(struct bp_thrift_out *t, const struct bp_schema *s)
{
    if (!s->n_meta)
        return;
    bp_thrift_open_list(t, 5, BP_THRIFT_STRUCT, (size_t)s->n_meta);
    for (int i = 0; i < s->n_meta; i++) {
        bp_thrift_open_element(t);
        bp_thrift_put_string(t, 1, s->meta[i].key);
        bp_thrift_put_string(t, 2, s->meta[i].value);
        bp_thrift_close_struct(t);
    }
}

static int put_footer(const struct bp_pq_footer *f, struct bp_buf *out, struct bp_buf *scratch,
                      struct bp_err *err)
{
    struct bp_thrift_out t;
    int64_t n_rows = 0;

    for (int g = 0; g < f->n_groups; g++)
        n_rows += f->groups[g].n_rows;
    bp_thrift_out_init(&t, out);
    bp_thrift_put_i32(&t, 1, VERSION);
    bp_pq_put_schema(&t, f->schema);
    bp_thrift_put_i64(&t, 3, n_rows);
    bp_thrift_open_list(&t, 4, BP_THRIFT_STRUCT, (size_t)f->n_groups);
    for (int g = 0; g < f->n_groups; g++)
        BP_TRY(put_group(&t, f, g, scratch, err));
    put_meta(&t, f->schema);
    bp_thrift_put_string(&t, 6, CREATED_BY);
    bp_thrift_open_list(&t, 7, BP_THRIFT_STRUCT, (size_t)f->leaves->n);
    for (int i = 0; i < f->leaves->n; i++) { /* ordered as the type defines */
        bp_thrift_open_element(&t);
        bp_thrift_open_struct(&t, 1);
        bp_thrift_close_struct(&t);
        bp_thrift_close_struct(&t);
    }
    return bp_thrift_finish(&t, err);
}

int bp_pq_footer_write(struct bp_pq_footer *f, struct bp_outfile *out, struct bp_err *err)
{
    struct bp_buf buf = {0}, scratch = {0};
    uint8_t tail[8] = {0, 0, 0, 0, 'P', 'A', 'R', '1'};
    uint32_t n;
    int rc;

    for (int k = 0; k < BP_PQ_INDEXES; k++)
        BP_GO(put_indexes(f, out, k, err));
    BP_GO(put_footer(f, &buf, &scratch, err));
    n = (uint32_t)buf.len;
    memcpy(tail, &n, sizeof n);
    BP_GO(bp_buf_append(&buf, tail, sizeof tail, err));
    rc = bp_outfile_write(out, buf.data, buf.len, err);
out:
    bp_buf_release(&buf);
    bp_buf_release(&scratch);
    return rc;
}
