/* SPDX-License-Identifier: Apache-2.0 */
/* The forms that choose between branches (branch.c), and rows by truth (select.c). */
#ifndef BP_EXPR_EVAL_H
#define BP_EXPR_EVAL_H

#include "expr/node.h"

int bp_eval_logic(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out) BP_MUST;
int bp_eval_case(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out) BP_MUST;
int bp_eval_coalesce(const struct bp_eval *ev, const struct bp_node *nd,
                     struct bp_vec *out) BP_MUST;
int bp_eval_try(const struct bp_eval *ev, const struct bp_node *nd, struct bp_vec *out) BP_MUST;

/* Rows i in [0, n) whose bit is set; returns how many. sel has room for n + 8. */
int64_t bp_bits_select(const uint8_t *bits, int64_t n, int32_t *sel);

#endif
