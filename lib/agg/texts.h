/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts to small numbers: each distinct byte string gets the next id, from 0. Text
 * key columns of bp-reduce become ids here, so that keys of any types are a few
 * fixed-width words. An open-addressing table of (32 bits of hash, id + 1) over
 * entries in order of ids. Up to BP_TEXT_INLINE bytes stand in the entry itself, as in
 * Umbra (Neumann and Freitag, CIDR 2020, 3.1), so that most texts are compared as two
 * words, and copied as two; longer ones lie in one growing buffer.
 */
#ifndef BP_AGG_TEXTS_H
#define BP_AGG_TEXTS_H

#include <string.h>

#include "col/column.h"

#define BP_TEXT_INLINE 12

struct bp_text_entry {
    uint64_t head; /* first 4 bytes << 32 | length in bytes */
    uint64_t rest; /* the other bytes, or where all of them begin in bytes */
};

struct bp_texts {
    uint64_t *slots;
    uint64_t mask; /* slots - 1; slots is NULL at first */
    struct bp_text_entry *entries;
    int64_t n, cap;
    uint8_t *bytes;
    size_t bytes_len, bytes_cap;
    uint64_t seed;
    /* ids of a dictionary's values, by code; UINT32_MAX: not looked up yet */
    uint32_t *of_code;
    int64_t of_code_cap;
    uint64_t dict_id;
    bool have_dict;
};

static inline uint32_t bp_text_len(const struct bp_text_entry *e)
{
    return (uint32_t)e->head;
}

/* Writes it; up to BP_TEXT_INLINE bytes at to are overwritten, however few it has. */
static inline void bp_text_copy(const struct bp_texts *t, const struct bp_text_entry *e,
                                uint8_t *to)
{
    uint32_t first = (uint32_t)(e->head >> 32);

    if (bp_text_len(e) > BP_TEXT_INLINE) {
        memcpy(to, t->bytes + e->rest, bp_text_len(e));
        return;
    }
    memcpy(to, &first, sizeof first);
    memcpy(to + sizeof first, &e->rest, sizeof e->rest);
}

void bp_texts_init(struct bp_texts *t);
void bp_texts_release(struct bp_texts *t);
/* ids[i] of rows [from, from + n) of c; at most BP_TEXTS_ROWS. NULL gives 0. */
#define BP_TEXTS_ROWS 1024
int bp_texts_find(struct bp_texts *t, const struct bp_column *c, int64_t from, int64_t n,
                  uint32_t *ids, struct bp_err *err) BP_MUST;
int64_t bp_texts_held_bytes(const struct bp_texts *t);
/* What is allocated beside that when n more texts come, their bytes not counted. */
int64_t bp_texts_growth_bytes(const struct bp_texts *t, int64_t n);

#endif
