/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory that appears as a whole. It is built under `.tmp-NAME.HOST.PID` beside
 * PATH, written to disk, and takes PATH's place in one step: by a rename, or, where
 * a directory stands there, by exchanging the two (renameat2). The old one is removed
 * after that. So PATH names the old directory or the new one at every instant; what
 * a dead process left is removed by the next writer on this host. Below a URL that is done
 * otherwise (outtree_far.h).
 */
#ifndef BP_SYS_OUTTREE_H
#define BP_SYS_OUTTREE_H

#include "sys/dir.h"
#include "sys/outfile.h"

struct bp_outtree {
    char *path;     /* final name, symbolic links resolved */
    char *tmp_path; /* being built; NULL when committed or not open */
    int fd;         /* of tmp_path */
    int64_t n_files;
    /* below a URL (outtree_far.h) */
    bool is_far;
    char far_mark[24];                    /* what the mark of it holds; "": there is none */
    struct bp_names far_names, far_there; /* created; and what was there before, sorted */
    bool far_stays;                       /* whatever fails now */
};

/* In a directory on an object store: what else is there is no result yet. */
#define BP_UNFINISHED_NAME "_UNFINISHED"

/* Makes the empty temporary. path may end in slashes; its parents are made. */
int bp_outtree_open(struct bp_outtree *t, const char *path, struct bp_err *err) BP_MUST;
/* A file of the tree, name relative to it; directories on the way are made. It has
 * its final name at once, and its commit is a checked close: the tree's commit is
 * what publishes it. */
int bp_outtree_create(struct bp_outtree *t, const char *name, struct bp_outfile *f,
                      struct bp_err *err) BP_MUST;
/* (Not of a URL.) The file name of the directory that stands under the final name is in this one,
 * too. */
int bp_outtree_keep(struct bp_outtree *t, const char *name, struct bp_err *err) BP_MUST;
/* The bytes of a file of the tree. */
int bp_outtree_size(const struct bp_outtree *t, const char *name, int64_t *n_bytes,
                    struct bp_err *err) BP_MUST;
/* (Not of a URL.) A file that was created and committed is taken back. */
int bp_outtree_remove(struct bp_outtree *t, const char *name, struct bp_err *err) BP_MUST;
/* All files are closed: to disk, and into place. BP_DONE: replace is false, and a directory
 * with something in it stands there; nothing happened. */
int bp_outtree_commit(struct bp_outtree *t, bool replace, struct bp_err *err) BP_MUST;
void bp_outtree_abort(struct bp_outtree *t); /* also after commit: frees */

#endif
