/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a table of JSON Lines: found by their bytes, in the order they were added. */
#ifndef BP_FMT_JSONL_KEYS_H
#define BP_FMT_JSONL_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define JSONL_KEY_PAD_BYTES 32

struct jsonl_key {
    char *name;
    uint8_t *quoted; /* "name" as a line has it without escapes, and the pad */
    size_t n_quoted;
    uint64_t hash;
};

struct jsonl_keys {
    struct jsonl_key *items;
    int n, cap;
    int *slots; /* open addressing: index + 1; 0 is free */
    size_t n_slots;
};

/* The key with exactly these bytes; -1: none. Thread safe while none is added. */
int jsonl_keys_find(const struct jsonl_keys *k, const uint8_t *name, size_t n);
/* That, else a unique one that is the same when ASCII case is ignored. */
int jsonl_keys_match(const struct jsonl_keys *k, const uint8_t *name, size_t n);
int jsonl_keys_add(struct jsonl_keys *k, const uint8_t *name, size_t n, struct bp_err *err) BP_MUST;
void jsonl_keys_release(struct jsonl_keys *k);

#endif
