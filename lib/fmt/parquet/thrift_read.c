/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/parquet/thrift.h"

/* Deeper nesting than any metadata has: a damaged file must not exhaust the stack. */
#define MAX_DEPTH 32

static int fail(struct bp_thrift *t, const char *what)
{
    if (!t->bad)
        t->bad = what;
    t->p = t->end;
    return 0;
}

static uint8_t byte(struct bp_thrift *t)
{
    if (t->p >= t->end)
        return (uint8_t)fail(t, "it ends inside a field");
    return *t->p++;
}

/* ULEB128, at most 64 bits. */
static uint64_t varint(struct bp_thrift *t)
{
    uint64_t v = 0;
    uint8_t b;

    for (int shift = 0; shift < 64; shift += 7) {
        b = byte(t);
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
    return (uint64_t)fail(t, "a number has more than 64 bits");
}

static int64_t zigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

bool bp_thrift_next(struct bp_thrift *t, struct bp_thrift_fields *f)
{
    uint8_t b = byte(t);

    if (t->bad || b == BP_THRIFT_STOP)
        return false;
    f->type = b & 15;
    if (b >> 4)
        f->id += b >> 4;
    else
        f->id = (int)(int16_t)zigzag(varint(t));
    if (f->type > BP_THRIFT_STRUCT)
        fail(t, "a field has an unknown type");
    return !t->bad;
}

int64_t bp_thrift_int(struct bp_thrift *t, int type)
{
    switch (type) {
    case BP_THRIFT_TRUE: return 1;
    case BP_THRIFT_FALSE: return 0;
    case BP_THRIFT_BYTE: return (int8_t)byte(t);
    case BP_THRIFT_I16:
    case BP_THRIFT_I32:
    case BP_THRIFT_I64: return zigzag(varint(t));
    default: return fail(t, "a field that should be a number is none");
    }
}

const uint8_t *bp_thrift_bytes(struct bp_thrift *t, int type, size_t *n)
{
    const uint8_t *p;
    uint64_t len;

    *n = 0;
    if (type != BP_THRIFT_BINARY) {
        fail(t, "a field that should be text is none");
        return t->end;
    }
    len = varint(t);
    if (len > (size_t)(t->end - t->p)) {
        fail(t, "a text is longer than what is there");
        return t->end;
    }
    p = t->p;
    t->p += len;
    *n = (size_t)len;
    return p;
}

size_t bp_thrift_list(struct bp_thrift *t, int type, int *element)
{
    uint64_t n;
    uint8_t b;

    *element = 0;
    if (type != BP_THRIFT_LIST && type != BP_THRIFT_SET)
        return (size_t)fail(t, "a field that should be a list is none");
    b = byte(t);
    *element = b & 15;
    n = b >> 4;
    if (n == 15)
        n = varint(t);
    /* no element is shorter than a byte */
    if (n > (size_t)(t->end - t->p))
        return (size_t)fail(t, "a list is longer than what is there");
    return t->bad ? 0 : (size_t)n;
}

bool bp_thrift_list_bool(struct bp_thrift *t)
{
    return byte(t) == 1;
}

static void skip(struct bp_thrift *t, int type, int depth, bool in_list);

static void skip_list(struct bp_thrift *t, int type, int depth)
{
    int element;
    size_t n = bp_thrift_list(t, type, &element);

    for (size_t i = 0; i < n && !t->bad; i++)
        skip(t, element, depth, true);
}

static void skip_map(struct bp_thrift *t, int depth)
{
    uint64_t n = varint(t);
    uint8_t types;

    if (n == 0)
        return;
    types = byte(t);
    if (n > (size_t)(t->end - t->p))
        fail(t, "a map is longer than what is there");
    for (uint64_t i = 0; i < n && !t->bad; i++) {
        skip(t, types >> 4, depth, true);
        skip(t, types & 15, depth, true);
    }
}

static void skip(struct bp_thrift *t, int type, int depth, bool in_list)
{
    struct bp_thrift_fields f = {0};
    size_t n;

    if (depth > MAX_DEPTH) {
        fail(t, "it is nested too deep");
        return;
    }
    switch (type) {
    case BP_THRIFT_TRUE:
    case BP_THRIFT_FALSE:
        if (in_list)
            (void)byte(t);
        break;
    case BP_THRIFT_BYTE:
    case BP_THRIFT_I16:
    case BP_THRIFT_I32:
    case BP_THRIFT_I64: (void)bp_thrift_int(t, type); break;
    case BP_THRIFT_DOUBLE:
        if (t->end - t->p < 8)
            fail(t, "it ends inside a field");
        else
            t->p += 8;
        break;
    case BP_THRIFT_BINARY: (void)bp_thrift_bytes(t, type, &n); break;
    case BP_THRIFT_LIST:
    case BP_THRIFT_SET: skip_list(t, type, depth + 1); break;
    case BP_THRIFT_MAP: skip_map(t, depth + 1); break;
    case BP_THRIFT_STRUCT:
        while (bp_thrift_next(t, &f))
            skip(t, f.type, depth + 1, false);
        break;
    default: fail(t, "a field has an unknown type");
    }
}

void bp_thrift_skip(struct bp_thrift *t, int type)
{
    skip(t, type, 0, false);
}
