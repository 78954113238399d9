/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/sys: a tree below a URL. An object store has no directories that could be
 * exchanged, so each file has its final name as soon as it is whole, and an object
 * BP_UNFINISHED_NAME, put there before the first of them, says that they are no result yet. Its
 * removal is the commit; what asks for a directory looks for it (manifest.h). A tree is built only
 * where nothing is, or what another one left unfinished, which is removed first.
 */
#ifndef BP_SYS_OUTTREE_FAR_H
#define BP_SYS_OUTTREE_FAR_H

#include "sys/outtree.h"

int bp_outtree_far_open(struct bp_outtree *t, const char *path, struct bp_err *err) BP_MUST;
int bp_outtree_far_create(struct bp_outtree *t, const char *name, struct bp_outfile *f,
                          struct bp_err *err) BP_MUST;
int bp_outtree_far_size(const struct bp_outtree *t, const char *name, int64_t *n_bytes,
                        struct bp_err *err) BP_MUST;
/* All that is below the URL is what was created, and the mark is still ours: it goes. */
int bp_outtree_far_commit(struct bp_outtree *t, struct bp_err *err) BP_MUST;
/* What was created goes, if it can be reached and was not committed. */
void bp_outtree_far_abort(struct bp_outtree *t);

#endif
