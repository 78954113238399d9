/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/sys, but for the first three: what has a URL for
 * a name. A helper program (wire.h) speaks with the network; it is started by the first
 * call that needs it, one for all reading of a process, one for each object written.
 * Thread safe.
 */
#ifndef BP_SYS_REMOTE_H
#define BP_SYS_REMOTE_H

#include "sys/dir.h"
#include "sys/input.h"
#include "sys/outfile.h"

enum bp_remote_kind { BP_REMOTE_NONE, BP_REMOTE_HTTP, BP_REMOTE_S3 };
/* By the beginning of the name only. */
enum bp_remote_kind bp_remote_kind(const char *path);
/* How a URL is shown and noted: without its query, which may hold a signature. buf is room. */
const char *bp_remote_shown(const char *path, char *buf, size_t n);
/* The objects that match an s3://BUCKET/PATTERN, sorted; none is no error. */
int bp_remote_glob(const char *pattern, struct bp_names *out, struct bp_err *err) BP_MUST;

struct bp_remote_look {
    char kind; /* wire.h */
    int64_t size_bytes, mtime_ns;
    char version[17];
};
int bp_remote_look(const char *url, struct bp_remote_look *out, struct bp_err *err) BP_MUST;
/* At what is there now, whatever was seen before: for what others write, too. */
int bp_remote_look_afresh(const char *url, struct bp_remote_look *out, struct bp_err *err) BP_MUST;
/* Names below the directory, unsorted; those of directories end in '/'. */
int bp_remote_list(const char *prefix, bool deep, struct bp_names *out, struct bp_err *err) BP_MUST;
int bp_remote_read(const char *url, void *p, size_t n, int64_t offset, size_t *got,
                   struct bp_err *err) BP_MUST;
/* It will be read soon. Only advice. */
void bp_remote_want(const char *url, size_t n, int64_t offset);
int bp_remote_remove(const char *url, struct bp_err *err) BP_MUST;

int bp_remote_input(struct bp_input *in, const char *url, struct bp_err *err) BP_MUST;
int bp_remote_outfile(struct bp_outfile *f, const char *url, struct bp_err *err) BP_MUST;

/* remote_dir.c: as the functions of dir.h */
enum bp_path_kind bp_remote_path_kind(const char *url);
int bp_remote_mtime(const char *url, int64_t *ns, struct bp_err *err) BP_MUST;
int bp_remote_size(const char *url, int64_t *n_bytes, struct bp_err *err) BP_MUST;
int bp_remote_dir_list(const char *dir, bool hidden, struct bp_names *out,
                       struct bp_err *err) BP_MUST;

/* remote.c: starts `bp-remote MODE [URL]`; *fd is the socket, *data (may be NULL) the writing
 * end of its stdin. */
int bp_remote_start(const char *mode, const char *url, int *fd, int *data, int *pid,
                    struct bp_err *err) BP_MUST;

#endif
