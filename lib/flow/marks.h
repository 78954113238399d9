/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bp.* marks in a schema's metadata (bp-stream(5)). Every value is a string;
 * the structured ones are compact JSON with sorted keys, so that equal marks are
 * equal bytes.
 *
 *   bp.version  "1"
 *   bp.sorted   an ORDER BY list over column names; permits
 *   bp.task     "I/N"; restricts
 *   bp.parted   {"keys":[names],"classes":[ints],"parts":P,"first":A,"last":B}, and
 *               "borders":HASH if by range; permits: rows of other tasks' shares have
 *               other keys; "hot":HASH: but for these, whose rows are in any share, or,
 *               with "copied":true, all of them in every share
 *   bp.partial  what lib/op/reduce wrote about keys and aggregates; restricts
 *   bp.lineage  a tree of steps {"cmd","clauses":[...],"vars":{...},"from":[steps],
 *               "inputs":[names]}: what changes the answer, and nothing else
 *   bp.ledger   of a share: what was read of which input (ledger.h)
 */
#ifndef BP_FLOW_MARKS_H
#define BP_FLOW_MARKS_H

#include "col/column.h"
#include "col/schema.h"
#include "flow/flow.h"

#define BP_BORDERS_LEN 16 /* lower-case hexadecimal digits */

#define BP_MARK_VERSION "bp.version"
#define BP_MARK_SORTED "bp.sorted"
#define BP_MARK_TASK "bp.task"
#define BP_MARK_PARTED "bp.parted"
#define BP_MARK_PARTIAL "bp.partial"
#define BP_MARK_LINEAGE "bp.lineage"

/* "I/N" with 0 <= I < N, as in bp.task, --task and BP_TASK: true and the share. */
bool bp_share_parse(const char *text, struct bp_share *out);
/* bp.task of a schema; {0, 0} if absent. A malformed mark is BP_EDATA. */
int bp_mark_task(const struct bp_schema *s, struct bp_share *out, struct bp_err *err) BP_MUST;
/* share.n 0 removes the mark. */
int bp_mark_set_task(struct bp_schema *s, struct bp_share share, struct bp_err *err) BP_MUST;
/* The mark of a finished file of these shares: one keeps its mark, all of them are the whole;
 * BP_EDATA: neither. */
int bp_mark_judge_shares(struct bp_schema *s, const struct bp_shareset *set,
                         struct bp_err *err) BP_MUST;

struct bp_parted {
    char **keys; /* NULL-terminated array of column names; from bp_mem */
    int *classes;
    int n_keys;
    uint32_t parts, first, last; /* none: last is first - 1, also at 0 */
    char borders[17];            /* by range: which; else "" */
    char hot[17];                /* which keys are in many shares; "": none */
    bool copied;                 /* every share has all rows of these; else each row is in one */
};
/* *present false if the mark is absent. Release what is filled. */
int bp_mark_parted(const struct bp_schema *s, bool *present, struct bp_parted *out,
                   struct bp_err *err) BP_MUST;
int bp_mark_set_parted(struct bp_schema *s, const struct bp_parted *p, struct bp_err *err) BP_MUST;
void bp_parted_release(struct bp_parted *p);
/* text as bp_parted.borders; NULL is "". False: it is none. */
bool bp_borders_parse(const char *text, char out[BP_BORDERS_LEN + 1]);

/* One step of lineage. */
struct bp_step {
    const char *cmd;            /* "bp-filter" */
    const char *const *clauses; /* texts after @FILE was read, NULL-terminated; may be NULL */
    const char *const *vars;    /* NAME=VALUE, NULL-terminated; may be NULL */
    const char *const *inputs;  /* names of inputs that carry no lineage; may be NULL */
};
/* out's bp.lineage = step over the lineages of the from schemas. */
int bp_lineage_push(struct bp_schema *out, const struct bp_step *step,
                    const struct bp_schema *const from[], int n_from, struct bp_err *err) BP_MUST;
/* Run identity: 32 hex digits over the lineage without "inputs", PARTS and N. */
int bp_lineage_identity(const struct bp_schema *s, uint32_t parts, int32_t n_tasks, char out[33],
                        struct bp_err *err) BP_MUST;
/* Calls each for the names of all inputs in the lineage of s, deepest steps last. */
int bp_lineage_inputs(const struct bp_schema *s,
                      int (*each)(void *arg, const char *name, struct bp_err *err), void *arg,
                      struct bp_err *err) BP_MUST;
/* The first difference of two lineages (the values of bp.lineage; NULL: none) in
 * words, e.g. "bp-filter: 'a > 1' against 'a > 2'", appended to out; nothing is
 * appended where their identities agree. Inputs do not count. */
int bp_lineage_diff(const char *a, const char *b, struct bp_buf *out, struct bp_err *err) BP_MUST;

#endif
