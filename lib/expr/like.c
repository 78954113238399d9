/* SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"
int bp_bind_like(struct bp_bind *b, int tok, bool negate, bool fold_case, struct bp_node *a,
                 struct bp_node *pattern, struct bp_node *escape, struct bp_node **out)
{
    (void)negate, (void)fold_case, (void)a, (void)pattern, (void)escape, (void)out;
    return bp_bind_fail(b, tok, "like is not there yet");
}
