/* SPDX-License-Identifier: Apache-2.0 */
#include "base/simd.h"

#include "base/num.h"
#include "col/text_size.h"

BP_WIDE int32_t bp_text_longest(const int32_t *off, int64_t n)
{
    int32_t most = 0;

    for (int64_t i = 0; i < n; i++)
        most = BP_MAX(most, off[i + 1] - off[i]);
    return most;
}

/* Texts of one column have less than 2 GiB together. */
BP_WIDE int64_t bp_text_longer_bytes(const int32_t *off, int64_t n, int32_t than)
{
    int32_t sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += off[i + 1] - off[i] > than ? off[i + 1] - off[i] : 0;
    return sum;
}
