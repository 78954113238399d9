/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <stdatomic.h>
#include <sys/random.h>
#include <xxhash.h>

uint64_t bp_xxh3(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}

uint64_t bp_xxh64(const void *p, size_t n)
{
    return XXH64(p, n, 0);
}

uint64_t bp_xxh3_seeded(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

struct bp_xxh3_state *bp_xxh3_new(void)
{
    XXH3_state_t *s = XXH3_createState();

    if (s)
        XXH3_64bits_reset(s);
    return (struct bp_xxh3_state *)s;
}

void bp_xxh3_add(struct bp_xxh3_state *s, const void *p, size_t n)
{
    XXH3_64bits_update((XXH3_state_t *)s, p, n);
}

uint64_t bp_xxh3_value(const struct bp_xxh3_state *s)
{
    return XXH3_64bits_digest((const XXH3_state_t *)s);
}

void bp_xxh3_free(struct bp_xxh3_state *s)
{
    XXH3_freeState((XXH3_state_t *)s);
}

uint64_t bp_table_seed(void)
{
    static _Atomic uint64_t seed;
    uint64_t s = atomic_load(&seed);

    if (!s) {
        if (getrandom(&s, sizeof s, GRND_NONBLOCK) != (ssize_t)sizeof s)
            s = 0;
        s |= 1;
        atomic_store(&seed, s);
    }
    return s;
}
