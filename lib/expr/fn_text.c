/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of text. */
#include "expr/function.h"

static const struct bp_fn fns[1] = {{.name = ""}};
const struct bp_fn_table bp_fns_text = {fns, 0};
