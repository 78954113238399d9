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
    char *run;
    int locked; /* the old directory; -1: it is not */
};

/* A directory that must not be replaced is BP_EDATA, before anything is written. */
int bp_publish_open(struct bp_publish *p, const struct bp_publish_opts *o,
                    struct bp_err *err) BP_MUST;
int bp_publish_create(struct bp_publish *p, const char *name, struct bp_outfile *f,
                      struct bp_err *err) BP_MUST;
/* name was committed with n_rows rows. */
int bp_publish_add(struct bp_publish *p, const char *name, int64_t n_rows,
                   struct bp_err *err) BP_MUST;
int bp_publish_commit(struct bp_publish *p, struct bp_err *err) BP_MUST;
void bp_publish_release(struct bp_publish *p);

#endif
