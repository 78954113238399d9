/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages off a pipe or file, front to back. A length is believed only as far
 * as bytes arrive: metadata and bodies are read in steps into memory that
 * doubles, so a claim of 1 TiB costs what really comes.
 */
#include <string.h>

#include "ipc/stream_read.h"

#define METADATA_STEP ((size_t)1 << 20)
#define BODY_STEP ((size_t)8 << 20)
#define REASON_MAX 1024

static int ended(struct bp_err *err)
{
    return bp_fail(err, BP_EUPSTREAM,
                   "the stream ended early (inside a message): "
                   "its producer failed or was killed");
}

/* All of n bytes, or the end came too early. */
static int read_all(struct bp_input *in, void *p, size_t n, struct bp_err *err)
{
    size_t got;

    BP_TRY(bp_input_read(in, p, n, &got, err));
    return got < n ? ended(err) : 0;
}

/* The reason a producer gave, as one line of clean text. */
static int read_abort(struct bp_input *in, struct bp_err *err)
{
    char reason[REASON_MAX + 1];
    uint32_t n;
    size_t got, end = 0;

    BP_TRY(read_all(in, &n, sizeof n, err));
    BP_TRY(bp_input_read(in, reason, BP_MIN(n, (uint32_t)REASON_MAX), &got, err));
    for (size_t i = 0; i < got; i++)
        if ((uint8_t)reason[i] >= ' ' && reason[i] != 0x7f)
            reason[end++] = reason[i];
        else if (end && reason[end - 1] != ' ')
            reason[end++] = ' ';
    reason[end] = '\0';
    return bp_fail(err, BP_EUPSTREAM, "%s", end ? reason : "the producer failed");
}

static int read_metadata(struct bp_input *in, size_t n, struct bp_buf *meta, struct bp_err *err)
{
    meta->len = 0;
    while (meta->len < n) {
        size_t step = BP_MIN(n - meta->len, BP_MAX(METADATA_STEP, meta->len));

        BP_TRY(bp_buf_reserve(meta, step, err));
        BP_TRY(read_all(in, meta->data + meta->len, step, err));
        meta->len += step;
    }
    return 0;
}

/* A message of V4 that begins with its length. Four zeros are the end mark only where
 * the message before had that form too: they must not make a whole of a stream whose
 * end was lost. */
static int read_short(struct bp_input *in, int32_t n, struct bp_buf *meta, struct bp_ipc_message *m,
                      enum bp_ipc_next *what, struct bp_err *err)
{
    if (n == 0 && m->short_prefix) {
        *what = BP_IPC_NEXT_EOS;
        return 0;
    }
    if (n <= 0 || n % 4 || n > BP_IPC_MAX_METADATA)
        return bp_fail(err, BP_EDATA, "there is no Arrow message");
    BP_TRY(read_metadata(in, (size_t)n, meta, err));
    BP_TRY(bp_ipc_message_decode(m, meta->data, meta->len, err));
    m->short_prefix = true;
    return m->is_v4 ? 0 : bp_fail(err, BP_EDATA, "there is no Arrow message");
}

int bp_ipc_message_read(struct bp_input *in, struct bp_buf *meta, struct bp_ipc_message *m,
                        enum bp_ipc_next *what, struct bp_err *err)
{
    uint32_t prefix[2];
    int32_t n;
    size_t got;

    *what = BP_IPC_NEXT_MESSAGE;
    BP_TRY(bp_input_read(in, &prefix[0], sizeof prefix[0], &got, err));
    if (got == 0) {
        *what = BP_IPC_NEXT_END;
        return 0;
    }
    if (got < sizeof prefix[0])
        return ended(err);
    m->is_handed = prefix[0] == BP_IPC_HANDED;
    if (prefix[0] != BP_IPC_CONTINUATION && !m->is_handed)
        return read_short(in, (int32_t)prefix[0], meta, m, what, err);
    BP_TRY(read_all(in, &prefix[1], sizeof prefix[1], err));
    m->short_prefix = false;
    n = (int32_t)prefix[1];
    if (n == 0) {
        *what = BP_IPC_NEXT_EOS;
        return 0;
    }
    if (n == BP_IPC_ABORT) {
        *what = BP_IPC_NEXT_ABORT;
        return read_abort(in, err);
    }
    if (n < 0 || n > BP_IPC_MAX_METADATA)
        return bp_fail(err, BP_EDATA, "a message claims %ld bytes of metadata", (long)n);
    BP_TRY(read_metadata(in, (size_t)n, meta, err));
    BP_TRY(bp_ipc_message_decode(m, meta->data, meta->len, err));
    return m->is_handed ? read_all(in, m->handed, sizeof m->handed, err) : 0;
}

/* Bytes count as if they had come by the pipe: by where they stand, errors are placed. */
static int take_handed(struct bp_input *in, const struct bp_ipc_message *m, struct bp_ring_in *ring,
                       struct bp_ipc_body *out, struct bp_err *err)
{
    BP_TRY(
        bp_ring_in_take(ring, m->handed[0], m->handed[1], (size_t)m->body_bytes, &out->block, err));
    out->n_bytes = m->body_bytes;
    out->is_handed = true;
    in->pos_bytes += m->body_bytes - (int64_t)sizeof m->handed;
    return 0;
}

int bp_ipc_body_read(struct bp_input *in, const struct bp_ipc_message *m, struct bp_ring_in *ring,
                     struct bp_ipc_body *out, struct bp_err *err)
{
    int64_t n_bytes = m->body_bytes;
    size_t have = 0, want;
    int rc = 0;

    *out = (struct bp_ipc_body){0};
    if (m->is_handed)
        return take_handed(in, m, ring, out, err);
    if ((uint64_t)n_bytes > SIZE_MAX / 4)
        return bp_fail(err, BP_EDATA, "a message claims a body of %lld bytes", (long long)n_bytes);
    want = (size_t)n_bytes;
    do {
        size_t step = BP_MIN(want - have, BP_MAX(BODY_STEP, have));

        BP_GO(bp_block_grow(&out->block, have, have + step, err));
        BP_GO(read_all(in, out->block->data + have, step, err));
        have += step;
    } while (have < want);
    out->n_bytes = n_bytes;
    return 0;
out:
    bp_block_unref(out->block);
    out->block = NULL;
    return rc;
}

int bp_ipc_project(struct bp_schema *out, const struct bp_schema *in, const int *columns,
                   int n_columns, struct bp_err *err)
{
    *out = (struct bp_schema){0};
    if (!columns)
        return bp_schema_copy(out, in, err);
    for (int i = 0; i < n_columns; i++) {
        const struct bp_field *f = &in->fields[columns[i]];

        if (bp_schema_add(out, f->name, f->type, err) < 0)
            goto fail;
        out->fields[i].nullable = f->nullable;
        out->fields[i].dict = f->dict;
    }
    if (bp_schema_copy_meta(out, in, err) == 0)
        return 0;
fail:
    bp_schema_release(out);
    return err->code;
}

int bp_ipc_share_batch(struct bp_batch *out, const struct bp_schema *schema, struct bp_share share,
                       struct bp_err *err)
{
    BP_TRY(bp_batch_init(out, schema->n_fields, err));
    out->share = share;
    for (int i = 0; i < schema->n_fields; i++)
        if (bp_column_nulls(&out->cols[i], schema->fields[i].type, 0, err) < 0) {
            bp_batch_release(out);
            return err->code;
        }
    return 0;
}

bool bp_ipc_count_parse(const char *s, size_t n, int64_t *out)
{
    int64_t v = 0;

    if (n < 1 || n > 18)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        v = v * 10 + (s[i] - '0');
    }
    *out = v;
    return true;
}

int bp_ipc_slicer_next(struct bp_ipc_slicer *s, struct bp_batch *out, struct bp_err *err)
{
    int64_t left = s->batch.n_rows - s->from, n = BP_MIN(left, BP_IPC_SLICE_ROWS);

    if (!s->batch.cols)
        return BP_DONE;
    if (s->from == 0 && left <= BP_IPC_SLICE_ROWS + BP_IPC_SLICE_ROWS / 2) {
        bp_batch_move(out, &s->batch);
        return 0;
    }
    BP_TRY(bp_batch_slice(out, &s->batch, s->from, n, err));
    s->from += n;
    if (n == left) {
        bp_batch_release(&s->batch);
        s->from = 0;
    }
    return 0;
}
