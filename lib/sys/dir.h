/* SPDX-License-Identifier: Apache-2.0 */
/* Directories. A path may be a URL (remote.h): an object store has no directories of its own,
 * so that making them, sweeping them and writing them to disk is nothing there. */
#ifndef BP_SYS_DIR_H
#define BP_SYS_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct bp_names {
    char **names; /* from bp_mem, each and the array */
    int n;
};

enum bp_path_kind { BP_PATH_NONE, BP_PATH_FILE, BP_PATH_DIR, BP_PATH_OTHER };
enum bp_path_kind bp_path_kind(const char *path);
int64_t bp_file_size(const char *path); /* of a regular file; -1 if there is none */
/* BP_ESYS if it is not there. */
int bp_path_mtime_ns(const char *path, int64_t *out, struct bp_err *err) BP_MUST;

/* Of a regular file, or of all those in a directory and below it. */
int bp_path_size_bytes(const char *path, int64_t *out, struct bp_err *err) BP_MUST;

/* Entries of a directory sorted by bytes, "." and ".." left out; names that begin
 * with "." or "_" only if hidden. */
int bp_dir_list(const char *path, bool hidden, struct bp_names *out, struct bp_err *err) BP_MUST;
int bp_names_add(struct bp_names *out, const char *name, struct bp_err *err) BP_MUST;
void bp_names_release(struct bp_names *n);
/* mkdir -p. */
int bp_dir_make(const char *path, struct bp_err *err) BP_MUST;
/* Remove `.tmp-*.HOST.PID`, files and directories, of this host whose process is gone. */
int bp_dir_sweep(const char *path, struct bp_err *err) BP_MUST;
/* What tells the directory that stands under path now from others; of a URL nothing does. */
int bp_dir_id(const char *path, uint64_t id[2], struct bp_err *err) BP_MUST;
/* Waits until no other process has the directory that stands under path locked; *fd is for
 * bp_dir_unlock(), -1 where none stands there. On this host; the lock goes with the process. */
int bp_dir_lock(const char *path, int *fd, struct bp_err *err) BP_MUST;
void bp_dir_unlock(int fd); /* -1 is a no-op */
int bp_dir_sync(const char *path, struct bp_err *err) BP_MUST;
int bp_file_remove(const char *path, struct bp_err *err) BP_MUST;
/* A file or a directory with all that is in it; symbolic links are removed, not
 * followed. What is not there is fine. */
int bp_tree_remove(const char *path, struct bp_err *err) BP_MUST;

#endif
