/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch taken apart into the pieces of a body. Clean columns are written from
 * where they lie; copied are only the last byte of a bitmap (its unused bits
 * must be 0), offsets that do not begin at 0, time of s and ms (int32 on the wire) and decimals of
 * few digits (16 bytes on the wire). Each buffer is followed by zeros to the next multiple of 64.
 */
#include <string.h>

#include "col/narrow.h"
#include "ipc/writer.h"

/* At most, per column: a bitmap is 2 pieces and padding, other buffers 1 and padding. */
#define BUFFERS_MAX 3
#define IOV_PER_COLUMN 7
#define TAILS_PER_COLUMN 2
#define TEMPS_PER_COLUMN 4

static const uint8_t zeros[BP_IPC_ALIGN];

static void drop_temps(struct bp_ipc_parts *p)
{
    for (int i = 0; i < p->n_temps; i++)
        bp_block_unref(p->temps[i]);
    p->n_temps = 0;
    for (int i = 0; i < p->n_held; i++)
        bp_column_release(&p->held[i]);
    p->n_held = 0;
}

void bp_ipc_parts_release(struct bp_ipc_parts *p)
{
    drop_temps(p);
    bp_mem_free(p->nodes);
    bp_mem_free(p->buffers);
    bp_mem_free(p->iov);
    bp_mem_free(p->temps);
    bp_mem_free(p->tails);
    bp_mem_free(p->held);
    *p = (struct bp_ipc_parts){0};
}

static int room(struct bp_ipc_parts *p, int n_nodes, struct bp_err *err)
{
    struct bp_ipc_parts q = {.cap_nodes = n_nodes};
    size_t n = (size_t)n_nodes;

    q.nodes = bp_mem_new(n, sizeof *q.nodes, err);
    q.buffers = bp_mem_new(n * BUFFERS_MAX, sizeof *q.buffers, err);
    q.iov = bp_mem_new(n * IOV_PER_COLUMN + 1, sizeof *q.iov, err);
    q.temps = bp_mem_new(n * TEMPS_PER_COLUMN, sizeof(*q.temps), err);
    q.tails = bp_mem_new(n * TAILS_PER_COLUMN, 1, err);
    q.held = bp_mem_new(n, sizeof *q.held, err);
    if (err->code) {
        bp_ipc_parts_release(&q);
        return err->code;
    }
    bp_ipc_parts_release(p);
    *p = q;
    return 0;
}

int bp_ipc_parts_start(struct bp_ipc_parts *p, int n_nodes, struct bp_err *err)
{
    drop_temps(p);
    if (n_nodes > p->cap_nodes || !p->iov)
        BP_TRY(room(p, n_nodes, err));
    p->n_nodes = p->n_buffers = p->n_tails = 0;
    p->n_iov = 1;
    p->body_bytes = 0;
    p->as_held = false;
    return 0;
}

void bp_ipc_parts_keep(struct bp_ipc_parts *p, struct bp_block *b)
{
    if (b)
        p->temps[p->n_temps++] = b;
}

static void add_piece(struct bp_ipc_parts *p, const void *data, size_t n)
{
    if (n)
        p->iov[p->n_iov++] = (struct iovec){(void *)(uintptr_t)data, n};
}

/* Notes the buffer whose n_bytes were just added, and pads. */
static void end_buffer(struct bp_ipc_parts *p, size_t n_bytes)
{
    size_t pad = (size_t)-n_bytes & (BP_IPC_ALIGN - 1);

    p->buffers[p->n_buffers++] = (struct bp_ipc_buffer){p->body_bytes, (int64_t)n_bytes};
    add_piece(p, zeros, pad);
    p->body_bytes += (int64_t)(n_bytes + pad);
}

static void add_buffer(struct bp_ipc_parts *p, const void *data, size_t n_bytes)
{
    add_piece(p, data, n_bytes);
    end_buffer(p, n_bytes);
}

static void add_bits(struct bp_ipc_parts *p, const uint8_t *bits, int64_t n_bits)
{
    size_t whole = (size_t)(n_bits / 8);
    unsigned rest = (unsigned)(n_bits % 8);

    add_piece(p, bits, whole);
    if (rest) {
        uint8_t *tail = &p->tails[p->n_tails++];

        *tail = (uint8_t)(bits[whole] & ((1u << rest) - 1));
        add_piece(p, tail, 1);
    }
    end_buffer(p, bp_bits_bytes(n_bits));
}

/* Node and validity. */
static void add_head(struct bp_ipc_parts *p, const struct bp_column *c)
{
    p->nodes[p->n_nodes++] = (struct bp_ipc_node){c->n_rows, c->n_nulls};
    if (c->n_nulls)
        add_bits(p, c->valid, c->n_rows);
    else
        end_buffer(p, 0);
}

/* Offsets that begin at 0. */
static int add_offsets(struct bp_ipc_parts *p, const struct bp_column *c, struct bp_err *err)
{
    const int32_t *off = c->data;
    size_t n = (size_t)c->n_rows;
    struct bp_block *b;
    int32_t *out;

    if (n == 0) {
        add_buffer(p, zeros, sizeof(int32_t));
        return 0;
    }
    if (off[0] == 0) {
        add_buffer(p, off, (n + 1) * sizeof *off);
    } else {
        BP_TRY(bp_block_new(&b, (n + 1) * sizeof *off, err));
        bp_ipc_parts_keep(p, b);
        out = (int32_t *)(void *)b->data;
        for (size_t i = 0; i <= n; i++)
            out[i] = off[i] - off[0];
        add_buffer(p, out, (n + 1) * sizeof *off);
    }
    return 0;
}

static int add_bytes(struct bp_ipc_parts *p, const struct bp_column *c, struct bp_err *err)
{
    const int32_t *off = c->data;

    BP_TRY(add_offsets(p, c, err));
    if (c->n_rows)
        add_buffer(p, c->bytes + off[0], (size_t)(off[c->n_rows] - off[0]));
    else
        end_buffer(p, 0);
    return 0;
}

/* The elements that the rows of c have, no more. */
static int add_list(struct bp_ipc_parts *p, const struct bp_column *c, struct bp_err *err)
{
    const struct bp_column *kid = &c->kids->cols[0];
    const int32_t *off = c->data;
    int64_t from = c->n_rows ? off[0] : 0, to = c->n_rows ? off[c->n_rows] : 0;

    BP_TRY(add_offsets(p, c, err));
    if (from == 0 && to == kid->n_rows)
        return bp_ipc_parts_column(p, kid, err);
    BP_TRY(bp_column_slice(&p->held[p->n_held], kid, from, to - from, err));
    return bp_ipc_parts_column(p, &p->held[p->n_held++], err);
}

static int add_struct(struct bp_ipc_parts *p, const struct bp_column *c, struct bp_err *err)
{
    for (int i = 0; i < c->kids->n; i++)
        BP_TRY(bp_ipc_parts_column(p, &c->kids->cols[i], err));
    return 0;
}

int bp_ipc_node_count(struct bp_type t)
{
    int n = 1;

    for (int i = 0; t.nest && i < t.nest->n_kids; i++)
        n += bp_ipc_node_count(t.nest->kids[i]);
    return n;
}

void bp_ipc_parts_empty(struct bp_ipc_parts *p, struct bp_type t, bool is_dict)
{
    int n = t.kind == BP_STRUCT ? 1 : bp_type_is_bytes(t) && !is_dict ? 3 : 2;

    p->nodes[p->n_nodes++] = (struct bp_ipc_node){0, 0};
    while (n-- > 0)
        p->buffers[p->n_buffers++] = (struct bp_ipc_buffer){0, 0};
    for (int i = 0; t.nest && i < t.nest->n_kids; i++)
        bp_ipc_parts_empty(p, t.nest->kids[i], false);
}

/* time of s and ms: int32 on the wire. */
static int add_narrow(struct bp_ipc_parts *p, const struct bp_column *c, struct bp_err *err)
{
    const int64_t *in = c->data;
    struct bp_block *b;
    int32_t *out, bad = 0;

    BP_TRY(bp_block_new(&b, (size_t)c->n_rows * sizeof *out, err));
    bp_ipc_parts_keep(p, b);
    out = (int32_t *)(void *)b->data;
    for (int64_t i = 0; i < c->n_rows; i++) {
        out[i] = (int32_t)in[i];
        bad |= out[i] != in[i];
    }
    if (bad)
        return bp_fail(err, BP_EDATA, "a time is not within a day");
    add_buffer(p, out, (size_t)c->n_rows * sizeof *out);
    return 0;
}

/* Decimals of up to 18 digits: int64 -> 16 bytes. */
static int add_decimals(struct bp_ipc_parts *p, const struct bp_column *c, struct bp_err *err)
{
    size_t n_bytes = (size_t)c->n_rows * sizeof(bp_int128);
    struct bp_block *b;

    BP_TRY(bp_block_new(&b, n_bytes, err));
    bp_ipc_parts_keep(p, b);
    bp_narrow_widen(c->data, sizeof(int64_t), sizeof(bp_int128), c->n_rows, b->data);
    add_buffer(p, b->data, n_bytes);
    return 0;
}

int bp_ipc_parts_column(struct bp_ipc_parts *p, const struct bp_column *c, struct bp_err *err)
{
    add_head(p, c);
    if (c->type.kind == BP_BOOL)
        add_bits(p, c->data, c->n_rows);
    else if (bp_type_is_bytes(c->type))
        return add_bytes(p, c, err);
    else if (c->type.kind == BP_LIST)
        return add_list(p, c, err);
    else if (c->type.kind == BP_STRUCT)
        return add_struct(p, c, err);
    else if (c->type.kind == BP_TIME && c->type.unit <= BP_MILLI)
        return add_narrow(p, c, err);
    else if (bp_type_is_decimal64(c->type) && !p->as_held)
        return add_decimals(p, c, err);
    else
        add_buffer(p, c->data, (size_t)c->n_rows * bp_type_width_bytes(c->type));
    return 0;
}

void bp_ipc_parts_codes(struct bp_ipc_parts *p, const struct bp_column *c, const int32_t *codes)
{
    add_head(p, c);
    add_buffer(p, codes, (size_t)c->n_rows * sizeof *codes);
}
