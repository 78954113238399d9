/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small tables for tests of operators: written as text, read back as text.
 *     struct bp_source s = table("a int, b text", "1,x;2,NULL;", 2);
 * makes a source with batches of 2 rows; drain(&s) gives "1,x;2,NULL;" or
 * "error: ...". Values of fixed width are written as the integer in memory
 * (dates as days, decimals unscaled), floats as %g.
 */
#ifndef BP_TESTS_OP_TABLE_H
#define BP_TESTS_OP_TABLE_H

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "flow/flow.h"
#include "flow/marks.h"
#include "unit.h"

struct table {
    struct bp_batch *batches;
    int n, at;
};

static int table_next(void *self, struct bp_batch *out, struct bp_err *err)
{
    struct table *t = self;

    (void)err;
    if (t->at == t->n)
        return BP_DONE;
    bp_batch_move(out, &t->batches[t->at++]);
    return 0;
}

static void table_free(void *self)
{
    struct table *t = self;

    for (int i = 0; i < t->n; i++)
        bp_batch_release(&t->batches[i]);
    bp_mem_free(t->batches);
    bp_mem_free(t);
}

static const struct bp_source_ops table_ops = {.next = table_next, .free = table_free};

/* A test cannot go on without its data. */
static inline void table_must(int rc, const struct bp_err *err)
{
    if (rc < 0) {
        printf("Bail out! %s\n", err->msg);
        exit(1);
    }
}

static inline void table_add_value(struct bp_builder *b, const char *s, size_t n)
{
    struct bp_err err = {0};
    char text[200];
    bp_int128 wide;
    double d;
    float f;
    long long v;

    if (n == 4 && memcmp(s, "NULL", 4) == 0) {
        table_must(bp_builder_add_null(b, &err), &err);
        return;
    }
    if (bp_type_is_bytes(b->type)) {
        table_must(bp_builder_add_bytes(b, s, n, &err), &err);
        return;
    }
    snprintf(text, sizeof text, "%.*s", (int)n, s);
    v = strtoll(text, NULL, 10);
    d = strtod(text, NULL);
    f = (float)d;
    wide = v;
    if (b->type.kind == BP_UINT64)
        v = (long long)strtoull(text, NULL, 10);
    if (b->type.kind == BP_FLOAT64)
        table_must(bp_builder_add(b, &d, &err), &err);
    else if (b->type.kind == BP_FLOAT32)
        table_must(bp_builder_add(b, &f, &err), &err);
    else if (b->type.kind == BP_DECIMAL)
        table_must(bp_builder_add(b, &wide, &err), &err);
    else if (b->type.kind == BP_INTERVAL) {
        struct bp_interval iv = {.months = 0, .days = (int32_t)v, .ns = 0};

        table_must(bp_builder_add(b, &iv, &err), &err);
    } else
        table_must(bp_builder_add(b, &v, &err), &err); /* little-endian: its low bytes */
}

/* One row, up to ";"; returns what follows. */
static inline const char *table_add_row(struct bp_builder *bs, int n_cols, const char *rows)
{
    for (int c = 0; c < n_cols; c++) {
        size_t n = strcspn(rows, ",;");

        table_add_value(&bs[c], rows, n);
        rows += n + 1;
    }
    return rows;
}

static inline void table_push(struct table *t, struct bp_builder *bs, int n_cols,
                              struct bp_share share, int64_t first_row)
{
    struct bp_err err = {0};
    struct bp_batch *b;

    t->batches = bp_mem_grow(t->batches, (size_t)t->n + 1, sizeof *t->batches, &err);
    table_must(t->batches ? 0 : -1, &err);
    b = &t->batches[t->n++];
    table_must(bp_batch_init(b, n_cols, &err), &err);
    b->n_rows = bs[0].n_rows;
    b->share = share;
    b->first_row = first_row;
    for (int c = 0; c < n_cols; c++)
        table_must(bp_builder_finish(&bs[c], &b->cols[c], &err), &err);
}

static inline struct bp_source table(const char *columns, const char *rows, int batch_rows)
{
    struct bp_source s = {.ops = &table_ops};
    struct bp_builder bs[16];
    struct bp_err err = {0};
    struct table *t = bp_mem_new(1, sizeof *t, &err);
    bool star;
    int64_t row = 0;

    s.self = t;
    table_must(bp_schema_parse(columns, &s.schema, &star, &err), &err);
    for (int c = 0; c < s.schema.n_fields; c++)
        bp_builder_init(&bs[c], s.schema.fields[c].type);
    while (*rows) {
        int64_t n = 0;

        for (; *rows && n < batch_rows; n++)
            rows = table_add_row(bs, s.schema.n_fields, rows);
        table_push(t, bs, s.schema.n_fields, (struct bp_share){0, 0}, row);
        row += n;
    }
    return s;
}

/* The whole source is share i of n. */
static inline struct bp_source table_share(struct bp_source s, int i, int n)
{
    struct table *t = s.self;
    struct bp_err err = {0};

    for (int b = 0; b < t->n; b++)
        t->batches[b].share = (struct bp_share){i, n};
    table_must(bp_mark_set_task(&s.schema, (struct bp_share){i, n}, &err), &err);
    return s;
}

/* The batches of b behind those of a. */
static inline struct bp_source table_behind(struct bp_source a, struct bp_source b)
{
    struct table *ta = a.self, *tb = b.self;
    struct bp_err err = {0};

    ta->batches = bp_mem_grow(ta->batches, (size_t)(ta->n + tb->n), sizeof *ta->batches, &err);
    table_must(ta->batches ? 0 : -1, &err);
    for (int i = 0; i < tb->n; i++)
        bp_batch_move(&ta->batches[ta->n++], &tb->batches[i]);
    bp_source_free(&b);
    return a;
}

static inline struct bp_source table_meta(struct bp_source s, const char *key, const char *value)
{
    struct bp_err err = {0};

    table_must(bp_schema_set_meta(&s.schema, key, value, &err), &err);
    return s;
}

/* Text columns become dictionary columns, a dictionary for each batch. */
static inline struct bp_source table_dict(struct bp_source s)
{
    struct table *t = s.self;
    struct bp_err err = {0};

    for (int b = 0; b < t->n; b++)
        for (int c = 0; c < t->batches[b].n_cols; c++) {
            struct bp_column *col = &t->batches[b].cols[c], codes, values;
            struct bp_builder ints;

            if (col->type.kind != BP_TEXT)
                continue;
            bp_builder_init(&ints, BP_TYPE(BP_INT32));
            for (int32_t i = 0; i < (int32_t)col->n_rows; i++)
                table_must(bp_column_is_null(col, i) ? bp_builder_add_null(&ints, &err)
                                                     : bp_builder_add(&ints, &i, &err),
                           &err);
            table_must(bp_builder_finish(&ints, &codes, &err), &err);
            codes.type = BP_TYPE(BP_TEXT);
            values = *col;
            values.valid = NULL;
            values.n_nulls = 0;
            table_must(bp_dict_new(&codes.dict, &values, &err), &err);
            *col = codes;
        }
    return s;
}

static inline void table_print_value(struct bp_buf *out, const struct bp_column *c, int64_t i)
{
    struct bp_err err = {0};
    const uint8_t *p = (const uint8_t *)c->data + (size_t)i * bp_type_width_bytes(c->type);
    size_t n;
    int64_t v = 0;
    double d;
    float f;

    if (bp_column_is_null(c, i)) {
        table_must(bp_buf_puts(out, "NULL", &err), &err);
    } else if (bp_type_is_bytes(c->type)) {
        p = bp_column_bytes(c, i, &n);
        table_must(bp_buf_append(out, p, n, &err), &err);
    } else if (c->type.kind == BP_BOOL) {
        table_must(bp_buf_printf(out, &err, "%d", bp_bit_get(c->data, i)), &err);
    } else if (c->type.kind == BP_FLOAT64) {
        memcpy(&d, p, sizeof d);
        table_must(bp_buf_printf(out, &err, "%g", d), &err);
    } else if (c->type.kind == BP_FLOAT32) {
        memcpy(&f, p, sizeof f);
        table_must(bp_buf_printf(out, &err, "%g", (double)f), &err);
    } else {
        memcpy(&v, c->type.kind == BP_INTERVAL ? p + 4 : p,
               c->type.kind == BP_INTERVAL ? 4 : BP_MIN(bp_type_width_bytes(c->type), sizeof v));
        n = c->type.kind == BP_INTERVAL ? 4 : BP_MIN(bp_type_width_bytes(c->type), sizeof v);
        if (n < 8 && (c->type.kind < BP_UINT8 || c->type.kind > BP_UINT64)) /* sign */
            v = (int64_t)((uint64_t)v << (64 - 8 * n)) >> (64 - 8 * n);
        table_must(c->type.kind == BP_UINT64
                       ? bp_buf_printf(out, &err, "%llu", (unsigned long long)v)
                       : bp_buf_printf(out, &err, "%lld", (long long)v),
                   &err);
    }
}

/* Everything that s gives, and frees s. The text stays until the next call. */
static inline const char *drain(struct bp_source *s)
{
    static struct bp_buf out;
    struct bp_err err = {0}, ignored = {0};
    struct bp_batch b;
    int rc;

    out.len = 0;
    while ((rc = bp_source_next(s, &b, &err)) == 0) {
        for (int64_t i = 0; i < b.n_rows; i++)
            for (int c = 0; c < b.n_cols; c++) {
                if (b.cols[c].n_rows != b.n_rows || b.n_cols != s->schema.n_fields ||
                    !bp_type_equal(b.cols[c].type, s->schema.fields[c].type))
                    table_must(bp_buf_puts(&out, "(not as the schema says)", &ignored), &ignored);
                table_print_value(&out, &b.cols[c], i);
                table_must(bp_buf_puts(&out, c + 1 < b.n_cols ? "," : ";", &ignored), &ignored);
            }
        bp_batch_release(&b);
    }
    if (rc < 0) {
        out.len = 0;
        table_must(bp_buf_printf(&out, &ignored, "error: %s", err.msg), &ignored);
    }
    bp_source_free(s);
    return bp_buf_str(&out, &ignored);
}

static inline struct bp_ctx table_ctx(int n_threads, int64_t batch_rows)
{
    struct bp_ctx ctx;

    memset(&ctx, 0, sizeof ctx);
    ctx.n_threads = n_threads;
    ctx.batch_rows = batch_rows;
    return ctx;
}

#endif
