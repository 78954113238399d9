/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing dictionary: the distinct values of the rows given so far, in the
 * order in which they first appear. So what it holds depends on the rows alone,
 * not on the dictionaries they came with. Text only. Zero-initialise.
 *
 * Values of up to 16 bytes, which is what repeats most, stand in the table itself:
 * a look-up is two loads, a multiplication and two comparisons.
 */
#ifndef BP_FLOW_DICTSET_H
#define BP_FLOW_DICTSET_H

#include <string.h>

#include "base/hash.h"
#include "col/column.h"

#define BP_DICT_INLINE 16

struct bp_dict_slot {
    uint64_t head[2]; /* up to BP_DICT_INLINE bytes, zeros behind; longer: the hash of all, and 0 */
    uint32_t len;
    int32_t number; /* code + 1; 0: empty */
};

/* Codes of another dictionary -> those of a set. Zero-initialise. */
struct bp_dictmap {
    struct bp_dict *seen; /* the dictionary that codes translates */
    int32_t *codes;       /* seen's code -> the set's; -1 not met yet */
    int64_t n, cap;       /* of codes */
    int64_t n_mapped;
    uint64_t epoch;   /* of the set, when it was filled */
    bool is_identity; /* what is mapped is mapped to itself */
};
void bp_dictmap_release(struct bp_dictmap *m);

struct bp_dictset {
    struct bp_block *offsets, *bytes; /* int32 [n + 1] and the text of the values */
    int64_t n;
    struct bp_dict_slot *slots; /* open addressing, at most three quarters full */
    uint32_t n_slots;
    uint64_t seed, epoch; /* epoch: how often it was cleared */
    struct bp_dictmap map;
    struct bp_dict *snapshot;
};

/* Codes of rows [from, from + n) of c (dictionary or plain) -> out[0, n); null rows 0.
 * With a map of its own for each of several dictionaries that take turns, no look-up
 * is done twice; a dictionary that only grew keeps its map. NULL: the set's own. */
int bp_dictset_encode(struct bp_dictset *s, struct bp_dictmap *map, const struct bp_column *c,
                      int64_t from, int64_t n, int32_t *out, struct bp_err *err) BP_MUST;
/* Rows with this dictionary have the same codes here: no need to encode them. */
bool bp_dictset_same(const struct bp_dictset *s, const struct bp_dictmap *map,
                     const struct bp_dict *d);
/* Replaces c by the same rows in codes of s, unless it has those already. Until all rows
 * are in and bp_dictset_bind() is called, it has no dictionary, and is for nobody else. */
int bp_dictset_recode(struct bp_dictset *s, struct bp_dictmap *map, struct bp_column *c,
                      struct bp_err *err) BP_MUST;
/* The same with codes that the caller made: those of c's rows begin at codes[from]. */
void bp_dictset_put_codes(struct bp_column *c, struct bp_block *codes, int64_t from);
/* c, which holds codes of s, gets the values so far as its dictionary. */
int bp_dictset_bind(struct bp_dictset *s, struct bp_column *c, struct bp_err *err) BP_MUST;
/* The code of one value. */
int bp_dictset_code(struct bp_dictset *s, const uint8_t *p, size_t n, int32_t *code,
                    struct bp_err *err) BP_MUST;
/* The values so far, as a new reference; the same object while nothing is added. */
int bp_dictset_dict(struct bp_dictset *s, struct bp_dict **out, struct bp_err *err) BP_MUST;
int64_t bp_dictset_bytes(const struct bp_dictset *s);
/* Forget all values. */
void bp_dictset_clear(struct bp_dictset *s);
void bp_dictset_release(struct bp_dictset *s);

/* ---- the look-up, for loops ---- */

int bp_dictset_ready(struct bp_dictset *s, struct bp_err *err) BP_MUST;

static inline uint64_t bp_dict_hash(const uint64_t head[2], uint64_t seed)
{
    return bp_fold64(head[0] ^ seed, head[1] ^ 0x9E3779B97F4A7C15u ^ (seed << 32 | seed >> 32));
}

/* What a slot has of p[0, n), n at most BP_DICT_INLINE; BP_DICT_INLINE bytes are readable. */
static inline void bp_dict_head(const uint8_t *p, uint32_t n, uint64_t head[2])
{
    static const uint8_t masks[2 * BP_DICT_INLINE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                      0xff, 0xff, 0xff, 0xff}; /* the rest zero */
    uint64_t mask[2];

    memcpy(head, p, 2 * sizeof *head);
    memcpy(mask, masks + BP_DICT_INLINE - n, sizeof mask);
    head[0] &= mask[0];
    head[1] &= mask[1];
}

/* The slot where a look-up begins, once the set is ready; and from there the code, or -1. */
static inline uint32_t bp_dictset_start(const struct bp_dictset *s, const uint64_t head[2])
{
    return (uint32_t)bp_dict_hash(head, s->seed) & (s->n_slots - 1);
}

static inline int32_t bp_dictset_find(const struct bp_dictset *s, const uint64_t head[2],
                                      uint32_t n, uint32_t at)
{
    for (; s->slots[at].number; at = (at + 1) & (s->n_slots - 1)) {
        const struct bp_dict_slot *x = &s->slots[at];

        if (x->head[0] == head[0] && x->head[1] == head[1] && x->len == n)
            return x->number - 1;
    }
    return -1;
}

#endif
