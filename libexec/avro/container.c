/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container: "Obj" 1, a map of texts (the schema, the codec), sixteen bytes of a mark;
 * then blocks: how many rows, how many bytes, the bytes, the mark again. There is no end mark: a
 * file that was cut between two blocks is a whole file.
 */
#include <string.h>
#include <zlib.h>

#include "avro.h"
#include "base/num.h"
#include "codec/pack.h"

#define BLOCK_MAX ((size_t)256 << 20)
#define TEXT_MAX ((size_t)16 << 20)
#define STEP ((size_t)1 << 20)

bool avro_long(const uint8_t **p, const uint8_t *end, int64_t *out)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 64 && *p < end; shift += 7) {
        uint8_t byte = *(*p)++;

        if (shift == 63 && byte > 1)
            return false;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
            return true;
        }
    }
    return false;
}

static int damaged(const struct avro_file *f, const char *what, struct bp_err *err)
{
    if (!f->n_blocks)
        return bp_fail(err, BP_EDATA, "%s: damaged Avro file: its header %s", f->name, what);
    return bp_fail(err, BP_EDATA, "%s: damaged Avro file: block %lld %s", f->name,
                   (long long)f->n_blocks, what);
}

/* ---- from the file ---- */

static int take_long(struct avro_file *f, int64_t *out, struct bp_err *err)
{
    const uint8_t *p, *from;
    uint8_t skipped[10];
    size_t got;

    BP_TRY(bp_input_peek(&f->in, sizeof skipped, &p, &got, err));
    from = p;
    if (!avro_long(&p, from + got, out))
        return damaged(f, got < sizeof skipped ? "is cut off" : "holds a number that is none", err);
    return bp_input_read(&f->in, skipped, (size_t)(p - from), &got, err);
}

/* n bytes behind those of out; memory grows with what arrives. */
static int take(struct avro_file *f, size_t n, struct bp_buf *out, struct bp_err *err)
{
    while (n) {
        size_t step = n < STEP ? n : STEP, got;

        BP_TRY(bp_buf_reserve(out, step, err));
        BP_TRY(bp_input_read(&f->in, out->data + out->len, step, &got, err));
        if (got < step)
            return damaged(f, "is cut off", err);
        out->len += step;
        n -= step;
    }
    return 0;
}

static int take_text(struct avro_file *f, struct bp_buf *out, struct bp_err *err)
{
    int64_t n;

    out->len = 0;
    BP_TRY(take_long(f, &n, err));
    if (n < 0 || (uint64_t)n > TEXT_MAX)
        return damaged(f, "holds a text of an impossible size", err);
    return take(f, (size_t)n, out, err);
}

static int take_mark(struct avro_file *f, uint8_t mark[16], struct bp_err *err)
{
    size_t got;

    BP_TRY(bp_input_read(&f->in, mark, 16, &got, err));
    return got < 16 ? damaged(f, "is cut off", err) : 0;
}

/* ---- the header ---- */

static bool is(const struct bp_buf *b, const char *text)
{
    return b->len == strlen(text) && memcmp(b->data, text, b->len) == 0;
}

static int set_codec(struct avro_file *f, const struct bp_buf *name, struct bp_err *err)
{
    if (!name->len || is(name, "null"))
        f->codec = AVRO_NULL;
    else if (is(name, "deflate"))
        f->codec = AVRO_DEFLATE;
    else if (is(name, "snappy"))
        f->codec = AVRO_SNAPPY;
    else
        return bp_fail(err, BP_EDATA,
                       "%s: its blocks are compressed by '%.*s'; null, deflate and snappy are read",
                       f->name, (int)(name->len < 40 ? name->len : 40), (const char *)name->data);
    return 0;
}

static int take_entries(struct avro_file *f, int64_t n, struct bp_buf *key, struct bp_buf *value,
                        struct bp_err *err)
{
    for (; n; n--) {
        BP_TRY(take_text(f, key, err));
        if (is(key, "avro.schema")) {
            BP_TRY(take_text(f, &f->schema, err));
        } else {
            BP_TRY(take_text(f, value, err));
            if (is(key, "avro.codec"))
                BP_TRY(set_codec(f, value, err));
        }
    }
    return 0;
}

static int take_header(struct avro_file *f, struct bp_err *err)
{
    struct bp_buf key = {0}, value = {0};
    int64_t n, n_bytes;
    int rc = 0;

    BP_GO(take(f, 4, &key, err));
    if (memcmp(key.data, "Obj\1", 4) != 0) {
        rc = damaged(f, "does not begin as one", err);
        goto out;
    }
    for (;;) {
        BP_GO(take_long(f, &n, err));
        if (n == 0)
            break;
        if (n < 0) { /* the size of these entries follows */
            BP_GO(take_long(f, &n_bytes, err));
            n = n == INT64_MIN ? INT64_MAX : -n;
        }
        BP_GO(take_entries(f, n, &key, &value, err));
    }
    rc = take_mark(f, f->sync, err);
out:
    bp_buf_release(&key);
    bp_buf_release(&value);
    return rc;
}

int avro_open(struct avro_file *f, const char *path, struct bp_err *err)
{
    f->name = path;
    BP_TRY(bp_input_open(&f->in, path, err));
    return take_header(f, err);
}

void avro_close(struct avro_file *f)
{
    bp_input_close(&f->in);
    bp_buf_release(&f->schema);
    bp_buf_release(&f->packed);
    bp_buf_release(&f->rows);
}

/* ---- blocks ---- */

static int inflate_all(struct avro_file *f, z_stream *z, struct bp_err *err)
{
    int status = Z_OK;

    while (status != Z_STREAM_END) {
        size_t before = f->rows.len;

        if (before > BLOCK_MAX)
            return damaged(f, "has more than 256 MiB", err);
        BP_TRY(bp_buf_reserve(&f->rows, STEP, err));
        z->next_out = f->rows.data + before;
        z->avail_out = (uInt)STEP;
        status = inflate(z, Z_NO_FLUSH);
        if (status == Z_MEM_ERROR)
            return bp_fail_oom(err, STEP);
        if (status != Z_OK && status != Z_STREAM_END)
            return damaged(f, "cannot be inflated", err);
        f->rows.len = before + STEP - z->avail_out;
    }
    return z->avail_in ? damaged(f, "has bytes behind what was compressed", err) : 0;
}

static int unpack_deflate(struct avro_file *f, struct bp_err *err)
{
    z_stream z = {.next_in = f->packed.data, .avail_in = (uInt)f->packed.len};
    int rc;

    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return bp_fail_oom(err, 1);
    rc = inflate_all(f, &z, err);
    inflateEnd(&z);
    return rc;
}

/* snappy's block begins with its size as an unsigned varint; Avro adds a CRC-32 of the rows,
 * big-endian. Three bytes of snappy make at most 64. */
static int unpack_snappy(struct avro_file *f, struct bp_err *err)
{
    const uint8_t *p = f->packed.data;
    size_t n = f->packed.len, size = 0, i = 0;
    uint32_t sum;

    if (n < 5)
        return damaged(f, "is cut off", err);
    n -= 4;
    do {
        if (i == n || i == 5)
            return damaged(f, "is no block of snappy", err);
        size |= (size_t)(p[i] & 0x7f) << (7 * i);
    } while (p[i++] & 0x80);
    if (size > BLOCK_MAX || size > n * 32)
        return damaged(f, "is no block of snappy, or has more than 256 MiB", err);
    BP_TRY(bp_buf_reserve(&f->rows, size, err));
    if (size && bp_unpack(BP_PACK_SNAPPY, p, n, f->rows.data, size, err) < 0)
        return bp_err_prefix(err, "%s: block %lld", f->name, (long long)f->n_blocks);
    f->rows.len = size;
    p += n;
    sum = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    if (crc32(crc32(0, NULL, 0), f->rows.data, (uInt)size) != sum)
        return damaged(f, "does not match its checksum", err);
    return 0;
}

static int unpack(struct avro_file *f, struct bp_err *err)
{
    struct bp_buf same = f->packed;

    f->rows.len = 0;
    switch (f->codec) {
    case AVRO_DEFLATE: return unpack_deflate(f, err);
    case AVRO_SNAPPY: return unpack_snappy(f, err);
    default:
        f->packed = f->rows;
        f->rows = same;
        return 0;
    }
}

int avro_block(struct avro_file *f, int64_t *n_rows, struct bp_err *err)
{
    const uint8_t *p;
    uint8_t mark[16];
    int64_t n_bytes;
    size_t got;

    BP_TRY(bp_input_peek(&f->in, 1, &p, &got, err));
    if (!got)
        return BP_DONE;
    f->n_blocks++;
    BP_TRY(take_long(f, n_rows, err));
    BP_TRY(take_long(f, &n_bytes, err));
    if (*n_rows < 0 || n_bytes < 0)
        return damaged(f, "has a negative size", err);
    if ((uint64_t)n_bytes > BLOCK_MAX)
        return damaged(f, "has more than 256 MiB", err);
    f->packed.len = 0;
    BP_TRY(take(f, (size_t)n_bytes, &f->packed, err));
    BP_TRY(take_mark(f, mark, err));
    if (memcmp(mark, f->sync, 16) != 0)
        return damaged(f, "does not end with the file's mark", err);
    BP_TRY(unpack(f, err));
    if ((uint64_t)*n_rows > f->rows.len) /* a row has a byte at least: schema.c */
        return damaged(f, "has fewer bytes than rows", err);
    return 0;
}
