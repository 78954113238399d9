/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing dictionary: the distinct values of the rows given so far, in the
 * order in which they first appear. So what it holds depends on the rows alone,
 * not on the dictionaries they came with. Text only. Zero-initialise.
 */
#ifndef BP_FLOW_DICTSET_H
#define BP_FLOW_DICTSET_H

#include "col/column.h"

struct bp_dictset {
    struct bp_block *offsets, *bytes; /* int32 [n + 1] and the text of the values */
    int64_t n;
    uint64_t *slots; /* open addressing: high 32 bits of the hash, code + 1; 0 empty */
    uint32_t n_slots;
    struct bp_dict *seen; /* the dictionary that map translates */
    int32_t *map;         /* seen's code -> ours; -1 not met yet */
    int64_t n_mapped;
    bool is_identity; /* what is mapped is mapped to itself */
    struct bp_dict *snapshot;
};

/* Codes of rows [from, from + n) of c (dictionary or plain) -> out[0, n); null rows 0. */
int bp_dictset_encode(struct bp_dictset *s, const struct bp_column *c, int64_t from, int64_t n,
                      int32_t *out, struct bp_err *err) BP_MUST;
/* Rows with this dictionary have the same codes here: no need to encode them. */
bool bp_dictset_same(const struct bp_dictset *s, const struct bp_dict *d);
/* The values so far, as a new reference; the same object while nothing is added. */
int bp_dictset_dict(struct bp_dictset *s, struct bp_dict **out, struct bp_err *err) BP_MUST;
int64_t bp_dictset_bytes(const struct bp_dictset *s);
/* Forget all values. */
void bp_dictset_clear(struct bp_dictset *s);
void bp_dictset_release(struct bp_dictset *s);

#endif
