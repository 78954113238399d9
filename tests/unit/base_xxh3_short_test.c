/* SPDX-License-Identifier: Apache-2.0 */
/* Short inputs against the library, each length and many contents. */
#include "base/xxh3_short.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "unit.h"

static uint8_t bytes[64];

static void fill(unsigned seed)
{
    srand(seed);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = seed % 4 == 0 ? 0 : seed % 4 == 1 ? 0xff : (uint8_t)(rand() >> 7);
}

static void words_hash_as_their_bytes(void)
{
    for (unsigned seed = 0; seed < 200; seed++) {
        uint64_t w[8];

        fill(seed);
        memcpy(w, bytes, sizeof w);
        for (int n = 2; n <= 8; n++)
            CHECK(bp_xxh3_words(w, n) == bp_xxh3(bytes, (size_t)n * 8));
    }
}

/* From memory of just that size, so that a read behind it is seen by a sanitizer. */
static void a_byte_and_others_hash_as_one_input(void)
{
    for (unsigned seed = 0; seed < 200; seed++) {
        fill(seed);
        for (size_t n = 0; n <= 63; n++) {
            uint8_t *p = malloc(n ? n : 1);

            NEED(p);
            memcpy(p, bytes + 1, n);
            CHECK(bp_xxh3_tagged(bytes[0], p, n) == bp_xxh3(bytes, n + 1));
            free(p);
        }
    }
}

UNIT_MAIN(T(words_hash_as_their_bytes), T(a_byte_and_others_hash_as_one_input))
