/* SPDX-License-Identifier: Apache-2.0 */
/* Reading arguments row by row in kernels of text. */
#ifndef BP_EXPR_TEXT_ARG_H
#define BP_EXPR_TEXT_ARG_H

#include <string.h>

#include "expr/node.h"

/* Bytes of argument a in row i. */
static inline const uint8_t *arg_bytes(const struct bp_vec *a, int64_t i, size_t *n)
{
    const int32_t *off = (const int32_t *)a->c.data + (a->one ? 0 : i);

    *n = (size_t)(off[1] - off[0]);
    return a->c.bytes + off[0];
}

static inline int64_t arg_int64(const struct bp_vec *a, int64_t i)
{
    return ((const int64_t *)a->c.data)[a->one ? 0 : i];
}

/* The first byte of a character of UTF-8. */
static inline bool is_lead(uint8_t c)
{
    return (c & 0xc0) != 0x80;
}

static inline int64_t count_chars(const uint8_t *s, size_t n)
{
    int64_t k = 0;

    for (size_t i = 0; i < n; i++)
        k += is_lead(s[i]);
    return k;
}

/* Bytes of the first k characters. */
static inline size_t chars_bytes(const uint8_t *s, size_t n, int64_t k)
{
    size_t i = 0;

    if (k >= (int64_t)n)
        return n;
    for (; i < n; i++)
        if (is_lead(s[i]) && k-- <= 0)
            break;
    return i;
}

/* A kernel that makes text: ROW(r, args, i, o, &used) makes room in o, writes, and
 * says how much. Rows with a NULL are spared. */
#define BP_TEXT_KERNEL(NAME, ROW)                                                                  \
    static int NAME(struct bp_run *r, const struct bp_vec *args, struct bp_column *out)            \
    {                                                                                              \
        struct bp_text_out o;                                                                      \
        BP_TRY(bp_text_out_open(&o, r->n, (size_t)r->n * 12, r->ev->err));                         \
        for (int64_t i = 0; i < r->n; i++) {                                                       \
            size_t used = 0;                                                                       \
            int rc = bp_run_is_valid(r, i) ? ROW(r, args, i, &o, &used) : 0;                       \
            if (rc < 0) {                                                                          \
                bp_text_out_release(&o);                                                           \
                return rc;                                                                         \
            }                                                                                      \
            bp_text_out_end(&o, used);                                                             \
        }                                                                                          \
        bp_text_out_close(&o, r->node->type, out);                                                 \
        return 0;                                                                                  \
    }

#endif
