/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree below a URL. An object store has no directories that could be exchanged, so each file has
 * its final name as soon as it is whole, and an object BP_UNFINISHED_NAME, put there before the
 * first of them, says that they are no result yet. Its removal is the commit; what asks for a
 * directory looks for it (manifest.h).
 *
 * What was there stays until the tree is whole, so that a failure takes back no more than was
 * created: no file of the tree has the name of one that was there. Who builds it knows which those
 * are, and which go at the end:
 *
 *     bp_outtree_open; bp_outtree_far_list; bp_outtree_far_begin;
 *     for each file: bp_outtree_create, write and commit it
 *     bp_outtree_far_check; the list of files, created like them; bp_outtree_far_remove of what
 *     goes; bp_outtree_commit
 */
#ifndef BP_SYS_OUTTREE_FAR_H
#define BP_SYS_OUTTREE_FAR_H

#include "sys/outtree.h"

/* The names of all that is there, sorted. */
int bp_outtree_far_list(const struct bp_outtree *t, struct bp_names *out,
                        struct bp_err *err) BP_MUST;
bool bp_outtree_far_has(const struct bp_names *sorted, const char *name);
/* The mark is put there. there, without a mark, is moved in: what may be there besides. */
int bp_outtree_far_begin(struct bp_outtree *t, struct bp_names *there, struct bp_err *err) BP_MUST;
/* The mark is still ours, and there is nothing but what was created and what was there. If there
 * was something, a failure from here on leaves all as it is, with the mark: the list of what
 * counts may be the old one or the new. */
int bp_outtree_far_check(struct bp_outtree *t, struct bp_err *err) BP_MUST;
int bp_outtree_far_remove(const struct bp_outtree *t, const char *name, struct bp_err *err) BP_MUST;

/* Private to lib/sys. */
int bp_outtree_far_open(struct bp_outtree *t, const char *path, struct bp_err *err) BP_MUST;
int bp_outtree_far_create(struct bp_outtree *t, const char *name, struct bp_outfile *f,
                          struct bp_err *err) BP_MUST;
int bp_outtree_far_size(const struct bp_outtree *t, const char *name, int64_t *n_bytes,
                        struct bp_err *err) BP_MUST;
/* The mark goes, if it is still ours. */
int bp_outtree_far_commit(struct bp_outtree *t, struct bp_err *err) BP_MUST;
/* What was created goes, if it can be reached and was not committed. */
void bp_outtree_far_abort(struct bp_outtree *t);

#endif
