/* SPDX-License-Identifier: Apache-2.0 */
/* The Message table: what kind of message, how long its body, its header. */
#include "ipc/wire.h"

static int damaged(const struct bp_ipc_message *m, struct bp_err *err)
{
    return bp_fail(err, BP_EDATA, "a message's metadata is damaged: %s", m->fb.bad);
}

int bp_ipc_message_decode(struct bp_ipc_message *m, const void *p, size_t n, struct bp_err *err)
{
    struct bp_fb_table t = bp_fb_root(&m->fb, p, n);
    int64_t version = bp_fb_int(&t, 0, 2, 0);

    m->kind = (int)bp_fb_int(&t, 1, 1, 0);
    m->header = bp_fb_table(&t, 2);
    m->body_bytes = bp_fb_int(&t, 3, 8, 0);
    m->meta = bp_fb_vector(&t, 4, 4);
    if (m->fb.bad)
        return damaged(m, err);
    m->is_v4 = version == FB_VERSION_V4; /* but for unions, which are not read, as V5 */
    if (version != FB_VERSION_V5 && version != FB_VERSION_V4)
        return bp_fail(err, BP_EDATA, "the Arrow metadata is of version number %lld, not V4 or V5",
                       (long long)version);
    if (!m->header.fb)
        return bp_fail(err, BP_EDATA, "a message has no header");
    if (m->body_bytes < 0)
        return bp_fail(err, BP_EDATA, "a message's body has a negative length");
    return 0;
}

int bp_ipc_records_decode(struct bp_ipc_message *m, const struct bp_fb_table *t,
                          struct bp_ipc_records *out, struct bp_err *err)
{
    struct bp_fb_table compression = bp_fb_table(t, 3);

    out->n_rows = bp_fb_int(t, 0, 8, 0);
    out->nodes = bp_fb_vector(t, 1, sizeof(struct bp_ipc_node));
    out->buffers = bp_fb_vector(t, 2, sizeof(struct bp_ipc_buffer));
    out->variadic = bp_fb_vector(t, 4, sizeof(int64_t));
    out->codec = compression.fb ? (int)bp_fb_int(&compression, 0, 1, 0) : FB_CODEC_NONE;
    if (m->fb.bad)
        return damaged(m, err);
    if (!t->fb)
        return bp_fail(err, BP_EDATA, "a dictionary message has no data");
    if (out->codec > FB_CODEC_ZSTD || (compression.fb && bp_fb_int(&compression, 1, 1, 0) != 0))
        return bp_fail(err, BP_EDATA,
                       "a batch is compressed by a method that is not known: "
                       "LZ4_FRAME and ZSTD are");
    if (out->n_rows < 0 || out->n_rows > BP_IPC_MAX_ROWS)
        return bp_fail(err, BP_EDATA, "a batch claims %lld rows: 0 to 2147483647 are read",
                       (long long)out->n_rows);
    return 0;
}
