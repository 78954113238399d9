/* SPDX-License-Identifier: Apache-2.0 */
/* x IN (list). */
#include "expr/bind.h"

int bp_bind_in(struct bp_bind *b, int tok, bool negate, struct bp_node *a, struct bp_node **list,
               int n, struct bp_node **out)
{
    struct bp_node **terms;

    if (n == 1 && !negate)
        return bp_bind_compare(b, tok, BP_EQ, a, list[0], out);
    terms = bp_arena_alloc(&b->e->mem, (size_t)n * sizeof *terms, b->err);
    if (!terms)
        return b->err->code;
    for (int i = 0; i < n; i++)
        BP_TRY(bp_bind_compare(b, tok, negate ? BP_NE : BP_EQ, a, list[i], &terms[i]));
    return n == 1 ? (*out = terms[0], 0) : bp_bind_logic(b, tok, negate, terms, n, out);
}
