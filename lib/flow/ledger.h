/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: which bytes of which input a process read (bp-stage(5)). There is one
 * for each process (bp_ctx.ledger): whoever opens an input adds what it will read of
 * it, operators need not know, and whoever commits a share writes it down. So the
 * reader of a directory of shares can hold them against one another: together they
 * must have read every input exactly once, and all the same inputs.
 *
 * As text: a JSON array, sorted, equal lines once, of objects with
 *
 *   input          the name as given; "stdin" for a pipe
 *   unit           "bytes", "batches", "partitions", "whole" (0 or 1), "pipe" (not known)
 *   size, mtime    of the file: bytes, nanoseconds since 1970; version: of a stage, of an object
 *   first, end     what is there to be read, in units
 *   from, to       what of it was
 *   share          "I/N" of a share; absent: this input was read whole by its task
 *   nth            absent or > 0: the same input once more
 *
 * Not thread safe: inputs are opened, and streams followed, on one thread.
 */
#ifndef BP_FLOW_LEDGER_H
#define BP_FLOW_LEDGER_H

#include "col/column.h"

struct bp_buf;
struct bp_input;

#define BP_MARK_LEDGER "bp.ledger" /* of a stream or file that is a share */

#define BP_LEDGER_BYTES "bytes"
#define BP_LEDGER_BATCHES "batches"
#define BP_LEDGER_PARTITIONS "partitions"
#define BP_LEDGER_WHOLE "whole"
#define BP_LEDGER_PIPE "pipe"

struct bp_ledger_entry {
    char *input;
    const char *unit;             /* one of the above */
    int64_t size_bytes, mtime_ns; /* -1: not known */
    char version[17];             /* 16 hex digits, or "" */
    int64_t first, end, from, to; /* first <= from <= to <= end */
    struct bp_share share;        /* n 0: not cut */
    int nth;
};

struct bp_ledger {
    struct bp_ledger_entry *entries;
    int n, cap;
};

/* A copy of e. l NULL: nothing is kept. */
int bp_ledger_add(struct bp_ledger *l, const struct bp_ledger_entry *e, struct bp_err *err) BP_MUST;
/* Bytes [lo, hi) of a text file (hi may lie behind its end); all of what is no file,
 * or nothing where hi is 0. */
int bp_ledger_add_bytes(struct bp_ledger *l, const struct bp_input *in, int64_t lo, int64_t hi,
                        struct bp_share share, struct bp_err *err) BP_MUST;
/* Entries [from, n) were operands of one table: give equal inputs their nth. */
int bp_ledger_number(struct bp_ledger *l, int from, struct bp_err *err) BP_MUST;
/* Adds what text says. Damage is BP_EDATA. l NULL: only checked. */
int bp_ledger_read(struct bp_ledger *l, const char *text, struct bp_err *err) BP_MUST;
/* Sorts l and appends its text, without a NUL. l NULL: []. */
int bp_ledger_write(struct bp_ledger *l, struct bp_buf *out, struct bp_err *err) BP_MUST;
void bp_ledger_release(struct bp_ledger *l);

/*
 * Holds the ledgers of tasks 0..n-1 of one fan-out against one another. BP_EDATA that
 * names input, tasks, difference and cure, where an input was not the same for two
 * tasks, where a task knew of other inputs, read another share than its own, or
 * where the shares leave something out or read it twice. What came from a pipe, and
 * what a task read as its own rows, is not judged.
 */
int bp_ledger_check(const struct bp_ledger *const tasks[], int n, struct bp_err *err) BP_MUST;
/* The same for people: a line or more for each input, and what no task read of it. */
int bp_ledger_show(const struct bp_ledger *const tasks[], int n, struct bp_buf *out,
                   struct bp_err *err) BP_MUST;
/* A hash of the inputs (name, size, mtime, version) of all tasks and of salt. The
 * same however the inputs were cut. */
int bp_ledger_version(const struct bp_ledger *const tasks[], int n, const char *salt, char out[17],
                      struct bp_err *err) BP_MUST;

/* "task 3", "tasks 0, 3 and 4 more": those i < n with which[i] == value. */
int bp_tasks_name(const uint8_t *which, int n, uint8_t value, struct bp_buf *out,
                  struct bp_err *err) BP_MUST;

#endif
