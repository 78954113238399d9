/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/jsonl_keys.h"

#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"

static uint64_t hash_of(const uint8_t *name, size_t n)
{
    return bp_xxh3_seeded(name, n, bp_table_seed());
}

int jsonl_keys_find(const struct jsonl_keys *k, const uint8_t *name, size_t n)
{
    uint64_t hash;

    if (!k->n)
        return -1;
    hash = hash_of(name, n);
    for (size_t at = hash & (k->n_slots - 1); k->slots[at]; at = (at + 1) & (k->n_slots - 1)) {
        const struct jsonl_key *key = &k->items[k->slots[at] - 1];

        if (key->hash == hash && key->n_quoted == n + 2 && memcmp(key->name, name, n) == 0)
            return k->slots[at] - 1;
    }
    return -1;
}

int jsonl_keys_match(const struct jsonl_keys *k, const uint8_t *name, size_t n)
{
    int found = jsonl_keys_find(k, name, n), one = -1;

    if (found >= 0)
        return found;
    for (int i = 0; i < k->n; i++)
        if (k->items[i].n_quoted == n + 2 &&
            strncasecmp(k->items[i].name, (const char *)name, n) == 0) {
            if (one >= 0)
                return -1;
            one = i;
        }
    return one;
}

static void place(struct jsonl_keys *k, int i)
{
    size_t at = k->items[i].hash & (k->n_slots - 1);

    while (k->slots[at])
        at = (at + 1) & (k->n_slots - 1);
    k->slots[at] = i + 1;
}

static int grow(struct jsonl_keys *k, struct bp_err *err)
{
    int cap = BP_MAX(32, k->cap * 2);
    struct jsonl_key *items = bp_mem_grow(k->items, (size_t)cap, sizeof *items, err);
    int *slots;

    if (!items)
        return err->code;
    k->items = items;
    slots = bp_mem_new((size_t)cap * 2, sizeof *slots, err);
    if (!slots)
        return err->code;
    bp_mem_free(k->slots);
    k->slots = slots;
    k->n_slots = (size_t)cap * 2;
    k->cap = cap;
    for (int i = 0; i < k->n; i++)
        place(k, i);
    return 0;
}

int jsonl_keys_add(struct jsonl_keys *k, const uint8_t *name, size_t n, struct bp_err *err)
{
    struct jsonl_key *key;

    if (k->n == k->cap)
        BP_TRY(grow(k, err));
    key = &k->items[k->n];
    *key = (struct jsonl_key){.n_quoted = n + 2, .hash = hash_of(name, n)};
    key->name = bp_mem_strn((const char *)name, n, err);
    key->quoted = key->name ? bp_mem_new(n + 2 + JSONL_KEY_PAD_BYTES, 1, err) : NULL;
    if (!key->quoted) {
        bp_mem_free(key->name);
        return err->code;
    }
    key->quoted[0] = key->quoted[n + 1] = '"';
    memcpy(key->quoted + 1, name, n);
    place(k, k->n++);
    return 0;
}

void jsonl_keys_release(struct jsonl_keys *k)
{
    for (int i = 0; i < k->n; i++) {
        bp_mem_free(k->items[i].name);
        bp_mem_free(k->items[i].quoted);
    }
    bp_mem_free(k->items);
    bp_mem_free(k->slots);
    memset(k, 0, sizeof *k);
}
