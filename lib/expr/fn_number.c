/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of numbers. */
#include "expr/function.h"

static const struct bp_fn fns[1] = {{.name = ""}};
const struct bp_fn_table bp_fns_number = {fns, 0};
