/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/rows.h"

#include "base/mem.h"
#include "ipc/ipc.h"

int bp_ipc_rows_open(struct bp_ipc_rows *r, int fd, const char *name,
                     const struct bp_schema *schema, struct bp_err *err)
{
    struct bp_outfile out;

    *r = (struct bp_ipc_rows){0};
    r->cols = bp_mem_new((size_t)schema->n_fields, sizeof *r->cols, err);
    if (!r->cols)
        return err->code;
    r->n_cols = schema->n_fields;
    for (int c = 0; c < r->n_cols; c++)
        bp_builder_init(&r->cols[c], schema->fields[c].type);
    BP_TRY(bp_outfile_borrow(&out, fd, name, err));
    return bp_ipc_stream_sink(&r->sink, &out, schema, err);
}

static int send_rows(struct bp_ipc_rows *r, struct bp_err *err)
{
    struct bp_batch b;
    int rc;

    r->batch_bytes = 0;
    if (!r->cols[0].n_rows)
        return 0;
    BP_TRY(bp_batch_init(&b, r->n_cols, err));
    b.n_rows = r->cols[0].n_rows;
    for (int c = 0; c < r->n_cols; c++)
        BP_GO(bp_builder_finish(&r->cols[c], &b.cols[c], err));
    return bp_sink_put(&r->sink, &b, err);
out:
    bp_batch_release(&b);
    return rc;
}

int bp_ipc_rows_next(struct bp_ipc_rows *r, size_t n_bytes, struct bp_err *err)
{
    r->n_rows++;
    r->batch_bytes += n_bytes;
    return r->cols[0].n_rows == BP_IPC_ROWS_N || r->batch_bytes >= BP_IPC_ROWS_BYTES
               ? send_rows(r, err)
               : 0;
}

int bp_ipc_rows_end(struct bp_ipc_rows *r, int rc, bp_ipc_say *say, struct bp_err *err)
{
    if (rc == 0)
        rc = send_rows(r, err);
    if (rc < 0 && say)
        say(err);
    if (r->sink.ops && rc == 0)
        rc = r->sink.ops->commit(r->sink.self, err);
    else if (r->sink.ops)
        r->sink.ops->abort(r->sink.self, err->msg);
    bp_sink_free(&r->sink);
    for (int c = 0; c < r->n_cols; c++)
        bp_builder_release(&r->cols[c]);
    bp_mem_free(r->cols);
    *r = (struct bp_ipc_rows){0};
    return rc;
}
