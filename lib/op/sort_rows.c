/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ways go by blocks of rows that stay in the first-level cache while the
 * columns are walked.
 */
#include "op/sort_rows.h"

#include <string.h>

#include "col/narrow.h"
#include "col/text_size.h"

#define BLOCK 64 /* rows */
#define LINE_BYTES 64

/* The place of a text: its length, then as many bytes of it as the layout has room for, or, if
 * it is longer, its place in the heap. A code is where the length would be. */
#define LEN_BYTES 4u
#define INLINE_LEAST_BYTES 4u
#define INLINE_MOST_BYTES 16u

static size_t width_of(struct bp_type t)
{
    if (t.kind == BP_BOOL)
        return 1;
    return bp_type_is_bytes(t) ? LEN_BYTES + INLINE_LEAST_BYTES : bp_type_width_bytes(t);
}

/* Is it kept in the bytes its values need? Else in those of its type. */
static bool is_narrowed(struct bp_type t)
{
    return t.kind != BP_BOOL && !bp_type_is_bytes(t);
}

/* ---- layouts ---- */

size_t bp_sort_rows_row_bytes(const struct bp_sort_rows *r, size_t bytes)
{
    size_t whole = LINE_BYTES;

    bytes = (bytes + 7) & ~(size_t)7;
    while (whole / 2 >= bytes)
        whole /= 2;
    whole = (bytes + whole - 1) / whole * whole;
    return whole - bytes <= bytes / 3 && !r->packed ? whole : bytes;
}

/* Where the columns are in a row of these widths; the result is the bytes up to its end. */
static size_t place_columns(const uint8_t *widths, int n_cols, uint32_t *at)
{
    size_t bytes = bp_bits_bytes(n_cols);

    for (int c = 0; c < n_cols; c++) {
        at[c] = (uint32_t)bytes;
        bytes += widths[c];
    }
    return bytes;
}

/* The widths of cols become a layout, the last. */
static int add_layout(struct bp_sort_rows *r, struct bp_err *err)
{
    size_t n_cols = (size_t)r->n_cols;
    struct bp_sort_layout *l = bp_mem_grow(r->layouts, (size_t)r->n_layouts + 1, sizeof *l, err);

    if (!l)
        return err->code;
    r->layouts = l;
    l += r->n_layouts;
    l->widths = bp_mem_new(n_cols, 1, err);
    l->at = l->widths ? bp_mem_new(n_cols, sizeof *l->at, err) : NULL;
    if (!l->at) {
        bp_mem_free(l->widths);
        return err->code;
    }
    for (int c = 0; c < r->n_cols; c++)
        l->widths[c] = r->cols[c].width;
    l->row_bytes = bp_sort_rows_row_bytes(r, place_columns(l->widths, r->n_cols, l->at));
    r->n_layouts++;
    return 0;
}

/* What the place of a text takes: room for all texts of c, unless a heap for the longer ones
 * takes less. */
static size_t text_width(const struct bp_column *c)
{
    const int32_t *off = c->data;
    size_t most, heap;

    if (c->dict || !c->n_rows)
        return LEN_BYTES + INLINE_LEAST_BYTES;
    most = BP_MAX((size_t)bp_text_longest(off, c->n_rows), INLINE_LEAST_BYTES);
    heap = (size_t)bp_text_longer_bytes(off, c->n_rows, INLINE_LEAST_BYTES);
    most = (most + 3) & ~(size_t)3;
    if (most > INLINE_MOST_BYTES || (most - INLINE_LEAST_BYTES) * (size_t)c->n_rows > heap)
        most = INLINE_LEAST_BYTES;
    return LEN_BYTES + most;
}

/* Of the texts of c that have no room in a row. */
static int64_t long_text_bytes(const struct bp_column *c, size_t room)
{
    return c->n_rows ? bp_text_longer_bytes(c->data, c->n_rows, (int32_t)room) : 0;
}

int64_t bp_sort_rows_text_bytes(const struct bp_column *c, size_t *width)
{
    int64_t heap = 0;

    *width = BP_MAX(*width, text_width(c));
    if (!c->dict)
        heap = long_text_bytes(c, *width - LEN_BYTES);
    return c->n_rows * (int64_t)*width + heap;
}

static size_t width_for(const struct bp_column *c)
{
    if (is_narrowed(c->type))
        return bp_narrow_width(c);
    return bp_type_is_bytes(c->type) ? text_width(c) : width_of(c->type);
}

/* The last layout is wide enough for this chunk. */
static int widen(struct bp_sort_rows *r, const struct bp_batch *chunk, struct bp_err *err)
{
    bool wider = r->n_layouts == 0;

    for (int c = 0; c < r->n_cols; c++) {
        struct bp_sort_rows_col *col = &r->cols[c];
        size_t need = width_for(&chunk->cols[c]);

        if (need <= col->width)
            continue;
        col->width = (uint8_t)need;
        wider = true;
    }
    return wider ? add_layout(r, err) : 0;
}

int bp_sort_rows_open(struct bp_sort_rows *r, const struct bp_schema *schema, int64_t limit_bytes,
                      struct bp_err *err)
{
    memset(r, 0, sizeof *r);
    bp_slab_init(&r->slab, limit_bytes);
    r->cols = bp_mem_new((size_t)schema->n_fields, sizeof *r->cols, err);
    if (!r->cols)
        return err->code;
    r->n_cols = schema->n_fields;
    for (int c = 0; c < r->n_cols; c++)
        r->cols[c].type = schema->fields[c].type;
    return 0;
}

void bp_sort_rows_release(struct bp_sort_rows *r)
{
    for (int i = 0; i < r->n_chunks; i++) {
        struct bp_sort_rows_chunk *k = &r->chunks[i];

        bp_block_unref(k->heap);
        for (int c = 0; k->dicts && c < r->n_cols; c++)
            bp_dict_unref(k->dicts[c]);
        bp_mem_free(k->dicts);
    }
    for (int i = 0; i < r->n_layouts; i++) {
        bp_mem_free(r->layouts[i].widths);
        bp_mem_free(r->layouts[i].at);
    }
    bp_slab_release(&r->slab);
    bp_mem_free(r->layouts);
    bp_mem_free(r->chunks);
    bp_mem_free(r->cols);
    memset(r, 0, sizeof *r);
}

/* ---- columns to rows ---- */

/* The codes of a dictionary text have the first bytes of its place. */
static void put_numbers(const struct bp_column *c, size_t width, size_t row_bytes, int64_t from,
                        int64_t n, uint8_t *to)
{
    size_t wide = c->dict ? sizeof(int32_t) : bp_type_width_bytes(c->type);

    bp_narrow_put((const uint8_t *)c->data + (size_t)from * wide, wide, c->dict ? wide : width, n,
                  to, row_bytes);
}

static void put_bools(const struct bp_column *c, size_t row_bytes, int64_t from, int64_t n,
                      uint8_t *to)
{
    for (int64_t i = 0; i < n; i++, to += row_bytes)
        *to = bp_bit_get(c->data, from + i);
}

/* room: for bytes in a row. used[i]: where in the heap the next text of row i goes. */
static void put_texts(const struct bp_column *c, uint32_t room, size_t row_bytes, int64_t from,
                      int64_t n, uint8_t *to, uint8_t *heap, uint32_t *used)
{
    const int32_t *off = (const int32_t *)c->data + from;

    for (int64_t i = 0; i < n; i++, to += row_bytes) {
        uint32_t len = (uint32_t)(off[i + 1] - off[i]);

        memcpy(to, &len, LEN_BYTES);
        if (len > room) {
            memcpy(to + LEN_BYTES, &used[i], sizeof used[i]);
            memcpy(heap + used[i], c->bytes + off[i], len);
            used[i] += len;
        } else if (len) {
            memcpy(to + LEN_BYTES, c->bytes + off[i], len);
        }
    }
}

/* Bits of n rows; cells were all set to "present". */
static void put_nulls(const struct bp_column *c, int col, size_t row_bytes, int64_t from, int64_t n,
                      uint8_t *rows)
{
    for (int64_t i = 0; i < n; i++, rows += row_bytes)
        if (!bp_bit_get(c->valid, from + i))
            bp_bit_clear(rows, col);
}

/* Of text c in a row of this layout. */
static uint32_t room_of(const struct bp_sort_layout *l, int c)
{
    return l->widths[c] - LEN_BYTES;
}

/* Adds to bytes[i] what the texts of row from + i take in the heap. */
static void add_heap_bytes(const struct bp_column *c, uint32_t room, int64_t from, int64_t n,
                           int64_t *bytes)
{
    const int32_t *off = (const int32_t *)c->data + from;

    for (int64_t i = 0; i < n; i++)
        bytes[i] += off[i + 1] - off[i] > (int64_t)room ? off[i + 1] - off[i] : 0;
}

/* Where in the heap the texts of n rows begin, those of a row side by side; the result is behind
 * them. */
static int64_t place_texts(const struct bp_sort_layout *l, int n_cols, const struct bp_batch *chunk,
                           int64_t from, int64_t n, int64_t used, uint32_t *at)
{
    int64_t bytes[BLOCK] = {0};

    for (int c = 0; c < n_cols; c++)
        if (bp_type_is_bytes(chunk->cols[c].type) && !chunk->cols[c].dict)
            add_heap_bytes(&chunk->cols[c], room_of(l, c), from, n, bytes);
    for (int64_t i = 0; i < n; i++) {
        at[i] = (uint32_t)used;
        used += bytes[i];
    }
    return used;
}

/* Bytes of texts that are not inline, over all columns of the chunk. */
static int64_t heap_bytes(const struct bp_sort_rows *r, const struct bp_batch *chunk)
{
    const struct bp_sort_layout *l = &r->layouts[r->n_layouts - 1];
    int64_t sum = 0;

    for (int c = 0; c < r->n_cols; c++)
        if (bp_type_is_bytes(chunk->cols[c].type) && !chunk->cols[c].dict)
            sum += long_text_bytes(&chunk->cols[c], room_of(l, c));
    return sum;
}

void bp_sort_rows_put(const struct bp_sort_rows_put *put, const struct bp_batch *chunk)
{
    const struct bp_sort_layout *l = &put->layout;
    uint32_t at[BLOCK];
    int64_t used = 0;

    for (int64_t from = 0; from < chunk->n_rows; from += BLOCK) {
        int64_t n = BP_MIN(chunk->n_rows - from, BLOCK);
        uint8_t *rows = put->rows + (size_t)from * l->row_bytes;

        for (int64_t i = 0; i < n; i++)
            memset(rows + (size_t)i * l->row_bytes, 0xff, bp_bits_bytes(put->n_cols));
        used = place_texts(l, put->n_cols, chunk, from, n, used, at);
        for (int c = 0; c < put->n_cols; c++) {
            const struct bp_column *col = &chunk->cols[c];
            uint8_t *to = rows + l->at[c];

            if (col->n_nulls)
                put_nulls(col, c, l->row_bytes, from, n, rows);
            if (col->type.kind == BP_BOOL)
                put_bools(col, l->row_bytes, from, n, to);
            else if (bp_type_is_bytes(col->type) && !col->dict)
                put_texts(col, room_of(l, c), l->row_bytes, from, n, to, put->heap, at);
            else
                put_numbers(col, l->widths[c], l->row_bytes, from, n, to);
        }
    }
}

static int note_columns(struct bp_sort_rows *r, const struct bp_batch *chunk,
                        struct bp_sort_rows_chunk *out, struct bp_err *err)
{
    for (int c = 0; c < r->n_cols; c++) {
        struct bp_sort_rows_col *col = &r->cols[c];
        struct bp_dict *dict = chunk->cols[c].dict;

        col->has_nulls |= chunk->cols[c].n_nulls > 0;
        col->has_plain |= !dict;
        if (!dict)
            continue;
        if (!out->dicts) {
            out->dicts = bp_mem_new((size_t)r->n_cols, sizeof(struct bp_dict *), err);
            if (!out->dicts)
                return err->code;
        }
        out->dicts[c] = bp_dict_ref(dict);
        col->many_dicts |= col->dict && col->dict != dict;
        col->dict = dict;
    }
    return 0;
}

int bp_sort_rows_begin(struct bp_sort_rows *r, const struct bp_batch *chunk,
                       struct bp_sort_rows_put *put, struct bp_err *err)
{
    struct bp_sort_rows_chunk *out;
    int64_t heap;

    BP_TRY(widen(r, chunk, err));
    heap = heap_bytes(r, chunk);
    if (r->n_chunks == r->cap_chunks) {
        int want = r->cap_chunks ? r->cap_chunks * 2 : 64;
        struct bp_sort_rows_chunk *bigger =
            bp_mem_grow(r->chunks, (size_t)want, sizeof *bigger, err);

        if (!bigger)
            return err->code;
        r->chunks = bigger;
        r->cap_chunks = want;
    }
    if (heap > UINT32_MAX)
        return bp_fail(err, BP_EDATA, "more than 4 GiB of text in %lld rows",
                       (long long)chunk->n_rows);
    out = &r->chunks[r->n_chunks++];
    *out = (struct bp_sort_rows_chunk){.n_rows = chunk->n_rows, .layout = r->n_layouts - 1};
    BP_TRY(bp_slab_take(&r->slab, (size_t)bp_sort_rows_bytes(r, r->n_chunks - 1), &out->rows, err));
    if (heap)
        BP_TRY(bp_block_new(&out->heap, (size_t)heap, err));
    BP_TRY(note_columns(r, chunk, out, err));
    *put = (struct bp_sort_rows_put){.layout = r->layouts[out->layout],
                                     .rows = out->rows,
                                     .heap = out->heap ? out->heap->data : NULL,
                                     .n_cols = r->n_cols};
    return 0;
}

int bp_sort_rows_add(struct bp_sort_rows *r, const struct bp_batch *chunk, struct bp_err *err)
{
    struct bp_sort_rows_put put;

    BP_TRY(bp_sort_rows_begin(r, chunk, &put, err));
    bp_sort_rows_put(&put, chunk);
    return 0;
}

/* ---- rows to columns ---- */

struct gather {
    const struct bp_sort_rows *r;
    const uint64_t *refs;
    int64_t n;
    struct bp_batch *out;
    bool *texts;     /* [n_cols]: comes out as plain text */
    size_t *n_bytes; /* [n_cols]: of texts so far */
};

static const struct bp_sort_layout *layout_of(const struct bp_sort_rows *r, uint64_t ref)
{
    return &r->layouts[r->chunks[ref >> 32].layout];
}

static const uint8_t *row_at(const struct bp_sort_rows *r, uint64_t ref)
{
    return r->chunks[ref >> 32].rows + (size_t)(uint32_t)ref * layout_of(r, ref)->row_bytes;
}

static bool keeps_dict(const struct bp_sort_rows_col *col)
{
    return col->dict && !col->many_dicts && !col->has_plain;
}

static void get_numbers(const uint8_t *const rows[], size_t at, size_t narrow, size_t wide,
                        int64_t from, int64_t n, uint8_t *vals)
{
    bp_narrow_get(rows, at, narrow, wide, n, vals + (size_t)from * wide);
}

static void get_bools(const uint8_t *const rows[], size_t at, int64_t from, int64_t n,
                      uint8_t *bits)
{
    for (int64_t i = 0; i < n; i++)
        bp_bit_put(bits, from + i, rows[i][at]);
}

static int64_t get_valid(const uint8_t *const rows[], int col, int64_t from, int64_t n,
                         uint8_t *bits)
{
    int64_t n_valid = 0;

    for (int64_t i = 0; i < n; i++) {
        bool ok = bp_bit_get(rows[i], col);

        bp_bit_put(bits, from + i, ok);
        n_valid += ok;
    }
    return n - n_valid;
}

/* The bytes of the text at p, of which len is told. */
static const uint8_t *text_at(const struct bp_sort_rows_chunk *k, const uint8_t *p, uint32_t room,
                              uint32_t len)
{
    uint32_t at;

    if (len <= room)
        return p + LEN_BYTES;
    memcpy(&at, p + LEN_BYTES, sizeof at);
    return k->heap->data + at;
}

/* Where texts of n rows are, and how long. Those of a heap are on their way then. */
static int64_t find_texts(const struct gather *g, int col, uint32_t room,
                          const uint8_t *const places[], int64_t from, int64_t n, const uint8_t **p,
                          uint32_t *len)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++) {
        const struct bp_sort_rows_chunk *k = &g->r->chunks[g->refs[from + i] >> 32];
        uint32_t word;

        memcpy(&word, places[i], sizeof word);
        if (k->dicts && k->dicts[col]) {
            size_t bytes = 0;

            p[i] = NULL;
            if (!g->out->cols[col].own[0] || bp_bit_get(g->out->cols[col].own[0]->data, from + i))
                p[i] = bp_column_bytes(&k->dicts[col]->values, (int32_t)word, &bytes);
            len[i] = (uint32_t)bytes;
        } else {
            p[i] = text_at(k, places[i], room, word);
            len[i] = word;
            if (word > room)
                __builtin_prefetch(p[i]);
        }
        sum += len[i];
    }
    return sum;
}

static int get_texts(struct gather *g, int col, const struct bp_sort_layout *l,
                     const uint8_t *const rows[], int64_t from, int64_t n, struct bp_err *err)
{
    struct bp_column *out = &g->out->cols[col];
    int32_t *off = (int32_t *)(void *)out->own[1]->data + from;
    const uint8_t *places[BLOCK], *p[BLOCK];
    uint32_t len[BLOCK];
    size_t used = g->n_bytes[col];
    int64_t sum;
    uint8_t *to;

    for (int64_t i = 0; i < n; i++)
        places[i] = rows[i] + l->at[col];
    sum = find_texts(g, col, room_of(l, col), places, from, n, p, len);
    if ((int64_t)used + sum > INT32_MAX)
        return bp_fail(err, BP_EDATA, "more than 2 GiB of text in one batch of a column");
    BP_TRY(bp_block_grow(&out->own[2], used, used + (size_t)sum, err));
    to = out->own[2]->data + used;
    for (int64_t i = 0; i < n; i++) {
        if (len[i])
            memcpy(to, p[i], len[i]);
        to += len[i];
        off[i + 1] = (int32_t)(to - out->own[2]->data);
    }
    g->n_bytes[col] = used + (size_t)sum;
    return 0;
}

/* Rows of one layout. */
static int get_block(struct gather *g, const struct bp_sort_layout *l, const uint8_t *const rows[],
                     int64_t from, int64_t n, struct bp_err *err)
{
    for (int c = 0; c < g->r->n_cols; c++) {
        const struct bp_sort_rows_col *col = &g->r->cols[c];
        struct bp_column *out = &g->out->cols[c];

        if (out->own[0])
            out->n_nulls += get_valid(rows, c, from, n, out->own[0]->data);
        if (col->type.kind == BP_BOOL)
            get_bools(rows, l->at[c], from, n, out->own[1]->data);
        else if (g->texts[c])
            BP_TRY(get_texts(g, c, l, rows, from, n, err));
        else if (keeps_dict(col))
            get_numbers(rows, l->at[c], sizeof(int32_t), sizeof(int32_t), from, n,
                        out->own[1]->data);
        else
            get_numbers(rows, l->at[c], l->widths[c], width_of(col->type), from, n,
                        out->own[1]->data);
    }
    return 0;
}

static void prefetch_row(const struct bp_sort_rows *r, uint64_t ref)
{
    const uint8_t *row = row_at(r, ref);
    size_t bytes = layout_of(r, ref)->row_bytes;

    for (size_t b = 0; b < bytes; b += LINE_BYTES)
        __builtin_prefetch(row + b);
    __builtin_prefetch(row + bytes - 1);
}

/* Rows refs[from, from + n), by stretches of one layout: mostly one, since widths are found in
 * the first chunks. */
static int get_stretches(struct gather *g, const uint8_t *const rows[], int64_t from, int64_t n,
                         struct bp_err *err)
{
    for (int64_t i = 0, k; i < n; i = k) {
        const struct bp_sort_layout *l = layout_of(g->r, g->refs[from + i]);

        for (k = i + 1; k < n && layout_of(g->r, g->refs[from + k]) == l; k++)
            ;
        BP_TRY(get_block(g, l, rows + i, from + i, k - i, err));
    }
    return 0;
}

static int get_rows(struct gather *g, struct bp_err *err)
{
    const uint8_t *rows[BLOCK];

    for (int64_t i = 0; i < BP_MIN(g->n, BLOCK); i++)
        prefetch_row(g->r, g->refs[i]);
    for (int64_t from = 0; from < g->n; from += BLOCK) {
        int64_t n = BP_MIN(g->n - from, BLOCK);

        for (int64_t i = 0; i < n; i++) {
            if (from + BLOCK + i < g->n)
                prefetch_row(g->r, g->refs[from + BLOCK + i]);
            rows[i] = row_at(g->r, g->refs[from + i]);
        }
        BP_TRY(get_stretches(g, rows, from, n, err));
    }
    return 0;
}

static int open_column(struct gather *g, int col, struct bp_err *err)
{
    const struct bp_sort_rows_col *from = &g->r->cols[col];
    struct bp_column *out = &g->out->cols[col];
    bool dict = keeps_dict(from), text = bp_type_is_bytes(from->type) && !dict;
    size_t n = (size_t)g->n, bytes = n * width_of(from->type);

    out->type = from->type;
    out->n_rows = g->n;
    if (from->has_nulls) {
        BP_TRY(bp_block_new(&out->own[0], bp_bits_bytes(g->n), err));
        memset(out->own[0]->data, 0, bp_bits_bytes(g->n));
        out->valid = out->own[0]->data;
    }
    g->texts[col] = text;
    if (text) {
        bytes = (n + 1) * sizeof(int32_t);
        BP_TRY(bp_block_new(&out->own[2], 1, err));
    } else if (from->type.kind == BP_BOOL) {
        bytes = bp_bits_bytes(g->n);
    } else if (dict) {
        bytes = n * sizeof(int32_t);
        out->dict = bp_dict_ref(from->dict);
    }
    BP_TRY(bp_block_new(&out->own[1], bytes, err));
    if (from->type.kind == BP_BOOL)
        memset(out->own[1]->data, 0, bytes);
    if (text)
        *(int32_t *)(void *)out->own[1]->data = 0;
    out->data = out->own[1]->data;
    return 0;
}

int bp_sort_rows_gather(const struct bp_sort_rows *r, const uint64_t *refs, int64_t n,
                        struct bp_batch *out, struct bp_err *err)
{
    struct gather g = {.r = r, .refs = refs, .n = n, .out = out};
    int rc = 0;

    BP_TRY(bp_batch_init(out, r->n_cols, err));
    g.texts = bp_mem_new((size_t)r->n_cols, sizeof *g.texts, err);
    g.n_bytes = g.texts ? bp_mem_new((size_t)r->n_cols, sizeof *g.n_bytes, err) : NULL;
    if (!g.n_bytes) {
        rc = err->code;
        goto out;
    }
    for (int c = 0; c < r->n_cols; c++)
        BP_GO(open_column(&g, c, err));
    BP_GO(get_rows(&g, err));
    for (int c = 0; c < r->n_cols; c++)
        if (g.texts[c])
            out->cols[c].bytes = out->cols[c].own[2]->data;
    for (int c = 0; c < r->n_cols; c++) /* no null among these rows */
        if (out->cols[c].own[0] && !out->cols[c].n_nulls) {
            bp_block_unref(out->cols[c].own[0]);
            out->cols[c].own[0] = NULL;
            out->cols[c].valid = NULL;
        }
    out->n_rows = n;
out:
    bp_mem_free(g.texts);
    bp_mem_free(g.n_bytes);
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}
