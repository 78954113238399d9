/* SPDX-License-Identifier: Apache-2.0 */
#include "fmt/csv_wide.h"

bool csv_wide_has(struct bp_type t, int level)
{
    if (level == 0)
        return false;
    switch (t.kind) {
    case BP_INT32:
    case BP_INT64:
    case BP_FLOAT64:
    case BP_DATE: return true;
    case BP_DECIMAL: return bp_type_is_decimal64(t);
    case BP_TIMESTAMP:
    case BP_TIMESTAMPTZ: return t.unit != BP_NANO; /* it has a narrower range */
    default: return false;
    }
}

uint64_t csv_wide(struct csv_out *o, const struct csv_span *f, int n, int level, uint64_t *empty)
{
#if defined(__x86_64__)
    return level > 1 ? csv_wide_avx512(o, f, n, empty) : csv_wide_avx2(o, f, n, empty);
#else
    (void)o;
    (void)f;
    (void)n;
    (void)level;
    *empty = 0;
    return 0;
#endif
}
