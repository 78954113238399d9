/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/thrift.h"

#include <string.h>

void bp_thrift_out_init(struct bp_thrift_out *w, struct bp_buf *out)
{
    *w = (struct bp_thrift_out){.out = out};
}

static void append(struct bp_thrift_out *w, const void *p, size_t n)
{
    if (!w->err.code && bp_buf_append(w->out, p, n, &w->err) < 0)
        return; /* it stays in w->err */
}

static void byte(struct bp_thrift_out *w, unsigned v)
{
    uint8_t b = (uint8_t)v;

    append(w, &b, 1);
}

static void varint(struct bp_thrift_out *w, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        byte(w, (unsigned)(v & 0x7f) | 0x80);
    byte(w, (unsigned)v);
}

static void zigzag(struct bp_thrift_out *w, int64_t v)
{
    varint(w, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

static void header(struct bp_thrift_out *w, int id, int type)
{
    int delta = id - w->last[w->depth];

    if (delta > 0 && delta <= 15) {
        byte(w, (unsigned)delta << 4 | (unsigned)type);
    } else {
        byte(w, (unsigned)type);
        zigzag(w, id);
    }
    w->last[w->depth] = id;
}

void bp_thrift_put_bool(struct bp_thrift_out *w, int id, bool v)
{
    header(w, id, v ? BP_THRIFT_TRUE : BP_THRIFT_FALSE);
}

void bp_thrift_put_i8(struct bp_thrift_out *w, int id, int8_t v)
{
    header(w, id, BP_THRIFT_BYTE);
    byte(w, (uint8_t)v);
}

void bp_thrift_put_i16(struct bp_thrift_out *w, int id, int16_t v)
{
    header(w, id, BP_THRIFT_I16);
    zigzag(w, v);
}

void bp_thrift_put_i32(struct bp_thrift_out *w, int id, int32_t v)
{
    header(w, id, BP_THRIFT_I32);
    zigzag(w, v);
}

void bp_thrift_put_i64(struct bp_thrift_out *w, int id, int64_t v)
{
    header(w, id, BP_THRIFT_I64);
    zigzag(w, v);
}

void bp_thrift_put_bytes(struct bp_thrift_out *w, int id, const void *p, size_t n)
{
    header(w, id, BP_THRIFT_BINARY);
    bp_thrift_put_element_bytes(w, p, n);
}

void bp_thrift_put_string(struct bp_thrift_out *w, int id, const char *s)
{
    bp_thrift_put_bytes(w, id, s, strlen(s));
}

void bp_thrift_open_struct(struct bp_thrift_out *w, int id)
{
    header(w, id, BP_THRIFT_STRUCT);
    bp_thrift_open_element(w);
}

void bp_thrift_open_list(struct bp_thrift_out *w, int id, int element, size_t n)
{
    header(w, id, BP_THRIFT_LIST);
    if (n < 15) {
        byte(w, (unsigned)n << 4 | (unsigned)element);
    } else {
        byte(w, 0xf0 | (unsigned)element);
        varint(w, n);
    }
}

void bp_thrift_open_element(struct bp_thrift_out *w)
{
    if (w->depth + 1 == BP_THRIFT_DEPTH) {
        bp_fail(&w->err, BP_EDATA, "metadata is nested too deep");
        return;
    }
    w->last[++w->depth] = 0;
}

void bp_thrift_put_element_i32(struct bp_thrift_out *w, int32_t v)
{
    zigzag(w, v);
}

void bp_thrift_put_element_i64(struct bp_thrift_out *w, int64_t v)
{
    zigzag(w, v);
}

void bp_thrift_put_element_bool(struct bp_thrift_out *w, bool v)
{
    byte(w, v ? 1 : 2);
}

void bp_thrift_put_element_bytes(struct bp_thrift_out *w, const void *p, size_t n)
{
    varint(w, n);
    append(w, p, n);
}

void bp_thrift_close_struct(struct bp_thrift_out *w)
{
    byte(w, BP_THRIFT_STOP);
    if (w->depth > 0)
        w->depth--;
}

int bp_thrift_finish(struct bp_thrift_out *w, struct bp_err *err)
{
    byte(w, BP_THRIFT_STOP);
    if (w->err.code)
        *err = w->err;
    return w->err.code;
}
