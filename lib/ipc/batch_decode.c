/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record batch's buffers as columns. Nothing is believed: every buffer is
 * checked against the body, every offset and code against what it points into,
 * text for UTF-8, null counts against the bitmap. What is as we hold it stays
 * where it is, and the columns share the body's block; the rest is converted
 * into blocks of its own (values.c, bytes.c, codes.c).
 */
#include "ipc/batch_read.h"

#include <string.h>

static int damaged(struct bp_err *err, const char *what)
{
    return bp_fail(err, BP_EDATA, "%s", what);
}

/* ---- buffers ---- */

/* A compressed buffer: int64 length when unpacked, -1: not packed. */
static int unpack(struct bp_ipc_reading *r, struct bp_ipc_bytes *b, struct bp_err *err)
{
    int64_t n;

    if (b->n == 0)
        return 0;
    if (b->n < 8)
        return damaged(err, "a compressed buffer is too short for its length");
    n = (int64_t)bp_load_u64(b->p);
    b->p += 8;
    b->n -= 8;
    if (n == -1)
        return 0;
    if (n < 0)
        return damaged(err, "a compressed buffer has a negative length");
    BP_TRY(bp_ipc_decompress(r->records->codec, b->p, (size_t)b->n, n, &b->block, err));
    b->p = b->block->data;
    b->n = n;
    b->is_own = true;
    return 0;
}

int bp_ipc_take_buffer(struct bp_ipc_reading *r, struct bp_ipc_bytes *out, struct bp_err *err)
{
    struct bp_ipc_buffer b;

    if (r->next_buffer >= r->records->buffers.n)
        return damaged(err, "a batch has fewer buffers than its columns need");
    memcpy(&b, r->records->buffers.p + r->next_buffer * sizeof b, sizeof b);
    r->next_buffer++;
    if (b.offset < 0 || b.n_bytes < 0 || b.offset > r->body->n_bytes ||
        b.n_bytes > r->body->n_bytes - b.offset)
        return damaged(err, "a buffer lies outside its batch's body");
    *out = (struct bp_ipc_bytes){.n = b.n_bytes, .block = r->body->block};
    out->p = b.n_bytes ? r->body->block->data + b.offset : bp_ipc_zeros;
    if (r->records->codec != FB_CODEC_NONE)
        BP_TRY(unpack(r, out, err));
    return 0;
}

struct bp_block *bp_ipc_bytes_keep(struct bp_ipc_bytes *b)
{
    struct bp_block *block = b->block;

    if (b->is_own) {
        b->block = NULL;
        return block;
    }
    return b->n ? bp_block_ref(block) : NULL;
}

void bp_ipc_bytes_drop(struct bp_ipc_bytes *b)
{
    if (b->is_own)
        bp_block_unref(b->block);
    b->block = NULL;
}

const uint8_t bp_ipc_zeros[128] __attribute__((aligned(64)));

int bp_ipc_bytes_align(struct bp_ipc_bytes *b, size_t align, struct bp_err *err)
{
    struct bp_block *block;

    if (((uintptr_t)b->p & (align - 1)) == 0)
        return 0;
    BP_TRY(bp_block_new(&block, (size_t)b->n, err));
    memcpy(block->data, b->p, (size_t)b->n);
    bp_ipc_bytes_drop(b);
    *b = (struct bp_ipc_bytes){.p = block->data, .n = b->n, .block = block, .is_own = true};
    return 0;
}

/* ---- validity ---- */

static int read_validity(struct bp_ipc_reading *r, const struct bp_ipc_node *node,
                         struct bp_column *c, struct bp_err *err)
{
    struct bp_ipc_bytes b;
    int64_t n_nulls = 0;

    BP_TRY(bp_ipc_take_buffer(r, &b, err));
    if (b.n > 0) {
        if ((uint64_t)b.n < bp_bits_bytes(c->n_rows)) {
            bp_ipc_bytes_drop(&b);
            return damaged(err, "a validity buffer is shorter than its rows");
        }
        n_nulls = c->n_rows - bp_bits_count(b.p, c->n_rows);
    }
    if (node->n_nulls != n_nulls && node->n_nulls != -1) {
        bp_ipc_bytes_drop(&b);
        return bp_fail(err, BP_EDATA, "%lld nulls are claimed, there are %lld",
                       (long long)node->n_nulls, (long long)n_nulls);
    }
    c->n_nulls = n_nulls;
    if (n_nulls) {
        c->valid = b.p;
        c->own[0] = bp_ipc_bytes_keep(&b);
    }
    bp_ipc_bytes_drop(&b);
    return 0;
}

/* ---- one column ---- */

static int read_fixed(struct bp_ipc_reading *r, const struct bp_ipc_field *f, struct bp_column *c,
                      struct bp_err *err)
{
    bool as_is =
        f->convert == BP_IPC_AS_IS || (f->convert == BP_IPC_DECIMAL128 && r->body->is_handed);
    int32_t width = as_is ? (int32_t)bp_type_width_bytes(f->type) : f->width;
    struct bp_ipc_bytes b;
    int rc;

    BP_TRY(bp_ipc_take_buffer(r, &b, err));
    if (b.n / width < c->n_rows)
        rc = damaged(err, "a buffer of values is shorter than its rows");
    else if (!as_is)
        rc = bp_ipc_convert_values(f, &b, c, err);
    else if ((rc = bp_ipc_bytes_align(&b, 16, err)) == 0) {
        c->data = b.p;
        c->own[1] = bp_ipc_bytes_keep(&b);
        rc = bp_ipc_clean_values(c, (size_t)width, err);
    }
    if (rc == 0 && bp_type_is_decimal64(f->type) && !r->body->is_handed)
        rc = bp_ipc_check_decimals(c, err);
    bp_ipc_bytes_drop(&b);
    return rc;
}

static int read_bits(struct bp_ipc_reading *r, struct bp_column *c, struct bp_err *err)
{
    struct bp_ipc_bytes b;
    int rc = 0;

    BP_TRY(bp_ipc_take_buffer(r, &b, err));
    if ((uint64_t)b.n < bp_bits_bytes(c->n_rows)) {
        rc = damaged(err, "a buffer of booleans is shorter than its rows");
    } else {
        c->data = b.p;
        c->own[1] = bp_ipc_bytes_keep(&b);
        rc = bp_ipc_clean_bits(c, err);
    }
    bp_ipc_bytes_drop(&b);
    return rc;
}

static int read_offsets(struct bp_ipc_reading *r, const struct bp_ipc_field *f, struct bp_column *c,
                        struct bp_err *err)
{
    struct bp_ipc_bytes off, bytes = {0};
    bool is_wide = f->layout == BP_IPC_OFF64;
    size_t width = is_wide ? 8 : 4;
    int rc;

    BP_TRY(bp_ipc_take_buffer(r, &off, err));
    BP_GO(bp_ipc_take_buffer(r, &bytes, err));
    if (c->n_rows == 0) {
        c->data = c->bytes = bp_ipc_zeros;
        rc = 0;
        goto out;
    }
    if ((uint64_t)off.n / width < (uint64_t)c->n_rows + 1) {
        rc = damaged(err, "a buffer of offsets is shorter than its rows");
        goto out;
    }
    BP_GO(bp_ipc_bytes_align(&off, is_wide ? 8 : 16, err));
    if (is_wide) {
        BP_GO(bp_ipc_narrow_offsets(&off, &bytes, c, err));
    } else {
        BP_GO(bp_ipc_check_offsets((const int32_t *)(const void *)off.p, c->n_rows, bytes.n, err));
        c->data = off.p;
        c->own[1] = bp_ipc_bytes_keep(&off);
        c->bytes = bytes.p;
    }
    c->own[2] = bp_ipc_bytes_keep(&bytes);
    rc = bp_ipc_clean_bytes(c, err);
out:
    bp_ipc_bytes_drop(&off);
    bp_ipc_bytes_drop(&bytes);
    return rc;
}

static int read_fixed_bytes(struct bp_ipc_reading *r, const struct bp_ipc_field *f,
                            struct bp_column *c, struct bp_err *err)
{
    struct bp_ipc_bytes b;
    int rc;

    BP_TRY(bp_ipc_take_buffer(r, &b, err));
    if (b.n / f->width < c->n_rows)
        rc = damaged(err, "a buffer of values is shorter than its rows");
    else
        rc = bp_ipc_make_offsets(f->width, c, err);
    if (rc == 0) {
        c->bytes = b.p;
        c->own[2] = bp_ipc_bytes_keep(&b);
        rc = bp_ipc_clean_bytes(c, err);
    }
    bp_ipc_bytes_drop(&b);
    return rc;
}

/* How many byte buffers the next view column has. */
static int take_variadic(struct bp_ipc_reading *r, int64_t *n, struct bp_err *err)
{
    if (r->next_variadic >= r->records->variadic.n)
        return damaged(err, "a batch has fewer counts of view buffers than view columns");
    memcpy(n, r->records->variadic.p + r->next_variadic * sizeof *n, sizeof *n);
    r->next_variadic++;
    if (*n < 0 || *n > (int64_t)r->records->buffers.n)
        return damaged(err, "a view column claims more buffers than there are");
    return 0;
}

static int read_views(struct bp_ipc_reading *r, struct bp_column *c, struct bp_err *err)
{
    struct bp_ipc_bytes views, *bytes = NULL;
    int64_t n = 0, n_taken = 0;
    int rc;

    BP_TRY(bp_ipc_take_buffer(r, &views, err));
    BP_GO(take_variadic(r, &n, err));
    bytes = bp_mem_new((size_t)n, sizeof *bytes, err);
    if (!bytes) {
        rc = err->code;
        goto out;
    }
    for (; n_taken < n; n_taken++)
        BP_GO(bp_ipc_take_buffer(r, &bytes[n_taken], err));
    if (views.n / 16 < c->n_rows)
        rc = damaged(err, "a buffer of views is shorter than its rows");
    else
        rc = bp_ipc_convert_views(&views, bytes, n, c, err);
out:
    for (int64_t i = 0; i < n_taken; i++)
        bp_ipc_bytes_drop(&bytes[i]);
    bp_ipc_bytes_drop(&views);
    bp_mem_free(bytes);
    return rc;
}

static int take_node(struct bp_ipc_reading *r, int64_t n_rows, struct bp_ipc_node *node,
                     struct bp_err *err)
{
    if (r->next_node >= r->records->nodes.n)
        return damaged(err, "a batch has fewer columns than its schema");
    memcpy(node, r->records->nodes.p + r->next_node * sizeof *node, sizeof *node);
    r->next_node++;
    if (n_rows >= 0 && node->n_rows != n_rows)
        return damaged(err, "a column has another number of rows than its batch");
    if (node->n_rows < 0 || node->n_rows > BP_IPC_MAX_ROWS)
        return damaged(err, "a column claims a number of rows that no batch has");
    if (node->n_nulls < -1 || node->n_nulls > node->n_rows)
        return damaged(err, "a column claims more nulls than rows");
    return 0;
}

int bp_ipc_read_plain(struct bp_ipc_reading *r, const struct bp_ipc_field *f, int64_t n_rows,
                      struct bp_column *c, struct bp_err *err)
{
    struct bp_ipc_node node;
    int rc;

    *c = (struct bp_column){.type = f->type};
    BP_TRY(take_node(r, n_rows, &node, err));
    c->n_rows = node.n_rows;
    BP_TRY(read_validity(r, &node, c, err));
    switch (f->layout) {
    case BP_IPC_BITS: rc = read_bits(r, c, err); break;
    case BP_IPC_OFF32:
    case BP_IPC_OFF64: rc = read_offsets(r, f, c, err); break;
    case BP_IPC_VIEWS: rc = read_views(r, c, err); break;
    case BP_IPC_FIXBYTES: rc = read_fixed_bytes(r, f, c, err); break;
    case BP_IPC_LIST:
    case BP_IPC_FIXLIST:
    case BP_IPC_LISTVIEWS:
    case BP_IPC_STRUCT: rc = bp_ipc_read_nested(r, f, c, err); break;
    default: rc = read_fixed(r, f, c, err); break;
    }
    if (rc == 0 && c->type.kind == BP_TEXT)
        rc = bp_ipc_check_utf8(c, err);
    if (rc < 0)
        bp_column_release(c);
    return rc;
}

static int read_codes(struct bp_ipc_reading *r, const struct bp_ipc_field *f, int64_t n_rows,
                      struct bp_column *c, struct bp_err *err)
{
    struct bp_ipc_node node;
    struct bp_ipc_bytes b = {0};
    int rc;

    *c = (struct bp_column){.type = f->type};
    BP_TRY(take_node(r, n_rows, &node, err));
    c->n_rows = node.n_rows;
    BP_GO(read_validity(r, &node, c, err));
    BP_GO(bp_ipc_take_buffer(r, &b, err));
    if (b.n / f->index_width < c->n_rows) {
        rc = damaged(err, "a buffer of dictionary indexes is shorter than its rows");
        goto out;
    }
    if (f->index_width == 4) {
        BP_GO(bp_ipc_bytes_align(&b, 16, err));
        c->data = b.p;
        c->own[1] = bp_ipc_bytes_keep(&b);
        BP_GO(bp_ipc_clean_values(c, sizeof(int32_t), err));
    } else {
        BP_GO(bp_ipc_convert_codes(f, &b, c, err));
    }
    rc = bp_ipc_bind_codes(&r->dicts[f->dict], c, err);
out:
    bp_ipc_bytes_drop(&b);
    if (rc < 0)
        bp_column_release(c);
    return rc;
}

int bp_ipc_read_field(struct bp_ipc_reading *r, const struct bp_ipc_field *f, int64_t n_rows,
                      struct bp_column *c, struct bp_err *err)
{
    return f->dict < 0 ? bp_ipc_read_plain(r, f, n_rows, c, err) : read_codes(r, f, n_rows, c, err);
}

/* Steps over a column that nobody wants. */
static int skip_column(struct bp_ipc_reading *r, const struct bp_ipc_field *f, struct bp_err *err)
{
    int64_t n = 2;

    if (f->dict < 0 &&
        (f->layout == BP_IPC_OFF32 || f->layout == BP_IPC_OFF64 || f->layout == BP_IPC_LISTVIEWS))
        n = 3;
    if (f->dict < 0 && (f->layout == BP_IPC_STRUCT || f->layout == BP_IPC_FIXLIST))
        n = 1;
    if (f->dict < 0 && f->layout == BP_IPC_VIEWS) {
        BP_TRY(take_variadic(r, &n, err));
        n += 2;
    }
    if (n > (int64_t)(r->records->buffers.n - r->next_buffer))
        return damaged(err, "a batch has fewer buffers than its columns need");
    r->next_buffer += (uint32_t)n;
    r->next_node++;
    for (int i = 0; f->dict < 0 && i < f->n_kids; i++)
        BP_TRY(skip_column(r, &f->kids[i], err));
    return 0;
}

/* ---- the batch ---- */

static bool is_wanted(int field, const int *columns, int n_columns)
{
    for (int i = 0; i < n_columns; i++)
        if (columns[i] == field)
            return true;
    return false;
}

static int read_column(struct bp_ipc_reading *r, const struct bp_ipc_fields *f,
                       const struct bp_schema *schema, int i, struct bp_column *c,
                       struct bp_err *err)
{
    const struct bp_ipc_field *field = &f->fields[i];
    int rc = bp_ipc_read_field(r, field, r->records->n_rows, c, err);

    if (rc == 0 && !field->nullable && c->n_nulls) {
        bp_column_release(c);
        rc = damaged(err, "it is declared NOT NULL but has a null");
    }
    return rc < 0 ? bp_err_prefix(err, "column '%.200s'", schema->fields[i].name) : 0;
}

int bp_ipc_batch_decode(const struct bp_ipc_fields *f, const struct bp_schema *schema,
                        const struct bp_ipc_records *records, const struct bp_ipc_body *body,
                        const int *columns, int n_columns, struct bp_batch *out, struct bp_err *err)
{
    struct bp_ipc_reading r = {.records = records, .body = body, .dicts = f->dicts};
    int rc = 0, n_out = columns ? n_columns : f->n_fields;

    BP_TRY(bp_batch_init(out, n_out, err));
    out->n_rows = records->n_rows;
    for (int i = 0; i < f->n_fields; i++) {
        struct bp_column c;

        if (columns && !is_wanted(i, columns, n_columns)) {
            BP_GO(skip_column(&r, &f->fields[i], err));
            continue;
        }
        BP_GO(read_column(&r, f, schema, i, &c, err));
        if (!columns) {
            out->cols[i] = c;
            continue;
        }
        for (int k = 0; k < n_columns; k++)
            if (columns[k] == i)
                bp_column_ref(&out->cols[k], &c);
        bp_column_release(&c);
    }
    if (r.next_buffer != records->buffers.n || r.next_node != records->nodes.n ||
        r.next_variadic != records->variadic.n)
        rc = damaged(err, "a batch has more columns or buffers than its schema");
out:
    if (rc < 0)
        bp_batch_release(out);
    return rc;
}

int bp_ipc_buffers_wanted(const struct bp_ipc_fields *f, const struct bp_ipc_records *records,
                          const int *columns, int n_columns, bool *wanted, struct bp_err *err)
{
    struct bp_ipc_reading r = {.records = records};

    for (int i = 0; i < f->n_fields; i++) {
        uint32_t from = r.next_buffer;

        BP_TRY(skip_column(&r, &f->fields[i], err));
        if (!columns || is_wanted(i, columns, n_columns))
            memset(wanted + from, true, r.next_buffer - from);
    }
    return 0;
}
