/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a stream, and as a file: no crash, no leak, no memory beyond what
 * bytes came; and what is accepted keeps the rules of col/column.h, which every
 * operator relies on without looking again.
 */
#include <stdlib.h>
#include <string.h>

#include "col/text.h"
#include "ipc/ipc.h"

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
        const uint8_t *p = bp_column_bytes(c, i, &n);

        if (bp_column_is_null(c, i)) {
            must(c->dict ? ((const int32_t *)c->data)[i] == 0 : n == 0);
            continue;
        }
        must(c->type.kind != BP_TEXT || bp_utf8_check(p, n, &bad_at));
    }
}

static void check_column(const struct bp_column *c)
{
    static const uint8_t zeros[16];
    size_t width = c->dict ? 4 : bp_type_width_bytes(c->type);
    int64_t n_nulls = c->valid ? c->n_rows - bp_bits_count(c->valid, c->n_rows) : 0;

    must(n_nulls == c->n_nulls);
    if (c->dict)
        must(c->n_rows == c->n_nulls || c->dict->values.n_rows > 0);
    if (bp_type_is_bytes(c->type) && !(c->dict && c->dict->values.n_rows == 0))
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
        must(b.n_cols == src->schema.n_fields);
        for (int i = 0; i < b.n_cols; i++) {
            must(b.cols[i].n_rows == b.n_rows);
            must(bp_type_equal(b.cols[i].type, src->schema.fields[i].type));
            check_column(&b.cols[i]);
        }
        bp_batch_release(&b);
    }
    bp_source_free(src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int first[] = {0};
    struct bp_ipc_opts part = {.allow_truncated = true, .columns = first, .n_columns = 1};
    struct bp_err err = {0};
    struct bp_input in;
    struct bp_source src;

    for (int pass = 0; pass < 4; pass++) {
        const struct bp_ipc_opts *o = pass % 2 ? &part : NULL;

        bp_err_clear(&err);
        if (bp_input_from_memory(&in, "fuzz", data, size, &err) < 0)
            return 0;
        if (pass < 2 ? bp_ipc_stream_source(&src, &in, o, &err) == 0
                     : bp_ipc_file_source(&src, &in, o, &err) == 0)
            drain(&src);
    }
    return 0;
}
