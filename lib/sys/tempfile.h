/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room on disk without a name: a file in $TMPDIR (/tmp if that is not set), unlinked
 * at once, so that nothing is left of it however the process ends.
 */
#ifndef BP_SYS_TEMPFILE_H
#define BP_SYS_TEMPFILE_H

#include <sys/uio.h>

#include "sys/input.h"

struct bp_tempfile {
    int fd;    /* read and write; -1 if closed */
    char *dir; /* for messages */
};

int bp_tempfile_open(struct bp_tempfile *f, struct bp_err *err) BP_MUST;
/* Bytes [from, to) as an input; f must outlive it. Any number at a time. */
int bp_tempfile_input(struct bp_input *out, const struct bp_tempfile *f, int64_t from, int64_t to,
                      struct bp_err *err) BP_MUST;
/* All of it, to be read at places (in->is_file). */
int bp_tempfile_whole(struct bp_input *out, const struct bp_tempfile *f,
                      struct bp_err *err) BP_MUST;
/* Bytes at a place, all of them or an error; iov is used up. Thread safe. */
int bp_tempfile_write_at(const struct bp_tempfile *f, struct iovec *iov, int n, int64_t at,
                         struct bp_err *err) BP_MUST;
int bp_tempfile_read_at(const struct bp_tempfile *f, void *p, size_t n, int64_t at,
                        struct bp_err *err) BP_MUST;
/* These bytes are not read again: their room may be used for others. Best effort. */
void bp_tempfile_discard(const struct bp_tempfile *f, int64_t from, int64_t to);
/* What the directory has left for this user; -1 if that is not known. */
int64_t bp_tempfile_free_bytes(const struct bp_tempfile *f);
void bp_tempfile_close(struct bp_tempfile *f);

#endif
