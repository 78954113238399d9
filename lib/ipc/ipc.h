/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrow IPC (format version V5, columnar format 1.5): stream and file, both
 * ways. Written: little-endian, 64-byte aligned, uncompressed, utf8, int32
 * dictionary indexes. What is read beyond that: bp-stream(5).
 */
#ifndef BP_IPC_IPC_H
#define BP_IPC_IPC_H

#include "flow/flow.h"
#include "sys/input.h"
#include "sys/outfile.h"

/* ---- writing ---- */

/* A stream on f (taken over). Batches are cut by bp_recut; when batch.share
 * changes to another share the stream ends and a new one follows. commit writes
 * the trailer, EOS, and commits f; abort writes the abort mark (pipes and
 * borrowed descriptors) or removes the file. */
int bp_ipc_stream_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                       struct bp_err *err) BP_MUST;
/* Each stream that is a share carries l as it is when that stream begins (bp.ledger);
 * l outlives the sink. */
void bp_ipc_stream_sink_ledger(struct bp_sink *sink, struct bp_ledger *l);
/* An Arrow file on f (taken over). */
int bp_ipc_file_sink(struct bp_sink *out, struct bp_outfile *f, const struct bp_schema *schema,
                     struct bp_err *err) BP_MUST;

/* The abort mark alone, where a command failed before it had a schema to write.
 * Best effort: a failed write is ignored (the missing EOS says the same). */
void bp_ipc_write_abort(struct bp_outfile *f, const char *reason);

/*
 * The file writer by hand, for lib/stage: blocks as they come (not recut), and
 * a footer with metadata that is known last.
 */
struct bp_ipc_writer;
int bp_ipc_writer_open(struct bp_ipc_writer **out, struct bp_outfile *f, bool file,
                       const struct bp_schema *schema, struct bp_err *err) BP_MUST;
struct bp_ipc_place {
    int64_t offset_bytes;   /* of the message in the file */
    int32_t metadata_bytes; /* prefix, flatbuffer and padding */
    int64_t body_bytes;
    int64_t n_rows;
    uint64_t checksum; /* XXH3-64 of metadata and body as written */
};
/* Writes one record batch; where may be NULL. in stays the caller's. */
int bp_ipc_writer_put(struct bp_ipc_writer *w, const struct bp_batch *in,
                      struct bp_ipc_place *where, struct bp_err *err) BP_MUST;
/* Ends stream (trailer, EOS) or file (EOS, footer with key-value metadata, magic);
 * does not commit f. keys/values: n_meta custom metadata of the footer. */
int bp_ipc_writer_finish(struct bp_ipc_writer *w, const struct bp_meta *meta, int n_meta,
                         struct bp_err *err) BP_MUST;
void bp_ipc_writer_free(struct bp_ipc_writer *w);

/* ---- reading ---- */

struct bp_ipc_opts {
    bool allow_truncated; /* a stream without EOS is taken as whole */
    int task, n_tasks;    /* n_tasks > 0, files only: the batches of this share */
    bool some_batches;    /* files only: just batches [first_batch, first_batch + n_batches); */
    int first_batch, n_batches; /* task and n_tasks then only mark the share */
    const int *columns;         /* read only these fields, in this order; NULL: all */
    int n_columns;
    struct bp_ledger *ledger; /* streams: what each says of its inputs is added here, and
                               * taken from the schema; NULL: it stays there */
    bool unite;               /* files: the caller knows that this file's share (bp.task) is one of
                               * a whole that it reads: its rows are no share any more */
};
bool bp_ipc_is_stream(const uint8_t *head, size_t n); /* by the first 8 bytes */
bool bp_ipc_is_file(const uint8_t *head, size_t n);
/* One or several streams behind each other; in is taken over (also on error). */
int bp_ipc_stream_source(struct bp_source *out, struct bp_input *in, const struct bp_ipc_opts *opts,
                         struct bp_err *err) BP_MUST;
/* in must be a file (in->is_file). */
int bp_ipc_file_source(struct bp_source *out, struct bp_input *in, const struct bp_ipc_opts *opts,
                       struct bp_err *err) BP_MUST;

/* The file by hand, for lib/stage. */
struct bp_ipc_file;
int bp_ipc_file_open(struct bp_ipc_file **out, struct bp_input *in, struct bp_err *err) BP_MUST;
const struct bp_schema *bp_ipc_file_schema(const struct bp_ipc_file *f);
int bp_ipc_file_n_batches(const struct bp_ipc_file *f);
/* True if every column stands in the file in the form that bp_ipc_writer gives it,
 * without a dictionary: one layout for each type (bp-stage(5)). */
bool bp_ipc_file_as_written(const struct bp_ipc_file *f);
/* Value of a footer metadata key, NULL if absent. */
const char *bp_ipc_file_meta(const struct bp_ipc_file *f, const char *key);
/* Batch i. checksum: NULL, or the XXH3-64 that metadata and body must have. */
int bp_ipc_file_read(struct bp_ipc_file *f, int i, const uint64_t *checksum, struct bp_batch *out,
                     struct bp_err *err) BP_MUST;
/* The same, only these fields, in this order; NULL: all. With a checksum the whole
 * message is read, else only what the columns need. Both from any thread. */
int bp_ipc_file_read_columns(struct bp_ipc_file *f, int i, const uint64_t *checksum,
                             const int *columns, int n_columns, struct bp_batch *out,
                             struct bp_err *err) BP_MUST;
void bp_ipc_file_free(struct bp_ipc_file *f);

#endif
