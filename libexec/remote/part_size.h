/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the parts of an upload are whose length nobody knows before its end. S3 allows
 * MAX_PARTS of them, and each is held in memory until it has been taken: small parts keep
 * memory small, large ones make the largest object large. So they begin small, grow where
 * the object is large already, and end at 256 MiB: four thousand of those are a TiB.
 *
 *      parts           each       the object, with them   held: one filling, one on its way
 *         1 -  1000     8 MiB        7.8 GiB                 40 MiB (PUT_BYTES on their way)
 *      1001 -  2000    16 MiB         23 GiB                 48 MiB
 *      2001 -  3000    32 MiB         54 GiB                 64 MiB
 *      3001 -  4000    64 MiB        117 GiB                128 MiB
 *      4001 -  6000   128 MiB        367 GiB                256 MiB
 *      6001 - 10000   256 MiB       1367 GiB                512 MiB
 */
#ifndef BP_REMOTE_PART_SIZE_H
#define BP_REMOTE_PART_SIZE_H

#include <stddef.h>

#define MAX_PARTS 10000
#define LEAST_PART_BYTES ((size_t)8 << 20)
#define PUT_BYTES ((size_t)32 << 20) /* on their way at once, if that is more than one part */

/* Of the part that has n_parts before it; a power of two. */
static inline size_t part_size(int n_parts)
{
    static const int until[] = {1000, 2000, 3000, 4000, 6000};
    size_t i = 0;

    while (i < sizeof until / sizeof until[0] && n_parts >= until[i])
        i++;
    return LEAST_PART_BYTES << i;
}

#endif
