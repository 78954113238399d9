/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building FlatBuffers. Refs point forward, so the buffer grows downwards: the
 * things referred to are put first and come to lie behind. Alignment is kept
 * against the end, whose distance from the start is a multiple of 8 at last.
 */
#include "ipc/flatbuf.h"

#include <string.h>

#include "base/mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the stream is little-endian, as is");

void bp_fbw_start(struct bp_fbw *w)
{
    w->len = 0;
    bp_err_clear(&w->err);
}

void bp_fbw_release(struct bp_fbw *w)
{
    bp_mem_free(w->data);
    *w = (struct bp_fbw){0};
}

/* n more bytes in front; NULL when something failed. */
static uint8_t *push(struct bp_fbw *w, size_t n)
{
    size_t cap = w->cap ? w->cap : 1024;
    uint8_t *p;

    if (w->err.code)
        return NULL;
    if (w->len + n > INT32_MAX) {
        bp_fail(&w->err, BP_EDATA, "the metadata is over 2 GiB");
        return NULL;
    }
    while (cap < w->len + n)
        cap *= 2;
    if (cap != w->cap) {
        p = bp_mem_new(cap, 1, &w->err);
        if (!p)
            return NULL;
        if (w->len)
            memcpy(p + cap - w->len, w->data + w->cap - w->len, w->len);
        bp_mem_free(w->data);
        w->data = p;
        w->cap = cap;
    }
    w->len += n;
    return w->data + w->cap - w->len;
}

/* Zeros, so that the end of the next n_bytes pushed is a multiple of align. */
static void pad_for(struct bp_fbw *w, size_t n_bytes, size_t align)
{
    size_t over = (w->len + n_bytes) & (align - 1);
    uint8_t *p;

    if (!over)
        return;
    p = push(w, align - over);
    if (p)
        memset(p, 0, align - over);
}

static size_t push_copy(struct bp_fbw *w, const void *from, size_t n)
{
    uint8_t *p = push(w, n);

    if (p && n)
        memcpy(p, from, n);
    return w->len;
}

static size_t push_u32(struct bp_fbw *w, size_t v)
{
    uint32_t u = (uint32_t)v;

    return push_copy(w, &u, sizeof u);
}

size_t bp_fbw_string(struct bp_fbw *w, const char *s, size_t n)
{
    pad_for(w, n + 1, 4);
    push_copy(w, "", 1);
    push_copy(w, s, n);
    return push_u32(w, n);
}

size_t bp_fbw_vector(struct bp_fbw *w, const void *elements, size_t n, size_t element_bytes,
                     size_t align)
{
    pad_for(w, n * element_bytes, align);
    push_copy(w, elements, n * element_bytes);
    return push_u32(w, n);
}

size_t bp_fbw_ref_vector(struct bp_fbw *w, const size_t *refs, size_t n)
{
    pad_for(w, n * 4, 4);
    for (size_t i = n; i-- > 0;)
        push_u32(w, w->len + 4 - refs[i]);
    return push_u32(w, n);
}

void bp_fbw_table_open(struct bp_fbw *w)
{
    memset(w->fields, 0, sizeof w->fields);
    w->n_fields = 0;
    w->table_from = w->len;
}

static void note_field(struct bp_fbw *w, int field)
{
    w->fields[field] = w->len;
    if (w->n_fields <= field)
        w->n_fields = field + 1;
}

void bp_fbw_int(struct bp_fbw *w, int field, size_t width_bytes, int64_t value, int64_t fallback)
{
    if (value == fallback)
        return;
    pad_for(w, width_bytes, width_bytes);
    push_copy(w, &value, width_bytes); /* little-endian: the low bytes come first */
    note_field(w, field);
}

void bp_fbw_ref(struct bp_fbw *w, int field, size_t ref)
{
    if (!ref)
        return;
    pad_for(w, 4, 4);
    push_u32(w, w->len + 4 - ref);
    note_field(w, field);
}

size_t bp_fbw_table_close(struct bp_fbw *w)
{
    uint16_t vtable[2 + BP_FBW_FIELDS];
    size_t n = 2 + (size_t)w->n_fields, table;
    int32_t back;

    pad_for(w, 4, 4);
    table = push_u32(w, 0);
    vtable[0] = (uint16_t)(2 * n);
    vtable[1] = (uint16_t)(table - w->table_from);
    for (int i = 0; i < w->n_fields; i++)
        vtable[2 + i] = (uint16_t)(w->fields[i] ? table - w->fields[i] : 0);
    push_copy(w, vtable, 2 * n);
    back = (int32_t)(w->len - table);
    if (!w->err.code)
        memcpy(w->data + w->cap - table, &back, sizeof back);
    return table;
}

int bp_fbw_finish(struct bp_fbw *w, size_t root, const uint8_t **p, size_t *n_bytes,
                  struct bp_err *err)
{
    pad_for(w, 4, 8);
    push_u32(w, w->len + 4 - root);
    if (w->err.code) {
        *err = w->err;
        return err->code;
    }
    *p = w->data + w->cap - w->len;
    *n_bytes = w->len;
    return 0;
}
