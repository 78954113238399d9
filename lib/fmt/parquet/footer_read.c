/* SPDX-License-Identifier: Apache-2.0 */
/* The footer: FileMetaData, RowGroup, ColumnChunk, ColumnMetaData, Statistics. */
#include "fmt/parquet/format.h"

#include <string.h>

#include "base/mem.h"
#include "fmt/parquet/thrift.h"

#define TAIL_BYTES 8
#define FOOTER_MAX_BYTES ((int64_t)1 << 30)

static char *text(struct bp_pq_file *f, struct bp_thrift *t, int type, struct bp_err *err)
{
    size_t n;
    const uint8_t *p = bp_thrift_bytes(t, type, &n);

    return bp_arena_strn(&f->arena, (const char *)p, n, err);
}

/* ---- statistics ---- */

static void read_stats(struct bp_thrift *t, const struct bp_pq_column *c, struct bp_pq_stats *s)
{
    struct bp_thrift_fields f = {0};
    const uint8_t *old_min = NULL, *old_max = NULL;
    size_t old_min_bytes = 0, old_max_bytes = 0;

    while (bp_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: old_max = bp_thrift_bytes(t, f.type, &old_max_bytes); break;
        case 2: old_min = bp_thrift_bytes(t, f.type, &old_min_bytes); break;
        case 3: s->n_nulls = bp_thrift_int(t, f.type); break;
        case 5: s->max = bp_thrift_bytes(t, f.type, &s->max_bytes); break;
        case 6: s->min = bp_thrift_bytes(t, f.type, &s->min_bytes); break;
        default: bp_thrift_skip(t, f.type);
        }
    }
    /* The old fields were compared as signed bytes by some writers: they are right for
     * signed numbers alone. */
    if (!s->min && !s->max && !c->is_unsigned && c->physical != BP_PQ_BYTES &&
        c->physical != BP_PQ_FIXED && c->physical != BP_PQ_INT96) {
        s->min = old_min, s->min_bytes = old_min_bytes;
        s->max = old_max, s->max_bytes = old_max_bytes;
    }
}

/* ---- chunks ---- */

struct chunk_facts {
    int64_t data_page, dict_page, compressed_bytes;
    int type;
    bool plain, dictionary;    /* among the encodings */
    bool counted, other_pages; /* encoding_stats are there; name pages that are not */
};

static void read_encodings(struct bp_thrift *t, int type, struct chunk_facts *k)
{
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    for (size_t i = 0; i < n && !t->bad; i++) {
        int64_t e = bp_thrift_int(t, element);

        if (e == BP_PQ_PLAIN_DICTIONARY || e == BP_PQ_RLE_DICTIONARY)
            k->dictionary = true;
        else if (e != BP_PQ_RLE && e != BP_PQ_BIT_PACKED)
            k->plain = true;
    }
}

/* PageEncodingStats: which encodings data pages have. */
static void read_page_counts(struct bp_thrift *t, int type, struct chunk_facts *k)
{
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    for (size_t i = 0; i < n && !t->bad; i++) {
        struct bp_thrift_fields f = {0};
        int64_t page = -1, encoding = -1, count = 0;

        while (bp_thrift_next(t, &f)) {
            int64_t v = bp_thrift_int(t, f.type);

            if (f.id == 1)
                page = v;
            else if (f.id == 2)
                encoding = v;
            else if (f.id == 3)
                count = v;
        }
        if ((page != BP_PQ_DATA_PAGE && page != BP_PQ_DATA_PAGE_V2) || count <= 0)
            continue;
        k->counted = true; /* a list that counts no data page tells nothing of them */
        k->other_pages |= encoding != BP_PQ_PLAIN_DICTIONARY && encoding != BP_PQ_RLE_DICTIONARY;
    }
}

static void read_chunk_meta(struct bp_thrift *t, const struct bp_pq_column *c,
                            struct bp_pq_chunk *out, struct chunk_facts *k)
{
    struct bp_thrift_fields f = {0};

    while (bp_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: k->type = (int)bp_thrift_int(t, f.type); break;
        case 2: read_encodings(t, f.type, k); break;
        case 4: out->codec = (int)bp_thrift_int(t, f.type); break;
        case 5: out->n_values = bp_thrift_int(t, f.type); break;
        case 6: out->raw_bytes = bp_thrift_int(t, f.type); break;
        case 7: k->compressed_bytes = bp_thrift_int(t, f.type); break;
        case 9: k->data_page = bp_thrift_int(t, f.type); break;
        case 11: k->dict_page = bp_thrift_int(t, f.type); break;
        case 12: read_stats(t, c, &out->stats); break;
        case 13: read_page_counts(t, f.type, k); break;
        case 14: out->bloom = bp_thrift_int(t, f.type); break;
        default: bp_thrift_skip(t, f.type);
        }
    }
}

/* Where the pages lie. Some old writers leave the dictionary's offset out or 0. */
static int place_chunk(const struct bp_pq_file *file, const struct bp_pq_column *c,
                       const struct chunk_facts *k, struct bp_pq_chunk *out, struct bp_err *err)
{
    int64_t size = file->in.size_bytes;

    out->from = out->to = 4;
    if (out->n_values == 0) /* writers give any place; nothing is read there */
        return 0;
    out->from = k->data_page;
    if (k->dict_page > 0 && k->dict_page < out->from)
        out->from = k->dict_page;
    if (k->type != (int)c->physical)
        return bp_fail(err, BP_EDATA, "column %s: the chunk has physical type %d, the schema %d",
                       c->name, k->type, (int)c->physical);
    if (out->n_values < 0 || k->compressed_bytes < 0 || out->from < 4 || out->from > size ||
        k->compressed_bytes > size - out->from)
        return bp_fail(err, BP_EDATA,
                       "column %s: its chunk (%lld bytes from %lld) lies outside of the file",
                       c->name, (long long)k->compressed_bytes, (long long)out->from);
    out->to = out->from + k->compressed_bytes;
    out->has_dict = k->dictionary;
    out->all_dict = k->dictionary && (k->counted ? !k->other_pages : !k->plain);
    return 0;
}

static int read_chunk(struct bp_pq_file *file, struct bp_thrift *t, const struct bp_pq_column *c,
                      struct bp_pq_chunk *out, struct bp_err *err)
{
    struct bp_thrift_fields f = {0};
    struct chunk_facts k = {.type = -1};
    bool have_meta = false, elsewhere = false;
    size_t n;

    out->stats.n_nulls = -1;
    while (bp_thrift_next(t, &f)) {
        switch (f.id) {
        case 1:
            (void)bp_thrift_bytes(t, f.type, &n);
            elsewhere = n > 0;
            break;
        case 3:
            read_chunk_meta(t, c, out, &k);
            have_meta = true;
            break;
        case 4: out->offset_index = bp_thrift_int(t, f.type); break;
        case 5: out->offset_index_bytes = bp_thrift_int(t, f.type); break;
        case 6: out->column_index = bp_thrift_int(t, f.type); break;
        case 7: out->column_index_bytes = bp_thrift_int(t, f.type); break;
        case 8:
            return bp_fail(err, BP_EDATA, "column %s is encrypted, which is not read here",
                           c->name);
        default: bp_thrift_skip(t, f.type);
        }
    }
    if (t->bad)
        return bp_fail(err, BP_EDATA, "the footer is damaged: %s", t->bad);
    if (elsewhere)
        return bp_fail(err, BP_EDATA, "column %s lies in another file, which is not read here",
                       c->name);
    if (!have_meta)
        return bp_fail(err, BP_EDATA, "column %s: a chunk has no metadata", c->name);
    return place_chunk(file, c, &k, out, err);
}

/* ---- row groups ---- */

static int read_chunks(struct bp_pq_file *file, struct bp_thrift *t, int type,
                       struct bp_pq_group *g, struct bp_err *err)
{
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    if (t->bad || n != (size_t)file->n_columns || element != BP_THRIFT_STRUCT)
        return bp_fail(err, BP_EDATA, "a row group has %zu columns, the schema %d", n,
                       file->n_columns);
    g->chunks = bp_arena_alloc(&file->arena, (n + 1) * sizeof *g->chunks, err);
    if (!g->chunks)
        return err->code;
    for (size_t i = 0; i < n; i++)
        BP_TRY(read_chunk(file, t, &file->columns[i], &g->chunks[i], err));
    return 0;
}

static int read_group(struct bp_pq_file *file, struct bp_thrift *t, struct bp_pq_group *g,
                      struct bp_err *err)
{
    struct bp_thrift_fields f = {0};

    g->n_rows = -1;
    while (bp_thrift_next(t, &f)) {
        if (f.id == 1)
            BP_TRY(read_chunks(file, t, f.type, g, err));
        else if (f.id == 3)
            g->n_rows = bp_thrift_int(t, f.type);
        else
            bp_thrift_skip(t, f.type);
    }
    if (t->bad)
        return bp_fail(err, BP_EDATA, "the footer is damaged: %s", t->bad);
    if (g->n_rows < 0 || g->n_rows > INT64_MAX / 2 - file->n_rows ||
        (!g->chunks && file->n_columns))
        return bp_fail(err, BP_EDATA, "a row group without its rows or columns");
    for (int i = 0; i < file->n_columns; i++)
        if (file->columns[i].max_rep ? g->chunks[i].n_values < g->n_rows
                                     : g->chunks[i].n_values != g->n_rows)
            return bp_fail(err, BP_EDATA, "column %s has %lld values in a row group of %lld rows",
                           file->columns[i].name, (long long)g->chunks[i].n_values,
                           (long long)g->n_rows);
    g->first_row = file->n_rows;
    file->n_rows += g->n_rows;
    return 0;
}

static int read_groups(struct bp_pq_file *file, struct bp_thrift *t, int type, struct bp_err *err)
{
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    if (!file->columns)
        return bp_fail(err, BP_EDATA, "the footer gives row groups before the schema");
    file->groups = bp_arena_alloc(&file->arena, (n + 1) * sizeof *file->groups, err);
    if (!file->groups)
        return err->code;
    for (size_t i = 0; i < n; i++)
        BP_TRY(read_group(file, t, &file->groups[file->n_groups++], err));
    return 0;
}

static int read_meta(struct bp_pq_file *file, struct bp_thrift *t, int type, struct bp_err *err)
{
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    file->meta = bp_arena_alloc(&file->arena, (n + 1) * sizeof *file->meta, err);
    if (!file->meta)
        return err->code;
    for (size_t i = 0; i < n && !t->bad; i++) {
        struct bp_meta *m = &file->meta[file->n_meta];
        struct bp_thrift_fields f = {0};

        while (bp_thrift_next(t, &f)) {
            if (f.id == 1 && !(m->key = text(file, t, f.type, err)))
                return err->code;
            if (f.id == 2 && !(m->value = text(file, t, f.type, err)))
                return err->code;
            if (f.id > 2)
                bp_thrift_skip(t, f.type);
        }
        if (m->key && m->value)
            file->n_meta++;
    }
    return 0;
}

static int read_footer(struct bp_pq_file *file, struct bp_thrift *t, struct bp_err *err)
{
    struct bp_thrift_fields f = {0};
    int64_t claimed = -1;

    while (bp_thrift_next(t, &f)) {
        switch (f.id) {
        case 2: BP_TRY(bp_pq_read_schema(file, t, f.type, err)); break;
        case 3: claimed = bp_thrift_int(t, f.type); break;
        case 4: BP_TRY(read_groups(file, t, f.type, err)); break;
        case 5: BP_TRY(read_meta(file, t, f.type, err)); break;
        case 6:
            file->created_by = text(file, t, f.type, err);
            if (!file->created_by)
                return err->code;
            break;
        case 8: return bp_fail(err, BP_EDATA, "the file is encrypted, which is not read here");
        default: bp_thrift_skip(t, f.type);
        }
    }
    if (t->bad)
        return bp_fail(err, BP_EDATA, "the footer is damaged: %s", t->bad);
    if (!file->columns)
        return bp_fail(err, BP_EDATA, "the footer has no schema");
    if (claimed != file->n_rows)
        return bp_fail(err, BP_EDATA, "the footer counts %lld rows, its row groups %lld",
                       (long long)claimed, (long long)file->n_rows);
    return 0;
}

/* ---- the file ---- */

/* Magic, length, footer: into file->footer. */
static int load_footer(struct bp_pq_file *file, int64_t *n_bytes, struct bp_err *err)
{
    int64_t size = file->in.size_bytes;
    uint8_t tail[TAIL_BYTES];
    size_t got;
    uint32_t n;

    if (size < 12)
        return bp_fail(err, BP_EDATA, "it has %lld bytes: too few for a Parquet file",
                       (long long)size);
    BP_TRY(bp_input_read_at(&file->in, tail, sizeof tail, size - TAIL_BYTES, &got, err));
    if (got == sizeof tail && memcmp(tail + 4, "PARE", 4) == 0)
        return bp_fail(err, BP_EDATA, "the file is encrypted, which is not read here");
    if (got != sizeof tail || memcmp(tail + 4, "PAR1", 4) != 0)
        return bp_fail(err, BP_EDATA,
                       "it does not end as a Parquet file does: it was cut, or "
                       "is still being written");
    n = bp_load_u32(tail);
    if (n > FOOTER_MAX_BYTES || n > size - 12)
        return bp_fail(err, BP_EDATA, "its footer claims %u bytes of a file of %lld", n,
                       (long long)size);
    file->footer = bp_mem_new((size_t)n + 1, 1, err);
    if (!file->footer)
        return err->code;
    BP_TRY(bp_input_read_at(&file->in, file->footer, n, size - TAIL_BYTES - n, &got, err));
    if (got != n)
        return bp_fail(err, BP_EDATA, "the file became shorter while it was read");
    *n_bytes = n;
    return 0;
}

int bp_pq_file_open(struct bp_pq_file **out, struct bp_input *in, struct bp_err *err)
{
    struct bp_pq_file *f = bp_mem_new(1, sizeof *f, err);
    struct bp_thrift t;
    int64_t n = 0;
    int rc;

    *out = NULL;
    if (!f) {
        bp_input_close(in);
        return err->code;
    }
    bp_input_move(&f->in, in);
    rc = load_footer(f, &n, err);
    if (rc == 0) {
        t = (struct bp_thrift){.p = f->footer, .end = f->footer + n};
        rc = read_footer(f, &t, err);
    }
    if (rc < 0) {
        bp_err_prefix(err, "%s", f->in.name);
        bp_pq_file_free(f);
        return rc;
    }
    *out = f;
    return 0;
}

void bp_pq_file_free(struct bp_pq_file *f)
{
    if (!f)
        return;
    bp_input_close(&f->in);
    bp_arena_release(&f->arena);
    bp_mem_free(f->footer);
    bp_mem_free(f);
}

const char *bp_pq_file_meta(const struct bp_pq_file *f, const char *key)
{
    for (int i = 0; i < f->n_meta; i++)
        if (strcmp(f->meta[i].key, key) == 0)
            return f->meta[i].value;
    return NULL;
}
