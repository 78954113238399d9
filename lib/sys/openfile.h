/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/sys: regular files that are read at places, any number of them with a
 * bounded number of descriptors. The one that was read longest ago is closed to make
 * room, and opened again when it is wanted: then it must be the same file, and not
 * shorter. Thread safe.
 */
#ifndef BP_SYS_OPENFILE_H
#define BP_SYS_OPENFILE_H

#include "base/err.h"

struct bp_openfile;

/* As open(2) for reading. The descriptor, or -1 and errno: if there are no more, others
 * are closed first. */
int bp_openfile_descriptor(const char *path);
/* fd, of a regular file, is taken over (also on error). */
int bp_openfile_new(struct bp_openfile **out, const char *path, int fd, struct bp_err *err) BP_MUST;
/* The file's descriptor, until bp_openfile_done(). */
int bp_openfile_use(struct bp_openfile *f, int *fd, struct bp_err *err) BP_MUST;
void bp_openfile_done(struct bp_openfile *f);
void bp_openfile_free(struct bp_openfile *f); /* NULL is a no-op */

#endif
