/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a Parquet file: no crash, no leak; and what is accepted keeps the rules
 * of col/column.h, which every operator relies on without looking again. Each column is
 * read alone too, so that one that is refused does not hide the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "col/text.h"
#include "fmt/parquet/parquet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check_text(const struct bp_column *c)
{
    size_t n, bad_at;

    for (int64_t i = 0; i < c->n_rows; i++) {
        const uint8_t *p;

        if (bp_column_is_null(c, i)) {
            must(c->dict ? ((const int32_t *)c->data)[i] == 0
                         : (bp_column_bytes(c, i, &n), n == 0));
            continue;
        }
        p = bp_column_bytes(c, i, &n);
        must(c->type.kind != BP_TEXT || bp_utf8_check(p, n, &bad_at));
    }
}

static void check_column(const struct bp_column *c);

/* A null list has no elements, a null struct null fields. */
static void check_nested(const struct bp_column *c)
{
    const int32_t *offsets = c->data;
    int64_t n_kid_rows = c->n_rows;

    must(c->kids && c->kids->n == c->type.nest->n_kids);
    if (c->type.kind == BP_LIST)
        n_kid_rows = offsets[c->n_rows];
    for (int k = 0; k < c->kids->n; k++) {
        must(c->kids->cols[k].n_rows >= n_kid_rows && !c->kids->cols[k].dict);
        must(bp_type_equal(c->kids->cols[k].type, c->type.nest->kids[k]));
        check_column(&c->kids->cols[k]);
    }
    for (int64_t i = 0; i < c->n_rows; i++) {
        bool is_null = bp_column_is_null(c, i);

        must(c->type.kind == BP_STRUCT || offsets[i] <= offsets[i + 1]);
        must(c->type.kind == BP_STRUCT || !is_null || offsets[i] == offsets[i + 1]);
        for (int k = 0; k < c->kids->n && c->type.kind == BP_STRUCT; k++)
            must(!is_null || bp_column_is_null(&c->kids->cols[k], i));
    }
}

static void check_column(const struct bp_column *c)
{
    static const uint8_t zeros[16];
    size_t width = c->dict ? 4 : bp_type_width_bytes(c->type);
    int64_t n_nulls = c->valid ? c->n_rows - bp_bits_count(c->valid, c->n_rows) : 0;

    must(n_nulls == c->n_nulls);
    if (bp_type_is_nested(c->type))
        check_nested(c);
    if (bp_type_is_bytes(c->type))
        check_text(c);
    for (int64_t i = 0; i < c->n_rows && width; i++)
        must(!bp_column_is_null(c, i) ||
             memcmp((const uint8_t *)c->data + (size_t)i * width, zeros, width) == 0);
}

static void drain(struct bp_source *src)
{
    struct bp_err err = {0};
    struct bp_batch b;

    while (bp_source_next(src, &b, &err) == 0) {
        for (int i = 0; i < b.n_cols; i++) {
            must(b.cols[i].n_rows == b.n_rows);
            check_column(&b.cols[i]);
        }
        bp_batch_release(&b);
    }
}

/* The reader wants a file: one without a name, written anew. */
static int open_bytes(struct bp_source *out, const uint8_t *data, size_t size, struct bp_ctx *ctx)
{
    struct bp_err err = {0};
    struct bp_input in;
    char path[] = "/tmp/parquet_fuzz.XXXXXX";
    int fd = mkstemp(path), rc = -1;

    must(fd >= 0);
    if (write(fd, data, size) == (ssize_t)size && bp_input_open(&in, path, &err) == 0)
        rc = bp_parquet_source(out, &in, NULL, ctx, &err);
    unlink(path);
    close(fd);
    return rc;
}

/* ---- a condition that asks for all that can be asked, over the first column ---- */

static bool may(void *ctx, const struct bp_bounds *known)
{
    const struct bp_column *v;

    (void)ctx;
    check_column(&known->low->cols[0]);
    check_column(&known->high->cols[0]);
    if (known->lacks)
        (void)known->lacks(known->self, 0, &known->low->cols[0]);
    v = known->values ? known->values(known->self, 0) : NULL;
    if (v)
        check_column(v);
    return !(known->nulls && known->nulls[0] == BP_NULLS_ALL);
}

static void mark(void *ctx, bool *used)
{
    (void)ctx;
    used[0] = true;
}

static int some_rows(void *ctx, const struct bp_batch *rows, int32_t *sel, int64_t *n,
                     struct bp_err *err)
{
    (void)err;
    *n = 0;
    check_column(&rows->cols[0]);
    if (++*(int *)ctx % 3 == 0)
        sel[(*n)++] = (int32_t)(rows->n_rows / 2);
    return 0;
}

static void drain_some(const uint8_t *data, size_t size, struct bp_ctx *ctx)
{
    int turn = 0;
    struct bp_condition c = {may, mark, some_rows, &turn};
    struct bp_err err = {0};
    struct bp_source src;

    ctx->batch_rows = 50;
    if (open_bytes(&src, data, size, ctx) < 0)
        return;
    if (src.schema.n_fields) {
        must(bp_source_prune(&src, &c, &err) == 0);
        drain(&src);
    }
    bp_source_free(&src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bp_ctx ctx = {.budget.limit_bytes = 64 << 20, .n_threads = 1, .batch_rows = 1000};
    struct bp_err err = {0};
    struct bp_source src;
    int n;

    if (open_bytes(&src, data, size, &ctx) < 0)
        return 0;
    n = BP_MIN(src.schema.n_fields, 40);
    drain(&src);
    bp_source_free(&src);
    for (int i = 0; i < n; i++) {
        if (open_bytes(&src, data, size, &ctx) < 0)
            return 0;
        must(bp_source_project(&src, &i, 1, &err) == 0);
        drain(&src);
        bp_source_free(&src);
    }
    drain_some(data, size, &ctx);
    return 0;
}
