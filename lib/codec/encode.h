/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed outputs: an encoder that a bp_outfile puts its bytes through. */
#ifndef BP_CODEC_ENCODE_H
#define BP_CODEC_ENCODE_H

#include "sys/outfile.h"

/* What can be written: {"gzip", ".gz", ...}, {"zstd", ".zst", ...}. */
struct bp_encoding {
    const char *name, *suffix;
    struct bp_encoder encoder; /* without self */
    void *(*open)(int n_threads, struct bp_err *err);
};

/* By its name ("gzip"); NULL: there is none. */
const struct bp_encoding *bp_encoding_named(const char *name);
/* By the end of a file's name ("x.csv.gz"); NULL: there is none. */
const struct bp_encoding *bp_encoding_of_path(const char *path);
/* Everything written to f from now on is compressed, by up to n_threads, and the same bytes for
 * any number of them. */
int bp_outfile_encode(struct bp_outfile *f, const struct bp_encoding *e, int n_threads,
                      struct bp_err *err) BP_MUST;

#endif
