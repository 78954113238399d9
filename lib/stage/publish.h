/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/stage: an output of several files in a directory that appears as a
 * whole, with its list (manifest.h), and what of the directory stays.
 *
 * Runs. Files of a run are named ID-00000.SUFFIX; the list names the runs. An output that
 * is a run replaces the files of that run and keeps all others, so that appending can
 * be repeated. Kept files are linked into the new directory before it takes the place of
 * the old one; meanwhile the old one is locked against others that want to do so.
 *
 * Below a URL nothing is exchanged, and new files have names that none there has: their numbers
 * have another number of digits (publish_far.c).
 *
 *     bp_publish_open; list.columns and list.by are filled;
 *     for each file: bp_publish_create, write and commit it, bp_publish_add
 *     bp_publish_commit
 */
#ifndef BP_STAGE_PUBLISH_H
#define BP_STAGE_PUBLISH_H

#include "stage/by.h"
#include "stage/manifest.h"
#include "sys/outtree.h"

struct bp_publish { /* zero-initialise but for tree.fd, -1 */
    struct bp_outtree tree;
    struct bp_manifest list;
    struct bp_publish_opts o; /* its dir outlives this */
    int n_digits;             /* of the numbers in names */
    struct bp_manifest old;   /* below a URL: of what was there */
    char *run;
    int locked; /* the old directory; -1: it is not */
};

/* A directory that must not be replaced is BP_EDATA, before anything is written. */
int bp_publish_open(struct bp_publish *p, const struct bp_publish_opts *o,
                    struct bp_err *err) BP_MUST;
/* The name of file number i, without a directory. */
void bp_publish_name(const struct bp_publish *p, int64_t i, const char *suffix, char *out,
                     size_t n_bytes);
int bp_publish_create(struct bp_publish *p, const char *name, struct bp_outfile *f,
                      struct bp_err *err) BP_MUST;
/* name was committed with n_rows rows. */
int bp_publish_add(struct bp_publish *p, const char *name, int64_t n_rows,
                   struct bp_err *err) BP_MUST;
int bp_publish_commit(struct bp_publish *p, struct bp_err *err) BP_MUST;
void bp_publish_release(struct bp_publish *p);

/* publish_far.c: of publish.c. What is below the URL is looked at, what a dead writer left goes,
 * and the tree is begun. Then old is what stays, or is replaced at the end. */
int bp_publish_far_begin(struct bp_publish *p, struct bp_err *err) BP_MUST;
/* The new list is written: what it does not name goes. */
int bp_publish_far_clear(struct bp_publish *p, struct bp_err *err) BP_MUST;
/* That m's runs are those of others: BP_EDATA. */
int bp_publish_other_runs(const struct bp_manifest *m, const char *dir, struct bp_err *err) BP_MUST;

#endif
