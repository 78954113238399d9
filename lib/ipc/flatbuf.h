/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the FlatBuffers wire format that Arrow's metadata needs, without
 * a schema compiler: tables, scalars, strings, vectors of structs and of
 * tables. Fields are known by their number in the .fbs file, from 0; a union
 * takes two, its type and its value.
 *
 * Reading checks every offset, vtable and length against the buffer. A getter
 * that meets a bad one notes it in fb->bad and returns its fallback or an empty
 * thing, so a decoder may go on and look at fb->bad once, at the end. Nothing
 * is copied: what is returned points into the buffer.
 */
#ifndef BP_IPC_FLATBUF_H
#define BP_IPC_FLATBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* ---- reading ---- */

struct bp_fb {
    const uint8_t *p;
    uint32_t n_bytes;
    const char *bad; /* what is wrong with the buffer, NULL: nothing yet */
};

struct bp_fb_table {
    struct bp_fb *fb; /* NULL: absent */
    uint32_t at, vtable;
    uint16_t vtable_bytes, bytes;
};

struct bp_fb_vector {
    struct bp_fb *fb; /* NULL: absent */
    const uint8_t *p; /* the first element */
    uint32_t n;
    uint32_t at;
};

/* At most 2 GiB. */
struct bp_fb_table bp_fb_root(struct bp_fb *fb, const void *p, size_t n_bytes);
/* Scalar of 1 (unsigned), 2, 4 or 8 (signed) bytes. */
int64_t bp_fb_int(const struct bp_fb_table *t, int field, size_t width_bytes, int64_t fallback);
struct bp_fb_table bp_fb_table(const struct bp_fb_table *t, int field);
/* Not NUL-terminated; NULL and *n = 0 if absent. */
const char *bp_fb_string(const struct bp_fb_table *t, int field, size_t *n);
/* element_bytes: 4 for tables. */
struct bp_fb_vector bp_fb_vector(const struct bp_fb_table *t, int field, size_t element_bytes);
struct bp_fb_table bp_fb_vector_table(const struct bp_fb_vector *v, uint32_t i);

/* ---- writing ---- */

#define BP_FBW_FIELDS 8

/*
 * Built from its end: what a table refers to is made before the table. A ref is
 * the distance from the end of the buffer. The first failure sticks, the rest
 * does nothing, finish tells. Reuse one builder: start() keeps its memory.
 */
struct bp_fbw {
    uint8_t *data; /* the bytes are [cap - len, cap) */
    size_t cap, len;
    size_t fields[BP_FBW_FIELDS]; /* of the open table: where each stands, 0 absent */
    int n_fields;
    size_t table_from;
    struct bp_err err;
};

void bp_fbw_start(struct bp_fbw *w);
void bp_fbw_release(struct bp_fbw *w);
size_t bp_fbw_string(struct bp_fbw *w, const char *s, size_t n);
/* n structs or scalars, as they lie in memory. */
size_t bp_fbw_vector(struct bp_fbw *w, const void *elements, size_t n, size_t element_bytes,
                     size_t align);
size_t bp_fbw_ref_vector(struct bp_fbw *w, const size_t *refs, size_t n);
void bp_fbw_table_open(struct bp_fbw *w);
/* Left out when it equals the default of the .fbs file. */
void bp_fbw_int(struct bp_fbw *w, int field, size_t width_bytes, int64_t value, int64_t fallback);
void bp_fbw_ref(struct bp_fbw *w, int field, size_t ref); /* ref 0: left out */
size_t bp_fbw_table_close(struct bp_fbw *w);
/* The finished buffer, a multiple of 8 bytes, valid until start() or release(). */
int bp_fbw_finish(struct bp_fbw *w, size_t root, const uint8_t **p, size_t *n_bytes,
                  struct bp_err *err) BP_MUST;

#endif
