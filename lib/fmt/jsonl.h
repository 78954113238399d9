/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Lines (RFC 8259 objects, one a line). As PostgreSQL's to_json writes values:
 * numbers exact, dates and times ISO 8601 in strings, binary as "\\x" and hex digits,
 * floats that JSON has no number for as "NaN", "Infinity", "-Infinity", NULL as null.
 */
#ifndef BP_FMT_JSONL_H
#define BP_FMT_JSONL_H

#include "flow/flow.h"
#include "sys/outfile.h"

/* f is taken over. Two columns of one name are BP_EUSAGE. */
int bp_jsonl_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                  struct bp_err *err) BP_MUST;

#endif
