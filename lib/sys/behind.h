/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing behind: what is appended to a large file goes to the disk from a thread, past the
 * page cache, while the caller makes what comes next. Of use only for a file that will be
 * synced anyway.
 *
 *   open, then write any number of times, then finish; free at any time.
 */
#ifndef BP_SYS_BEHIND_H
#define BP_SYS_BEHIND_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bp_behind;

/* Goes on behind the first at_bytes of fd, a regular file that only this appends to; path is
 * for messages; both stay the caller's and must live as long. By n_blocks, at least two, of
 * block_bytes, which are whole pages, of which the disk has all but one. NULL if there is no
 * memory, no thread, or enough other files are written so: then write it as usual. */
struct bp_behind *bp_behind_open(int fd, const char *path, int64_t at_bytes, unsigned n_blocks,
                                 size_t block_bytes);
/* Copies p[0, n). An error may be that of an earlier write. */
int bp_behind_write(struct bp_behind *b, const void *p, size_t n, struct bp_err *err) BP_MUST;
/* All is with the kernel, as after write(2): the file is still to be synced. */
int bp_behind_finish(struct bp_behind *b, struct bp_err *err) BP_MUST;
void bp_behind_free(struct bp_behind *b); /* NULL is a no-op; what was not written is dropped */

#endif
