/* SPDX-License-Identifier: Apache-2.0 */
/* The step that all builds of csv_scan share: masks in, separators out. */
#ifndef BP_FMT_CSV_SCAN_STEP_H
#define BP_FMT_CSV_SCAN_STEP_H

#include "fmt/csv_scan.h"

#define CSV_INLINE static inline __attribute__((always_inline))

struct csv_masks {
    uint64_t delim, quote, lf, cr;
};

/* May the byte before an opening quote stand there? */
CSV_INLINE uint64_t csv_opens_after(const struct csv_scan *s, uint8_t c)
{
    return c == s->delim || c == '\n' || c == '\r' || c == s->quote;
}

/*
 * The rare half: quotes, CRs, or their consequences reach into these 64 bytes.
 * x has a bit for each byte inside quotes; an opening quote counts as inside, a
 * closing one does not. A doubled quote closes and opens again.
 */
CSV_INLINE void csv_step_quotes(struct csv_scan *s, struct csv_masks *m, uint64_t x, uint8_t before)
{
    uint64_t special = m->delim | m->quote | m->lf | m->cr;
    uint64_t opening = m->quote & x, closing = m->quote & ~x, cr = m->cr & ~x;

    s->odd |= opening & ~(special << 1 | csv_opens_after(s, before));
    s->odd |= (closing << 1 | s->edge_quote) & ~special;
    s->odd |= (cr << 1 | s->edge_cr) & ~m->lf;
    s->edge_quote = closing >> 63;
    s->edge_cr = cr >> 63;
    s->inside = (uint64_t)((int64_t)x >> 63);
    s->saw_quote |= m->quote;
    s->saw_cr |= m->cr;
    m->delim &= ~x;
    m->lf &= ~x;
}

CSV_INLINE bool csv_step_is_plain(const struct csv_scan *s, const struct csv_masks *m)
{
    return (m->quote | m->cr | s->inside | s->edge_quote | s->edge_cr) == 0;
}

#endif
