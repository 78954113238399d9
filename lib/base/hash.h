/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes. XXH3-64 with seed 0 (xxHash 0.8 specification) where bytes on disk
 * depend on it: partition keys and checksums. Tables inside a process use
 * bp_mix64() with a seed of their own, so that keys which collide under the
 * documented hash do not collide there.
 */
#ifndef BP_BASE_HASH_H
#define BP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t bp_xxh3(const void *p, size_t n);
uint64_t bp_xxh3_seeded(const void *p, size_t n, uint64_t seed);
uint64_t bp_xxh64(const void *p, size_t n); /* the older XXH64, seed 0: Parquet's */

struct bp_xxh3_state;
/* Streaming XXH3-64; NULL when there is no memory. */
struct bp_xxh3_state *bp_xxh3_new(void);
void bp_xxh3_add(struct bp_xxh3_state *s, const void *p, size_t n);
uint64_t bp_xxh3_value(const struct bp_xxh3_state *s);
void bp_xxh3_free(struct bp_xxh3_state *s);

/* A random seed for in-process tables, drawn once per process. */
uint64_t bp_table_seed(void);

/* Both halves of a product. */
static inline uint64_t bp_fold64(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 m = (unsigned __int128)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t bp_mix64(uint64_t x, uint64_t seed)
{
    x = bp_fold64(x ^ seed, 0x9E3779B97F4A7C15u);
    return bp_fold64(x ^ 0xD6E8FEB86659FD93u, 0xC2B2AE3D27D4EB4Fu);
}

#endif
