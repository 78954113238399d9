/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text and binary: offsets checked or made int32, views gathered into one run
 * of bytes, null slots emptied, text checked for UTF-8. The checks are plain
 * loops over vectors of the compiler's, one pass each: every byte that comes in
 * walks through them.
 */
#include <string.h>

#include "col/text.h"
#include "ipc/batch_read.h"

typedef int32_t vec_i32 __attribute__((vector_size(32)));
typedef uint64_t vec_u64 __attribute__((vector_size(32)));
enum { LANES = sizeof(vec_i32) / sizeof(int32_t) };

static int too_long(struct bp_err *err)
{
    return bp_fail(err, BP_EDATA,
                   "a batch holds more than 2 GiB of text in one column: "
                   "have it written in smaller batches");
}

int bp_ipc_check_offsets(const int32_t *off, int64_t n_rows, int64_t n_bytes, struct bp_err *err)
{
    vec_i32 falls = {0};
    int32_t any = 0;
    int64_t i = 0;

    for (; i + LANES <= n_rows; i += LANES) {
        vec_i32 a, b;

        memcpy(&a, off + i, sizeof a);
        memcpy(&b, off + i + 1, sizeof b);
        falls |= b < a;
    }
    for (; i < n_rows; i++)
        any |= off[i + 1] < off[i];
    for (int k = 0; k < LANES; k++)
        any |= falls[k];
    if (any || off[0] < 0 || off[n_rows] > n_bytes)
        return bp_fail(err, BP_EDATA, "an offset of a value lies outside its bytes");
    return 0;
}

static int32_t *new_offsets(struct bp_column *c, struct bp_err *err)
{
    struct bp_block *b;

    if (bp_block_new(&b, ((size_t)c->n_rows + 1) * sizeof(int32_t), err) < 0)
        return NULL;
    bp_block_unref(c->own[1]);
    c->own[1] = b;
    c->data = b->data;
    return (int32_t *)(void *)b->data;
}

int bp_ipc_narrow_offsets(const struct bp_ipc_bytes *off, const struct bp_ipc_bytes *bytes,
                          struct bp_column *c, struct bp_err *err)
{
    const int64_t *in = (const int64_t *)(const void *)off->p;
    int64_t n = c->n_rows, bad = in[0] < 0 || in[n] > bytes->n;
    int32_t *out;

    for (int64_t i = 0; i < n; i++)
        bad |= in[i + 1] < in[i];
    if (bad)
        return bp_fail(err, BP_EDATA, "an offset of a value lies outside its bytes");
    if (in[n] - in[0] > INT32_MAX)
        return too_long(err);
    out = new_offsets(c, err);
    if (!out)
        return err->code;
    for (int64_t i = 0; i <= n; i++)
        out[i] = (int32_t)(in[i] - in[0]);
    c->bytes = bytes->p + in[0];
    return 0;
}

int bp_ipc_make_offsets(int64_t width, struct bp_column *c, struct bp_err *err)
{
    int32_t *out;

    if (width && c->n_rows > INT32_MAX / width)
        return too_long(err);
    out = new_offsets(c, err);
    if (!out)
        return err->code;
    for (int64_t i = 0; i <= c->n_rows; i++)
        out[i] = (int32_t)(i * width);
    return 0;
}

/* ---- views ---- */

/* 16 bytes: int32 length; up to 12 bytes inline, or 4 bytes of prefix, the
 * number of a buffer and the place in it. */
enum { VIEW_BYTES = 16, VIEW_INLINE = 12 };

static int64_t view_length(const uint8_t *view)
{
    return (int32_t)bp_load_u32(view);
}

/* Where a view's bytes are; NULL: not within the buffers. */
static const uint8_t *view_bytes(const uint8_t *view, int64_t n, const struct bp_ipc_bytes *bytes,
                                 int64_t n_buffers)
{
    int64_t buffer = (int32_t)bp_load_u32(view + 8), from = (int32_t)bp_load_u32(view + 12);

    if (n <= VIEW_INLINE)
        return view + 4;
    if (buffer < 0 || buffer >= n_buffers || from < 0 || from > bytes[buffer].n ||
        n > bytes[buffer].n - from)
        return NULL;
    return bytes[buffer].p + from;
}

/* Fills the offsets; the sum of lengths must fit them. */
static int measure_views(const uint8_t *views, const struct bp_column *c, int32_t *off,
                         struct bp_err *err)
{
    int64_t sum = 0;

    off[0] = 0;
    for (int64_t i = 0; i < c->n_rows; i++) {
        int64_t n = bp_column_is_null(c, i) ? 0 : view_length(views + i * VIEW_BYTES);

        if (n < 0)
            return bp_fail(err, BP_EDATA, "a view has a negative length");
        sum += n;
        if (sum > INT32_MAX)
            return too_long(err);
        off[i + 1] = (int32_t)sum;
    }
    return 0;
}

/* Copies as it goes and grows with what was really there: lengths may lie. */
static int copy_views(const uint8_t *views, const struct bp_ipc_bytes *bytes, int64_t n_buffers,
                      struct bp_column *c, struct bp_err *err)
{
    const int32_t *off = c->data;

    for (int64_t i = 0; i < c->n_rows; i++) {
        const uint8_t *view = views + i * VIEW_BYTES, *from;
        int64_t n = off[i + 1] - off[i];

        if (n == 0)
            continue;
        from = view_bytes(view, n, bytes, n_buffers);
        if (!from)
            return bp_fail(err, BP_EDATA, "a view lies outside its buffers");
        BP_TRY(bp_block_grow(&c->own[2], (size_t)off[i], (size_t)off[i + 1], err));
        memcpy(c->own[2]->data + off[i], from, (size_t)n);
    }
    return 0;
}

int bp_ipc_convert_views(const struct bp_ipc_bytes *views, const struct bp_ipc_bytes *bytes,
                         int64_t n_buffers, struct bp_column *c, struct bp_err *err)
{
    int32_t *off = new_offsets(c, err);

    if (!off)
        return err->code;
    BP_TRY(measure_views(views->p, c, off, err));
    BP_TRY(copy_views(views->p, bytes, n_buffers, c, err));
    c->bytes = c->own[2] ? c->own[2]->data : bp_ipc_zeros;
    return 0;
}

/* ---- null slots ---- */

static bool has_dirt(const struct bp_column *c)
{
    const int32_t *off = c->data;
    int32_t dirt = 0;

    for (int64_t i = 0; i < c->n_rows; i++)
        dirt |= bp_bit_get(c->valid, i) ? 0 : off[i + 1] - off[i];
    return dirt != 0;
}

int bp_ipc_clean_bytes(struct bp_column *c, struct bp_err *err)
{
    const int32_t *off = c->data;
    struct bp_block *old = c->own[1], *bytes;
    int32_t *out, to = 0;

    if (!c->n_nulls || !has_dirt(c))
        return 0;
    BP_TRY(bp_block_new(&bytes, (size_t)(off[c->n_rows] - off[0]), err));
    c->own[1] = NULL;
    out = new_offsets(c, err);
    if (!out) {
        c->own[1] = old;
        bp_block_unref(bytes);
        return err->code;
    }
    for (int64_t i = 0; i < c->n_rows; i++) {
        int32_t n = bp_bit_get(c->valid, i) ? off[i + 1] - off[i] : 0;

        out[i] = to;
        if (n)
            memcpy(bytes->data + to, c->bytes + off[i], (size_t)n);
        to += n;
    }
    out[c->n_rows] = to;
    bp_block_unref(old);
    bp_block_unref(c->own[2]);
    c->own[2] = bytes;
    c->bytes = bytes->data;
    return 0;
}

/* ---- UTF-8 ---- */

static bool is_ascii(const uint8_t *p, size_t n)
{
    vec_u64 high = {0};
    uint64_t any = 0;
    size_t i = 0;

    for (; i + 2 * sizeof high <= n; i += 2 * sizeof high) {
        vec_u64 a, b;

        memcpy(&a, p + i, sizeof a);
        memcpy(&b, p + i + sizeof a, sizeof b);
        high |= a | b;
    }
    for (size_t k = 0; k < sizeof high / sizeof any; k++)
        any |= high[k];
    for (; i < n; i++)
        any |= (uint64_t)p[i];
    for (unsigned shift = 32; shift >= 8; shift /= 2)
        any |= any >> shift;
    return !(any & 0x80);
}

static int check_each(const struct bp_column *c, struct bp_err *err)
{
    const int32_t *off = c->data;
    size_t bad_at;

    for (int64_t i = 0; i < c->n_rows; i++)
        if (!bp_utf8_check(c->bytes + off[i], (size_t)(off[i + 1] - off[i]), &bad_at))
            return bp_fail(err, BP_EDATA,
                           "the text in row %lld of its batch is not UTF-8 at its "
                           "byte %zu",
                           (long long)i, bad_at);
    return 0;
}

int bp_ipc_check_utf8(const struct bp_column *c, struct bp_err *err)
{
    const int32_t *off = c->data;
    size_t n = (size_t)(off[c->n_rows] - off[0]), bad_at;
    int bad = 0;

    if (is_ascii(c->bytes + off[0], n))
        return 0;
    if (!bp_utf8_check(c->bytes + off[0], n, &bad_at))
        return check_each(c, err);
    for (int64_t i = 0; i < c->n_rows; i++) /* the whole is right: no value may begin inside */
        bad |= off[i] < off[c->n_rows] && (c->bytes[off[i]] & 0xC0) == 0x80;
    return bad ? check_each(c, err) : 0;
}
