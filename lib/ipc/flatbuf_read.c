/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading FlatBuffers with every step checked. A table at position t begins
 * with an int32 s, its vtable lies at t - s: uint16 vtable bytes, uint16 table
 * bytes, then one uint16 per field, the field's place in the table or 0. Refs
 * are uint32 and point forward from where they stand.
 */
#include "ipc/flatbuf.h"

#include <string.h>

#include "base/num.h"

static uint16_t load_u16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* [at, at + n) is inside. */
static bool inside(const struct bp_fb *fb, uint64_t at, uint64_t n)
{
    return at <= fb->n_bytes && n <= fb->n_bytes - at;
}

static void set_bad(struct bp_fb *fb, const char *what)
{
    if (!fb->bad)
        fb->bad = what;
}

static struct bp_fb_table table_at(struct bp_fb *fb, uint64_t at)
{
    struct bp_fb_table t = {0};
    int64_t vtable;

    if (!inside(fb, at, 4)) {
        set_bad(fb, "a table lies outside");
        return t;
    }
    vtable = (int64_t)at - (int32_t)bp_load_u32(fb->p + at);
    if (vtable < 0 || !inside(fb, (uint64_t)vtable, 4)) {
        set_bad(fb, "a vtable lies outside");
        return t;
    }
    t.at = (uint32_t)at;
    t.vtable = (uint32_t)vtable;
    t.vtable_bytes = load_u16(fb->p + vtable);
    t.bytes = load_u16(fb->p + vtable + 2);
    if (t.vtable_bytes < 4 || t.vtable_bytes % 2 || t.bytes < 4 ||
        !inside(fb, t.vtable, t.vtable_bytes) || !inside(fb, at, t.bytes)) {
        set_bad(fb, "a table has a wrong size");
        return t;
    }
    t.fb = fb;
    return t;
}

struct bp_fb_table bp_fb_root(struct bp_fb *fb, const void *p, size_t n_bytes)
{
    struct bp_fb_table none = {0};

    *fb = (struct bp_fb){.p = p, .n_bytes = n_bytes > INT32_MAX ? 0 : (uint32_t)n_bytes};
    if (fb->n_bytes < 8) {
        set_bad(fb, "it is too short or too long");
        return none;
    }
    return table_at(fb, bp_load_u32(fb->p));
}

/* Where the field's n bytes stand; 0: absent. */
static uint32_t field_at(const struct bp_fb_table *t, int field, size_t n_bytes)
{
    uint32_t slot = 4 + 2 * (uint32_t)field;
    uint32_t place;

    if (!t->fb || slot + 2 > t->vtable_bytes)
        return 0;
    place = load_u16(t->fb->p + t->vtable + slot);
    if (!place)
        return 0;
    if (place < 4 || place + n_bytes > t->bytes) {
        set_bad(t->fb, "a field lies outside its table");
        return 0;
    }
    return t->at + place;
}

int64_t bp_fb_int(const struct bp_fb_table *t, int field, size_t width_bytes, int64_t fallback)
{
    uint32_t at = field_at(t, field, width_bytes);
    const uint8_t *p;

    if (!at)
        return fallback;
    p = t->fb->p + at;
    switch (width_bytes) {
    case 1: return *p;
    case 2: return (int16_t)load_u16(p);
    case 4: return (int32_t)bp_load_u32(p);
    default: return (int64_t)bp_load_u64(p);
    }
}

/* Follows the ref in a field; 0: absent or bad. */
static uint64_t target_of(const struct bp_fb_table *t, int field)
{
    uint32_t at = field_at(t, field, 4);

    return at ? (uint64_t)at + bp_load_u32(t->fb->p + at) : 0;
}

struct bp_fb_table bp_fb_table(const struct bp_fb_table *t, int field)
{
    struct bp_fb_table none = {0};
    uint64_t at = target_of(t, field);

    return at ? table_at(t->fb, at) : none;
}

/* Strings and vectors: uint32 count, then the elements. */
static struct bp_fb_vector vector_at(struct bp_fb *fb, uint64_t at, size_t element_bytes)
{
    struct bp_fb_vector v = {0};
    uint32_t n;

    if (!inside(fb, at, 4)) {
        set_bad(fb, "a vector lies outside");
        return v;
    }
    n = bp_load_u32(fb->p + at);
    if (!inside(fb, at + 4, (uint64_t)n * element_bytes)) {
        set_bad(fb, "a vector is longer than the rest");
        return v;
    }
    v.fb = fb;
    v.at = (uint32_t)at + 4;
    v.p = fb->p + v.at;
    v.n = n;
    return v;
}

const char *bp_fb_string(const struct bp_fb_table *t, int field, size_t *n)
{
    uint64_t at = target_of(t, field);
    struct bp_fb_vector v = {0};

    if (at)
        v = vector_at(t->fb, at, 1);
    *n = v.n;
    return v.fb ? (const char *)v.p : NULL;
}

struct bp_fb_vector bp_fb_vector(const struct bp_fb_table *t, int field, size_t element_bytes)
{
    struct bp_fb_vector none = {0};
    uint64_t at = target_of(t, field);

    return at ? vector_at(t->fb, at, element_bytes) : none;
}

struct bp_fb_table bp_fb_vector_table(const struct bp_fb_vector *v, uint32_t i)
{
    struct bp_fb_table none = {0};
    uint32_t at;

    if (!v->fb || i >= v->n)
        return none;
    at = v->at + 4 * i;
    return table_at(v->fb, (uint64_t)at + bp_load_u32(v->fb->p + at));
}
