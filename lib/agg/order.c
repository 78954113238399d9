/* SPDX-License-Identifier: Apache-2.0 */
#include "agg/order.h"

#include <string.h>

#include "agg/code.h"
#include "base/buf.h"
#include "base/mem.h"

#define PLAIN_BYTES 9

static int append_text(struct bp_buf *b, const uint8_t *p, size_t n, struct bp_err *err)
{
    static const uint8_t zero[2] = {0x00, 0xff}, end[2] = {0x00, 0x00};

    while (n) {
        const uint8_t *z = memchr(p, 0, n);
        size_t len = z ? (size_t)(z - p) : n;

        BP_TRY(bp_buf_append(b, p, len, err));
        if (!z)
            break;
        BP_TRY(bp_buf_append(b, zero, 2, err));
        p += len + 1;
        n -= len + 1;
    }
    return bp_buf_append(b, end, 2, err);
}

static int append_item(struct bp_buf *b, const struct bp_order_item *o, const struct bp_column *c,
                       int64_t row, struct bp_err *err)
{
    bool is_null = bp_column_is_null(c, row);
    uint8_t room[BP_AGG_CODE_MAX], flag = is_null != o->nulls_first;
    const uint8_t *p;
    size_t n, from;

    BP_TRY(bp_buf_append(b, &flag, 1, err));
    if (is_null)
        return 0;
    from = b->len;
    p = bp_agg_code(c, row, room, &n);
    if (bp_type_is_bytes(c->type))
        BP_TRY(append_text(b, p, n, err));
    else
        BP_TRY(bp_buf_append(b, p, n, err));
    for (size_t i = from; o->desc && i < b->len; i++)
        b->data[i] = (uint8_t)~b->data[i];
    return 0;
}

static int add_rows(const struct bp_order *o, const struct bp_column *cols, int64_t n_rows,
                    struct bp_builder *to, struct bp_err *err)
{
    struct bp_buf b = {0};
    int rc;

    BP_GO(bp_builder_reserve(to, n_rows, err));
    for (int64_t row = 0; row < n_rows; row++) {
        b.len = 0;
        for (int i = 0; i < o->n; i++)
            BP_GO(append_item(&b, &o->items[i], &cols[i], row, err));
        BP_GO(bp_builder_add_bytes(to, b.data, b.len, err));
    }
out:
    bp_buf_release(&b);
    return rc;
}

/* One item of a fixed width and without NULLs, which most are: keys of 9 bytes, a flag and a
 * code, all at once. */
static bool is_plain(const struct bp_order *o, const struct bp_column *cols)
{
    return o->n == 1 && !cols[0].n_nulls && bp_agg_code_bytes(cols[0].type) == 8 &&
           cols[0].n_rows <= INT32_MAX / PLAIN_BYTES;
}

static int plain_rows(const struct bp_order_item *o, const struct bp_column *c,
                      struct bp_column *out, struct bp_err *err)
{
    uint64_t *codes = bp_mem_grow(NULL, (size_t)c->n_rows + 1, sizeof *codes, err), code;
    uint64_t flip = o->desc ? UINT64_MAX : 0;
    uint8_t flag = o->nulls_first, *to; /* as append_item() */
    int32_t *offsets;
    int rc = 0;

    *out = (struct bp_column){.type = BP_TYPE(BP_BINARY), .n_rows = c->n_rows};
    if (!codes)
        return err->code;
    BP_GO(bp_block_new(&out->own[1], ((size_t)c->n_rows + 1) * sizeof *offsets, err));
    BP_GO(bp_block_new(&out->own[2], (size_t)c->n_rows * PLAIN_BYTES + 1, err));
    out->data = out->own[1]->data;
    out->bytes = out->own[2]->data;
    bp_agg_codes64(c, codes);
    offsets = (int32_t *)(void *)out->own[1]->data;
    to = out->own[2]->data;
    for (int64_t i = 0; i < c->n_rows; i++, to += PLAIN_BYTES) {
        offsets[i] = (int32_t)(i * PLAIN_BYTES);
        *to = flag;
        code = __builtin_bswap64(codes[i] ^ flip);
        memcpy(to + 1, &code, sizeof code);
    }
    offsets[c->n_rows] = (int32_t)(c->n_rows * PLAIN_BYTES);
out:
    bp_mem_free(codes);
    if (rc < 0)
        bp_column_release(out);
    return rc;
}

int bp_agg_order_keys(const struct bp_order *o, const struct bp_batch *in, struct bp_column *out,
                      struct bp_err *err)
{
    struct bp_column *cols = bp_mem_new((size_t)o->n + 1, sizeof *cols, err);
    struct bp_builder to;
    int rc = cols ? 0 : err->code, n = 0;

    bp_builder_init(&to, BP_TYPE(BP_BINARY));
    for (; n < o->n && rc == 0; n++)
        rc = bp_expr_eval(o->items[n].expr, in, &cols[n], err);
    if (rc == 0 && is_plain(o, cols)) {
        rc = plain_rows(&o->items[0], &cols[0], out, err);
    } else if (rc == 0) {
        rc = add_rows(o, cols, in->n_rows, &to, err);
        if (rc == 0)
            rc = bp_builder_finish(&to, out, err);
    }
    for (int i = 0; i < n; i++)
        bp_column_release(&cols[i]);
    bp_mem_free(cols);
    bp_builder_release(&to);
    return rc;
}
