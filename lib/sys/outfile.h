/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes out. A bp_outfile is a descriptor we were given (stdout) or a file that
 * appears under its name only by commit: it is written as
 * `.tmp-NAME.HOST.PID` in the same directory (O_EXCL, O_NOFOLLOW, 0666 & umask),
 * then fsync, checked close, rename, fsync of the directory. abort removes it;
 * so do SIGINT, SIGTERM and SIGHUP. A name that stands for a device or a named
 * pipe is opened and written as it is. An object of S3 appears by its last request.
 */
#ifndef BP_SYS_OUTFILE_H
#define BP_SYS_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/buf.h"

/* What the bytes go through on their way out (lib/codec/encode.h). */
struct bp_encoder {
    /* Takes p[0, n); appends what comes of it to out. end: nothing more comes. */
    int (*encode)(void *self, const void *p, size_t n, bool end, struct bp_buf *out,
                  struct bp_err *err);
    void (*free)(void *self);
    void *self; /* NULL: bytes go out as they are */
};

/* What takes the bytes of fd where that is no file of ours. Each call frees self. */
struct bp_outfile_far {
    /* No more come: fd is closed. 0: they have arrived, for good. */
    int (*commit)(void *self, struct bp_err *err);
    /* Nothing is to come of them. fd is still open. */
    void (*abort)(void *self);
    /* It closed fd before the end: why. Never 0. */
    int (*why)(void *self, struct bp_err *err);
};

struct bp_behind; /* behind.h */

struct bp_outfile {
    int fd;                /* -1 when closed */
    char *path;            /* final name; "stdout" for a borrowed descriptor */
    char *tmp_path;        /* NULL for a borrowed descriptor */
    int64_t pos_bytes;     /* bytes written so far, encoded */
    int64_t started_bytes; /* of them, given to the disk */
    bool is_pipe;
    bool borrowed; /* fd is the caller's: abort leaves it open */
    bool is_command;
    int guard; /* slot in the table of files that a signal removes */
    struct bp_encoder encoder;
    struct bp_buf encoded;    /* not yet written */
    struct bp_behind *behind; /* a large file, from some byte on; else NULL */
    bool tried_behind;
    bool is_slow; /* its owner says so: the disk waits for it, and little need be ahead */
    const struct bp_outfile_far *far_ops;
    void *far_self; /* NULL: nothing of the kind, or it has ended */
};

/* Opens the temporary. Rubbish left there by dead processes of this host for the
 * same NAME is removed first. */
int bp_outfile_open(struct bp_outfile *f, const char *path, struct bp_err *err) BP_MUST;
/* Borrow fd (stdout); commit flushes nothing but checks close. Pipes are set to
 * their largest size. */
int bp_outfile_borrow(struct bp_outfile *f, int fd, const char *name, struct bp_err *err) BP_MUST;
/* What goes to fd (taken over) is for self (taken over, also on error). */
int bp_outfile_far(struct bp_outfile *f, const char *name, int fd, const struct bp_outfile_far *far,
                   void *self, struct bp_err *err) BP_MUST;
/* To the stdin of a shell command (command.c): it sees an end of file only by commit, which
 * fails unless it exits with 0; it is killed by abort, and when we are. */
int bp_outfile_command(struct bp_outfile *f, const char *text, struct bp_err *err) BP_MUST;
/* All of it, or an error, which may be that of an earlier write; EPIPE is BP_ECLOSED. */
int bp_outfile_write(struct bp_outfile *f, const void *p, size_t n, struct bp_err *err) BP_MUST;
/* iov is scratch: it is changed. */
int bp_outfile_writev(struct bp_outfile *f, struct iovec *iov, int n_iov,
                      struct bp_err *err) BP_MUST;
int bp_outfile_commit(struct bp_outfile *f, struct bp_err *err) BP_MUST;
void bp_outfile_abort(struct bp_outfile *f); /* also after commit: a no-op */

#endif
