/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of a directory's files, kept in its _SUCCESS (bp-stage(5)), which is
 * written last. Lines of fields with tabs between:
 *
 *     batchpipe  1
 *     by    NAME  TYPE           each Hive column, in order; the name escaped as in hive.h
 *     column  NAME  TYPE         each column of the files, in order
 *     run   ID                   each run whose files are named after it
 *     file  ROWS  BYTES  PATH    each file, sorted by the bytes of its path
 */
#ifndef BP_STAGE_MANIFEST_H
#define BP_STAGE_MANIFEST_H

#include "col/schema.h"
#include "sys/outfile.h"

#define BP_MANIFEST_NAME "_SUCCESS"

struct bp_manifest_file {
    char *path; /* relative to the directory */
    int64_t n_rows, n_bytes;
};

struct bp_manifest { /* zero-initialise */
    struct bp_schema by, columns;
    char **runs; /* n_runs; of files ID-00000.SUFFIX */
    int n_runs;
    struct bp_manifest_file *files;
    int64_t n_files;
};

int bp_manifest_add(struct bp_manifest *m, const char *path, int64_t n_rows, int64_t n_bytes,
                    struct bp_err *err) BP_MUST;
/* Once each. */
int bp_manifest_add_run(struct bp_manifest *m, const char *run, struct bp_err *err) BP_MUST;
void bp_manifest_sort(struct bp_manifest *m); /* the files */
/* Sorts the files; f is not committed. */
int bp_manifest_write(struct bp_manifest *m, struct bp_outfile *f, struct bp_err *err) BP_MUST;
/* dir, or what it is a COLUMN=VALUE directory of, is on an object store and unfinished
 * (outtree_far.h): BP_EDATA. */
int bp_manifest_finished(const char *dir, struct bp_err *err) BP_MUST;
/* That of dir, which is finished. *present false: there is none, or another program's _SUCCESS. */
int bp_manifest_read(struct bp_manifest *m, const char *dir, bool *present,
                     struct bp_err *err) BP_MUST;
/* The same of one that is not finished. */
int bp_manifest_load(struct bp_manifest *m, const char *dir, bool *present,
                     struct bp_err *err) BP_MUST;
bool bp_manifest_has(const struct bp_manifest *sorted, const char *path);
/* The directory holds just the files of the list, each of its size; else BP_EDATA. Names
 * that begin with "." or "_" do not count. */
int bp_manifest_check(const struct bp_manifest *m, const char *dir, struct bp_err *err) BP_MUST;
/* That n files of dir, of which path is one, are not of its list: BP_EDATA. */
int bp_manifest_strangers(const char *dir, int64_t n, const char *path, struct bp_err *err) BP_MUST;
/* May dir be replaced by another output? BP_EDATA if it holds a file that no list of
 * ours names; what is not there, and an empty directory, pass. */
int bp_manifest_may_replace(const char *dir, struct bp_err *err) BP_MUST;
void bp_manifest_release(struct bp_manifest *m);

#endif
